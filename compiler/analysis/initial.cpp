// Sizes at initialization: every value as additive parts, each with its certificates along the axes that grow.
//
// The passes below run the rows of compiler/rules/sizes.cpp; here stands how facts about parts are found, and nowhere a
// formula of a size.
#include <algorithm>
#include <cassert>
#include <span>

#include "compiler/analysis/run.h"

namespace tpc {
namespace {

struct Ids {
  RuleId notAnalysed = ruleNamed("not-analysed"), explodes = ruleNamed("map.explodes"), zero = ruleNamed("zero");
  RuleId join = ruleNamed("repeat.join"), compounds = ruleNamed("repeat.compounds");
};
const Ids& ids() {
  static const Ids ids;
  return ids;
}

// ---- sources ----

Source sourceOf(Run& run, uint32_t matrix, int axis) {
  const uint32_t next = uint32_t(run.sourceRoots.size());
  auto [entry, isNew] = run.sourceIds.try_emplace({matrix, uint32_t(axis)}, next);
  if (isNew) run.sourceRoots.push_back({matrix, axis, next});
  return entry->second * phases;
}

// A slice of what a matrix made: independent of disjoint slices, so its sources have names of their own.
CertificateId sliced(Run& run, CertificateId certificate, uint32_t key) {
  auto name = [&](Source source, std::vector<Source>& image) {
    const uint32_t whole = source / phases, next = uint32_t(run.sourceRoots.size());
    auto [entry, isNew] = run.sliceIds.try_emplace({whole, key}, next);
    if (isNew) {
      run.sourceRoots.push_back(run.sourceRoots[whole]);
      run.sourceRoots[whole].sibling = next;
    }
    image = {entry->second * phases + source % phases};
  };
  return run.certificates.renamed(certificate, 16 + key, {name});
}

// The sources of a matrix' own axis, whole or sliced, that a certificate reads.
template <typename Visit>
void forEachSeen(Run& run, CertificateId certificate, Source source, Visit visit) {
  uint32_t sibling = source / phases;
  do {
    if (const Source seen = sibling * phases + source % phases; run.certificates.reads(certificate, seen)) visit(seen);
    sibling = run.sourceRoots[sibling].sibling;
  } while (sibling != source / phases);
}

bool isStackedIn(const Run& run, Source source, uint32_t repeat) {
  const Parameter& parameter = run.graph.parameters[run.sourceRoots[source / phases].parameter];
  const Repeat& r = run.graph.repeats[repeat];
  auto is = [&](uint32_t stack) { return stack != none && (stack == repeat || stack == r.forward); };
  return is(parameter.stack) || std::any_of(parameter.innerStacks.begin(), parameter.innerStacks.end(), is);
}

enum Crossing : uint32_t { nextLayer, intoReversed, nextReversed };

// What one layer's sources are called from the next layer, from outside, or from a reversed repeat.
CertificateId crossed(Run& run, CertificateId certificate, uint32_t repeat, Crossing crossing) {
  auto name = [&](Source source, std::vector<Source>& image) {
    if (!isStackedIn(run, source, repeat)) {
      image = {source};
      return;
    }
    const Source own = source - source % phases;
    const Phase phase = Phase(source % phases);
    const Source earlier = own + uint32_t(Phase::earlier), later = own + uint32_t(Phase::later);
    switch (crossing) {
      case nextLayer: image = {earlier}; break;
      case intoReversed: image = {own, earlier, later}; break;
      case nextReversed:
        if (phase == Phase::earlier) image = {own, earlier};
        else image = {later};
        break;
    }
  };
  return run.certificates.renamed(certificate, 0x80000000u + repeat * 4 + crossing, {name, crossing != nextLayer});
}

// ---- parts ----

int slotOf(const Run& run, NodeId node, int axis) {
  const auto& axes = run.growingAxes(node);
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
    if (axes[slot].axis == axis) return int(slot);
  return -1;
}

CertificateId along(const Run& run, NodeId node, const Part& part, int axis) {
  int slot = slotOf(run, node, axis);
  return slot < 0 ? constantAlong : part.certificates[slot];
}

bool alike(const Part& a, const Part& b) {
  return a.certificates == b.certificates && a.matrix == b.matrix && a.sparse == b.sparse;
}

void join(Run& run, Part& into, const Part& part) {
  for (int slot = 0; slot < mostGrowingAxes; ++slot)
    into.certificates[slot] = run.certificates.sum(into.certificates[slot], part.certificates[slot]);
  if (into.size < part.size) into.step = part.step;
  into.size = std::max(into.size, part.size);
  into.freshAxes &= part.freshAxes;
  into.sparse = into.sparse && part.sparse;
  if (into.matrix != part.matrix) into.matrix = none;
}

bool oddAnywhere(Run& run, const Part& part) {
  return std::any_of(part.certificates.begin(), part.certificates.end(),
                     [&](CertificateId id) { return run.certificates.isOdd(id); });
}

void add(Run& run, Parts& parts, const Part& part) {
  for (Part& old : parts)
    if (alike(old, part)) {
      if (old.size < part.size) old.size = part.size, old.step = part.step;
      old.freshAxes &= part.freshAxes;
      return;
    }
  parts.push_back(part);
  if (parts.size() <= mostParts) return;
  // Join first what is of equal size and centered alike: nothing that a later sum asks for is lost by it.
  for (size_t j = parts.size(); j-- > 1;)
    for (size_t i = j; i-- > 0;)
      if (parts[i].size == parts[j].size && oddAnywhere(run, parts[i]) == oddAnywhere(run, parts[j])) {
        join(run, parts[i], parts[j]);
        parts.erase(parts.begin() + long(j));
        return;
      }
  auto smaller = [](const Part& a, const Part& b) { return a.size < b.size; };
  std::sort(parts.begin(), parts.end(), smaller);
  join(run, parts[1], parts[0]);
  parts.erase(parts.begin());
}

StepId stepOf(Run& run, RuleId rule, NodeId subject, Rational size, StepId a, StepId b = noStep) {
  return note(run, rule, Aspect::init, subject, Size::power(size), {a, b});
}

// Axes of the operand seen as axes of the result: `from[resultAxis]` is an operand axis or -1.
struct AxisMap {
  static constexpr int most = 32;  // as many axes as bits in freshAxes; import stops there
  int rank = 0;
  std::array<int8_t, most> axis{};

