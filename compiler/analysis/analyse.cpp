// The analysis as a table of contents: for each growing symbol solve, derive, judge.
#include <algorithm>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/first_use.h"
#include "compiler/analysis/initial.h"
#include "compiler/analysis/run.h"
#include "compiler/analysis/scales.h"

namespace tpc {
namespace {

std::string nameOf(const Graph& graph, NodeId id) {
  return id != none && graph.nodes[id].name != none ? graph.names[graph.nodes[id].name] : std::string();
}

// A port without a name is called by what it was made of by adding, or else by the first named value that reads it.
std::string nameOfPort(const Run& run, NodeId id) {
  const auto isNamedOutput = [&](const Output& output) { return output.node == id && !output.metric; };
  if (isLossTerm(run, id) && std::none_of(run.graph.outputs.begin(), run.graph.outputs.end(), isNamedOutput))
    return "loss";
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

// By what the first use contracts and leaves free.
Role roleOf(UseGrowth growth) {
  if (growth.contracted > 0) return growth.free > 0 ? Role::hidden : Role::output;
  return growth.free > 0 ? Role::input : Role::scalar;
}

void takeGivenMultipliers(Run& run) {
  static const RuleId rule = ruleNamed("multiplier.given");
  run.multiplierIsGiven.assign(run.graph.freeMultipliers.size(), false);
  const auto here = run.options.givenMultipliers.find(run.graph.symbols[run.symbol].name);
  if (here == run.options.givenMultipliers.end()) return;
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    if (run.graph.nodes[id].kind != OpKind::freeMultiplier) continue;
    const uint32_t free = run.graph.nodes[id].attribute;
    const auto given = here->second.find(run.graph.freeMultipliers[free].name);
    if (given == here->second.end()) continue;
    run.multiplierIsGiven[free] = true;
    run.multiplier[free] = given->second;
    MultiplierSizes& out = run.out.multipliers[free];
    out.size = Size::power(given->second);
    out.step = note(run, rule, Aspect::multiplier, id, out.size, {});
  }
}

// What is given for the learning rate of a parameter, in the plain gauge.
std::optional<Rational> givenLr(const Run& run, size_t index) {
  const auto here = run.options.given.find(run.graph.symbols[run.symbol].name);
  if (here == run.options.given.end()) return std::nullopt;
  const auto found = here->second.find(run.graph.parameters[index].name);
  if (found == here->second.end() || !found->second.lr) return std::nullopt;
  const Rational p = run.optimizerOf[index].homogeneity;
  return *found->second.lr + (Rational(1) + p) * found->second.multiplier.value_or(0);
}

// lr = u - entry - p g, g the largest size of the gradient on the way to where every parameter moves by what it is
// allowed to.  Mostly that is the last one; behind a norm of what starts small it is the first.
void solveLearningRates(Run& run) {
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    ParameterSizes& out = run.out.parameters[i];
    const OptimizerFacts& facts = run.optimizerOf[i];
    const NodeId gradient = run.graph.parameters[i].gradient;
    const Size g = run.steepest[i];
    if (!facts.analysed || g.kind == Size::Kind::notAnalysed ||
        (gradient != none && run.initial[gradient].special == Size::Kind::notAnalysed)) {
      out.largestLr = Size::notAnalysed();
    } else if (run.update[i].isPower()) {
      const Rational size = g.isPower() ? g.exponent : Rational(0);
      out.largestLr = Size::power(run.update[i].exponent - facts.entry - facts.homogeneity * size);
    } else {
      out.largestLr = Size::power(0);  // nothing that trains reads it
    }
  }
}

// Given learning rates make updates of their own; and so do solved ones where the update follows the gradient and that
// one starts smaller than it is once all parameters move: a gate at zero under gradient descent.  Returns what training
// comes to under them.
TrainingOutcome applyLearningRates(Run& run, TrainingOutcome solved) {
  bool anyGiven = false;
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const Size& largest = run.out.parameters[i].largestLr;
    const std::optional<Rational> given = largest.isPower() ? givenLr(run, i) : std::nullopt;
    anyGiven |= given.has_value();
    if (given) run.lr[i] = given;
    else if (largest.isPower()) run.lr[i] = largest.exponent;
    const NodeId gradient = run.graph.parameters[i].gradient;
    run.slowStarts += gradient != none && !run.optimizerOf[i].homogeneity.isZero() &&
                      run.initial[gradient].size != run.trained[gradient];
  }
  if (!anyGiven && run.slowStarts == 0) return solved;
  const TrainingOutcome outcome = deriveTraining(run);
  const bool isRoot = std::any_of(run.optimizerOf.begin(), run.optimizerOf.end(), [](const OptimizerFacts& facts) {
    return Rational(0) < facts.homogeneity && facts.homogeneity < Rational(1);
  });
  if (anyGiven || outcome.settled || !isRoot) return outcome;
  // An update like the root of the gradient comes nearer to what was solved by half of what is missing, step after
  // step.
  std::vector<std::optional<Rational>> lr(run.lr.size());
  std::swap(lr, run.lr);
  deriveTraining(run);
  std::swap(lr, run.lr);
  return solved;
}

