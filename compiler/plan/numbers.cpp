#include "compiler/plan/numbers.h"

#include <algorithm>
#include <cmath>

#include "compiler/analysis/first_use.h"
#include "compiler/plan/exponents.h"

namespace tpc {
namespace {

struct Maker {
  const Graph& graph;
  const Analysis& analysis;
  const AnalysisOptions& options;
  const std::vector<OptimizerProgram>& optimizers;
  const PlanRequest& request;
  const Uses uses;
  const std::vector<FirstUse> first;

  PlanGrowth growth(const Growths& growths) const {
    PlanGrowth result;
    for (size_t i = 0; i < growths.size(); ++i) {
      if (growths[i].isZero()) return {true, {}};
      if (growths[i] == Size::power(0)) continue;
      result.powers.emplace_back(graph.symbols[analysis.symbols[i].symbol].name, toString(growths[i]));
    }
    return result;
  }

  // From base to target.  A growth that is no power counts as 1: the plan says which sizes it does not speak of.
  double factor(const Growths& growths) const {
    double product = 1;
    for (size_t i = 0; i < growths.size(); ++i) {
      const SymbolId symbol = analysis.symbols[i].symbol;
      if (!growths[i].isPower() || request.target[symbol] == request.base[symbol]) continue;
      product *=
          std::pow(double(request.target[symbol]) / double(request.base[symbol]), growths[i].exponent.toDouble());
    }
    return product;
  }

  std::optional<double> rootOfContracted(NodeId contraction) const {
    const auto length = contractedLength(graph, contraction).at(request.base);
    return length ? std::optional(1 / std::sqrt(double(*length))) : std::nullopt;
  }

  double numberAtBase(const Number& number) const {
    double value = number.coefficient;
    for (const auto& [symbol, power] : number.powers) value *= std::pow(double(request.base[symbol]), power.toDouble());
    return value;
  }

  void setInit(const Parameter& parameter, size_t index, const ParameterExponents& exponents,
               PlanParameter& out) const {
    const Init& init = parameter.init;
    constexpr double rootOfThree = 1.7320508075688772;  // of uniform on [-a, a]: std = a / sqrt(3)
    out.initIsGiven = init.kind != Init::Kind::plan;
    std::optional<double> std, mean;
    switch (init.kind) {
      case Init::Kind::plan:
        out.init = PlanInit::normal;
        std = 1;
        if (first[index].kind == UseKind::contracted) std = rootOfContracted(first[index].node);
        break;
      case Init::Kind::normal:
        out.init = PlanInit::normal;
        std = numberAtBase(init.number);
        break;
      case Init::Kind::uniform:
        out.init = PlanInit::uniform;
        std = numberAtBase(init.number) / rootOfThree;
        break;
      case Init::Kind::constant:
        out.init = PlanInit::constant;
        mean = numberAtBase(init.number);
        break;
      case Init::Kind::eye: out.init = PlanInit::eye; break;
      case Init::Kind::values: out.init = PlanInit::values; break;
      case Init::Kind::file: out.init = PlanInit::file; break;
    }
    out.base.initStd = std;
    out.base.initMean = mean;
    if (std) out.target.initStd = *std * factor(exponents.initStd);
    if (mean) out.target.initMean = *mean * factor(exponents.initMean);
  }

  std::string optimizerOf(const Parameter& parameter) const {
    const auto chosen = options.optimizerOf.find(parameter.name);
    if (chosen != options.optimizerOf.end()) return chosen->second;
    return parameter.optimizer.empty() ? options.optimizer : parameter.optimizer;
  }

  // The optimizer's own number for an argument; none where it has no such argument.
  std::optional<double> argument(const std::string& optimizer, const char* name) const {
    for (const OptimizerProgram& program : optimizers)
      for (const OptimizerArgument& one : program.graph.arguments)
        if (program.name == optimizer && one.role == ArgumentRole::hyper && one.name == name) return one.number;
    return std::nullopt;
  }

