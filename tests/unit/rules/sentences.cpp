#include "tests/unit/rules/sentences.h"

#include <map>
#include <regex>

#include "dsl/source/render.h"
#include "tests/catch.h"

namespace tpc::rules {
namespace {

const std::pair<const char*, const char*> declarations[] = {
    {"x", "input x [batch, n]"},
    {"z", "input z [batch, n]"},
    {"s", "input s [batch, 4]"},
    {"U", "param U [4, n] init fixed normal(1)"},
    {"U2", "param U2 [4, n] init fixed normal(1)"},
    {"W", "param W [n, n] init fixed normal(1)"},
    {"W2", "param W2 [n, n] init fixed normal(1)"},
    {"v", "param v [n] init fixed normal(1)"},
};

NodeId named(const Graph& graph, const std::string& name) {
  for (NodeId id = graph.forwardEnd; id-- > 0;) {
    const Node& node = graph.nodes[id];
    if (node.name != none && graph.names[node.name] == name) return id;
    if (node.kind == OpKind::parameter && graph.parameters[node.attribute].name == name) return id;
    if (node.kind == OpKind::input && graph.inputs[node.attribute].name == name) return id;
  }
  FAIL("no value " << name);
  return none;
}

std::string ruleOf(const SymbolAnalysis& symbol, StepId step) {
  return step == noStep ? "" : std::string(allRules()[symbol.derivation.steps()[step].rule].id);
}

const ParameterSizes& parameterOf(const Analysed& analysed, const std::string& name) {
  for (size_t i = 0; i < analysed.graph.parameters.size(); ++i)
    if (analysed.graph.parameters[i].name == name) return analysed.analysis.symbols[0].parameters[i];
  FAIL("no parameter " << name);
  return analysed.analysis.symbols[0].parameters[0];
}

}  // namespace

std::string program(const Lines& lines) {
  std::string text = "size n = 64 -> inf\n";
  const std::string body = lines.text + "\n" + lines.tail;
  for (const auto& [name, declaration] : declarations)
    if (std::regex_search(body, std::regex("\\b" + std::string(name) + "\\b")) &&
        !std::regex_search(body, std::regex("param " + std::string(name) + "\\b")))
      text += std::string(declaration) + "\n";
  return text + body;
}

Analysed analysed(const Lines& lines) {
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.optimizer = lines.optimizer;
  options.alignment = lines.alignment;
  const std::string text = program(lines);
  std::optional<Analysed> result = analyseProgram(sources, sources.add("lines.tp", text), options, diagnostics);
  INFO(text << render(diagnostics, sources));
  REQUIRE(result);
  REQUIRE_FALSE(result->analysis.symbols.empty());
  if (lines.lr)
    for (const Parameter& parameter : result->graph.parameters)
      result->options.given["n"][parameter.name].lr = *lines.lr;
  if (lines.multiplier) result->options.givenMultipliers["n"]["auto"] = *lines.multiplier;
  if (lines.lr || lines.multiplier) result->analysis = analyse(result->graph, result->optimizers, result->options);
  return std::move(*result);
}

Rules decidedBy(const Lines& lines, const std::string& value, Aspect aspect) {
  const Analysed result = analysed(lines);
  const SymbolAnalysis& symbol = result.analysis.symbols[0];
  const NodeId node = named(result.graph, value);
  const ValueSizes& sizes = symbol.values[node];
  const StepId root = aspect == Aspect::init     ? sizes.initStep
                      : aspect == Aspect::update ? sizes.updateStep
                                                 : sizes.trainedStep;
  REQUIRE(root != noStep);
  Rules rules;
  for (StepId step : symbol.derivation.closure(root))
    if (symbol.derivation.steps()[step].subject == node && symbol.derivation.steps()[step].aspect == aspect)
      rules.insert(ruleOf(symbol, step));
  return rules;
}

Rules rulesOf(const Lines& lines, const std::string& value, Aspect aspect) {
  const Analysed result = analysed(lines);
  const SymbolAnalysis& symbol = result.analysis.symbols[0];
  const NodeId node = named(result.graph, value);
  Rules rules;
  for (StepId step = 0; step < symbol.derivation.steps().size(); ++step)
    if (symbol.derivation.steps()[step].subject == node && symbol.derivation.steps()[step].aspect == aspect)
      rules.insert(ruleOf(symbol, step));
  return rules;
}

Rules writtenOf(const Lines& lines, const std::string& value) { return rulesOf(lines, value, Aspect::init); }

std::string initRule(const Lines& lines, const std::string& parameter) {
  const Analysed result = analysed(lines);
  return ruleOf(result.analysis.symbols[0], parameterOf(result, parameter).initStep);
}

std::string lrRule(const Lines& lines, const std::string& parameter) {
  const Analysed result = analysed(lines);
  return ruleOf(result.analysis.symbols[0], parameterOf(result, parameter).lrStep);
}

std::string updateRule(const Lines& lines, const std::string& parameter) {
  const Analysed result = analysed(lines);
  return ruleOf(result.analysis.symbols[0], parameterOf(result, parameter).updateStep);
}

std::string multiplierRule(const Lines& lines) {
  const Analysed result = analysed(lines);
  REQUIRE(result.analysis.symbols[0].multipliers.size() == 1);
  return ruleOf(result.analysis.symbols[0], result.analysis.symbols[0].multipliers[0].step);
}

Rules only(const std::string& rule) { return {rule}; }
bool has(const Rules& rules, const std::string& rule) { return rules.count(rule) > 0; }

}  // namespace tpc::rules