void fillLearningRates(Run& run) {
  static const RuleId solved = ruleNamed("lr.entry"), given = ruleNamed("lr.given");
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const Parameter& parameter = run.graph.parameters[i];
    ParameterSizes& out = run.out.parameters[i];
    if (parameter.gradient != none) {
      out.gradientInit = run.initial[parameter.gradient].size;
      out.gradientTrained = run.trained[parameter.gradient];
      out.gradientStep = run.trainedStep[parameter.gradient];
    } else {
      out.gradientInit = out.gradientTrained = Size::zero();
    }
    out.lr = run.lr[i] ? Size::power(*run.lr[i]) : out.largestLr;
    if (parameter.ownership == Ownership::frozen) {
      out.lr = out.largestLr = Size::zero();
      continue;
    }
    out.lrStep = run.derivation
                     .apply(givenLr(run, i) ? given : solved, Aspect::learningRate, parameter.node, out.lr,
                            std::array{run.allowanceStep[parameter.node], out.gradientStep})
                     .step();
  }
}

// How far the given learning rates are above the largest stable ones, in words; empty where none is.
std::string loweredRates(const Run& run) {
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  std::string text;
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const ParameterSizes& out = run.out.parameters[i];
    if (!out.lr.isPower() || !out.largestLr.isPower() || !less(out.largestLr, out.lr)) continue;
    text += (text.empty() ? "lower the learning rate of `" : ", of `") + run.graph.parameters[i].name + "` by " +
            symbol + "^(" + toString(out.largestLr.exponent - out.lr.exponent) + ")";
  }
  return text;
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
    if (!anyOutput) return isLossTerm(run, id);
    return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                       [&](const Output& output) { return !output.metric && output.node == id; });
  };
  bool moves = false, features = false, anyHidden = false, undetermined = false;
  NodeId firstUnstable = none;
  // What a matrix reads is hidden too where it is no port: a sum of ports and biases.
  const auto readsHidden = [&](NodeId id) {
    if (graph.nodes[id].kind != OpKind::contract) return;
    const NodeId a = graph.operands(id)[0], b = graph.operands(id)[1];
    if (run.parameterOnly[a] == run.parameterOnly[b]) return;
    const NodeId x = run.parameterOnly[a] ? b : a;
    if (run.isPort[x] || !run.trainableUpstream[x] || run.growingAxes(x).empty()) return;
    const Size change = run.change[x].total();
    anyHidden = true;
    features |= change.isPower() && !(change.exponent < Rational(0));
  };
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    if (!run.reachesLoss[id]) continue;
    readsHidden(id);
    if (!run.isPort[id]) continue;
    if (anyOutput && isLossTerm(run, id) && !isEnd(id))
      continue;  // outputs are what a user sees; a penalty may make the loss large
    // Over depth carried values and outputs are to be bounded; what else a layer makes is asked to move by order one
    // (judgeDepth).
    const bool isInside = run.isOverTrips(graph.nodes[id].region) && graph.nodes[id].kind != OpKind::bodyArgument;
    const Size init = isInside ? Size::zero() : run.initial[id].size;
    const Size trained = isInside ? Size::zero() : run.trained[id];
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
  const bool isPower =
      firstUnstable == none || max(run.initial[firstUnstable].size, run.trained[firstUnstable]).isPower();
  if (!stable && !undetermined && (isPower || !run.overDepth)) {
    NodeId at = firstUnstable != none ? firstUnstable : outcome.growsFirst;
    std::string name = nameOfPort(run, at);
    const Size size = at == none ? Size::power(0) : max(run.initial[at].size, run.trained[at]);
    run.out.warnings.push_back({"TPC0302",
                                at == none ? Span{} : graph.nodes[at].span,
                                "`" + name + "` grows with " + graph.symbols[run.symbol].name + " as " +
                                    graph.symbols[run.symbol].name + "^(" + toString(size) +
                                    "), and may be at most of order one",
                                loweredRates(run),
                                {}});
  }
}

