#include "compiler/evidence/precision.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "compiler/evidence/slopes.h"

namespace tpc {
namespace {

constexpr NumberFormat formats[] = {
    {"fp16", 65504, 0x1p-14, 0x1p-24},
    {"bf16", 0x1.fep127, 0x1p-126, 0x1p-133},
    {"fp8_e4m3", 448, 0x1p-6, 0x1p-9},
    {"fp8_e5m2", 57344, 0x1p-14, 0x1p-16},
};

constexpr int steps = 1;
constexpr int64_t batchMeasured = 2;
constexpr double untunedLr = 1e-3;  // where the plan has no number: small enough that a step tells little of it
constexpr double aimedCost = 2e9, mostCost = 2e10;  // multiplications and additions of one forward and backward pass

// A plan's exponent, in one symbol, as a number.
double exponentIn(const PlanGrowth& growth, const std::string& symbol) {
  for (const auto& [name, exponent] : growth.powers) {
    if (name != symbol) continue;
    const size_t slash = exponent.find('/');
    char* end = nullptr;
    const double num = std::strtod(exponent.c_str(), &end);
    return slash == std::string::npos ? num : num / std::strtod(exponent.c_str() + slash + 1, &end);
  }
  return 0;
}

// The plan's numbers at other sizes, as the interpreter wants them.
PlanNumbers numbersOf(const Plan& plan, const std::vector<int64_t>& base, const std::vector<int64_t>& at,
                      const Graph& graph, const Analysis& analysis) {
  const auto factor = [&](const PlanGrowth& growth) {
    double product = 1;
    for (const SymbolAnalysis& symbol : analysis.symbols)
      if (symbol.analysed)
        product *= std::pow(double(at[symbol.symbol]) / double(base[symbol.symbol]),
                            exponentIn(growth, graph.symbols[symbol.symbol].name));
    return product;
  };
  PlanNumbers numbers;
  for (const PlanParameter& parameter : plan.parameters) {
    std::optional<double> std = parameter.base.initStd;
    if (std) *std *= factor(parameter.exponents.initStd) * factor(parameter.exponents.multiplier);
    numbers.initStd.push_back(std);
    numbers.lr.push_back(parameter.base.lr.value_or(untunedLr) * factor(parameter.exponents.lr.value_or(PlanGrowth{})));
    numbers.eps.push_back(parameter.base.eps.value_or(0) * factor(parameter.exponents.eps.value_or(PlanGrowth{})));
  }
  for (const PlanMultiplier& multiplier : plan.multipliers)
    numbers.multipliers.push_back(multiplier.base * factor(multiplier.exponent));
  return numbers;
}

int64_t numberOf(const PlanSizes& sizes, const std::string& name, int64_t otherwise) {
  const auto found =
      std::find_if(sizes.numbers.begin(), sizes.numbers.end(), [&](const auto& one) { return one.first == name; });
  return found == sizes.numbers.end() ? otherwise : found->second;
}

// From one choice of sizes to another along every symbol that was analysed.
double factorOf(const Analysis& analysis, NodeId node, bool trained, const std::vector<int64_t>& from,
                const std::vector<int64_t>& to) {
  double factor = 1;
  for (const SymbolAnalysis& symbol : analysis.symbols) {
    if (!symbol.analysed || node >= symbol.values.size()) continue;
    const Size& size = trained ? symbol.values[node].trained : symbol.values[node].init;
    if (size.isPower())
      factor *= std::pow(double(to[symbol.symbol]) / double(from[symbol.symbol]), size.exponent.toDouble());
  }
  return factor;
}

// Multiply-adds of all contractions; infinite where a length is no whole number.
double costOf(const Graph& graph, const std::vector<int64_t>& numbers) {
  double cost = 0;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    double product = 1;
    for (uint32_t region = node.region; region != none; region = graph.repeats[region].parent)
      product *= double(graph.repeats[region].trips.at(numbers).value_or(1));
    for (int axis = 0; axis < graph.rank(id); ++axis) {
      const auto length = graph.length(id, axis).at(numbers);
      if (!length) return HUGE_VAL;
      product *= double(*length);
    }
    if (node.kind != OpKind::contract) continue;
    const Contraction& labels = graph.contractions[node.attribute];
    for (size_t axis = 0; axis < labels.a.size(); ++axis)
      if (std::find(labels.result.begin(), labels.result.end(), labels.a[axis]) == labels.result.end())
        product *= double(graph.length(graph.operands(id)[0], int(axis)).at(numbers).value_or(1));
    cost += product;
  }
  return cost;
}

// Halves the growing sizes, one after the other, until a pass takes seconds.
std::vector<int64_t> affordable(const Graph& graph, const Analysis& analysis, std::vector<int64_t> numbers) {
  constexpr int64_t narrowest = 32;
  for (bool halved = true; halved && costOf(graph, numbers) > aimedCost;) {
    halved = false;
    for (const SymbolAnalysis& symbol : analysis.symbols) {
      int64_t& number = numbers[symbol.symbol];
      if (!symbol.analysed || number % 2 != 0 || number / 2 < narrowest) continue;
      number /= 2;
      if (std::isfinite(costOf(graph, numbers))) halved = true;
      else number *= 2;
    }
  }
  return numbers;
}

}  // namespace

