// How much each value may change: one sweep backward, linear in the program.
//
//     allow(v) = min over uses x -> y of  allow(y) - growth of that step,   and at a port at most its target or order
//     one
//
// The update of a parameter is its allowance: one number for every optimizer.
#include <algorithm>

#include "compiler/analysis/run.h"
#include "compiler/analysis/scales.h"

namespace tpc {
namespace {

struct Sweep {
  Run& run;
  bool nearestOnly = false;  // what lies behind a value's first ports does not count
  std::vector<std::optional<Rational>> allowed;
  // Of an initial matrix: how much a factor of it may move it, which keeps its entries independent and walks.
  std::vector<std::optional<Rational>> allowedFactor;

  void offerFactor(NodeId id, Rational size) {
    if (id < allowedFactor.size() && (!allowedFactor[id] || size < *allowedFactor[id])) allowedFactor[id] = size;
  }

  void offer(NodeId id, Rational size, NodeId port, StepId premise) {
    if (id >= allowed.size()) return;
    if (allowed[id] && !(size < *allowed[id])) return;
    static const RuleId through = ruleNamed("allowance.through");
    allowed[id] = size;
    run.boundBy[id] = port;
    run.allowanceStep[id] = note(run, through, Aspect::allowance, id, Size::power(size), {premise, run.targetStep[id]});
  }
};

// A sum over parameters alone (a weight penalty) constrains nothing.
bool isPenalty(const Run& run, NodeId id) {
  if (!run.parameterOnly[id]) return false;
  for (;;) {
    const Node& node = run.graph.nodes[id];
    if (node.kind == OpKind::reduce) return true;
    if (node.kind == OpKind::contract) return run.graph.rank(id) == 0;
    if (node.kind != OpKind::mul && node.kind != OpKind::add) return false;
    auto operands = run.graph.operands(id);
    id = run.parameterOnly[operands[0]] ? operands[0] : operands[1];
  }
}

// A parameter that starts at zero, behind plumbing.
bool startsAtZero(const Run& run, NodeId id) {
  const Node& node = run.graph.nodes[unscaled(run, id)];
  return node.kind == OpKind::parameter && isZeroInit(run.graph.parameters[node.attribute]);
}

bool isOutput(const Graph& graph, NodeId id) {
  return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                     [&](const Output& output) { return !output.metric && output.node == id; });
}

void visit(Sweep& sweep, NodeId id) {
  Run& run = sweep.run;
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  if (!run.reachesLoss[id]) return;
  static const RuleId portRule = ruleNamed("allowance.port");
  if (run.isPort[id]) {
    Rational cap = run.target[id].isPower() ? std::max(Rational(0), run.target[id].exponent) : Rational(0);
    // What stands behind a port that stays below order one relies on that.
    if (run.reached[id]) cap = *run.reached[id];
    // A matrix that carries its branch's multiplier makes a product as small as that.
    for (const BranchMultiplier& branch : run.implicit)
      if (branch.product == id) cap = branch.value;
    // Of two that bind alike an output is named rather than the loss made of it.
    const bool names =
        sweep.allowed[id] && isLossTerm(run, run.boundBy[id]) && !(*sweep.allowed[id] < cap) && isOutput(graph, id);
    if (sweep.nearestOnly || !sweep.allowed[id] || cap < *sweep.allowed[id] || names) {
      sweep.allowed[id] = cap;
      run.boundBy[id] = id;
      run.allowanceStep[id] = note(run, portRule, Aspect::allowance, id, Size::power(cap), {run.targetStep[id]});
    }
  }
  if (!sweep.allowed[id]) return;
  const Rational allow = *sweep.allowed[id];
  const NodeId port = run.boundBy[id];
  const StepId step = run.allowanceStep[id];
  auto operands = graph.operands(id);
  auto offer = [&](NodeId operand, Size growth) {
    const bool isCarried = run.isLink[operand] || graph.nodes[operand].kind == OpKind::bodyArgument;
    if (run.isLink[id]) {
      // Own updates of all layers add up.
      growth = growth + Size::power(run.termGrowth[operand]);
    } else if (isCarried && run.isOverTrips(graph.nodes[operand].region)) {
      // What a branch makes of a change that it is given grows as it does at initialization, which is bounded.
      return;
    }
    if (growth.isPower()) sweep.offer(operand, allow - growth.exponent, port, step);
  };
  if (isMeasured(run, id)) {
    const ScalarFunction& function = *scalarFunction(run, id);
    return offer(function.argument, mapDerivativeSize(factsOf(function), run.target[function.argument]));
  }
  switch (node.kind) {
    case OpKind::contract: {
      NodeId a = operands[0], b = operands[1];
      ContractionGrowth growth = growthOf(run, id);
      if (isSparse(run, a) || isSparse(run, b)) growth.contracted = 0;
      const Rational k = growth.contracted;
      const Size full = Size::power(computedChangeGrowth(run, k));
      auto matrix = [&](int m) { return Size::power(matrixChangeGrowth(run, k, m)); };
      auto factor = [&](NodeId A, NodeId x, int m) {
        Size grown = run.target[x] + matrix(m);
        if (run.parameterOnly[A] && isInitialMatrix(run, A) && grown.isPower())
          sweep.offerFactor(A, allow - grown.exponent);
      };
      auto acting = [&](NodeId A, NodeId x, int operand, int free) {
        const bool acts = run.parameterOnly[A] && !isSparse(run, x);
        return acts ? actionOnChange(run, A, contractedAxes(run, id, operand), free).size : run.target[A] + full;
      };
      offer(a, acting(b, a, 1, growth.freeB));
      offer(b, acting(a, b, 0, growth.freeA));
      factor(a, b, growth.freeA);
      factor(b, a, growth.freeB);
      return;
    }
    case OpKind::mul: {
      const auto& asFactor = sweep.allowedFactor[id];
      if (asFactor && isInitialMatrix(run, id)) {
        NodeId matrix = operands[0], factor = operands[1];
        if (!isMatrixOf(run, id, matrix)) std::swap(matrix, factor);
        offer(matrix, run.target[factor]);
        if (run.target[factor].isPower()) sweep.offerFactor(matrix, *asFactor - run.target[factor].exponent);
        if (run.target[matrix].isPower()) sweep.offer(factor, *asFactor - run.target[matrix].exponent, port, step);
        return;
      }
      // Over depth a partner that starts at zero counts with what it may be moved by.
      auto partner = [&](NodeId of, NodeId other) {
        const Size& target = run.target[of];
        if (!run.isOverTrips(node.region) || !startsAtZero(run, of) || !run.target[other].isPower()) return target;
        return min(target, Size::power(allow - run.target[other].exponent));
      };
      offer(operands[0], partner(operands[1], operands[0]));
      offer(operands[1], partner(operands[0], operands[1]));
      return;
    }
    case OpKind::map: {
      MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, id));
      offer(operands[0], mapDerivativeSize(facts, run.target[operands[0]]));
      return;
    }
    case OpKind::reduce: {
      Rational growth = 0;
      if (ReduceFn(node.fn) == ReduceFn::argmax) return;
      if (ReduceFn(node.fn) == ReduceFn::sum && !isSparse(run, operands[0]))
        for (int axis : graph.axes[node.attribute].axes) growth += run.growth(operands[0], axis);
      return offer(operands[0], Size::power(growth));
    }
    case OpKind::scatterAdd: {
      const Scatter& scatter = graph.scatters[node.attribute];
      Rational growth = 0;
      for (int i = scatter.axis; i < scatter.axis + scatter.indexRank; ++i) growth += run.growth(operands[1], i);
      return offer(operands[1], Size::power(growth));
    }
    case OpKind::compare: return;
    case OpKind::gather: return offer(operands[0], Size::power(0));
    case OpKind::select: offer(operands[1], Size::power(0)); return offer(operands[2], Size::power(0));
    case OpKind::repeatResult: {
      const Repeat& repeat = graph.repeats[graph.nodes[operands[0]].attribute];
      sweep.offer(repeat.yields[node.attribute], allow, port, step);
      return;
    }
    case OpKind::repeat: return;
    default:
      for (NodeId operand : operands) {
        if (node.kind == OpKind::add && isPenalty(run, operand)) continue;
        offer(operand, Size::power(0));
        if (sweep.allowedFactor[id] && operand < graph.forwardEnd) sweep.offerFactor(operand, *sweep.allowedFactor[id]);
      }
  }
}