// Faithful in the sense of TP4b: what the optimizer's nonlinearity reads is of order one.  Its argument is gradient /
// epsilon, so epsilon has the gradient's size.  Where training is unstable the gradient is the first one.
void judgeFaithful(Run& run) {
  SymbolVerdict& verdict = run.out.verdict;
  const auto here = run.options.given.find(run.graph.symbols[run.symbol].name);
  if (here == run.options.given.end()) return;
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const auto given = here->second.find(run.graph.parameters[i].name);
    const ParameterSizes& out = run.out.parameters[i];
    if (given == here->second.end() || !given->second.eps || !out.hasEps) continue;
    const Size& gradient = verdict.stableTraining ? out.gradientTrained : out.gradientInit;
    if (gradient.isPower() && gradient != out.eps) verdict.faithful = false;
  }
}

void fillParameters(Run& run) {
  const Graph& graph = run.graph;
  const std::vector<FirstUse> first = firstUses(graph, usesOf(graph));
  const auto givenHere = run.options.given.find(graph.symbols[run.symbol].name);
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
    out.role = roleOf(growthOf(graph, uint32_t(i), first[i], run.symbol));
    out.update = run.change[parameter.node].total();
    out.updateStep = run.changeStep[parameter.node];
    out.eps = out.gradientTrained;
    if (givenHere != run.options.given.end())
      if (auto given = givenHere->second.find(parameter.name); given != givenHere->second.end() && given->second.eps)
        out.eps = Size::power(*given->second.eps - given->second.multiplier.value_or(0));
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

// Does the loss, or an output, move by order one?
bool movesAnEnd(const Run& run) {
  const Graph& graph = run.graph;
  const auto moves = [&](NodeId id) {
    const Size change = run.change[id].total();
    return change.isPower() && !(change.exponent < Rational(0));
  };
  bool any = false, outputs = false;
  for (const Output& output : graph.outputs)
    if (!output.metric) outputs = true, any |= moves(output.node);
  return outputs ? any : std::any_of(run.lossTerms.begin(), run.lossTerms.end(), moves);
}

// A plan that moves everything as far as it may, and does not get there: under gradient descent the first step is as
// small as the first gradient, and a learning rate for that one would be too large for those that follow.
void warnSlowStart(Run& run) {
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  const bool stable = run.out.verdict.stableTraining, nothing = stable && !run.out.verdict.nontrivial;
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const ParameterSizes& out = run.out.parameters[i];
    const OptimizerFacts& facts = run.optimizerOf[i];
    if (!out.gradientInit.isPower() || !run.update[i].isPower() || !out.lr.isPower() || facts.homogeneity.isZero())
      continue;
    const Size first = Size::power(out.lr.exponent + facts.entry + facts.homogeneity * out.gradientInit.exponent);
    if (!less(first, run.update[i]) || !(!stable || nothing || out.status == Status::lazy)) continue;
    const std::string& name = run.graph.parameters[i].name;
    run.out.warnings.push_back(
        {"TPC0308",
         run.graph.parameters[i].span,
         "the gradient of `" + name + "` starts at " + symbol + "^(" + toString(out.gradientInit) +
             ") and is larger once everything moves; at the learning rate for that one " +
             (!stable   ? "steps overshoot before what it is divided by has grown"
              : nothing ? "no output moves by order one"
                        : "it moves by less than it may"),
         "let it start away from zero, or use an optimizer whose updates do not follow the gradient's size",
         {}});
    return;
  }
}

