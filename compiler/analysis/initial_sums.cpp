// Sums of finitely many values, differences, and sums over axes: one axis after another walks or adds up.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {

void sumOf(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::sum, 0);
  InitialState& state = run.initial[id];
  auto operands = run.graph.operands(id);
  Rational largest = 0;
  bool any = false, allNonNegative = true;
  static const RuleId narrow = ruleNamed("sum.narrow");
  for (NodeId operand : operands)
    for (const Part& part : run.initial[operand].parts) {
      if (run.overDepth && fadesBeside(run, operand, id)) continue;
      largest = any ? std::max(largest, part.size) : part.size;
      any = true;
    }
  for (NodeId operand : operands) {
    if (run.overDepth && fadesBeside(run, operand, id)) {
      note(run, narrow, Aspect::init, id, Size::zero(), {run.initial[operand].step});
      continue;
    }
    for (const Part& part : run.initial[operand].parts) add(run, state.parts, part);
    state.spread = max(state.spread, run.initial[operand].spread);
    allNonNegative &= run.initial[operand].sign == Sign::nonNegative;
  }
  if (allNonNegative) state.sign = Sign::nonNegative;
  if (!any) {
    state.step = note(run, ids().zero, Aspect::init, id, Size::zero(), {run.initial[operands[0]].step});
    return;
  }
  StepId second = operands.size() > 1 ? run.initial[operands[1]].step : noStep;
  state.step = stepOf(run, rule, id, sizeBy(rule, {.e = largest}), run.initial[operands[0]].step, second);
}

void differenceOf(Run& run, NodeId id) {
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  InitialState& state = run.initial[id];
  const InitialState &left = run.initial[a], &right = run.initial[b];
  auto bare = [&](NodeId node) {
    while (run.graph.nodes[node].kind == OpKind::stopGradient) node = run.graph.operands(node)[0];
    return node;
  };
  uint32_t facts = 0;
  if (bare(a) == bare(b)) facts |= sameValue;
  else if (run.law[a] == run.law[b] && !left.parts.empty()) facts |= sameLimit;
  const RuleId rule = rowFor(Family::difference, facts);

  // x - max(x) is at most zero.
  NodeId subtracted = behindPlumbing(run, b);
  if (run.graph.nodes[subtracted].kind == OpKind::reduce && ReduceFn(run.graph.nodes[subtracted].fn) == ReduceFn::max &&
      bare(run.graph.operands(subtracted)[0]) == bare(a))
    state.sign = Sign::nonPositive;

  if (facts & sameValue) {
    state.step = note(run, rule, Aspect::init, id, Size::zero(), {left.step, right.step});
    return;
  }
  state.spread = max(left.spread, right.spread);
  const uint32_t region = run.graph.nodes[id].region;
  const bool centers = run.isOverTrips(region) && std::all_of(left.parts.begin(), left.parts.end(), [&](const Part& p) {
                         return isCenteredBy(run, a, b, p, region);
                       });
  for (const InitialState* operand : {&left, &right}) {
    if (operand == &right && (centers || (run.overDepth && fadesBeside(run, b, id)))) continue;
    if (operand == &left && run.overDepth && fadesBeside(run, a, id)) continue;
    for (const Part& part : operand->parts) {
      Part next = part;
      next.centered |= centers;
      if (facts & sameLimit) {
        if (!state.spread.isPower()) continue;
        next.size = std::min(part.size, sizeBy(rule, {.e = state.spread.exponent}));
      }
      add(run, state.parts, next);
    }
  }
  state.step = note(run, rule, Aspect::init, id, state.settle(), {left.step, right.step});
}

