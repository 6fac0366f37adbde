// Products and maps, coordinate by coordinate: what they do to sizes, and to the parity of parts.
#include <algorithm>
#include <optional>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

// Does b multiply a matrix as a row, column or scalar factor or as a mask?
bool isFactor(const Run& run, NodeId value, NodeId b, const Part& part) {
  uint32_t full = (1u << run.graph.rank(value)) - 1;
  bool constant = std::all_of(part.certificates.begin(), part.certificates.end(),
                              [](CertificateId id) { return id == constantAlong; });
  return constant || (run.varies[b] & full) != full;
}

// Does it read any source?
bool isRandom(const Part& part) {
  return part.freshAxes != 0 || std::any_of(part.certificates.begin(), part.certificates.end(),
                                            [](CertificateId id) { return id != constantAlong; });
}

}  // namespace

void productOf(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::product, 0);
  InitialState& state = run.initial[id];
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  const InitialState &left = run.initial[a], &right = run.initial[b];
  for (const Part& p : left.parts)
    for (const Part& q : right.parts) {
      Part next;
      next.size = sizeBy(rule, {.a = p.size, .b = q.size});
      for (size_t slot = 0; slot < next.certificates.size(); ++slot)
        next.certificates[slot] = run.certificates.product(p.certificates[slot], q.certificates[slot]);
      next.freshAxes = isRandom(p) && isRandom(q) ? p.freshAxes & q.freshAxes : p.freshAxes | q.freshAxes;
      if (p.matrix != none && isFactor(run, id, b, q)) next.matrix = p.matrix;
      else if (q.matrix != none && isFactor(run, id, a, p)) next.matrix = q.matrix;
      next.sparse = p.sparse || q.sparse;
      if (p.centered || q.centered) {
        const Part& factor = p.centered ? q : p;
        next.centered = !factor.centered && !readsOwn(run, factor.certificates[tripSlot], run.graph.nodes[id].region);
      }
      next.step = p.step;
      add(run, state.parts, next);
    }
  state.spread = max(left.spread + right.size, left.size + right.spread);
  if (left.sign != Sign::unknown && right.sign != Sign::unknown)
    state.sign = left.sign == right.sign ? Sign::nonNegative : Sign::nonPositive;
  if (a == b) state.sign = Sign::nonNegative;
  state.step =
      note(run, state.parts.empty() ? ids().zero : rule, Aspect::init, id, state.settle(), {left.step, right.step});
}

// All parts as one, the largest deciding; smaller ones come back as a part of their own, to first order:
// phi(x + d) = phi(x) + phi'(x) d.
void mapParts(Run& run, NodeId id, std::span<const Part> parts, const Size& size, Parity parity, bool keepsZeros,
              StepId premise, RuleId rule) {
  InitialState& state = run.initial[id];
  state.step = note(run, size.isZero() ? ids().zero : rule, Aspect::init, id, size, {premise});
  if (!size.isPower()) {
    if (!size.isZero()) state.special = size.kind;
    return;
  }
  if (parts.empty()) {
    Part constant;
    constant.size = size.exponent;
    constant.step = state.step;
    state.parts.push_back(constant);
    return;
  }
  Rational largest = parts[0].size;
  for (const Part& part : parts) largest = std::max(largest, part.size);
  std::optional<Part> main;
  for (const Part& part : parts) {
    if (part.size != largest) continue;
    if (main) join(run, *main, part);
    else main = part;
  }
  const Part before = *main;
  const Node& node = run.graph.nodes[id];
  const bool linear = node.kind == OpKind::map && MapFn(node.fn) == MapFn::neg;
  for (CertificateId& certificate : main->certificates) {
    if (parity == Parity::even) certificate = run.certificates.even(certificate);
    if (parity == Parity::none) certificate = run.certificates.anyMap(certificate);
  }
  if (parity != Parity::odd) main->matrix = none;
  main->centered = main->centered && linear;
  main->size = size.exponent;
  main->step = state.step;
  main->sparse = main->sparse && keepsZeros;
  add(run, state.parts, *main);
  for (const Part& part : parts) {
    if (part.size == largest) continue;
    Part minor = part;
    minor.size = size.exponent + part.size - largest;
    minor.matrix = none;
    minor.centered = minor.centered && linear;
    minor.freshAxes &= before.freshAxes;
    for (size_t slot = 0; slot < minor.certificates.size(); ++slot) {
      CertificateId derivative = parity == Parity::odd    ? run.certificates.even(before.certificates[slot])
                                 : parity == Parity::even ? before.certificates[slot]
                                                          : run.certificates.anyMap(before.certificates[slot]);
      minor.certificates[slot] = run.certificates.product(derivative, part.certificates[slot]);
    }
    minor.step = state.step;
    add(run, state.parts, minor);
  }
}

