// The analysis as a table of contents: for each growing symbol solve, derive, judge.
#include <algorithm>

#include "compiler/analysis/run.h"

namespace tpc {
namespace {

std::string nameOf(const Graph& graph, NodeId id) {
  return id != none && graph.nodes[id].name != none ? graph.names[graph.nodes[id].name] : std::string();
}

// A port without a name is called by what it was made of by adding, or else by the first named value that reads it.
std::string nameOfPort(const Run& run, NodeId id) {
  for (NodeId made = id; made != none && made < run.graph.forwardEnd;) {
    if (std::string name = nameOf(run.graph, made); !name.empty()) return name;
    const OpKind kind = run.graph.nodes[made].kind;
    if (kind != OpKind::sub && kind != OpKind::select && kind != OpKind::reshape && kind != OpKind::transpose) break;
    made = run.graph.operands(made)[kind == OpKind::select ? 1 : 0];
  }
  for (int steps = 0; id != none && steps < 64; ++steps) {
    if (id == run.graph.loss) return "loss";
    for (const Output& output : run.graph.outputs)
      if (output.node == id && !output.metric) return output.name;
    if (std::string name = nameOf(run.graph, id); !name.empty()) return name;
    if (id >= run.graph.forwardEnd || run.firstUse[id] == run.firstUse[id + 1]) break;
    id = run.uses[run.firstUse[id]].user;
  }
  return "loss";
}

bool isTripCount(const Graph& graph, SymbolId symbol) {
  return std::any_of(graph.repeats.begin(), graph.repeats.end(),
                     [&](const Repeat& repeat) { return repeat.trips.growth(symbol) != 0; });
}

// By what the first use contracts and leaves free; axes that data index count as neither.
Role roleOf(const Run& run, uint32_t index) {
  const Graph& graph = run.graph;
  NodeId id = graph.parameters[index].node;
  int contracted = 0, free = 0;
  auto total = [&](NodeId node) {
    int sum = 0;
    for (const GrowingAxis& axis : run.growingAxes(node)) sum += axis.growth;
    return sum;
  };
  free = total(id);
  while (run.firstUse[id] < run.firstUse[id + 1]) {
    Use use = run.uses[run.firstUse[id]];
    const Node& node = graph.nodes[use.user];
    if (node.kind == OpKind::contract) {
      ContractionGrowth growth = growthOf(run, use.user);
      contracted = growth.contracted;
      free = use.operand == 0 ? growth.freeA : growth.freeB;
      break;
    }
    if (node.kind == OpKind::gather && use.operand == 0) {
      free = total(id) - run.growth(id, node.attribute == none ? 0 : graph.axes[node.attribute].axes[0]);
      break;
    }
    const bool moves = node.kind == OpKind::layer || node.kind == OpKind::reshape || node.kind == OpKind::transpose ||
                       node.kind == OpKind::slice;
    const bool scales = node.kind == OpKind::mul || node.kind == OpKind::map;
    if (!moves && !(scales && run.parameterOnly[use.user])) break;
    id = use.user;
  }
  if (contracted > 0) return free > 0 ? Role::hidden : Role::output;
  return free > 0 ? Role::input : Role::scalar;
}

void applyGiven(Run& run) {
  auto here = run.options.given.find(run.graph.symbols[run.symbol].name);
  if (here == run.options.given.end()) return;
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    auto found = here->second.find(run.graph.parameters[i].name);
    if (found == here->second.end() || !found->second.lr) continue;
    const Rational p = run.optimizerOf[i].homogeneity;
    run.lr[i] = *found->second.lr + (Rational(1) + p) * found->second.multiplier.value_or(0);
  }
}

// lr = u - entry - p g, g the trained size of the gradient.
void solveLearningRates(Run& run) {
  static const RuleId solved = ruleNamed("lr.entry"), given = ruleNamed("lr.given");
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const Parameter& parameter = run.graph.parameters[i];
    ParameterSizes& out = run.out.parameters[i];
    const OptimizerFacts& facts = run.optimizerOf[i];
    const NodeId gradient = parameter.gradient;
    if (gradient != none) {
      out.gradientInit = run.initial[gradient].size();
      out.gradientTrained = run.trained[gradient];
      out.gradientStep = run.trainedStep[gradient];
    } else {
      out.gradientInit = out.gradientTrained = Size::zero();
    }
    const StepId bound = run.allowanceStep[parameter.node];
    const bool gradientKnown =
        out.gradientInit.kind != Size::Kind::notAnalysed && out.gradientTrained.kind != Size::Kind::notAnalysed;
    if (!facts.analysed || !gradientKnown) {
      out.lr = Size::notAnalysed();
    } else if (run.lr[i]) {
      out.lr = Size::power(*run.lr[i]);
    } else if (run.update[i].isPower()) {
      Rational g = out.gradientTrained.isPower() ? out.gradientTrained.exponent : Rational(0);
      out.lr = Size::power(run.update[i].exponent - facts.entry - facts.homogeneity * g);
    } else {
      out.lr = Size::power(0);  // nothing that trains reads it
    }
    out.lrStep = run.derivation
                     .apply(run.lr[i] ? given : solved, Aspect::learningRate, parameter.node, out.lr,
                            std::array{bound, out.gradientStep})
                     .step();
    if (!run.lr[i] && out.lr.isPower()) run.lr[i] = out.lr.exponent;
  }
}

