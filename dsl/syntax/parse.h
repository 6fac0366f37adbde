// Text into a syntax tree.
//
// A program is read statement by statement: where a statement ends is found first (statements.cpp), then each is
// parsed by itself (grammar.cpp).  So one run reports the first mistake of every statement, and a mistake in one does
// not hide the next.  Nothing here knows what a name means.
#pragma once

#include <optional>
#include <span>

#include "dsl/source/diagnostic.h"
#include "dsl/syntax/ast.h"

namespace tpc {

// What the parser refuses, so that no text can exhaust stack or memory of what comes after it.
struct SyntaxLimits {
  static constexpr std::size_t fileBytes = 1 << 20;
  static constexpr unsigned nesting = 200;  // of ( ), [ ], { } together
  static constexpr unsigned height = 1000;  // of the tree of one expression: a + b + c has height 2
  static constexpr unsigned errors = 50;    // reported for one file; then the parser stops
};

// Empty if there was a syntax error; each has then been reported.
std::optional<ast::Program> parse(SourceMap& sources, FileId file, DiagnosticSink& diagnostics);

// One expression alone, as an option of the command line gives it.
std::optional<ast::ExprPtr> parseExpression(SourceMap& sources, FileId file, DiagnosticSink& diagnostics);

// The catalogue of TPC01xx.
std::span<const DiagnosticCode> syntaxCodes();

}  // namespace tpc
