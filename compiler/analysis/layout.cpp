// What an analysis along one symbol reads off the program before it derives anything: growths, uses, ports.
#include <algorithm>
#include <cassert>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/run.h"
#include "compiler/graph/varies.h"

namespace tpc {

const Size& InitialState::settle() {
  size = special == Size::Kind::power ? Size::zero() : Size{special, {}};
  if (special == Size::Kind::power)
    for (const Part& part : parts) size = max(size, Size::power(part.size));
  return size;
}

StepId note(Run& run, RuleId rule, Aspect aspect, NodeId subject, const Size& size,
            std::initializer_list<StepId> premises) {
  return run.derivation.apply(rule, aspect, subject, size, {premises.begin(), premises.size()}).step();
}

ContractionGrowth growthOf(const Run& run, NodeId id) {
  const Contraction& labels = run.graph.contractions[run.graph.nodes[id].attribute];
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  auto has = [](const std::vector<uint8_t>& list, uint8_t label) {
    return std::find(list.begin(), list.end(), label) != list.end();
  };
  ContractionGrowth growth;
  for (size_t axis = 0; axis < labels.a.size(); ++axis) {
    bool inB = has(labels.b, labels.a[axis]), inResult = has(labels.result, labels.a[axis]);
    if (!inResult) growth.contracted += run.growth(a, int(axis));
    else if (!inB) growth.freeA += run.growth(a, int(axis));
  }
  for (size_t axis = 0; axis < labels.b.size(); ++axis)
    if (!has(labels.a, labels.b[axis]) && has(labels.result, labels.b[axis])) growth.freeB += run.growth(b, int(axis));
  return growth;
}

uint32_t alignmentFacts(const Run& run, int free) {
  switch (run.options.alignment) {
    case Alignment::full: return 0;
    case Alignment::ev: return free == 0 ? uint32_t(unalignedReadout) : 0u;
    case Alignment::none: return alignedNone;
  }
  return 0;
}

Rational matrixChangeGrowth(const Run& run, Rational k, int free) {
  return sizeBy(rowFor(Family::matrixChange, alignmentFacts(run, free)), {.k = k, .m = free});
}

Rational computedChangeGrowth(const Run& run, Rational k) {
  constexpr int any = 1;  // a computed value is no readout
  return sizeBy(rowFor(Family::computedChange, alignmentFacts(run, any)), {.k = k});
}

bool isInitialMatrix(const Run& run, NodeId id) {
  return std::any_of(run.initial[id].parts.begin(), run.initial[id].parts.end(),
                     [](const Part& part) { return part.matrix != none; });
}

uint32_t contractedAxes(const Run& run, NodeId id, int operand) {
  const Contraction& labels = run.graph.contractions[run.graph.nodes[id].attribute];
  const std::vector<uint8_t>& own = operand == 0 ? labels.a : labels.b;
  uint32_t mask = 0;
  for (size_t axis = 0; axis < own.size(); ++axis)
    if (std::find(labels.result.begin(), labels.result.end(), own[axis]) == labels.result.end()) mask |= 1u << axis;
  return mask;
}

int growthOfAxes(const Run& run, NodeId id, uint32_t mask) {
  int growth = 0;
  for (const GrowingAxis& axis : run.growingAxes(id))
    if (mask >> axis.axis & 1) growth += axis.growth;
  return growth;
}

std::optional<FactorsOfProduct> factorsOf(const Run& run, NodeId product, uint32_t mask) {
  const Graph& graph = run.graph;
  if (graph.nodes[product].kind != OpKind::contract) return std::nullopt;
  const Contraction& labels = graph.contractions[graph.nodes[product].attribute];
  const auto operands = graph.operands(product);
  for (int first : {0, 1}) {
    const auto &own = first == 0 ? labels.a : labels.b, &others = first == 0 ? labels.b : labels.a;
    uint32_t ownMask = 0;
    bool isWhole = true;  // every axis in the mask is of this factor alone
    for (size_t axis = 0; axis < labels.result.size(); ++axis) {
      if (!(mask >> axis & 1)) continue;
      const auto at = std::find(own.begin(), own.end(), labels.result[axis]);
      if (at == own.end() || std::find(others.begin(), others.end(), labels.result[axis]) != others.end())
        isWhole = false;
      else ownMask |= 1u << (at - own.begin());
    }
    if (!isWhole) continue;
    const NodeId near = operands[size_t(first)], far = operands[size_t(1 - first)];
    if (!run.parameterOnly[near] || !run.parameterOnly[far]) return std::nullopt;
    return FactorsOfProduct{near, ownMask, growthOfAxes(run, near, ~ownMask), far,
                            contractedAxes(run, product, 1 - first)};
  }
  return std::nullopt;
}

Action actionOnChange(const Run& run, NodeId A, uint32_t contracted, int free) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[A];
  if (run.parameterOnly[A]) {
    if (node.kind == OpKind::transpose) {
      uint32_t mask = 0;
      const std::vector<int>& axes = graph.axes[node.attribute].axes;
      for (size_t axis = 0; axis < axes.size(); ++axis)
        if (contracted >> axis & 1) mask |= 1u << axes[axis];
      return actionOnChange(run, graph.operands(A)[0], mask, free);
    }
    if (node.kind == OpKind::add || node.kind == OpKind::sub) {
      Action largest;
      for (NodeId operand : graph.operands(A)) {
        const Action action = actionOnChange(run, operand, contracted, free);
        if (less(largest.size, action.size)) largest = action;
      }
      return largest;
    }
    if (const auto factors = factorsOf(run, A, contracted)) {
      const Action near = actionOnChange(run, factors->near, factors->nearMask, factors->nearFree);
      const Action far = actionOnChange(run, factors->far, factors->farMask, free);
      return {near.size + far.size, near.isMatrix && far.isMatrix};
    }
  }
  const InitialState& state = run.initial[A];
  if (state.special != Size::Kind::power) return {{state.special, {}}, false};
  const Rational k = growthOfAxes(run, A, contracted);
  Action largest;
  for (const Part& part : state.parts) {
    const bool isMatrix = part.matrix != none;
    const Rational growth = part.sparse ? Rational(0)
                            : isMatrix  ? matrixChangeGrowth(run, k, free)
                                        : computedChangeGrowth(run, k);
    if (const Size size = Size::power(part.size + growth); less(largest.size, size)) largest = {size, isMatrix};
  }
  return largest;
}