bool exceeds(const Size& size, const Size& bound) {
  Size limit = max(Size::power(0), bound.isPower() ? bound : Size::power(0));
  return less(limit, size);
}

void judge(Run& run, const TrainingOutcome& outcome) {
  const Graph& graph = run.graph;
  SymbolVerdict& verdict = run.out.verdict;
  const bool anyOutput =
      std::any_of(graph.outputs.begin(), graph.outputs.end(), [](const Output& o) { return !o.metric; });
  auto isEnd = [&](NodeId id) {
    if (!anyOutput) return id == graph.loss;
    return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                       [&](const Output& output) { return !output.metric && output.node == id; });
  };
  bool moves = false, features = false, anyHidden = false, undetermined = false;
  NodeId firstUnstable = none;
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    if (!run.isPort[id] || !run.reachesLoss[id]) continue;
    if (id == graph.loss && anyOutput) continue;  // outputs are what a user sees; a penalty may make the loss large
    const Size init = run.initial[id].size(), trained = run.trained[id];
    undetermined |= init.kind == Size::Kind::notAnalysed || trained.kind == Size::Kind::notAnalysed;
    // A port whose scale is free may sit anywhere.
    const bool maySitHigh = exceeds(max(init, trained), Size::zero()) && isScaleFree(run, id);
    if (exceeds(init, Size::zero()) && !maySitHigh) verdict.stableInit = false;
    if (exceeds(trained, Size::zero()) && !maySitHigh) {
      verdict.stableTraining = false;
      if (firstUnstable == none) firstUnstable = id;
    }
    const Size change = run.change[id].total();
    const bool byOrderOne = change.isPower() && !(change.exponent < Rational(0));
    if (isEnd(id)) {
      moves |= byOrderOne;
    } else if (!run.growingAxes(id).empty()) {
      anyHidden = true;
      // Where the scale is free, moving is moving relative to the size it has.
      const bool relative =
          !change.isZero() && !less(change, init) && (maySitHigh || (!byOrderOne && isScaleFree(run, id)));
      features |= maySitHigh ? relative : byOrderOne || relative;
    }
  }
  if (!outcome.settled) verdict.stableTraining = false, verdict.unbounded = nameOfPort(run, outcome.growsFirst);
  const bool stable = verdict.stableInit && verdict.stableTraining;
  verdict.nontrivial = stable && moves;
  verdict.regime = undetermined             ? Regime::undetermined
                   : !stable                ? Regime::unstable
                   : !moves                 ? Regime::trivial
                   : features || !anyHidden ? Regime::featureLearning
                                            : Regime::kernel;
  if (!stable && !undetermined) {
    NodeId at = firstUnstable != none ? firstUnstable : outcome.growsFirst;
    std::string name = nameOfPort(run, at);
    const Size size = at == none ? Size::power(0) : max(run.initial[at].size(), run.trained[at]);
    run.out.warnings.push_back({"TPC0302",
                                at == none ? Span{} : graph.nodes[at].span,
                                "`" + name + "` grows with " + graph.symbols[run.symbol].name + " as " +
                                    graph.symbols[run.symbol].name + "^(" + toString(size) +
                                    "), and may be at most of order one",
                                "",
                                {}});
  }

  Size global = Size::zero();
  bool any = false;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const ParameterSizes& out = run.out.parameters[i];
    if (out.status == Status::frozen || !run.update[i].isPower() || !out.lr.isPower()) continue;
    if (!any || less(out.lr, global)) global = out.lr, verdict.largestGlobalLrBoundBy = graph.parameters[i].name;
    any = true;
  }
  verdict.largestGlobalLr = any ? global : Size::power(0);
}