SumAlong sumAlong(Run& run, NodeId id, Family family, Rational a, Rational b, int walking, int adding, uint32_t extra,
                  StepId p, StepId q) {
  if (walking == 0 && adding == 0) {
    RuleId rule = rowFor(family, extra);
    Rational size = sizeBy(rule, {.a = a, .b = b});
    return {size, stepOf(run, rule, id, size, p, q)};
  }
  SumAlong result{a, p};
  if (walking > 0) {
    RuleId rule = rowFor(family, growing | zeroMean | extra);
    result.size = sizeBy(rule, {.a = a, .b = b, .k = walking});
    result.step = stepOf(run, rule, id, result.size, p, q);
    b = 0, q = noStep;
  }
  if (adding > 0) {
    RuleId rule = rowFor(family, growing | extra);
    StepId premise = result.step;
    result.size = sizeBy(rule, {.a = result.size, .b = b, .k = adding});
    result.step = stepOf(run, rule, id, result.size, premise, q);
  }
  return result;
}

void reduceOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  NodeId operand = graph.operands(id)[0];
  const InitialState& source = run.initial[operand];
  InitialState& state = run.initial[id];
  const std::vector<int>& axes = graph.axes[node.attribute].axes;
  AxisMap from;
  for (int axis = 0; axis < graph.rank(operand); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) from.push(axis);

  if (ReduceFn(node.fn) != ReduceFn::sum) {
    static const RuleId rule = rowFor(Family::reduction, selecting);
    Size size = source.size;
    if (ReduceFn(node.fn) == ReduceFn::argmax) size = Size::power(run.growth(operand, axes[0]));
    Parts parts;
    for (const Part& part : source.parts) parts.push_back(moved(run, id, operand, part, from));
    mapParts(run, id, parts, size, Parity::none, false, source.step, rule);
    state.spread = source.spread;
    state.sign = source.sign;
    return;
  }
  int growth = 0;
  for (int axis : axes) growth += run.growth(operand, axis);
  const bool walkersFade = run.overDepth && addsUpInWidth(run, id, axes);
  for (const Part& part : source.parts) {
    if (walkersFade && std::any_of(axes.begin(), axes.end(), [&](int axis) {
          return run.growth(operand, axis) == 0 && run.certificates.isOdd(along(run, operand, part, axis));
        })) {
      note(run, ruleNamed("sum.narrow"), Aspect::init, id, Size::zero(), {source.step});
      continue;
    }
    int walking = 0, adding = 0;
    for (int axis : axes) {
      int k = part.sparse ? 0 : run.growth(operand, axis);
      (run.certificates.isOdd(along(run, operand, part, axis)) ? walking : adding) += k;
    }
    Part next = moved(run, id, operand, part, from);
    SumAlong sum = sumAlong(run, id, Family::reduction, part.size, 0, walking, adding, 0, source.step, noStep);
    next.size = sum.size, next.step = sum.step;
    next.matrix = none;
    next.sparse = false;
    if (run.overDepth && run.growingAxes(id).empty() && !run.growingAxes(operand).empty())
      next.certificates[tripSlot] = constantAlong, next.centered = false;
    add(run, state.parts, next);
  }
  state.sign = source.sign;
  state.spread = min(state.settle(), source.spread + Size::power(half * Rational(growth)));
  state.step = note(run, state.parts.empty() ? ids().zero : rowFor(Family::sum, 0), Aspect::init, id, state.size,
                    {state.parts.empty() ? source.step : state.parts[0].step});
}

void scatterOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  const auto operands = graph.operands(id);
  const Scatter& scatter = graph.scatters[node.attribute];
  AxisMap from;
  int growth = 0;
  for (int i = 0; i < scatter.axis; ++i) from.push(i);
  from.push(-1);
  for (int i = scatter.axis + scatter.indexRank; i < graph.rank(operands[1]); ++i) from.push(i);
  for (int i = scatter.axis; i < scatter.axis + scatter.indexRank; ++i) growth += run.growth(operands[1], i);
  plumbing(run, id, operands[1], from);
  for (Part& part : run.initial[id].parts) {
    part.size =
        sumAlong(run, id, Family::reduction, part.size, 0, 0, growth, 0, run.initial[operands[1]].step, noStep).size;
    part.matrix = none;
  }
}

}  // namespace tpc::initial