bool isMatrixOf(const Run& run, NodeId product, NodeId operand) {
  for (const Part& part : run.initial[product].parts)
    for (const Part& made : run.initial[operand].parts)
      if (part.matrix != none && part.matrix == made.matrix) return true;
  return false;
}

bool isSparse(const Run& run, NodeId id) {
  const auto& parts = run.initial[id].parts;
  // Of a product that starts at zero a factor tells.
  if (parts.empty() && run.graph.nodes[id].kind == OpKind::mul)
    return std::ranges::any_of(run.graph.operands(id), [&](NodeId operand) { return isSparse(run, operand); });
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.sparse; });
}

// Where a body begins with another repeat, one node begins both: bodyStart then names the outer one.
uint32_t bodyAt(const Run& run, NodeId node, uint32_t inside) {
  const uint32_t outermost = run.bodyStart[node];
  if (outermost == none || run.graph.repeats[outermost].parent == inside) return outermost;
  for (uint32_t r = 0; r < run.graph.repeats.size(); ++r)
    if (run.graph.repeats[r].bodyBegin == node && run.graph.repeats[r].parent == inside) return r;
  return none;
}

bool isLossTerm(const Run& run, NodeId id) {
  return std::find(run.lossTerms.begin(), run.lossTerms.end(), id) != run.lossTerms.end();
}

bool isZeroInit(const Parameter& parameter) {
  return parameter.init.kind == Init::Kind::constant && parameter.init.number.coefficient == 0;
}

Size sizeOfNumber(const Run& run, const Number& number) {
  if (number.kind != Number::Kind::plain || number.coefficient == 0) return Size::zero();
  Rational power = 0;
  for (const auto& [symbol, exponent] : number.powers)
    if (symbol == run.symbol) power += exponent;
  return Size::power(power);
}

Rational powerOf(const Run& run, NodeId map) {
  const Node& node = run.graph.nodes[map];
  return MapFn(node.fn) == MapFn::pow ? run.graph.rationals[node.attribute] : Rational(0);
}