void fillParameters(Run& run, const std::vector<OptimizerProgram>&) {
  const Graph& graph = run.graph;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const Parameter& parameter = graph.parameters[i];
    ParameterSizes& out = run.out.parameters[i];
    const OptimizerFacts& facts = run.optimizerOf[i];
    const Init::Kind kind = parameter.init.kind;
    out.startsConstant = kind == Init::Kind::constant || kind == Init::Kind::eye || kind == Init::Kind::values;
    Size init = isZeroInit(parameter) ? Size::zero() : run.initSize[i];
    out.initStd = out.startsConstant ? Size::zero() : init;
    out.initMean = out.startsConstant ? init : Size::zero();
    out.homogeneity = facts.homogeneity;
    out.hasEps = facts.hasEps, out.hasDecay = facts.hasDecay;
    out.role = roleOf(run, uint32_t(i));
    out.update = run.change[parameter.node].total();
    out.updateStep = run.changeStep[parameter.node];
    out.eps = out.gradientTrained;
    out.boundBy = run.boundBy[parameter.node] == none ? "" : nameOfPort(run, run.boundBy[parameter.node]);
    if (parameter.ownership == Ownership::frozen) out.status = Status::frozen;
    else if (!facts.analysed || out.lr.kind == Size::Kind::notAnalysed) out.status = Status::notAnalysed;
    else if (out.update.isZero()) out.status = Status::neverTrains;
    else if (out.update.isPower() && run.update[i].isPower() && less(run.update[i], out.update))
      out.status = Status::unstable;
    else if (less(out.update, run.nearest[i])) out.status = Status::lazy;
    else out.status = Status::maximal;
  }
}

// The program is infeasible where everything that it fixes leaves no output moving by order one.
void judgeFeasibility(Run& run) {
  SymbolVerdict& verdict = run.out.verdict;
  const bool solving = run.options.parametrization == "auto" && run.options.given.empty();
  const bool anyTrains = std::any_of(run.out.parameters.begin(), run.out.parameters.end(), [](const ParameterSizes& p) {
    return p.status != Status::frozen && p.status != Status::neverTrains && p.status != Status::notAnalysed;
  });
  if (!solving || !anyTrains || verdict.regime == Regime::undetermined) return;
  if (verdict.nontrivial || !verdict.stableInit || !verdict.stableTraining) return;
  verdict.infeasible = true;
  Warning warning{"TPC0303", {}, "no plan exists: no output moves by order one", "", {}};
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const Parameter& parameter = run.graph.parameters[i];
    std::vector<NodeId> users;
    std::vector<NodeId> pending{parameter.node};
    while (!pending.empty()) {
      NodeId id = pending.back();
      pending.pop_back();
      for (uint32_t u = run.firstUse[id]; u < run.firstUse[id + 1]; ++u) {
        NodeId user = run.uses[u].user;
        const OpKind kind = run.graph.nodes[user].kind;
        if (kind == OpKind::transpose || kind == OpKind::reshape || kind == OpKind::layer || kind == OpKind::broadcast)
          pending.push_back(user);
        else users.push_back(user);
      }
    }
    if (users.size() < 2) continue;
    std::sort(users.begin(), users.end());
    warning.span = parameter.span;
    warning.message = "no plan exists: the uses of `" + parameter.name +
                      "` ask for different sizes, and no output moves by order one";
    warning.mend = "scale the product of the later use by `auto`, or give it a parameter of its own";
    for (NodeId user : users) {
      std::string name = nameOfPort(run, user);
      warning.notes.push_back({"`" + parameter.name + "` is used here" + (name.empty() ? "" : ", for `" + name + "`"),
                               run.graph.nodes[user].span});
    }
  }
  run.out.warnings.push_back(std::move(warning));
}

