// Leaves, and operations by which coordinates move and none changes: certificates go along with their axes.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {

void leaf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  InitialState& state = run.initial[id];
  static const RuleId parameterRule = rowFor(Family::leaf, parameterLeaf), dataRule = rowFor(Family::leaf, dataLeaf),
                      constantRule = rowFor(Family::leaf, 0);
  Part part;
  Size size = Size::power(0);
  RuleId rule = constantRule;
  switch (node.kind) {
    case OpKind::parameter: {
      const uint32_t index = node.attribute;
      const Parameter& parameter = graph.parameters[index];
      size = run.initSize[index];
      rule = parameterRule;
      const auto& axes = run.growingAxes(id);
      // One at zero is solved for as if it were random, and has no part once it is zero.
      const bool random = isZeroInit(parameter) ||
                          (parameter.init.kind != Init::Kind::constant && parameter.init.kind != Init::Kind::eye &&
                           parameter.init.kind != Init::Kind::values);
      if (random) {
        for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
          part.certificates[slot] = freshAlong(run, index, axes[slot].axis);
        part.matrix = index;
        part.freshAxes = ~0u;
        state.spread = size;
      }
      part.sparse = parameter.init.kind == Init::Kind::eye;
      if (!random && parameter.init.kind == Init::Kind::constant && parameter.init.number.coefficient >= 0)
        state.sign = Sign::nonNegative;
      break;
    }
    case OpKind::input: rule = dataRule; break;
    // Of order one, independent of everything, and never negative: as data.
    case OpKind::dropoutMask: state.sign = Sign::nonNegative; break;
    case OpKind::number: {
      const Number& number = graph.numbers[node.attribute];
      size = sizeOfNumber(run, number);
      state.sign = number.coefficient >= 0 ? Sign::nonNegative : Sign::nonPositive;
      break;
    }
    case OpKind::freeMultiplier:
      size = Size::power(run.multiplier[node.attribute]);
      state.sign = Sign::nonNegative;
      break;
    // Of a typical layer; of one of the first where these are looked at.
    case OpKind::layerIndex:
      if (!run.atFirstLayers) size = Size::power(graph.repeats[node.attribute].trips.growth(run.symbol));
      break;
    case OpKind::iota: size = Size::power(run.growth(id, 0)); break;
    case OpKind::eye: part.sparse = true; break;
    default: break;
  }
  state.step = note(run, rule, Aspect::init, id, size, {});
  if (!size.isPower()) {
    state.special = size.isZero() ? Size::Kind::power : size.kind;
    return;
  }
  part.size = size.exponent;
  part.step = state.step;
  state.parts.push_back(part);
}

void plumbing(Run& run, NodeId id, NodeId operand, const AxisMap& from) {
  static const RuleId rule = rowFor(Family::plumbing, 0);
  InitialState& state = run.initial[id];
  const InitialState& source = run.initial[operand];
  for (const Part& part : source.parts) {
    Part next = moved(run, id, operand, part, from);
    next.size = sizeBy(rule, {.a = part.size});
    add(run, state.parts, next);
  }
  state.spread = source.spread;
  state.sign = source.sign;
  state.step = note(run, rule, Aspect::init, id, state.settle(), {source.step});
}

AxisMap axesOfReshape(const Run& run, NodeId id, NodeId operand) {
  const Regroup& regroup = run.graph.regroups[run.graph.nodes[id].attribute];
  AxisMap from;
  int operandAxis = 0;
  for (auto [count, made] : regroup.groups) {
    // The growing axis of the group carries the certificate; a group has one unless two of its axes grow.
    int source = count > 0 ? operandAxis : -1;
    for (int axis = operandAxis; axis < operandAxis + count; ++axis)
      if (run.isLong(operand, axis)) source = axis;
    for (int axis = 0; axis < made; ++axis) from.push(source);
    operandAxis += count;
  }
  return from;
}

void slice(Run& run, NodeId id, NodeId operand) {
  const Graph& graph = run.graph;
  const Slice& attribute = graph.slices[graph.nodes[id].attribute];
  plumbing(run, id, operand, identity(graph.rank(id)));
  const uint32_t kept = run.cuts.keptBy(id);
  if (kept == none) return;
  for (Part& part : run.initial[id].parts)
    if (part.freshAxes >> attribute.axis & 1)
      for (CertificateId& certificate : part.certificates)
        if (certificate != constantAlong) certificate = sliced(run, certificate, kept);
}

void gatherOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  const auto operands = graph.operands(id);
  const int axis = int(node.attribute == none ? 0 : graph.axes[node.attribute].axes[0]);
  const int indexRank = graph.rank(operands[1]);
  AxisMap from;
  for (int i = 0; i < axis; ++i) from.push(i);
  for (int i = 0; i < indexRank; ++i) from.push(-1);
  for (int i = axis + 1; i < graph.rank(operands[0]); ++i) from.push(i);
  plumbing(run, id, operands[0], from);
  for (Part& part : run.initial[id].parts) part.matrix = none;
  rememberGather(run, id, operands[0], axis);
}

NodeId behindPlumbing(const Run& run, NodeId id) {
  for (;;) {
    OpKind kind = run.graph.nodes[id].kind;
    if (kind != OpKind::stopGradient && kind != OpKind::broadcast && kind != OpKind::reshape) return id;
    id = run.graph.operands(id)[0];
  }
}

}  // namespace tpc::initial