const ScalarFunction* scalarFunction(const Run& run, NodeId node) {
  const auto& all = run.graph.scalarFunctions;
  auto found = std::lower_bound(all.begin(), all.end(), node,
                                [](const ScalarFunction& function, NodeId id) { return function.node < id; });
  if (found == all.end() || found->node != node) return nullptr;
  // A layer's index is Theta(L), and near zero in no share of its coordinates.
  NodeId argument = found->argument;
  while (isPlumbing(run.graph.nodes[argument].kind)) argument = run.graph.operands(argument)[0];
  return run.graph.nodes[argument].kind == OpKind::layerIndex ? nullptr : &*found;
}

bool isMeasured(const Run& run, NodeId node) {
  static const RuleId measured = ruleNamed("map.measured");
  const StepId step = run.initial[node].step;
  return step != noStep && run.derivation.steps()[step].rule == measured && scalarFunction(run, node);
}

MapFacts factsOf(const ScalarFunction& function) {
  MapFacts facts;
  facts.small = function.small, facts.large = function.large, facts.change = function.change;
  facts.derivativeSmall = function.derivativeSmall, facts.derivativeLarge = function.derivativeLarge;
  facts.parity = function.parity < 0 ? Parity::odd : function.parity > 0 ? Parity::even : Parity::none;
  facts.sign = function.sign > 0 ? Sign::nonNegative : function.sign < 0 ? Sign::nonPositive : Sign::unknown;
  facts.explodes = function.explodes, facts.singular = function.singular;
  facts.zeroAtZero = function.zeroAtZero, facts.flat = function.flat;
  return facts;
}

Size mapSize(const MapFacts& facts, const Size& argument, Sign sign) {
  if (argument.isZero())
    // At zero exactly: phi(0), which for a singular function is what `tiny` makes of it.
    return facts.zeroAtZero ? Size::zero() : Size::power(0);
  const bool bounded = facts.explodes && sign == Sign::nonPositive;
  if (!argument.isPower()) {
    if (argument.kind == Size::Kind::notAnalysed) return argument;
    if (facts.explodes && !bounded) return Size::exponential();
    return bounded || facts.large.isZero() ? Size::power(0) : argument;
  }
  const Rational e = argument.exponent;
  if (e < Rational(0)) return facts.flat ? Size::zero() : Size::power(facts.small * e);
  if (e.isZero() || bounded) return Size::power(0);
  if (facts.explodes) return Size::exponential();
  return Size::power(facts.large * e);
}

Size mapDerivativeSize(const MapFacts& facts, const Size& argument) {
  if (argument.isZero()) return Size::power(0);
  if (!argument.isPower()) return argument;
  const Rational e = argument.exponent;
  if (facts.explodes && Rational(0) < e) return Size::power(0);  // capped by what it becomes
  return Size::power((e < Rational(0) ? facts.derivativeSmall : facts.derivativeLarge) * e);
}