void fillValues(Run& run) {
  const size_t count = run.graph.nodes.size();
  run.out.values.resize(count);
  static const RuleId spread = ruleNamed("spread.limit");
  for (NodeId id = 0; id < count; ++id) {
    ValueSizes& out = run.out.values[id];
    out.init = run.initial[id].size();
    out.update = run.change[id].total();
    out.trained = run.trained[id];
    out.spread = run.initial[id].spread;
    out.initStep = run.initial[id].step, out.updateStep = run.changeStep[id], out.trainedStep = run.trainedStep[id];
    if (run.graph.nodes[id].name != none)
      out.spreadStep = note(run, spread, Aspect::spread, id, out.spread, {out.initStep});
  }
}

// Of a growing vocabulary a loss reads one chosen coordinate, which sees more than the typical one does.
void warnChosenCoordinates(Run& run) {
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    if (run.graph.nodes[id].kind != OpKind::oneHot || run.growth(id, run.graph.rank(id) - 1) == 0) continue;
    run.out.warnings.push_back({"TPC0305",
                                run.graph.nodes[id].span,
                                "one coordinate of a growing axis is chosen by data here; sizes speak of typical "
                                "coordinates, and no theorem covers the chosen one",
                                "keep that axis fixed with --fix if it is a vocabulary",
                                {}});
    return;
  }
}

void warnHeldBack(Run& run) {
  if (run.out.verdict.regime == Regime::undetermined) return;
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  for (const auto& [node, exponent] : run.heldBack) {
    if (node == run.graph.loss) continue;
    std::string name = nameOfPort(run, node);
    run.out.warnings.push_back({"TPC0301",
                                run.graph.nodes[node].span,
                                "`" + name + "` would grow as " + symbol + "^(" + toString(exponent) +
                                    ") at full learning rates; those of what it is made of are held back by that",
                                "multiply by " + symbol + "^(" + toString(-exponent) + "), or by `auto`",
                                {}});
  }
}

// A term of the loss that is a function of parameters alone, scaled by a free multiplier, has a gradient at most as
// large as the data's.  A gradient is max(data, multiplier + penalty): far below it is the data's, far above the
// penalty's.
void solvePenalties(Run& run) {
  constexpr int far = 1000;
  static const RuleId rule = ruleNamed("multiplier.penalty");
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    if (run.graph.nodes[id].kind != OpKind::freeMultiplier) continue;
    const uint32_t free = run.graph.nodes[id].attribute;
    const bool scalesParameters = [&] {
      if (run.firstUse[id] == run.firstUse[id + 1]) return false;
      NodeId user = run.uses[run.firstUse[id]].user;
      return run.graph.nodes[user].kind == OpKind::mul && run.parameterOnly[user] && run.graph.rank(user) == 0;
    }();
    if (!scalesParameters) continue;
    auto gradients = [&](int multiplier) {
      run.multiplier[free] = multiplier;
      deriveInitial(run, NodeId(run.graph.nodes.size()));
      deriveTraining(run);
      std::vector<Size> sizes;
      for (const Parameter& parameter : run.graph.parameters)
        sizes.push_back(parameter.gradient == none ? Size::zero() : run.trained[parameter.gradient]);
      return sizes;
    };
    const std::vector<Size> data = gradients(-far), penalty = gradients(far);
    std::optional<Rational> size;
    for (size_t i = 0; i < data.size(); ++i) {
      if (!data[i].isPower() || !penalty[i].isPower() || data[i] == penalty[i]) continue;
      Rational most = data[i].exponent - (penalty[i].exponent - Rational(far));
      if (!size || most < *size) size = most;
    }
    run.multiplier[free] = size.value_or(0);
    run.out.multipliers[free].size = Size::power(run.multiplier[free]);
    run.out.multipliers[free].step = note(run, rule, Aspect::multiplier, id, run.out.multipliers[free].size, {});
  }
}

