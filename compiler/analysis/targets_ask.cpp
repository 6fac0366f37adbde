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

int Targets::varying(NodeId id) const { return growthOfAxes(run, id, run.varies[id]); }

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
  static const RuleId port = ruleNamed("port.target"), operands = ruleNamed("trained.operands"),
                      lowered = ruleNamed("port.lowered");
  const bool fixedHere = run.isPort[id] != 0;
  if (const auto& reached = run.reached[id]; reached && size.isPower() && *reached < size.exponent) {
    run.target[id] = Size::power(*reached);
    run.targetStep[id] = note(run, lowered, Aspect::target, id, run.target[id], {run.reachedStep[id]});
    return;
  }
  run.target[id] = size;
  run.targetStep[id] = note(run, fixedHere ? port : operands, Aspect::target, id, size, {a, b});
}

// By how much A dx is larger than the entries of A times dx.
Size Targets::actionGrowth(NodeId A, uint32_t mask, int free) const {
  const Size action = actionOnChange(run, A, mask, free).size, entry = run.initial[A].size;
  if (action.isPower() && entry.isPower()) return Size::power(action.exponent - entry.exponent);
  const int k = growthOfAxes(run, A, mask);
  return Size::power(matrixChangeGrowth(run, k, free));
}

// What a product of x with A, or with a sum or a product of matrices that A is, asks of each of them.  The factors of
// x (P Q) are asked as those of (x P) Q are, with x P of order one.
void Targets::askMatrix(const MatrixQuestion& question) {
  const auto [id, A, mask, free, xStart, xTarget, growth, size, by] = question;
  const Node& node = run.graph.nodes[A];
  const auto operands = run.graph.operands(A);
  MatrixQuestion next = question;
  next.growth = std::nullopt;
  if (node.kind == OpKind::transpose) {
    const std::vector<int>& axes = run.graph.axes[node.attribute].axes;
    next.A = operands[0], next.mask = 0, next.growth = growth;
    for (size_t axis = 0; axis < axes.size(); ++axis)
      if (mask >> axis & 1) next.mask |= 1u << axes[axis];
    return askMatrix(next);
  }
  if (node.kind == OpKind::add || node.kind == OpKind::sub) {
    for (NodeId operand : operands)
      if (run.parameterOnly[operand]) next.A = operand, askMatrix(next);
    return;
  }
  if (node.kind == OpKind::mul)
    for (int scaled : {0, 1})
      if (const Scaling scaling = scalingOf(run, operands[size_t(1 - scaled)]); scaling.is && scaling.free == none) {
        next.A = operands[size_t(scaled)], next.size = size - scaling.number, next.growth = growth;
        return askMatrix(next);
      }
  if (const auto factors = factorsOf(run, A, mask)) {
    next.A = factors->near, next.mask = factors->nearMask, next.free = factors->nearFree, next.size = 0;
    askMatrix(next);
    const int k = growthOfAxes(run, factors->near, factors->nearMask);
    next = question;
    next.growth = std::nullopt;
    next.A = factors->far, next.mask = factors->farMask;
    next.xStart = sizeNow(factors->near) + xStart + Size::power(half * Rational(k));
    next.xTarget = xTarget.isZero() ? xTarget : Size::power(0);
    return askMatrix(next);
  }
  const int k = growthOfAxes(run, A, mask);
  const Size reach =
      max(xStart + growth.value_or(Size::power(half * Rational(k))), xTarget + actionGrowth(A, mask, free));
  if (reach.isPower()) ask(A, size - reach.exponent, by);
}

// A product with a function of parameters.
void Targets::matrixProduct(NodeId id, int operand, int freeGrowth) {
  const NodeId A = run.graph.operands(id)[size_t(operand)], x = run.graph.operands(id)[size_t(1 - operand)];
  const Behind after = behind(run, id);
  const uint32_t mask = isSparse(run, x) || isSparse(run, A) ? 0 : contractedAxes(run, id, operand);
  const Size xTarget = run.trainableUpstream[x] ? run.target[x] : Size::zero();
  const bool keeps = after.free != none && kept[after.free];
  if (!keeps) askMatrix({id, A, mask, freeGrowth, start[x], xTarget, initialGrowth(id), -after.numbers, id});
  start[id] = sizeNow(A) + start[x] + initialGrowth(id);
  const bool something = run.trainableUpstream[id];
  Size trained = start[id];
  if (something) trained = max(trained, sizeNow(A) + actionGrowth(A, mask, freeGrowth) + xTarget);
  if (keeps) setTarget(id, trained, step(x));
  else setTarget(id, something ? Size::power(-after.numbers) : start[id], step(x));
}

}  // namespace tpc