// The program is infeasible where everything that it fixes leaves no output moving by order one.
void judgeFeasibility(Run& run, bool solvedMoves) {
  SymbolVerdict& verdict = run.out.verdict;
  const bool solving = run.options.parametrization == "auto" && run.options.given.empty();
  const bool anyTrains = std::any_of(run.out.parameters.begin(), run.out.parameters.end(), [](const ParameterSizes& p) {
    return p.status != Status::frozen && p.status != Status::neverTrains && p.status != Status::notAnalysed;
  });
  if (!solving || !anyTrains || verdict.regime == Regime::undetermined) return;
  if (!verdict.stableInit) return;
  if (solvedMoves) warnSlowStart(run);
  if (!verdict.stableTraining || verdict.nontrivial || solvedMoves) return;
  verdict.infeasible = true;
  Warning warning{"TPC0303", {}, "no plan exists: no output moves by order one", "", {}};
  for (size_t i = 0; i < run.graph.parameters.size(); ++i) {
    const Parameter& parameter = run.graph.parameters[i];
    std::vector<NodeId> users = usersBehind(run, parameter.node);
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
    out.init = run.initial[id].size;
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

// a[:, new] - k[new, :], where a and k are one expression in different parameters or at different places, and each
// comes near a limit: whether the limits agree depends on what is read at the two places.  The larger size is taken.
void warnCancels(Run& run) {
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  static const RuleId largest = rowFor(Family::difference, 0);
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    if (run.graph.nodes[id].kind != OpKind::sub || !run.reachesLoss[id]) continue;
    const InitialState& state = run.initial[id];
    if (state.step == noStep || run.derivation.steps()[state.step].rule != largest) continue;
    const NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
    const bool alike = run.law[initial::behindPlumbing(run, a)] == run.law[initial::behindPlumbing(run, b)];
    if (!alike || !state.size.isPower() || !less(state.spread, state.size)) continue;
    const std::string name = nameOfPort(run, id);
    run.out.warnings.push_back(
        {"TPC0313",
         run.graph.nodes[id].span,
         "`" + name + "` may cancel to " + symbol + "^(" + toString(state.spread) +
             ") at the start: it is a difference of " +
             "two values of one law, which come near limits; it is taken for " + symbol + "^(" + toString(state.size) +
             ")",
         "both come near one limit where what they are made of is of one size everywhere, as behind a norm",
         {}});
    return;
  }
}

void warnHeldBack(Run& run) {
  if (run.out.verdict.regime == Regime::undetermined) return;
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  for (const auto& [node, exponent] : run.heldBack) {
    if (isLossTerm(run, node)) continue;
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
    if (run.multiplierIsGiven[free]) continue;
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
    parameter.initStd = parameter.initMean = parameter.lr = parameter.largestLr = parameter.eps = no;
    parameter.gradientInit = parameter.gradientTrained = parameter.update = no;
    parameter.status = Status::notAnalysed;
  }
  for (MultiplierSizes& multiplier : out.multipliers) multiplier.size = no;
  out.verdict.regime = Regime::undetermined;
}

// Inits, multipliers and allowances; and what training comes to where every parameter moves by what it may.
TrainingOutcome solve(Run& run) {
  solveTargets(run);
  if (run.exhausted()) return {};
  solveAllowances(run);
  // Parameters that start at zero were solved as if they did not; from here on they do.
  for (size_t i = 0; i < run.graph.parameters.size(); ++i)
    if (isZeroInit(run.graph.parameters[i])) run.initSize[i] = Size::zero();

  solvePenalties(run);
  deriveInitial(run, NodeId(run.graph.nodes.size()));
  return run.exhausted() ? TrainingOutcome{} : deriveTraining(run);
}

// Is every port of order one at most, from the start on?
bool isBounded(const Run& run) {
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    if (!run.isPort[id] || !run.reachesLoss[id] || isLossTerm(run, id)) continue;
    for (const Size& size : {run.initial[id].size, run.trained[id]})
      if (!size.isZero() && (!size.isPower() || Rational(0) < size.exponent)) return false;
  }
  return true;
}

