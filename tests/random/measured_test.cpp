// Random programs trained for three steps at three widths: every measured slope against the derived exponent.
//
// A derived size that is too small is a wrong rule; so is one at initialization that is too large.  After training a
// size may be the larger one of two whose measured constants differ by more than three widths can make up for, so that
// there only what exceeds the derived size is wrong.  TPC_RANDOM_MEASURED says how many programs.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "compiler/evidence/slopes.h"
#include "tests/catch.h"
#include "tests/random/generate.h"
#include "tests/random/shrink.h"

using namespace tpc;
using namespace tpc::tests;

namespace {

uint64_t fromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

// The slopes of several seeds, each fitted by itself: a product of many factors scatters widely, and a mean over seeds
// would be that of the largest.
struct Slope {
  double mean = 0, error = 0;
  bool zero = true, finite = true;
};

Slope slopeOf(const std::vector<Series>& seeds) {
  Slope slope;
  for (const Series& each : seeds) {
    slope.mean += each.slope / double(seeds.size());
    slope.zero &= each.zero;
    slope.finite &= each.finite || each.zero;
  }
  double square = 0;
  for (const Series& each : seeds) square += (each.slope - slope.mean) * (each.slope - slope.mean);
  slope.error = std::sqrt(square / double(seeds.size() * std::max<size_t>(1, seeds.size() - 1)));
  return slope;
}

enum class Side { exact, atMost };

// Empty where they agree, up to what so few widths can tell and what the seeds scatter by.
std::string disagreement(const std::vector<Series>& seeds, const Size& derived, Side side) {
  const Slope slope = slopeOf(seeds);
  std::ostringstream shown;
  shown << "derived " << toString(derived) << ", measured ";
  if (slope.zero) shown << "zero";
  else if (!slope.finite) shown << "no number";
  else shown << slope.mean << " +- " << slope.error << " :";
  for (double size : seeds[0].sizes) shown << ' ' << size;
  if (derived.isZero()) return slope.zero ? "" : shown.str();
  if (!derived.isPower()) return "";
  if (slope.zero) return side == Side::atMost ? "" : shown.str();
  // A sign that changes in some runs and not in others has no slope.
  const auto vanishes = [](const Series& each) { return std::ranges::count(each.sizes, 0.0) > 0; };
  if (std::ranges::any_of(seeds, vanishes)) return "";
  if (!slope.finite) return shown.str();
  const double exponent = derived.exponent.toDouble(), tolerance = 0.15 + 2.5 * slope.error;
  const bool high = slope.mean > exponent + tolerance, low = slope.mean < exponent - tolerance;
  return high || (low && side == Side::exact) ? shown.str() : "";
}

// Widths are multiples of the base.
struct Effort {
  std::vector<int64_t> widths;
  int seeds;
};
const Effort glance{{3, 6, 12}, 3}, look{{6, 12, 24}, 8};

struct Measured {
  std::vector<std::string> wrong;
  bool ran = false;
};

std::string nameOf(const Graph& graph, NodeId node) {
  const auto gradient = std::find(graph.gradientOf.begin(), graph.gradientOf.end(), node);
  const NodeId named = gradient == graph.gradientOf.end() ? node : NodeId(gradient - graph.gradientOf.begin());
  std::string name = "node " + std::to_string(node);
  if (graph.nodes[named].kind == OpKind::parameter) name = graph.parameters[graph.nodes[named].attribute].name;
  if (graph.nodes[named].name != none) name = graph.names[graph.nodes[named].name];
  return named == node ? name : "d " + name;
}

struct Finding {
  NodeId node;
  std::string text;
};

std::vector<Finding> findings(const Analysed& analysed, const SymbolAnalysis& along, const std::string& optimizer,
                              const Effort& effort, const std::vector<NodeId>& nodes, std::string& error) {
  const Graph& graph = analysed.graph;
  SlopeOptions slopes;
  slopes.symbol = along.symbol;
  for (const Symbol& symbol : graph.symbols) slopes.numbers.push_back(symbol.number);
  slopes.widths.clear();
  for (int64_t width : effort.widths) slopes.widths.push_back(width * slopes.numbers[along.symbol]);
  slopes.seeds = 1;
  slopes.optimizer = optimizer;
  slopes.nodes = nodes;
  const double lr = optimizer == "sgd" || optimizer == "momentum" ? 0.02 : 0.001;
  const PlanAt plan = planOf(graph, along, {.numbers = slopes.numbers, .lr = lr});
  std::vector<Measurement> seeds;
  for (int seed = 1; seed <= effort.seeds; ++seed) {
    slopes.firstSeed = seed;
    seeds.push_back(measure(graph, analysed.optimizers, plan, slopes));
    if (error = seeds.back().error; !error.empty()) return {};
  }
  std::vector<Finding> found;
  for (size_t i = 0; i < seeds[0].values.size(); ++i) {
    const NodeId node = seeds[0].values[i].node;
    // exp(x - max x) over a growing axis is of order one up to logarithms, which a few widths take for a power.
    if (nameOf(graph, node).find("softmax.e") != std::string::npos) continue;
    const ValueSizes& sizes = along.values[node];
    const auto series = [&](Series MeasuredValue::*which) {
      std::vector<Series> all;
      for (const Measurement& seed : seeds) all.push_back(seed.values[i].*which);
      return all;
    };
    const Side side = node < graph.forwardEnd ? Side::exact : Side::atMost;
    const std::pair<const char*, std::string> aspects[] = {
        {" at init: ", disagreement(series(&MeasuredValue::init), sizes.init, side)},
        {" update: ", disagreement(series(&MeasuredValue::update), sizes.update, Side::atMost)},
        {" trained: ", disagreement(series(&MeasuredValue::trained), sizes.trained, Side::atMost)}};
    for (const auto& [aspect, what] : aspects)
      if (!what.empty())
        found.push_back({node, graph.symbols[along.symbol].name + ": " + nameOf(graph, node) + aspect + what});
  }
  return found;
}

Measured measured(const std::string& text, const std::string& optimizer) {
  SourceMap sources;
  DiagnosticSink sink;
  PipelineOptions options;
  options.optimizer = optimizer;
  options.defines = {{"batch", 6}};
  std::optional<Analysed> analysed = analyseProgram(sources, sources.add("random.tp", text), options, sink);
  Measured result;
  if (!analysed) return result;
  // What counts as zero is zero: softmax over n gives small values, and a norm would see 1e-5 beside their squares.
  for (Number& number : analysed->graph.numbers)
    if (number.kind == Number::Kind::tiny) number.coefficient = 1e-30;
  for (const SymbolAnalysis& along : analysed->analysis.symbols) {
    if (along.verdict.regime == Regime::undetermined || along.verdict.regime == Regime::unstable) continue;
    std::string error;
    std::vector<NodeId> suspects;
    for (const Finding& finding : findings(*analysed, along, optimizer, glance, {}, error))
      suspects.push_back(finding.node);
    result.ran |= error.empty();
    if (!error.empty()) result.wrong.push_back(error);
    suspects.erase(std::unique(suspects.begin(), suspects.end()), suspects.end());
    if (suspects.empty()) continue;
    if (fromEnvironment("TPC_RANDOM_QUICK", 0)) {
      for (const Finding& finding : findings(*analysed, along, optimizer, glance, {}, error))
        result.wrong.push_back(finding.text);
      continue;
    }
    for (const Finding& finding : findings(*analysed, along, optimizer, look, suspects, error))
      result.wrong.push_back(finding.text);
  }
  return result;
}

// Where numbers at the base are small, as 0.02 or what a softmax over a width gives, the larger of two sizes has the
// smaller constant, and wins at widths that nobody measures.  Attention's own softmax runs over a time of fixed length.
bool tellsAtTheseWidths(std::string text) {
  const std::string mixing = "s e -> b h t e\", softmax(";
  for (size_t at = text.find(mixing); at != std::string::npos; at = text.find(mixing)) text.erase(at, mixing.size());
  return text.find("softmax(") == std::string::npos && text.find("normal(0.02)") == std::string::npos;
}

}  // namespace

TEST_CASE("random programs grow as derived", "[random][measured]") {
  const uint64_t first = fromEnvironment("TPC_RANDOM_SEED", 1), count = fromEnvironment("TPC_RANDOM_MEASURED", 16);
  int ran = 0, failed = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Generated program = randomProgram(seed, Manner::tame);
    if (!tellsAtTheseWidths(program.text)) continue;
    const Measured found = measured(program.text, program.optimizer);
    ran += found.ran;
    if (found.wrong.empty() || failed++ >= int(fromEnvironment("TPC_RANDOM_SHOWN", 2))) continue;
    int trials = 80;  // each trains smaller networks for seconds
    const std::string text = shrunk(program.text, [&](const std::string& smaller) {
      return trials-- > 0 && !measured(smaller, program.optimizer).wrong.empty();
    });
    std::string lines;
    for (const std::string& each : measured(text, program.optimizer).wrong) lines += each + "\n";
    FAIL_CHECK("seed " << seed << ", " << program.optimizer << "\n" << text << lines);
  }
  CHECK(ran > int(count / 2));
}
