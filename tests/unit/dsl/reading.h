// Reading small programs in tests.
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "dsl/source/render.h"
#include "dsl/syntax/parse.h"
#include "dsl/syntax/print.h"
#include "tests/catch.h"

namespace tpc {

struct Reading {
  SourceMap sources;
  DiagnosticSink diagnostics;
  std::optional<ast::Program> program;

  explicit Reading(std::string text) { program = parse(sources, sources.add("test.tp", std::move(text)), diagnostics); }

  std::string messages() const { return render(diagnostics, sources); }
  const ast::Statement& statement(std::size_t i) const { return program.value().body.statements.at(i); }
};

inline std::string readFile(const std::string& path) {
  std::ifstream file(std::string(TPC_SOURCE_DIR) + "/" + path);
  REQUIRE(file);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The canonical text of one expression; what did not parse shows as its message.
inline std::string canonical(const std::string& expression) {
  Reading reading("y = " + expression);
  if (!reading.program) return reading.messages();
  return print(*reading.statement(0).as<ast::Assign>()->value);
}

// Every operator with parentheses of its own: (a + (b * c)).
inline std::string grouped(const ast::Expr& e) {
  if (auto* unary = e.as<ast::Unary>()) return "(-" + grouped(*unary->operand) + ")";
  if (auto* binary = e.as<ast::Binary>())
    return "(" + grouped(*binary->left) + " " + ast::spelling(binary->op) + " " + grouped(*binary->right) + ")";
  return print(e);
}
inline std::string grouped(const std::string& expression) {
  Reading reading("y = " + expression);
  if (!reading.program) return reading.messages();
  return grouped(*reading.statement(0).as<ast::Assign>()->value);
}

}  // namespace tpc
