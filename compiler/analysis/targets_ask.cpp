// What a use asks of the parameters behind it, and the size that a function of parameters has under what is asked so
// far.
#include <algorithm>

#include "compiler/analysis/scales.h"
#include "compiler/analysis/targets.h"

namespace tpc {

void Targets::ask(NodeId id, Rational size, NodeId by) {
  const Node& node = run.graph.nodes[id];
  auto operands = run.graph.operands(id);
  switch (node.kind) {
    case OpKind::parameter: {
      const uint32_t index = node.attribute;
      if (!asked[index] || size < *asked[index]) asked[index] = size, askedBy[index] = by;
      return;
    }
    case OpKind::reshape:
    case OpKind::transpose:
    case OpKind::broadcast:
    case OpKind::slice:
    case OpKind::layer:
    case OpKind::stopGradient:
    case OpKind::gather: return ask(operands[0], size, by);
    case OpKind::add:
    case OpKind::sub:
    case OpKind::concat:
      for (NodeId operand : operands)
        if (run.parameterOnly[operand]) ask(operand, size, by);
      return;
    case OpKind::mul: {
      NodeId a = operands[0], b = operands[1];
      if (!run.parameterOnly[a]) std::swap(a, b);
      if (!run.parameterOnly[b]) {
        Scaling scaling = scalingOf(run, b);
        return ask(a, scaling.is ? size - scaling.number : size, by);
      }
      // Of two parameters the one with fewer growing axes is the factor, of order one.
      if (varying(a) < varying(b)) std::swap(a, b);
      ask(b, 0, by);
      Size factor = sizeNow(b);
      return ask(a, factor.isPower() ? size - factor.exponent : size, by);
    }
    case OpKind::map: {
      MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, id));
      if (facts.small == facts.large && Rational(0) < facts.small) ask(operands[0], size / facts.small, by);
      else if (facts.small == Rational(1)) ask(operands[0], size, by);
      return;
    }
    case OpKind::contract: {
      const ContractionGrowth growth = growthOf(run, id);
      Rational k = growth.contracted;
      ask(operands[1], 0, by);
      return ask(operands[0], size - matrixChangeGrowth(run, k, growth.freeA), by);
    }
    default: return;
  }
}

int Targets::varying(NodeId id) const {
  int sum = 0;
  for (const GrowingAxis& axis : run.growingAxes(id))
    if (run.varies[id] >> axis.axis & 1) sum += axis.growth;
  return sum;
}

// The size of a function of parameters under what is asked so far; free parameters are of order one until asked.
Size Targets::sizeNow(NodeId id) const {
  const Node& node = run.graph.nodes[id];
  auto operands = run.graph.operands(id);
  switch (node.kind) {
    case OpKind::parameter: {
      const uint32_t index = node.attribute;
      if (isPlans(index)) return Size::power(asked[index].value_or(0));
      return run.initSize[index];
    }
    case OpKind::add:
    case OpKind::sub:
    case OpKind::concat: {
      Size size = Size::zero();
      for (NodeId operand : operands) size = max(size, sizeNow(operand));
      return size;
    }
    case OpKind::mul: return sizeNow(operands[0]) + sizeNow(operands[1]);
    case OpKind::map: return mapSize(factsOf(MapFn(node.fn), powerOf(run, id)), sizeNow(operands[0]), Sign::unknown);
    case OpKind::contract:
    case OpKind::reduce: {
      Size size = operands.size() > 1 ? sizeNow(operands[0]) + sizeNow(operands[1]) : sizeNow(operands[0]);
      return size + initialGrowth(id);
    }
    case OpKind::number: return sizeOfNumber(run, run.graph.numbers[node.attribute]);
    case OpKind::freeMultiplier: return Size::power(run.multiplier[node.attribute]);
    default: return operands.empty() ? Size::power(0) : sizeNow(operands[0]);
  }
}

// How a sum grew in the pass over parts: walking or adding up, decided by its certificates.
Size Targets::initialGrowth(NodeId id) const {
  Size size = run.initial[id].size;
  for (NodeId operand : run.graph.operands(id)) {
    const Size& of = run.initial[operand].size;
    if (!size.isPower() || !of.isPower()) return Size::power(half * Rational(contractedGrowth(id)));
    size = Size::power(size.exponent - of.exponent);
  }
  return size;
}

int Targets::contractedGrowth(NodeId id) const {
  const Node& node = run.graph.nodes[id];
  if (node.kind == OpKind::contract) return growthOf(run, id).contracted;
  int growth = 0;
  for (int axis : run.graph.axes[node.attribute].axes) growth += run.growth(run.graph.operands(id)[0], axis);
  return growth;
}

void Targets::setTarget(NodeId id, const Size& size, StepId a, StepId b) {
  static const RuleId port = ruleNamed("port.target"), operands = ruleNamed("trained.operands");
  const bool fixedHere = run.isPort[id] != 0;
  run.target[id] = size;
  run.targetStep[id] = note(run, fixedHere ? port : operands, Aspect::target, id, size, {a, b});
}

// A product with a function of parameters.
void Targets::matrixProduct(NodeId id, NodeId A, NodeId x, int freeGrowth, int contracted) {
  const Behind after = behind(run, id);
  const Rational k = contracted;
  const Rational changeGrowth = matrixChangeGrowth(run, k, freeGrowth);
  Size reach = Size::zero();
  reach = max(reach, start[x] + initialGrowth(id));
  if (run.trainableUpstream[x]) reach = max(reach, run.target[x] + Size::power(changeGrowth));
  const bool keeps = after.free != none && kept[after.free];
  if (!keeps && reach.isPower()) ask(A, -after.numbers - reach.exponent, id);
  start[id] = sizeNow(A) + start[x] + initialGrowth(id);
  const bool something = run.trainableUpstream[id];
  Size trained = max(start[id], sizeNow(A) + (something ? reach : Size::zero()));
  if (keeps) setTarget(id, trained, step(x));
  else setTarget(id, something ? Size::power(-after.numbers) : start[id], step(x));
}

}  // namespace tpc