  PlanParameter parameter(size_t index) const {
    const Parameter& parameter = graph.parameters[index];
    const ParameterExponents exponents = exponentsOf(graph, analysis, options, request.gauge, index);
    PlanParameter out;
    out.name = parameter.name;
    // Where nothing grows there is nothing to derive, and whatever is not frozen trains.
    out.trains = analysis.symbols.empty() ? parameter.ownership == Ownership::trained : exponents.trains;
    out.optimizer = optimizerOf(parameter);
    out.exponents.initStd = exponents.startsConstant ? PlanGrowth{true, {}} : growth(exponents.initStd);
    out.exponents.initMean = growth(exponents.initMean);
    out.exponents.multiplier = growth(exponents.multiplier);
    setInit(parameter, index, exponents, out);
    out.target.multiplier = factor(exponents.multiplier);
    for (int axis = 0; axis < graph.rank(parameter.node); ++axis) {
      out.base.shape.push_back(graph.length(parameter.node, axis).at(request.base).value_or(0));
      out.target.shape.push_back(graph.length(parameter.node, axis).at(request.target).value_or(0));
    }
    if (!out.trains) return out;
    const auto scaled = [&](std::optional<PlanGrowth>& exponent, std::optional<double> ParameterNumbers::*number,
                            const Growths& growths, std::optional<double> base) {
      exponent = growth(growths);
      if (!base) return;
      out.base.*number = *base;
      out.target.*number = *base * factor(growths);
    };
    scaled(out.exponents.lr, &ParameterNumbers::lr, exponents.lr, request.lr);
    if (const auto eps = argument(out.optimizer, "eps"))
      scaled(out.exponents.eps, &ParameterNumbers::eps, exponents.eps, request.eps ? request.eps : eps);
    if (const auto decay = argument(out.optimizer, "decay")) {
      out.exponents.decayPerStep = growth(exponents.decayPerStep);
      scaled(out.exponents.decayTimesLr, &ParameterNumbers::weightDecay, exponents.decayTimesLr,
             request.weightDecay ? request.weightDecay : decay);
      // A gain that decays would pull its layer's output to zero: decay is for what multiplies a contraction.
      if (first[index].kind == UseKind::factor || first[index].kind == UseKind::term)
        out.base.weightDecay = out.target.weightDecay = 0;
    }
    return out;
  }

  PlanMultiplier multiplier(uint32_t index) const {
    const Growths growths = multiplierGrowths(analysis, index);
    const NodeId contraction = scaledContraction(graph, uses, first, index);
    PlanMultiplier out{graph.freeMultipliers[index].name, growth(growths), 1, 1};
    if (contraction != none) out.base = rootOfContracted(contraction).value_or(1);
    out.target = out.base * factor(growths);
    return out;
  }
};

void warnOfSizes(const Graph& graph, const Analysis& analysis, const PlanRequest& request, Plan& plan) {
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    const std::string& name = graph.symbols[symbol].name;
    if (request.base[symbol] == request.target[symbol]) continue;
    const auto found = std::find_if(analysis.symbols.begin(), analysis.symbols.end(),
                                    [&](const SymbolAnalysis& one) { return one.symbol == symbol; });
    if (found != analysis.symbols.end() && found->analysed) continue;
    plan.warnings.push_back(
        {"TPC0306", "",
         "`" + name + "` is " + std::to_string(request.base[symbol]) + " at the base and " +
             std::to_string(request.target[symbol]) + " at the target, and no number below follows it: it " +
             (found == analysis.symbols.end() ? "does not grow in this program" : "is not analysed by this version"),
         found == analysis.symbols.end() ? "declare it as growing, `-> inf`, or with --grow " + name : ""});
  }
}

}  // namespace

Plan planOf(const Graph& graph, const Analysis& analysis, const AnalysisOptions& options,
            const std::vector<OptimizerProgram>& optimizers, const PlanRequest& request) {
  const Uses uses = usesOf(graph);
  const Maker maker{graph, analysis, options, optimizers, request, uses, firstUses(graph, uses)};
  Plan plan;
  plan.model = graph.model;
  plan.optimizer = options.optimizer;
  plan.parametrization = options.parametrization;
  for (const SymbolAnalysis& symbol : analysis.symbols) {
    plan.growing.push_back(graph.symbols[symbol.symbol].name);
    if (!symbol.analysed) plan.notAnalysed.push_back(plan.growing.back());
  }
  plan.lr = request.lr, plan.eps = request.eps, plan.weightDecay = request.weightDecay;
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    if (graph.symbols[symbol].name == "batch") continue;  // the user's at every call; no plan speaks of it
    plan.base.numbers.emplace_back(graph.symbols[symbol].name, request.base[symbol]);
    plan.target.numbers.emplace_back(graph.symbols[symbol].name, request.target[symbol]);
  }
  for (size_t i = 0; i < graph.parameters.size(); ++i) plan.parameters.push_back(maker.parameter(i));
  for (uint32_t i = 0; i < graph.freeMultipliers.size(); ++i) plan.multipliers.push_back(maker.multiplier(i));
  warnOfSizes(graph, analysis, request, plan);
  return plan;
}

}  // namespace tpc