  AxisMap() = default;
  explicit AxisMap(const std::vector<int>& axes) {
    for (int from : axes) push(from);
  }
  int operator[](int i) const { return axis[size_t(i)]; }
  void push(int from) {
    assert(rank < most && "a shape has at most 32 axes");
    axis[size_t(rank++)] = int8_t(from);
  }
};

AxisMap identity(int rank) {
  AxisMap from;
  for (int axis = 0; axis < rank; ++axis) from.push(axis);
  return from;
}

Part moved(const Run& run, NodeId result, NodeId operand, const Part& part, const AxisMap& from) {
  Part next = part;
  next.certificates = {};
  next.freshAxes = 0;
  const auto& axes = run.growingAxes(result);
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
    if (int axis = from[axes[slot].axis]; axis >= 0) next.certificates[slot] = along(run, operand, part, axis);
  for (int axis = 0; axis < from.rank; ++axis)
    if (from[axis] >= 0 && (part.freshAxes >> from[axis] & 1)) next.freshAxes |= 1u << axis;
  return next;
}

// ---- families ----

void setSpecial(Run& run, NodeId id, Size::Kind kind, RuleId rule) {
  InitialState& state = run.initial[id];
  state.parts.clear();
  state.special = kind;
  StepId premise = noStep;
  for (NodeId operand : run.graph.operands(id))
    if (run.initial[operand].special != Size::Kind::power) premise = run.initial[operand].step;
  state.step = note(run, rule, Aspect::init, id, {kind, {}}, {premise});
  state.spread = {kind, {}};
}

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
      const bool random = parameter.init.kind != Init::Kind::constant && parameter.init.kind != Init::Kind::eye &&
                          parameter.init.kind != Init::Kind::values;
      if (random) {
        for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
          part.certificates[slot] = run.certificates.fresh(sourceOf(run, index, axes[slot].axis));
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
      if (run.growth(operand, axis) > 0) source = axis;
    for (int axis = 0; axis < made; ++axis) from.push(source);
    operandAxis += count;
  }
  return from;
}

void slice(Run& run, NodeId id, NodeId operand) {
  const Graph& graph = run.graph;
  const Slice& attribute = graph.slices[graph.nodes[id].attribute];
  plumbing(run, id, operand, identity(graph.rank(id)));
  if (graph.length(id, attribute.axis) == graph.length(operand, attribute.axis)) return;
  // The key of a slice: its axis' length, begin and length.  Equal slices are equal sources.
  auto key = std::tuple{uint32_t(graph.shape(operand)[attribute.axis]), attribute.axis, graph.nodes[id].attribute,
                        uint32_t(graph.shape(id)[attribute.axis])};
  uint32_t index = 0;
  for (; index < run.valueSlices.size(); ++index) {
    const auto& [length, axis, old, made] = run.valueSlices[index];
    if (length == std::get<0>(key) && axis == attribute.axis && graph.slices[old].begin == attribute.begin &&
        made == std::get<3>(key))
      break;
  }
  if (index == run.valueSlices.size()) run.valueSlices.push_back(key);
  for (Part& part : run.initial[id].parts)
    if (part.freshAxes >> attribute.axis & 1)
      for (CertificateId& certificate : part.certificates)
        if (certificate != constantAlong) certificate = sliced(run, certificate, index);
}

void sumOf(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::sum, 0);
  InitialState& state = run.initial[id];
  auto operands = run.graph.operands(id);
  Rational largest = 0;
  bool any = false, allNonNegative = true;
  for (NodeId operand : operands)
    for (const Part& part : run.initial[operand].parts) {
      largest = any ? std::max(largest, part.size) : part.size;
      any = true;
    }
  for (NodeId operand : operands) {
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

NodeId behindPlumbing(const Run& run, NodeId id) {
  for (;;) {
    OpKind kind = run.graph.nodes[id].kind;
    if (kind != OpKind::stopGradient && kind != OpKind::broadcast && kind != OpKind::reshape) return id;
    id = run.graph.operands(id)[0];
  }
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
  for (const InitialState* operand : {&left, &right})
    for (const Part& part : operand->parts) {
      Part next = part;
      if (facts & sameLimit) {
        if (!state.spread.isPower()) continue;
        next.size = std::min(part.size, sizeBy(rule, {.e = state.spread.exponent}));
      }
      add(run, state.parts, next);
    }
  state.step = note(run, rule, Aspect::init, id, state.settle(), {left.step, right.step});
}

// Does b multiply a matrix as a row, column or scalar factor or as a mask?
bool isFactor(const Run& run, NodeId value, NodeId b, const Part& part) {
  uint32_t full = (1u << run.graph.rank(value)) - 1;
  bool constant = std::all_of(part.certificates.begin(), part.certificates.end(),
                              [](CertificateId id) { return id == constantAlong; });
  return constant || (run.varies[b] & full) != full;
}

void productOf(Run& run, NodeId id) {
  static const RuleId rule = rowFor(Family::product, 0);
  InitialState& state = run.initial[id];
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  const InitialState &left = run.initial[a], &right = run.initial[b];
  for (const Part& p : left.parts)
    for (const Part& q : right.parts) {
      Part next;
      next.size = sizeBy(rule, {.a = p.size, .b = q.size});
      for (int slot = 0; slot < mostGrowingAxes; ++slot)
        next.certificates[slot] = run.certificates.product(p.certificates[slot], q.certificates[slot]);
      const bool qVaries = q.matrix != none || q.freshAxes != 0, pVaries = p.matrix != none || p.freshAxes != 0;
      next.freshAxes = pVaries && qVaries ? p.freshAxes & q.freshAxes : p.freshAxes | q.freshAxes;
      if (p.matrix != none && isFactor(run, id, b, q)) next.matrix = p.matrix;
      else if (q.matrix != none && isFactor(run, id, a, p)) next.matrix = q.matrix;
      next.sparse = p.sparse || q.sparse;
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
void mapParts(Run& run, NodeId id, std::span<const Part> parts, const Size& size, Parity parity, StepId premise,
              RuleId rule) {
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
  for (CertificateId& certificate : main->certificates) {
    if (parity == Parity::even) certificate = run.certificates.even(certificate);
    if (parity == Parity::none) certificate = run.certificates.anyMap(certificate);
  }
  if (parity != Parity::odd) main->matrix = none;
  main->size = size.exponent;
  main->step = state.step;
  main->sparse = main->sparse && parity == Parity::odd;
  add(run, state.parts, *main);
  for (const Part& part : parts) {
    if (part.size == largest) continue;
    Part minor = part;
    minor.size = size.exponent + part.size - largest;
    minor.matrix = none;
    minor.freshAxes &= before.freshAxes;
    for (int slot = 0; slot < mostGrowingAxes; ++slot) {
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
  mapParts(run, id, operand.parts, size, facts.parity, operand.step,
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
    mapParts(run, id, parts, size, Parity::none, run.initial[operands[first]].step, rule);
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

// One axis after another: walking axes first, then those that add up.
struct SumAlong {
  Rational size;
  StepId step;
};
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
    mapParts(run, id, parts, size, Parity::none, source.step, rule);
    state.spread = source.spread;
    state.sign = source.sign;
    return;
  }
  int growth = 0;
  for (int axis : axes) growth += run.growth(operand, axis);
  for (const Part& part : source.parts) {
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
    add(run, state.parts, next);
  }
  state.sign = source.sign;
  state.spread = min(state.settle(), source.spread + Size::power(half * Rational(growth)));
  state.step = note(run, state.parts.empty() ? ids().zero : rowFor(Family::sum, 0), Aspect::init, id, state.size,
                    {state.parts.empty() ? source.step : state.parts[0].step});
}

// ---- contractions ----

struct Labelled {
  NodeId node;
  const std::vector<uint8_t>* labels;
};

int axisOf(const std::vector<uint8_t>& labels, uint8_t label) {
  auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? -1 : int(found - labels.begin());
}

// The part that an initial matrix adds along what its transpose has been given before; false where no earlier product
// explains what u has read of the matrix.
bool zdot(Run& run, NodeId id, const Labelled& matrix, const Part& w, const Labelled& other, const Part& u,
          const std::vector<uint8_t>& resultLabels, int contracted, InitialState& state) {
  const uint32_t parameter = w.matrix;
  bool isExplained = false;
  const MatrixUses& uses = run.matrixUses[parameter];
  for (size_t i = 0; i < uses.distinct.size(); ++i) {
    if (uses.count[i] == 0) continue;
    const MatrixUse& use = uses.distinct[i];
    // Does u read, along an axis contracted now, what that product made?
    bool reads = false, odd = false;
    for (size_t axis = 0; axis < matrix.labels->size(); ++axis) {
      const uint8_t label = (*matrix.labels)[axis];
      int otherAxis = axisOf(*other.labels, label);
      if (otherAxis < 0 || axisOf(resultLabels, label) >= 0 || run.growth(matrix.node, int(axis)) == 0) continue;
      CertificateId certificate = along(run, other.node, u, otherAxis);
      CertificateId own = along(run, matrix.node, w, int(axis));
      run.certificates.sets().forEach(run.certificates[own].reads, [&](Source source) {
        const SourceRoot& root = run.sourceRoots[source / phases];
        if (root.parameter != parameter) return;
        if (std::find(use.contractedAxes.begin(), use.contractedAxes.end(), root.axis) != use.contractedAxes.end())
          return;
        forEachSeen(run, certificate, source, [&](Source seen) {
          reads = true;
          odd |= run.certificates.derivativeIsOdd(certificate, seen);
        });
      });
    }
    if (!reads) continue;
    isExplained = true;
    const RuleId rule = rowFor(Family::zdot, readsBack | (odd ? uint32_t(oddDerivative) : 0u));
    if (sizeRow(rule).isZero) {
      note(run, rule, Aspect::init, id, Size::zero(), {run.initial[other.node].step});
      continue;
    }
    for (const Part& y : use.operand) {
      Part part;
      part.size = sizeBy(rule, {.a = w.size, .b = u.size, .k = contracted, .e = use.contractedGrowth}) + y.size;
      const auto& axes = run.growingAxes(id);
      for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot) {
        const uint8_t label = resultLabels[axes[slot].axis];
        int inMatrix = axisOf(*matrix.labels, label), inOther = axisOf(*other.labels, label);
        part.certificates[slot] = inMatrix >= 0 ? y.certificates[0] : along(run, other.node, u, inOther);
      }
      part.step = stepOf(run, rule, id, part.size, run.initial[other.node].step, run.initial[matrix.node].step);
      add(run, state.parts, part);
    }
  }
  return isExplained;
}

// How much of a contraction's growth walks and how much adds up, by the products of two parts.
std::pair<int, int> walkingAndAdding(Run& run, const Labelled& a, const Part& p, const Labelled& b, const Part& q,
                                     const std::vector<uint8_t>& resultLabels) {
  int walking = 0, adding = 0;
  if (p.sparse || q.sparse) return {0, 0};
  for (const GrowingAxis& grown : run.growingAxes(a.node)) {
    const uint8_t label = (*a.labels)[size_t(grown.axis)];
    const int bAxis = axisOf(*b.labels, label);
    if (bAxis < 0 || axisOf(resultLabels, label) >= 0) continue;
    const CertificateId product =
        run.certificates.product(along(run, a.node, p, grown.axis), along(run, b.node, q, bAxis));
    (run.certificates.isOdd(product) ? walking : adding) += grown.growth;
  }
  return {walking, adding};
}

void contractParts(Run& run, NodeId id, Labelled a, const Part& p, Labelled b, const Part& q,
                   const std::vector<uint8_t>& resultLabels, InitialState& state) {
  const bool initial = p.matrix != none;
  int contracted = 0;
  bool readsBackAny = false;
  if (initial && !p.sparse && !q.sparse)
    for (const GrowingAxis& grown : run.growingAxes(a.node)) {
      const uint8_t label = (*a.labels)[size_t(grown.axis)];
      const int bAxis = axisOf(*b.labels, label);
      if (bAxis < 0 || axisOf(resultLabels, label) >= 0) continue;
      contracted += grown.growth;
      const CertificateId seen = along(run, b.node, q, bAxis);
      run.certificates.sets().forEach(run.certificates[along(run, a.node, p, grown.axis)].reads, [&](Source source) {
        forEachSeen(run, seen, source, [&](Source) { readsBackAny = true; });
      });
    }
  Part next;
  const StepId pStep = run.initial[a.node].step, qStep = run.initial[b.node].step;
  if (initial) {
    RuleId rule = rowFor(Family::matrix, readsBackAny ? uint32_t(readsBack) : 0u);
    next.size = sizeBy(rule, {.a = p.size, .b = q.size, .k = contracted});
    next.step = stepOf(run, rule, id, next.size, pStep, qStep);
  } else {
    const auto [walking, adding] = walkingAndAdding(run, a, p, b, q, resultLabels);
    SumAlong sum = sumAlong(run, id, Family::contraction, p.size, q.size, walking, adding, 0, pStep, qStep);
    next.size = sum.size, next.step = sum.step;
  }
  const auto& axes = run.growingAxes(id);
  for (size_t axis = 0; axis < resultLabels.size(); ++axis) {
    int inA = axisOf(*a.labels, resultLabels[axis]), inB = axisOf(*b.labels, resultLabels[axis]);
    if ((inA >= 0 && inB < 0 && (p.freshAxes >> inA & 1)) ||
        (inB >= 0 && inA < 0 && (q.freshAxes >> inB & 1) && !initial))
      next.freshAxes |= 1u << axis;
  }
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot) {
    const uint8_t label = resultLabels[axes[slot].axis];
    int inA = axisOf(*a.labels, label), inB = axisOf(*b.labels, label);
    CertificateId fromA = inA >= 0 ? along(run, a.node, p, inA) : constantAlong;
    CertificateId fromB = inB >= 0 ? along(run, b.node, q, inB) : constantAlong;
    next.certificates[slot] = run.certificates.product(fromA, fromB);
  }
  next.sparse = p.sparse && q.sparse;
  if (p.sparse) next.matrix = q.matrix;
  add(run, state.parts, next);
  if (initial && readsBackAny && !zdot(run, id, a, p, b, q, resultLabels, contracted, state)) {
    // The entries themselves stand in the other operand: the products need not have zero mean.
    const auto [walking, adding] = walkingAndAdding(run, a, p, b, q, resultLabels);
    SumAlong sum = sumAlong(run, id, Family::contraction, p.size, q.size, walking, adding, 0, pStep, qStep);
    next.size = sum.size, next.step = sum.step;
    add(run, state.parts, next);
  }
}

// Remembers what the node `id` makes of the matrix that is its operand; what it made of it in an earlier round is
// forgotten.
//
// Products that agree in what is remembered add the same part to a product with the transpose, and one of them stands
// for all: a matrix used k times costs k, not its square.  Of more than `mostUses` that differ the last ones are joined
// into one, as parts of a value are; what is joined claims less.
void remember(Run& run, uint32_t parameter, NodeId id, uint32_t operand, MatrixUse use) {
  constexpr size_t mostUses = 16;
  MatrixUses& uses = run.matrixUses[parameter];
  std::sort(use.contractedAxes.begin(), use.contractedAxes.end());
  use.contractedAxes.erase(std::unique(use.contractedAxes.begin(), use.contractedAxes.end()), use.contractedAxes.end());
  Rational largest = use.operand.empty() ? Rational(0) : use.operand[0].size;
  for (const Part& y : use.operand) largest = std::max(largest, y.size);
  for (Part& y : use.operand) y.size -= largest;

  auto sameKind = [&](const MatrixUse& old) {
    return old.contractedAxes == use.contractedAxes && old.contractedGrowth == use.contractedGrowth;
  };
  auto sameOperand = [&](const MatrixUse& old) {
    return std::equal(old.operand.begin(), old.operand.end(), use.operand.begin(), use.operand.end(),
                      [](const Part& a, const Part& b) { return alike(a, b) && a.size == b.size; });
  };
  const uint64_t key = uint64_t(id) * 2 + operand;
  const auto known = uses.by.find(key);
  const uint32_t former = known == uses.by.end() ? none : known->second;
  uint32_t at = 0;
  while (at < uses.distinct.size() && !(sameKind(uses.distinct[at]) && sameOperand(uses.distinct[at]))) ++at;
  if (at == former) return;
  if (former != none && --uses.count[former] == 0 && at == uses.distinct.size()) {
    uses.distinct[at = former] = std::move(use);
  } else if (at == uses.distinct.size()) {
    auto free = std::find(uses.count.begin(), uses.count.end(), 0u);
    auto last = std::find_if(uses.distinct.rbegin(), uses.distinct.rend(), sameKind);
    if (free != uses.count.end()) {
      uses.distinct[at = uint32_t(free - uses.count.begin())] = std::move(use);
    } else if (at >= mostUses && last != uses.distinct.rend()) {
      for (const Part& y : use.operand) add(run, last->operand, y);
      at = uint32_t(uses.distinct.rend() - last) - 1;
    } else {
      uses.distinct.push_back(std::move(use));
      uses.count.push_back(0);
    }
  }
  ++uses.count[at];
  uses.by[key] = at;
}

// E[token] is the product of a one-hot row with E: E times what reads it has a part along that row.
void rememberGather(Run& run, NodeId id, NodeId table, int axis) {
  for (const Part& part : run.initial[table].parts)
    if (part.matrix != none)
      remember(run, part.matrix, id, 0, {.contractedAxes = {axis}, .contractedGrowth = 0, .operand = {Part{}}});
}

// Remembers a product of initial matrices with another operand, for later ones with the transpose.
void rememberProduct(Run& run, NodeId id, uint32_t operand, const Labelled& matrix, const Labelled& other,
                     const std::vector<uint8_t>& resultLabels) {
  for (const Part& part : run.initial[matrix.node].parts) {
    if (part.matrix == none) continue;
    MatrixUse use;
    bool hasGrowingFree = false;
    int contractedAxis = -1;  // of the other operand
    for (size_t axis = 0; axis < matrix.labels->size(); ++axis) {
      const int growth = run.growth(matrix.node, int(axis));
      if (growth == 0) continue;
      const uint8_t label = (*matrix.labels)[axis];
      const bool isContracted = axisOf(resultLabels, label) < 0;
      hasGrowingFree |= !isContracted;
      if (!isContracted) continue;
      use.contractedGrowth += growth;
      contractedAxis = axisOf(*other.labels, label);
      run.certificates.sets().forEach(
          run.certificates[along(run, matrix.node, part, int(axis))].reads,
          [&](Source source) { use.contractedAxes.push_back(run.sourceRoots[source / phases].axis); });
    }
    if (!hasGrowingFree) continue;  // its transpose contracts nothing that grows
    for (const Part& y : run.initial[other.node].parts) {
      Part kept;
      kept.size = y.size;
      if (contractedAxis >= 0) kept.certificates[0] = along(run, other.node, y, contractedAxis);
      add(run, use.operand, kept);
    }
    remember(run, part.matrix, id, operand, std::move(use));
  }
}

void contractOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Contraction& labels = graph.contractions[graph.nodes[id].attribute];
  NodeId left = graph.operands(id)[0], right = graph.operands(id)[1];
  InitialState& state = run.initial[id];
  Labelled a{left, &labels.a}, b{right, &labels.b};
  const InitialState &leftState = run.initial[left], &rightState = run.initial[right];
  for (const Part& p : leftState.parts)
    for (const Part& q : rightState.parts) {
      // Of two matrices the one whose contracted axes the other has not read is the initial one; either will do.
      if (p.matrix == none && q.matrix != none) contractParts(run, id, b, q, a, p, labels.result, state);
      else contractParts(run, id, a, p, b, q, labels.result, state);
    }
  rememberProduct(run, id, 0, a, b, labels.result);
  rememberProduct(run, id, 1, b, a, labels.result);

  ContractionGrowth growth = growthOf(run, id);
  state.spread = min(state.settle(), max(leftState.spread + rightState.size, leftState.size + rightState.spread) +
                                         Size::power(half * Rational(growth.contracted)));
  if (leftState.sign != Sign::unknown && rightState.sign != Sign::unknown)
    state.sign = leftState.sign == rightState.sign ? Sign::nonNegative : Sign::nonPositive;
  StepId deciding = leftState.step;
  for (const Part& part : state.parts)
    if (Size::power(part.size) == state.size) deciding = part.step;
  if (state.parts.size() > 1) state.step = note(run, rowFor(Family::sum, 0), Aspect::init, id, state.size, {deciding});
  else if (state.parts.size() == 1) state.step = deciding;
  else state.step = note(run, ids().zero, Aspect::init, id, Size::zero(), {leftState.step, rightState.step});
}

// ---- layers ----

InitialState crossing(Run& run, const InitialState& state, uint32_t repeat, Crossing kind) {
  InitialState result = state;
  Parts parts;
  parts.swap(result.parts);
  for (Part part : parts) {
    for (CertificateId& certificate : part.certificates) certificate = crossed(run, certificate, repeat, kind);
    add(run, result.parts, part);
  }
  return result;
}

bool absorb(Run& run, InitialState& into, const InitialState& state) {
  bool changed = false;
  auto measure = [](InitialState& s) { return std::tuple{s.settle(), s.parts.size(), s.spread}; };
  const auto before = measure(into);
  const Parts old = into.parts;
  if (state.special != Size::Kind::power) into.special = state.special, into.parts.clear();
  for (const Part& part : state.parts) add(run, into.parts, part);
  into.spread = max(into.spread, state.spread);
  if (into.sign != state.sign) into.sign = Sign::unknown;
  changed = measure(into) != before;
  if (!changed)
    for (size_t i = 0; i < old.size(); ++i)
      changed |= !alike(old[i], into.parts[i]) || old[i].size != into.parts[i].size;
  return changed;
}

void derive(Run& run, NodeId id);

void repeatBody(Run& run, uint32_t index) {
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  auto operands = graph.operands(repeat.node);
  std::vector<InitialState> carried;
  for (uint32_t i = 0; i < repeat.carried; ++i)
    carried.push_back(repeat.reversed && repeat.forward != none
                          ? crossing(run, run.initial[operands[i]], index, intoReversed)
                          : run.initial[operands[i]]);
  constexpr int mostRounds = 12;
  for (int round = 0; round < mostRounds; ++round) {
    for (uint32_t i = 0; i < repeat.carried; ++i) run.initial[repeat.arguments[i]] = carried[i];
    for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd;) {
      if (run.exhausted()) return;
      uint32_t inner = run.bodyStart[id];
      if (inner != none && inner != index) {
        repeatBody(run, inner);
        id = graph.repeats[inner].bodyEnd + 1;
        continue;
      }
      if (graph.nodes[id].kind != OpKind::bodyArgument) derive(run, id);
      ++id;
    }
    bool changed = false;
    for (uint32_t i = 0; i < repeat.carried; ++i)
      changed |=
          absorb(run, carried[i],
                 crossing(run, run.initial[repeat.yields[i]], index, repeat.reversed ? nextReversed : nextLayer));
    if (!changed) break;
    if (round + 1 < mostRounds) continue;
    for (uint32_t i = 0; i < repeat.carried; ++i) {
      for (NodeId end : {repeat.arguments[i], repeat.yields[i]}) {
        run.initial[end].parts.clear();
        run.initial[end].special = Size::Kind::notAnalysed;
        run.initial[end].settle();
      }
    }
  }
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    InitialState& argument = run.initial[repeat.arguments[i]];
    bool compounds = argument.special == Size::Kind::notAnalysed;
    argument.step = note(run, compounds ? ids().compounds : ids().join, Aspect::init, repeat.arguments[i],
                         argument.settle(), {run.initial[operands[i]].step, run.initial[repeat.yields[i]].step});
  }
}

void reset(InitialState& state) {
  state.parts.clear();
  state.special = Size::Kind::power;
  state.size = state.spread = Size::zero();
  state.sign = Sign::unknown;
  state.step = noStep;
}

void evaluate(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  auto operands = graph.operands(id);
  reset(run.initial[id]);
  size_t most = 1;
  for (NodeId operand : operands) most = std::max(most, run.initial[operand].parts.size());
  run.initial[id].parts.reserve(most > 2 ? mostParts + 1 : most);
  if (run.growingAxes(id).size() > size_t(mostGrowingAxes))
    return setSpecial(run, id, Size::Kind::notAnalysed, ids().notAnalysed);
  if (node.kind != OpKind::map && node.kind != OpKind::compare && node.kind != OpKind::repeat) {
    Size::Kind special = Size::Kind::power;
    for (NodeId operand : operands)
      if (run.initial[operand].special != Size::Kind::power) special = std::max(special, run.initial[operand].special);
    if (special != Size::Kind::power) return setSpecial(run, id, special, ids().notAnalysed);
  }
  switch (node.kind) {
    case OpKind::parameter:
    case OpKind::input:
    case OpKind::number:
    case OpKind::freeMultiplier:
    case OpKind::iota:
    case OpKind::eye:
    case OpKind::layerIndex:
    case OpKind::constant:
    case OpKind::dropoutMask:
    case OpKind::argument: return leaf(run, id);
    case OpKind::oneHot: {
      leaf(run, id);
      for (Part& part : run.initial[id].parts) part.sparse = true;
      run.initial[id].sign = Sign::nonNegative;
      return;
    }
    case OpKind::add: return sumOf(run, id);
    case OpKind::sub: return differenceOf(run, id);
    case OpKind::mul: return productOf(run, id);
    case OpKind::map:
      if (run.initial[operands[0]].special == Size::Kind::notAnalysed)
        return setSpecial(run, id, Size::Kind::notAnalysed, ids().notAnalysed);
      return mapOf(run, id);
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::compare:
    case OpKind::select: return manyArguments(run, id);
    case OpKind::contract: return contractOf(run, id);
    case OpKind::reduce: return reduceOf(run, id);
    case OpKind::gather: {
      const int axis = int(node.attribute == none ? 0 : graph.axes[node.attribute].axes[0]);
      const int indexRank = graph.rank(operands[1]);
      AxisMap from;
      for (int i = 0; i < axis; ++i) from.push(i);
      for (int i = 0; i < indexRank; ++i) from.push(-1);
      for (int i = axis + 1; i < graph.rank(operands[0]); ++i) from.push(i);
      plumbing(run, id, operands[0], from);
      for (Part& part : run.initial[id].parts) part.matrix = none;
      rememberGather(run, id, operands[0], axis);
      return;
    }
    case OpKind::scatterAdd: {
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
            sumAlong(run, id, Family::reduction, part.size, 0, 0, growth, 0, run.initial[operands[1]].step, noStep)
                .size;
        part.matrix = none;
      }
      return;
    }
    case OpKind::reshape: return plumbing(run, id, operands[0], axesOfReshape(run, id, operands[0]));
    case OpKind::transpose:
    case OpKind::broadcast: return plumbing(run, id, operands[0], AxisMap(graph.axes[node.attribute].axes));
    case OpKind::slice: return slice(run, id, operands[0]);
    case OpKind::pad: {
      plumbing(run, id, operands[0], identity(graph.rank(id)));
      for (Part& part : run.initial[id].parts) part.matrix = none;
      return;
    }
    case OpKind::concat: {
      sumOf(run, id);
      const uint32_t axis = uint32_t(graph.axes[node.attribute].axes[0]);
      for (Part& part : run.initial[id].parts) part.freshAxes &= ~(1u << axis);
      return;
    }
    case OpKind::stopGradient: return plumbing(run, id, operands[0], identity(graph.rank(id)));
    case OpKind::repeat: {
      run.initial[id].step = note(run, ids().join, Aspect::init, id, Size::zero(), {});
      return;
    }
    case OpKind::repeatResult: {
      const uint32_t index = graph.nodes[operands[0]].attribute;
      const Repeat& repeat = graph.repeats[index];
      NodeId yield = repeat.yields[node.attribute];
      const bool carried = node.attribute < repeat.carried;
      const InitialState out = crossing(run, run.initial[yield], index, nextLayer);
      if (out.special != Size::Kind::power) return setSpecial(run, id, out.special, ids().notAnalysed);
      InitialState& state = run.initial[id];
      AxisMap from;
      if (!carried) from.push(-1);
      for (int i = 0; i < graph.rank(yield); ++i) from.push(i);
      for (const Part& part : out.parts) add(run, state.parts, moved(run, id, yield, part, from));
      if (carried) absorb(run, state, run.initial[repeat.arguments[node.attribute]]);
      state.spread = out.spread;
      state.sign = out.sign;
      state.step = note(run, ids().join, Aspect::init, id, state.settle(), {out.step});
      return;
    }
    case OpKind::layer: {
      // A value that the forward body has collected is, in the gradient's body, this layer's value as it was there.
      NodeId stacked = operands[0];
      const Node& from = graph.nodes[stacked];
      AxisMap axes;
      for (int i = 0; i < graph.rank(id); ++i) axes.push(i + 1);
      if (from.kind == OpKind::repeatResult && node.region != none) {
        const uint32_t forward = graph.nodes[graph.operands(stacked)[0]].attribute;
        if (graph.repeats[node.region].forward == forward) {
          NodeId yield = graph.repeats[forward].yields[from.attribute];
          return plumbing(run, id, yield, identity(graph.rank(id)));
        }
      }
      return plumbing(run, id, stacked, axes);
    }
    case OpKind::bodyArgument: return;
  }
}