void mapOf(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::map, 0);
  const Node& node = run.graph.nodes[id];
  const InitialState& operand = run.initial[run.graph.operands(id)[0]];
  const MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, id));
  const Size argument = operand.size, size = mapSize(facts, argument, operand.sign);
  mapParts(run, id, operand.parts, size, facts.parity, facts.zeroAtZero, operand.step,
           size.kind == Size::Kind::exponential ? ids().explodes : rule);
  InitialState& state = run.initial[id];
  state.sign = facts.sign;
  if (MapFn(node.fn) == MapFn::neg && operand.sign != Sign::unknown)
    state.sign = operand.sign == Sign::nonNegative ? Sign::nonPositive : Sign::nonNegative;
  state.spread = operand.spread == argument ? size : min(size, mapDerivativeSize(facts, argument) + operand.spread);
  if (argument.isZero()) state.spread = Size::zero();
}

// Is one of the two the maximum, or minimum, of the other over all the axes that grow?
bool isMaximumOf(const Run& run, NodeId a, NodeId b) {
  for (auto [whole, extreme] : {std::pair{a, b}, {b, a}}) {
    const NodeId reduced = behindPlumbing(run, extreme);
    const Node& node = run.graph.nodes[reduced];
    if (node.kind != OpKind::reduce || ReduceFn(node.fn) == ReduceFn::sum) continue;
    const NodeId of = run.graph.operands(reduced)[0];
    if (behindPlumbing(run, of) != behindPlumbing(run, whole)) continue;
    const std::vector<int>& axes = run.graph.axes[node.attribute].axes;
    const auto& growing = run.growingAxes(of);
    return std::all_of(growing.begin(), growing.end(), [&](const GrowingAxis& one) {
      return std::find(axes.begin(), axes.end(), one.axis) != axes.end();
    });
  }
  return false;
}

void manyArguments(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::map, 0);
  const Node& node = run.graph.nodes[id];
  auto operands = run.graph.operands(id);
  Parts parts;
  Size size = Size::zero();
  const size_t first = node.kind == OpKind::select ? 1 : 0;
  std::vector<StepId> premises;
  Size spread = Size::zero();
  for (size_t i = first; i < operands.size(); ++i) {
    const InitialState& operand = run.initial[operands[i]];
    for (const Part& part : operand.parts) parts.push_back(part);
    size = max(size, operand.size);
    spread = max(spread, operand.spread);
  }
  if (first == 1)
    for (Part part : run.initial[operands[0]].parts) {
      // A condition bends the parity of what it selects, not its size.
      if (std::all_of(part.certificates.begin(), part.certificates.end(), [](auto c) { return c == constantAlong; }))
        continue;
      if (!size.isPower()) continue;
      part.size = size.exponent;
      parts.push_back(part);
    }
  if (node.kind == OpKind::compare) size = Size::power(0);
  const bool selectsPlain = node.kind == OpKind::select && parts.size() == run.initial[operands[1]].parts.size() +
                                                                               run.initial[operands[2]].parts.size();
  if (selectsPlain && size.isPower()) {
    // Where the condition is data, the parts live on disjoint coordinates and keep what they have.
    InitialState& state = run.initial[id];
    for (const Part& part : parts) add(run, state.parts, part);
    state.step =
        note(run, rule, Aspect::init, id, size, {run.initial[operands[1]].step, run.initial[operands[2]].step});
  } else {
    mapParts(run, id, parts, size, Parity::none, false, run.initial[operands[first]].step, rule);
  }
  InitialState& state = run.initial[id];
  state.spread = min(spread, size);
  if (node.kind == OpKind::compare) state.sign = Sign::nonNegative;
  if (node.kind == OpKind::compare && isMaximumOf(run, operands[0], operands[1]))
    for (Part& part : state.parts) part.sparse = true;  // x == max(x) holds for one coordinate, up to ties
  if (node.kind == OpKind::select && run.initial[operands[1]].sign == run.initial[operands[2]].sign)
    state.sign = run.initial[operands[1]].sign;
  if (node.kind == OpKind::select) {
    // -inf under a mask: what is left is the other branch, also for the sign of its argument.
    for (size_t i : {size_t(1), size_t(2)}) {
      NodeId bare = behindPlumbing(run, operands[i]);
      if (run.graph.nodes[bare].kind == OpKind::number &&
          run.graph.numbers[run.graph.nodes[bare].attribute].kind == Number::Kind::minusInfinity)
        state.sign = run.initial[operands[3 - i]].sign;
    }
  }
}

}  // namespace tpc::initial
