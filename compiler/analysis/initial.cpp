// Sizes at initialization: every value as additive parts, each with its certificates along the axes that grow.
//
// The passes below run the rows of compiler/rules/sizes.cpp; here stands how facts about parts are found, and nowhere a
// formula of a size.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

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
    case OpKind::gather: return gatherOf(run, id);
    case OpKind::scatterAdd: return scatterOf(run, id);
    case OpKind::reshape: return plumbing(run, id, operands[0], axesOfReshape(run, id, operands[0]));
    case OpKind::transpose:
    case OpKind::broadcast: return plumbing(run, id, operands[0], AxisMap(graph.axes[node.attribute].axes));
    case OpKind::slice: return slice(run, id, operands[0]);
    case OpKind::pad: {
      plumbing(run, id, operands[0], identity(graph.rank(id)));
      const int axis = graph.slices[node.attribute].axis;
      for (Part& part : run.initial[id].parts) part.matrix = none, part.freshAxes &= ~(1u << axis);
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
    case OpKind::repeatResult: return repeatResultOf(run, id);
    case OpKind::layer: return layerOf(run, id);
    case OpKind::bodyArgument: return;
  }
}

// A function of one other value, in several operations: where its measured orders say something else than the
// operations one by one, or where it is odd and they do not show it.
void measured(Run& run, NodeId id) {
  static const RuleId rule = ruleNamed("map.measured");
  const ScalarFunction* function = scalarFunction(run, id);
  if (!function || run.initial[function->argument].special != Size::Kind::power) return;
  const InitialState& operand = run.initial[function->argument];
  const MapFacts facts = factsOf(*function);
  const Size size = mapSize(facts, operand.size, operand.sign);
  const InitialState& byOperations = run.initial[id];
  const auto odd = [&](const Part& part) { return oddAnywhere(run, part); };
  const bool becomesOdd = facts.parity == Parity::odd &&
                          !std::all_of(byOperations.parts.begin(), byOperations.parts.end(), odd) &&
                          std::any_of(operand.parts.begin(), operand.parts.end(), odd);
  if (byOperations.size == size && !becomesOdd) return;
  reset(run.initial[id]);
  mapParts(run, id, operand.parts, size, facts.parity, facts.zeroAtZero, operand.step, rule);
  InitialState& state = run.initial[id];
  state.sign = facts.sign;
  state.spread =
      operand.spread == operand.size ? size : min(size, mapDerivativeSize(facts, operand.size) + operand.spread);
}

}  // namespace

// An activation that a bias or a gain was added to or multiplied with is no matrix, whatever entries it carries.
void derive(Run& run, NodeId id) {
  evaluate(run, id);
  const auto& parts = run.initial[id].parts;
  if (std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.size.isOverflow(); }))
    setSpecial(run, id, Size::Kind::notAnalysed, ids().notAnalysed);
  if (std::binary_search(run.graph.sparse.begin(), run.graph.sparse.end(), std::pair(id, run.symbol)))
    for (Part& part : run.initial[id].parts) part.sparse = true;
  run.initial[id].settle();
  measured(run, id);
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

}  // namespace tpc::initial

namespace tpc {

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
  walk(
      run, run.initialEnd, end, none, [&](uint32_t repeat) { initial::repeatBody(run, repeat); },
      [&](NodeId id) { initial::derive(run, id); });
  run.initialEnd = end;
}

}  // namespace tpc