// Per parameter: has it more than one use?
std::vector<bool> sharedParameters(const Run& run) {
  std::vector<bool> shared;
  for (const Parameter& parameter : run.graph.parameters) shared.push_back(usersBehind(run, parameter.node).size() > 1);
  return shared;
}

bool isProductOfShared(const Run& run, const std::vector<bool>& shared, NodeId port) {
  const NodeId product = unscaled(run, port);
  if (run.graph.nodes[product].kind != OpKind::contract) return false;
  for (NodeId operand : run.graph.operands(product))
    if (const NodeId leaf = unscaled(run, operand); run.graph.nodes[leaf].kind == OpKind::parameter)
      return shared[run.graph.nodes[leaf].attribute];
  return false;
}

// A parameter that is used twice may hold one of its products below its target for good.  What stands behind that
// product is solved again for what it does become:
//
//     z = h @ W          asks W for n^(-1)
//     g = tanh(z @ W^T)  reaches n^(-1) then, and the multiplier behind g is 1 and not n^(-1)
//
// One port after another: what stands behind a port that is lowered may yet reach its target.  False where every port
// is where it should be.
constexpr int mostLowerings = 8;
bool lowerTargets(Run& run) {
  bool any = false;
  const std::vector<bool> shared = sharedParameters(run);
  std::vector<uint8_t> isBehind(run.graph.forwardEnd, 0);
  for (NodeId id = 0; id < run.graph.forwardEnd; ++id) {
    for (NodeId operand : run.graph.operands(id)) isBehind[id] |= isBehind[operand];
    if (isBehind[id] || !run.isPort[id] || !run.reachesLoss[id] || !run.trainableUpstream[id] || isLossTerm(run, id))
      continue;
    if (!isProductOfShared(run, shared, id)) continue;
    if (run.change[id].total().isZero()) continue;  // never trains: where it stays says nothing of where it may go
    const Size target = run.target[id], trained = run.trained[id];
    if (!target.isPower() || !trained.isPower() || !(trained.exponent < target.exponent)) continue;
    run.reached[id] = trained.exponent;
    run.reachedStep[id] = run.trainedStep[id];
    isBehind[id] = 1;
    any = true;
  }
  return any;
}