// An activation that a bias or a gain was added to or multiplied with is no matrix, whatever entries it carries.
void derive(Run& run, NodeId id) {
  evaluate(run, id);
  const auto& parts = run.initial[id].parts;
  if (std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.size.isOverflow(); }))
    setSpecial(run, id, Size::Kind::notAnalysed, ids().notAnalysed);
  if (std::binary_search(run.graph.sparse.begin(), run.graph.sparse.end(), std::pair(id, run.symbol)))
    for (Part& part : run.initial[id].parts) part.sparse = true;
  run.initial[id].settle();
  if (run.parameterOnly[id]) return;
  const OpKind kind = run.graph.nodes[id].kind;
  const bool adds = kind == OpKind::add || kind == OpKind::sub || kind == OpKind::concat || kind == OpKind::select ||
                    kind == OpKind::maximum || kind == OpKind::minimum;
  for (Part& part : run.initial[id].parts) {
    if (part.matrix == none) continue;
    const Parameter& parameter = run.graph.parameters[part.matrix];
    const int rank = run.graph.rank(parameter.node) - (parameter.stack != none) - int(parameter.innerStacks.size());
    if (adds || rank < 2) part.matrix = none;
  }
}

}  // namespace

void deriveInitial(Run& run, NodeId end) {
  const Graph& graph = run.graph;
  const bool sameLeaves = run.initialFrom == run.initSize && run.initialFromMultipliers == run.multiplier;
  if (run.initial.empty() || !sameLeaves || end < run.initialEnd) {
    run.initialFrom = run.initSize, run.initialFromMultipliers = run.multiplier;
    run.initialEnd = 0;
    run.initial.reserve(graph.nodes.size());
    while (run.initial.size() < graph.nodes.size()) run.initial.emplace_back(&run.partsMemory);
    run.matrixUses.assign(graph.parameters.size(), {});
  }
  for (NodeId id = run.initialEnd; id < end; ++id) {
    if (run.exhausted()) return;
    if (const uint32_t repeat = run.bodyStart[id]; repeat != none) {
      repeatBody(run, repeat);
      id = graph.repeats[repeat].bodyEnd;
    }
    derive(run, id);
  }
  run.initialEnd = end;
}

}  // namespace tpc