// Everything along a symbol that this version does not analyse.
void fillNotAnalysed(SymbolAnalysis& out, const Graph& graph) {
  out.analysed = false;
  const Size no = Size::notAnalysed();
  out.values.assign(graph.nodes.size(), {no, no, no, no});
  for (ParameterSizes& parameter : out.parameters) {
    parameter.initStd = parameter.initMean = parameter.lr = parameter.eps = no;
    parameter.gradientInit = parameter.gradientTrained = parameter.update = no;
    parameter.status = Status::notAnalysed;
  }
  for (MultiplierSizes& multiplier : out.multipliers) multiplier.size = no;
  out.verdict.regime = Regime::undetermined;
  out.verdict.largestGlobalLr = no;
}

void analyseAlong(SymbolAnalysis& out, const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                  const AnalysisOptions& options, std::vector<Warning>& warnings) {
  out.parameters.resize(graph.parameters.size());
  out.multipliers.resize(graph.freeMultipliers.size());
  if (isTripCount(graph, out.symbol)) return fillNotAnalysed(out, graph);
  out.derivation.reserve(graph.nodes.size() * 6);

  Run run(graph, options, out);
  run.initSize.assign(graph.parameters.size(), Size::power(0));
  run.multiplier.assign(graph.freeMultipliers.size(), 0);
  run.lr.assign(graph.parameters.size(), std::nullopt);
  std::map<std::string, OptimizerFacts> known;
  for (const OptimizerProgram& optimizer : optimizers) known[optimizer.name] = factsOf(optimizer);
  for (const Parameter& parameter : graph.parameters) {
    auto chosen = options.optimizerOf.find(parameter.name);
    const std::string& name = chosen != options.optimizerOf.end() ? chosen->second
                              : parameter.optimizer.empty()       ? options.optimizer
                                                                  : parameter.optimizer;
    OptimizerFacts facts;
    if (auto found = known.find(name); found != known.end()) facts = found->second;
    else facts.analysed = false, facts.why = "there is no optimizer `" + name + "`";
    if (!facts.analysed && warnings.empty()) warnings.push_back({"TPC0304", parameter.span, facts.why, "", {}});
    run.optimizerOf.push_back(std::move(facts));
  }

  layOut(run);
  solveTargets(run);
  solveAllowances(run);
  // Parameters that start at zero were solved as if they did not; from here on they do.
  for (size_t i = 0; i < graph.parameters.size(); ++i)
    if (isZeroInit(graph.parameters[i])) run.initSize[i] = Size::zero();
  applyGiven(run);

  solvePenalties(run);
  deriveInitial(run, NodeId(graph.nodes.size()));
  TrainingOutcome outcome = deriveTraining(run);
  solveLearningRates(run);
  fillParameters(run, optimizers);
  judge(run, outcome);
  judgeFeasibility(run);
  warnHeldBack(run);
  warnChosenCoordinates(run);
  fillValues(run);
}

}  // namespace

Analysis analyse(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, const AnalysisOptions& options) {
  Analysis analysis;
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    if (!graph.symbols[symbol].grows) continue;
    SymbolAnalysis& out = analysis.symbols.emplace_back();
    out.symbol = symbol;
    analyseAlong(out, graph, optimizers, options, analysis.warnings);
  }
  return analysis;
}

}  // namespace tpc
