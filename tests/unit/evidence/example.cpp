#include "tests/unit/evidence/example.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/catch.h"

namespace tpc::tests {

MeasuredExample measuredExample(const Example& example) {
  const std::string path = std::string(TPC_SOURCE_DIR) + "/examples/" + example.file;
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.defines = example.defines;
  options.optimizer = example.optimizer;
  options.criterion = example.criterion;
  std::optional<Analysed> analysed = analyseProgram(sources, sources.add(path, text.str()), options, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) UNSCOPED_INFO(diagnostic.message);
  REQUIRE(analysed);
  const Graph& graph = analysed->graph;
  REQUIRE(violation(graph) == "");

  std::vector<int64_t> numbers;
  for (const Symbol& symbol : graph.symbols) numbers.push_back(symbol.number);
  const auto along =
      std::find_if(analysed->analysis.symbols.begin(), analysed->analysis.symbols.end(),
                   [&](const SymbolAnalysis& each) { return graph.symbols[each.symbol].name == example.symbol; });
  REQUIRE(along != analysed->analysis.symbols.end());
  REQUIRE(along->analysed);
  SymbolAnalysis followed = *along;
  if (example.change) example.change(followed);
  SlopeOptions slopes;
  slopes.symbol = along->symbol;
  slopes.numbers = numbers;
  slopes.widths = example.widths;
  slopes.seeds = example.seeds;
  slopes.optimizer = example.optimizer;
  Measurement measured =
      measure(graph, analysed->optimizers, planOf(graph, followed, {.numbers = numbers, .lr = example.lr}), slopes);
  INFO(example.file << ": " << measured.error);
  REQUIRE(measured.error == "");
  SymbolAnalysis sizes = *along;
  return {std::move(*analysed), std::move(sizes), std::move(measured)};
}

std::string nameOf(const Graph& graph, NodeId node) {
  const auto gradient = std::find(graph.gradientOf.begin(), graph.gradientOf.end(), node);
  const NodeId named = gradient == graph.gradientOf.end() ? node : NodeId(gradient - graph.gradientOf.begin());
  std::string name = "node " + std::to_string(node);
  if (graph.nodes[named].kind == OpKind::parameter) name = graph.parameters[graph.nodes[named].attribute].name;
  if (graph.nodes[named].name != none) name = graph.names[graph.nodes[named].name];
  for (const Parameter& parameter : graph.parameters)
    if (parameter.gradient == node) return "d " + parameter.name;
  return named == node ? name : "d " + name;
}

}  // namespace tpc::tests