namespace {

uint64_t mix(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  return hash * 0xff51afd7ed558ccdull;
}

// One hash for expressions that differ in their parameters' names only.  Attributes are hashed by content.
uint64_t lawOf(const Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  uint64_t hash = mix(mix(mix(1, uint64_t(node.kind)), node.fn), node.shape);
  switch (node.kind) {
    case OpKind::parameter: {
      const Init& init = graph.parameters[node.attribute].init;
      hash = mix(hash, uint64_t(init.kind) * 2 + init.fixed);
      hash = mix(hash, std::hash<double>()(init.number.coefficient));
      return init.kind == Init::Kind::plan || init.kind == Init::Kind::normal || init.kind == Init::Kind::uniform
                 ? hash
                 : mix(hash, id);
    }
    case OpKind::number: {
      const Number& number = graph.numbers[node.attribute];
      hash = mix(mix(hash, std::hash<double>()(number.coefficient)), uint64_t(number.kind));
      for (const auto& [symbol, power] : number.powers)
        hash = mix(mix(mix(hash, symbol), uint64_t(power.num())), uint64_t(power.den()));
      return hash;
    }
    case OpKind::contract: {
      const Contraction& labels = graph.contractions[node.attribute];
      for (const auto* list : {&labels.a, &labels.b, &labels.result})
        for (uint8_t label : *list) hash = mix(hash, label + 1);
      break;
    }
    case OpKind::reduce:
    case OpKind::transpose:
    case OpKind::broadcast:
      for (int axis : graph.axes[node.attribute].axes) hash = mix(hash, uint64_t(axis + 2));
      break;
    case OpKind::map:
      if (MapFn(node.fn) == MapFn::pow) {
        Rational power = graph.rationals[node.attribute];
        hash = mix(mix(hash, uint64_t(power.num())), uint64_t(power.den()));
      }
      break;
    case OpKind::add:
    case OpKind::sub:
    case OpKind::mul:
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::compare:
    case OpKind::select:
    case OpKind::reshape:
    case OpKind::stopGradient: break;
    default: return mix(hash, id);  // its own law
  }
  for (NodeId operand : graph.operands(id)) hash = mix(hash, run.law[operand]);
  return hash;
}

bool isScaling(const Run& run, NodeId id) {
  while (run.graph.nodes[id].kind == OpKind::broadcast || run.graph.nodes[id].kind == OpKind::reshape)
    id = run.graph.operands(id)[0];
  const OpKind kind = run.graph.nodes[id].kind;
  return kind == OpKind::number || kind == OpKind::freeMultiplier;
}

// Follows a product through the plumbing and the multipliers behind it: the last of them is the port.
NodeId portBehind(const Run& run, NodeId id) {
  const NodeId product = id;
  for (;;) {
    // Not the multiplier of a branch of a growing repeat: a branch's product is of order one before it.
    if (!run.termGrowth[id].isZero()) return product;
    if (run.firstUse[id + 1] - run.firstUse[id] != 1) return id;
    NodeId user = run.uses[run.firstUse[id]].user;
    const Node& node = run.graph.nodes[user];
    if (isPlumbing(node.kind)) {
      id = user;
      continue;
    }
    auto operands = run.graph.operands(user);
    if (node.kind != OpKind::mul || !isScaling(run, operands[0] == id ? operands[1] : operands[0])) return id;
    id = user;
  }
}

// What the loss is asked to be of order one in: its terms, before numbers and sums over examples and coordinates. Those
// are the loss' units: n * mse(f, y) wants the same of f as mse(f, y) does, and so does the sum in place of the mean.
void findLossTerms(Run& run) {
  const Graph& graph = run.graph;
  std::vector<std::pair<NodeId, bool>> pending;  // and whether it is a term of the loss, not inside of one
  if (graph.loss != none) pending.push_back({graph.loss, true});
  while (!pending.empty()) {
    const auto [id, whole] = pending.back();
    pending.pop_back();
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    if (node.kind == OpKind::mul && isScaling(run, operands[0])) pending.push_back({operands[1], whole});
    else if (node.kind == OpKind::mul && isScaling(run, operands[1])) pending.push_back({operands[0], whole});
    else if (whole && (node.kind == OpKind::add || node.kind == OpKind::sub))
      pending.insert(pending.end(), {{operands[1], true}, {operands[0], true}});
    else if (isPlumbing(node.kind) || (node.kind == OpKind::map && MapFn(node.fn) == MapFn::neg))
      pending.push_back({operands[0], whole});
    else if (node.kind == OpKind::reduce && ReduceFn(node.fn) == ReduceFn::sum) pending.push_back({operands[0], false});
    else if (!run.parameterOnly[id]) run.lossTerms.push_back(id);
  }
}

void findPorts(Run& run) {
  const Graph& graph = run.graph;
  run.isPort.assign(graph.forwardEnd, 0);
  auto mark = [&](NodeId node) {
    if (!run.parameterOnly[node]) run.isPort[node] = 1;
  };
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    if (node.kind == OpKind::contract && (run.parameterOnly[operands[0]] != run.parameterOnly[operands[1]]))
      mark(portBehind(run, id));
    if (node.kind == OpKind::gather && run.parameterOnly[operands[0]]) mark(portBehind(run, id));
    if (node.kind == OpKind::map) {
      switch (MapFn(node.fn)) {
        case MapFn::neg:
        case MapFn::reciprocal:
        case MapFn::sqrt:
        case MapFn::rsqrt:
        case MapFn::log:
        case MapFn::abs:
        case MapFn::sign:
        case MapFn::square:
        case MapFn::pow:
        case MapFn::isFinite: break;  // powers: what they read is scaled along, not bent
        default: mark(operands[0]);
      }
    }
    if (node.kind == OpKind::bodyArgument) mark(id);
    if (node.kind == OpKind::repeatResult) mark(id);
  }
  for (const Output& output : graph.outputs)
    if (!output.metric && output.node < graph.forwardEnd) mark(output.node);
  findLossTerms(run);
  for (NodeId term : run.lossTerms) mark(term);
}

}  // namespace