// False where `mostSteps` do not suffice; then `out` may not be read.
bool analyseAlong(SymbolAnalysis& out, const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                  const AnalysisOptions& options, const std::vector<const SymbolAnalysis*>& widths, size_t mostSteps,
                  std::vector<Warning>& warnings) {
  out.parameters.resize(graph.parameters.size());
  out.multipliers.resize(graph.freeMultipliers.size());
  out.derivation.reserve(graph.nodes.size() * 8);

  Run run(graph, options, out);
  run.mostSteps = mostSteps;
  run.widths = widths;
  run.initSize.assign(graph.parameters.size(), Size::power(0));
  run.multiplier.assign(graph.freeMultipliers.size(), 0);
  run.lr.assign(graph.parameters.size(), std::nullopt);
  takeGivenMultipliers(run);
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
  auto refused = [&] {
    if (run.refusals.empty()) return false;
    fillNotAnalysed(out, graph);
    for (const Refusal& refusal : run.refusals)
      out.warnings.push_back({"TPC0309",
                              refusal.span,
                              "nothing is said about " + graph.symbols[out.symbol].name + ": " + refusal.why,
                              refusal.mend,
                              {}});
    return true;
  };
  if (refused()) return true;
  TrainingOutcome solved = solve(run);
  const auto isGood = [&] { return !run.exhausted() && solved.settled && isBounded(run); };
  const auto solveAgain = [&] {
    run.initSize.assign(graph.parameters.size(), Size::power(0));
    solved = solve(run);
  };
  bool isLowered = false;
  for (int round = 0; round < mostLowerings && isGood() && lowerTargets(run); ++round) isLowered = true, solveAgain();
  if (isLowered && !run.exhausted() && (!isGood() || !movesAnEnd(run))) {
    // What was asked for more has come back to the port that was lowered, or did not help.
    run.reached.assign(graph.forwardEnd, std::nullopt);
    solveAgain();
  }
  if (run.exhausted()) return false;
  for (uint32_t index = 0; index < graph.repeats.size(); ++index)
    if (const Recurrence& recurrence = run.recurrences[index]; recurrence.outcome == Size::Kind::notAnalysed)
      run.refusals.push_back({graph.nodes[graph.repeats[index].node].span,
                              "`" + graph.repeats[index].name + "` is not analysed: " + recurrence.why, ""});
  run.refusals.resize(std::min<size_t>(run.refusals.size(), 1));  // the gradient's follows from it
  if (refused()) return true;
  static const RuleId claimed = ruleNamed("claim.user");
  for (const Claim& claim : graph.claims) {
    const InitialState& state = run.initial[claim.node];
    note(run, claimed, Aspect::init, claim.node, state.size, {state.step});
  }
  const bool solvedMoves = movesAnEnd(run);
  solveLearningRates(run);
  const TrainingOutcome outcome = applyLearningRates(run, solved);
  if (run.exhausted()) return false;
  fillLearningRates(run);
  fillParameters(run);
  judge(run, outcome);
  judgeFaithful(run);
  judgeFeasibility(run, solvedMoves);
  judgeDepth(run);
  warnHeldBack(run);
  warnChosenCoordinates(run);
  warnCancels(run);
  fillValues(run);
  return true;
}

}  // namespace

Analysis analyse(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, const AnalysisOptions& options) {
  Analysis analysis;
  size_t left = options.mostSteps;
  auto take = [&](SymbolAnalysis& out, const std::vector<const SymbolAnalysis*>& widths) {
    if (!analyseAlong(out, graph, optimizers, options, widths, left, analysis.warnings)) analysis.tooLarge = true;
    left -= std::min(left, out.derivation.steps().size());
    return !analysis.tooLarge;
  };
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol)
    if (graph.symbols[symbol].grows) analysis.symbols.emplace_back().symbol = symbol;
  // The widths first: in the run over a trip count they are large already.
  std::vector<const SymbolAnalysis*> widths;
  for (SymbolAnalysis& out : analysis.symbols) {
    if (isTripCount(graph, out.symbol)) continue;
    if (!take(out, {})) return analysis;
    widths.push_back(&out);
  }
  // Where the file lets none grow they are large all the same, and what they come to is looked at and not reported.
  std::vector<SymbolAnalysis> unreported;
  for (SymbolAnalysis& out : analysis.symbols) {
    if (!isTripCount(graph, out.symbol)) continue;
    if (widths.empty() && unreported.empty()) {
      const std::vector<SymbolId> fixed = widthsOfLayers(graph, out.symbol);
      unreported.resize(fixed.size());
      for (size_t i = 0; i < fixed.size(); ++i) {
        unreported[i].symbol = fixed[i];
        if (!take(unreported[i], {})) return analysis;
      }
    }
    std::vector<const SymbolAnalysis*> large = widths;
    for (const SymbolAnalysis& one : unreported) large.push_back(&one);
    if (!take(out, large)) return analysis;
  }
  return analysis;
}

}  // namespace tpc
