// Programs with known answers, from text to exponents: what the tests of this folder share.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/driver/pipeline.h"

namespace tpc::programs {

// The exponents of one parameter in one growing symbol, as text: "-1/2", "zero".  An empty one is not compared.
struct Row {
  std::string parameter, init, lr, multiplier, eps, decay;
};

struct Question {
  std::string optimizer = "adam";
  Gauge gauge = Gauge::plain;
  std::string symbol = "n";
};

// An analysed program; where the text is wrong the test fails with its diagnostics.  Twins of every program that goes
// through here, under other names and in another order, are analysed too and must agree (twin.h).
struct Program {
  SourceMap sources;
  DiagnosticSink diagnostics;
  std::optional<Analysed> analysed;
  std::string errors;
};
Program analysed(const std::string& text, const std::string& optimizer = "adam");

const SymbolAnalysis& in(const Program& program, const std::string& symbol);

// Each row is checked against the derivation.
void expectRows(const std::string& text, const Question& question, const std::vector<Row>& rows);
std::string multiplierOf(const Program& program, const std::string& name, const std::string& symbol = "n");
const ParameterSizes& parameterOf(const Program& program, const std::string& name, const std::string& symbol = "n");
const ValueSizes& valueOf(const Program& program, const std::string& name, const std::string& symbol = "n");

// All exponents of all parameters, by name: for programs that must agree.
std::map<std::string, Row> rowsOf(const Program& program, const std::string& symbol = "n", Gauge gauge = Gauge::plain);

}  // namespace tpc::programs