void layOut(Run& run) {
  const Graph& graph = run.graph;
  const size_t count = graph.nodes.size();
  run.lengthGrowth.reserve(graph.lengths.size());
  for (const Length& length : graph.lengths) run.lengthGrowth.push_back(length.growth(run.symbol));
  run.lengthIsLarge.assign(graph.lengths.size(), 0);
  for (const SymbolAnalysis* width : run.widths)
    for (size_t length = 0; length < graph.lengths.size(); ++length)
      if (graph.lengths[length].growth(width->symbol) > 0) run.lengthIsLarge[length] = 1;
  run.recurrences.assign(graph.repeats.size(), {});
  run.overDepth = isTripCount(graph, run.symbol);
  for (const std::vector<uint32_t>& shape : graph.shapes) {
    std::vector<GrowingAxis>& axes = run.growing.emplace_back();
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (const int growth = run.lengthGrowth[shape[axis]]; growth > 0 || run.lengthIsLarge[shape[axis]])
        axes.push_back({int(axis), growth});
  }
  run.bodyStart.assign(count + 1, none);
  for (uint32_t r = uint32_t(graph.repeats.size()); r-- > 0;) {
    // An outer body that starts where an inner one does is entered first.
    const Repeat& repeat = graph.repeats[r];
    if (run.bodyStart[repeat.bodyBegin] == none ||
        graph.repeats[run.bodyStart[repeat.bodyBegin]].bodyEnd < repeat.bodyEnd)
      run.bodyStart[repeat.bodyBegin] = r;
  }

  Uses uses = usesOf(graph);
  run.firstUse = std::move(uses.first);
  run.firstUse.push_back(run.firstUse.back());
  run.uses = std::move(uses.all);

  run.cuts = Cuts(graph);
  run.trainableUpstream.assign(count, 0);
  run.parameterOnly.assign(count, 0);
  run.varies = variesOf(graph);
  run.law.assign(count, 0);
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    bool trainable = false, allConstant = true, anyParameter = false;
    if (node.kind == OpKind::parameter) {
      trainable = graph.parameters[node.attribute].ownership == Ownership::trained;
      anyParameter = true;
    }
    if (node.kind == OpKind::input || node.kind == OpKind::dropoutMask || node.kind == OpKind::bodyArgument ||
        node.kind == OpKind::repeatResult || node.kind == OpKind::repeat)
      allConstant = false;
    for (NodeId operand : operands) {
      trainable |= run.trainableUpstream[operand] != 0;
      anyParameter |= run.parameterOnly[operand] == 2;
      allConstant &= run.parameterOnly[operand] != 0;
    }
    // A carried value can be moved by what the body adds; asked of the body's nodes once they are known.
    if (node.kind == OpKind::bodyArgument || node.kind == OpKind::repeatResult) trainable = true;
    run.trainableUpstream[id] = trainable;
    run.parameterOnly[id] = !allConstant ? 0 : anyParameter ? 2 : 1;  // 1: constants alone
    run.law[id] = lawOf(run, id);
  }
  // From here on a function of constants alone counts as data.
  for (uint8_t& flag : run.parameterOnly) flag = flag == 2;

  run.reachesLoss.assign(graph.forwardEnd, 0);
  auto reach = [&](NodeId node) {
    if (node < graph.forwardEnd) run.reachesLoss[node] = 1;
  };
  if (graph.loss != none) reach(graph.loss);
  for (const Output& output : graph.outputs)
    if (!output.metric) reach(output.node);
  for (NodeId id = graph.forwardEnd; id-- > 0;) {
    if (!run.reachesLoss[id]) continue;
    for (NodeId operand : graph.operands(id)) reach(operand);
    if (graph.nodes[id].kind == OpKind::repeat)
      for (NodeId yield : graph.repeats[graph.nodes[id].attribute].yields) reach(yield);
  }
  findRecurrences(run);
  findPorts(run);
  run.reached.assign(graph.forwardEnd, std::nullopt);
  run.reachedStep.assign(graph.forwardEnd, noStep);
}

}  // namespace tpc