const NumberFormat* numberFormat(std::string_view name) {
  const NumberFormat* found =
      std::find_if(std::begin(formats), std::end(formats), [&](const NumberFormat& one) { return one.name == name; });
  return found == std::end(formats) ? nullptr : found;
}

std::vector<std::string> numberFormatNames() {
  std::vector<std::string> names;
  for (const NumberFormat& format : formats) names.emplace_back(format.name);
  return names;
}

RangeReport outOfRange(const Graph& graph, const Analysis& analysis, const std::vector<OptimizerProgram>& optimizers,
                       const Plan& plan, const std::vector<std::string>& wanted) {
  RangeReport report;
  std::vector<int64_t> baseSizes, target;
  for (const Symbol& symbol : graph.symbols) {
    baseSizes.push_back(numberOf(plan.base, symbol.name, symbol.number));
    target.push_back(numberOf(plan.target, symbol.name, symbol.number));
  }
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol)
    if (graph.symbols[symbol].name == "batch") baseSizes[symbol] = target[symbol] = batchMeasured;
  const std::vector<int64_t> numbers = affordable(graph, analysis, baseSizes);
  report.at = "batch = " + std::to_string(batchMeasured);
  for (const SymbolAnalysis& symbol : analysis.symbols)
    report.at += (report.at.empty() ? "" : ", ") + graph.symbols[symbol.symbol].name + " = " +
                 std::to_string(numbers[symbol.symbol]);
  if (costOf(graph, numbers) > mostCost) {
    report.error =
        "a pass at " + report.at + " would take the interpreter minutes; give smaller sizes, with -D or --base";
    return report;
  }
  const PlanNumbers at = numbersOf(plan, baseSizes, numbers, graph, analysis);
  const Measurement measured = measure(graph, optimizers, [&](const std::vector<int64_t>&) { return at; },
                                       {.symbol = 0,
                                        .numbers = numbers,
                                        .widths = {numbers[0]},
                                        .seeds = 1,
                                        .steps = steps,
                                        .optimizer = plan.optimizer,
                                        .nodes = {}});
  report.error = measured.error;
  if (!report.error.empty()) return report;

  // A gradient node is told as the gradient of the value, or parameter, that it belongs to.
  std::vector<NodeId> gradientOf(graph.nodes.size(), none);
  for (NodeId id = 0; id < graph.gradientOf.size(); ++id)
    if (graph.gradientOf[id] != none && graph.gradientOf[id] >= graph.forwardEnd) gradientOf[graph.gradientOf[id]] = id;
  for (const Parameter& parameter : graph.parameters)
    if (parameter.gradient != none && parameter.gradient >= graph.forwardEnd)
      gradientOf[parameter.gradient] = parameter.node;

  report.measured = measured.values.size();
  for (const std::string& name : wanted) {
    const NumberFormat* format = numberFormat(name);
    if (format == nullptr) continue;
    for (const MeasuredValue& value : measured.values) {
      const auto at = [&](const std::vector<int64_t>& sizes, const std::vector<double>& init,
                          const std::vector<double>& trained) {
        return std::max(init[0] * factorOf(analysis, value.node, false, numbers, sizes),
                        trained[0] * factorOf(analysis, value.node, true, numbers, sizes));
      };
      const double largest = at(target, value.init.largest, value.trained.largest);
      const double size = at(target, value.init.sizes, value.trained.sizes);
      if (size == 0) continue;  // exactly zero is in every format
      const bool gradient = gradientOf[value.node] != none;
      OutOfRange found{
          gradient ? gradientOf[value.node] : value.node,       gradient, format->name, RangeFault::overflows,
          at(baseSizes, value.init.sizes, value.trained.sizes), size};
      if (largest > format->largest) {
        found.atBase = at(baseSizes, value.init.largest, value.trained.largest);
        found.atTarget = largest;
      } else if (size < format->smallest) {
        found.fault = RangeFault::vanishes;
      } else if (size < format->smallestNormal) {
        found.fault = RangeFault::loses;
      } else {
        continue;
      }
      report.found.push_back(found);
    }
  }
  return report;
}

}  // namespace tpc