// Fills sweep.allowed for every forward node.
void sweepBack(Sweep& sweep) {
  Run& run = sweep.run;
  const Graph& graph = run.graph;
  sweep.allowed.assign(graph.forwardEnd, std::nullopt);
  sweep.allowedFactor.assign(graph.forwardEnd, std::nullopt);
  run.boundBy.assign(graph.forwardEnd, none);
  run.allowanceStep.assign(graph.forwardEnd, noStep);
  for (NodeId id = graph.forwardEnd; id-- > 0;) {
    visit(sweep, id);
    if (graph.nodes[id].kind != OpKind::repeat) continue;
    // What leaves a layer enters the next: sweep the body until the carried allowances agree (few rounds).
    const Repeat& repeat = graph.repeats[graph.nodes[id].attribute];
    for (uint32_t i = 0; i < repeat.carried; ++i) sweep.offer(repeat.yields[i], 0, repeat.arguments[i], noStep);
    for (int round = 0; round < 4; ++round) {
      for (NodeId inside = repeat.bodyEnd; inside-- > repeat.bodyBegin;) visit(sweep, inside);
      bool changed = false;
      for (uint32_t i = 0; i < repeat.carried; ++i) {
        NodeId argument = repeat.arguments[i], yield = repeat.yields[i];
        if (!sweep.allowed[argument] || !sweep.allowed[yield] || !(*sweep.allowed[argument] < *sweep.allowed[yield]))
          continue;
        sweep.offer(yield, *sweep.allowed[argument], run.boundBy[argument], run.allowanceStep[argument]);
        changed = true;
      }
      if (!changed) break;
    }
    auto operands = graph.operands(id);
    for (uint32_t i = 0; i < repeat.carried; ++i)
      if (sweep.allowed[repeat.arguments[i]])
        sweep.offer(operands[i], *sweep.allowed[repeat.arguments[i]], run.boundBy[repeat.arguments[i]],
                    run.allowanceStep[repeat.arguments[i]]);
  }
}

}  // namespace

void solveAllowances(Run& run) {
  const Graph& graph = run.graph;
  auto ofParameters = [&](const Sweep& sweep, std::vector<Size>& into) {
    into.assign(graph.parameters.size(), Size::zero());
    for (size_t i = 0; i < graph.parameters.size(); ++i)
      if (const auto& allowed = sweep.allowed[graph.parameters[i].node]) into[i] = Size::power(*allowed);
  };
  Sweep nearest{run, true, {}, {}}, whole{run, false, {}, {}};
  sweepBack(nearest);
  ofParameters(nearest, run.nearest);
  sweepBack(whole);
  ofParameters(whole, run.update);
  run.allowance.assign(graph.forwardEnd, Size::notAnalysed());
  for (NodeId id = 0; id < graph.forwardEnd; ++id)
    if (whole.allowed[id]) run.allowance[id] = Size::power(*whole.allowed[id]);
}

}  // namespace tpc
