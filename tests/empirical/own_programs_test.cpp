// Each rule's own program, run at five widths: what the rule says of a value at initialization, and what it measures.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/analysis/depth.h"
#include "compiler/driver/pipeline.h"
#include "compiler/evidence/slopes.h"
#include "dsl/source/render.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

// Programs whose sizes are not powers, or not meant as more than bounds.
const std::map<std::string, std::string> without = {
    {"map.explodes", "exponential"},
    {"not-analysed", "exponential"},
    {"repeat.compounds", "not analysed"},
    {"repeat.exponential", "exponential"},
    {"repeat.marginal", "a power that exponents do not decide"},
    {"change.capped", "exp of what is far below zero is at most of order one, and that in one entry of n"},
    {"init.largest", "data are taken to add up along a growing axis; these have mean zero"},
};

double worst(const Graph& graph, const SymbolAnalysis& symbol, const Measurement& measured, std::string& where) {
  double largest = 0;
  for (const MeasuredValue& value : measured.values) {
    const Size& size = symbol.values[value.node].init;
    const std::string name = graph.nodes[value.node].name == none ? "W" : graph.names[graph.nodes[value.node].name];
    double off = 1;
    if (size.isZero()) off = value.init.zero ? 0 : 1;
    else if (size.isPower() && value.init.finite && !value.init.zero)
      off = std::abs(value.init.slope - size.exponent.toDouble());
    if (off <= largest) continue;
    largest = off;
    std::ostringstream text;
    text << name << ": derived " << toString(size) << ", measured " << (value.init.zero ? 0 : value.init.slope);
    where = text.str();
  }
  return largest;
}

}  // namespace

TEST_CASE("what a rule says of its own program is measured there", "[empirical][own-program]") {
  int programs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TPC_SOURCE) + "/tests/golden/rules")) {
    if (entry.path().extension() != ".tp" || without.count(entry.path().stem().string())) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    SourceMap sources;
    DiagnosticSink diagnostics;
    const std::optional<Analysed> analysed =
        analyseProgram(sources, sources.add(entry.path().string(), text), {}, diagnostics);
    INFO(entry.path() << "\n" << render(diagnostics, sources));
    REQUIRE(analysed);
    ++programs;
    const Graph& graph = analysed->graph;
    std::vector<NodeId> values;  // forward alone: what a max takes is a gradient in one coordinate, of no typical size
    for (NodeId id = 0; id < graph.forwardEnd; ++id)
      if (id != graph.loss && (graph.nodes[id].name != none || graph.nodes[id].kind == OpKind::parameter))
        values.push_back(id);
    std::vector<int64_t> numbers;
    for (const Symbol& symbol : graph.symbols) numbers.push_back(symbol.number);
    for (const SymbolAnalysis& symbol : analysed->analysis.symbols) {
      const Measurement measured =
          measure(graph, analysed->optimizers, planOf(graph, symbol, {.numbers = numbers}),
                  {.symbol = symbol.symbol,
                   .numbers = numbers,
                   .widths = isTripCount(graph, symbol.symbol) ? std::vector<int64_t>{16, 32, 64, 128, 256}
                                                               : std::vector<int64_t>{64, 128, 256, 512, 1024},
                   .seeds = isTripCount(graph, symbol.symbol) ? 32 : 8,
                   .steps = 0,
                   .optimizer = "adamw",
                   .nodes = values});
      REQUIRE(measured.error == "");
      std::string where;
      const double off = worst(graph, symbol, measured, where);
      INFO(entry.path().stem() << ", " << where);
      CHECK(off < 0.2);
    }
  }
  CHECK(programs > 35);
}
