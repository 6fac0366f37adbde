// Repeats: the certificate of a carried value is what enters joined with what the body returns, a layer's own sources
// having become an earlier layer's; a few rounds to a fixpoint.
#include <algorithm>
#include <tuple>

#include "compiler/analysis/initial.h"

namespace tpc::initial {

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

// One layer, with these values carried into it.
void deriveBody(Run& run, uint32_t index, const std::vector<InitialState>& carried) {
  const Repeat& repeat = run.graph.repeats[index];
  for (uint32_t i = 0; i < repeat.carried; ++i) run.initial[repeat.arguments[i]] = carried[i];
  walk(
      run, repeat.bodyBegin, repeat.bodyEnd, index, [&](uint32_t inner) { repeatBody(run, inner); },
      [&](NodeId id) {
        if (run.graph.nodes[id].kind != OpKind::bodyArgument) derive(run, id);
      });
}

void repeatBody(Run& run, uint32_t index) {
  if (run.isOverTrips(index)) return recurrenceBody(run, index);
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
    deriveBody(run, index, carried);
    bool changed = false;
    for (uint32_t i = 0; i < repeat.carried; ++i)
      changed |=
          absorb(run, carried[i],
                 crossing(run, run.initial[repeat.yields[i]], index, repeat.reversed ? nextReversed : nextLayer));
    // Cubes of cubes: after a few layers no number holds the exponent.
    const auto isFar = [](const InitialState& state) {
      constexpr int far = 64;
      return std::any_of(state.parts.begin(), state.parts.end(), [](const Part& part) {
        return part.size.isOverflow() || part.size < Rational(-far) || Rational(far) < part.size;
      });
    };
    if (changed && round + 1 < mostRounds && std::none_of(carried.begin(), carried.end(), isFar)) continue;
    // h = softmax(h) over a growing axis: what holds for a first layer that sees another size than those behind it says
    // nothing of them.  What begins at zero, or a gradient that ends there, is of the size of the others whatever it
    // was; but behind h = f(h) @ W with W at zero no layer has both an argument and a gradient, and the layers joined
    // have.
    bool differs = false;
    for (uint32_t i = 0; i < repeat.carried && !changed; ++i) {
      const Size before = run.initial[operands[i]].size, after = run.initial[repeat.yields[i]].size;
      differs |= before.isPower() && after.isPower() && before != after;
      differs |= !repeat.reversed && before.isPower() && after.isZero();
    }
    if (!changed && !differs) break;
    // Nothing that is made of what compounds is known either.
    for (InitialState& state : carried) {
      state.parts.clear();
      state.special = Size::Kind::notAnalysed;
      state.settle();
    }
    deriveBody(run, index, carried);
    break;
  }
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    InitialState& argument = run.initial[repeat.arguments[i]];
    bool compounds = argument.special == Size::Kind::notAnalysed;
    argument.step = note(run, compounds ? ids().compounds : ids().join, Aspect::init, repeat.arguments[i],
                         argument.settle(), {run.initial[operands[i]].step, run.initial[repeat.yields[i]].step});
  }
}

void repeatResultOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  const auto operands = graph.operands(id);
  const uint32_t index = graph.nodes[operands[0]].attribute;
  const Repeat& repeat = graph.repeats[index];
  NodeId yield = repeat.yields[node.attribute];
  const bool carried = node.attribute < repeat.carried;
  const bool grows = run.isOverTrips(index);
  // What leaves a growing repeat is what its layers settle to, which stands at the argument.
  InitialState last = run.initial[carried && grows ? repeat.arguments[node.attribute] : yield];
  if (grows && !carried)
    // A sum over the layers walks where this does: along the axis that the repeat becomes.
    for (Part& part : last.parts) {
      if (!part.centered) part.certificates[tripSlot] = ownOnly(run, part.certificates[tripSlot], index);
      part.centered = false;
    }
  const InitialState out = crossing(run, last, index, nextLayer);
  if (out.special != Size::Kind::power) return setSpecial(run, id, out.special, ids().notAnalysed);
  InitialState& state = run.initial[id];
  AxisMap from;
  if (!carried) from.push(-1);
  for (int i = 0; i < graph.rank(yield); ++i) from.push(i);
  for (const Part& part : out.parts) {
    Part next = moved(run, id, yield, part, from);
    next.certificates[tripSlot] = constantAlong;
    const auto& axes = run.growingAxes(id);
    for (size_t slot = 0; grows && !carried && slot < axes.size() && slot < mostGrowingAxes; ++slot)
      if (axes[slot].axis == 0) next.certificates[slot] = part.certificates[tripSlot];
    add(run, state.parts, next);
  }
  state.spread = out.spread;
  state.sign = out.sign;
  state.step = note(run, ids().join, Aspect::init, id, state.settle(), {out.step});
}

void layerOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  const auto operands = graph.operands(id);
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
  plumbing(run, id, stacked, axes);
  if (run.growth(stacked, 0) == 0) return;
  run.initial[id].parts.clear();
  for (const Part& part : run.initial[stacked].parts) {
    Part next = moved(run, id, stacked, part, axes);
    // A scalar of each layer, such as a gate, counts as a constant.
    if (graph.rank(id) > 0) next.certificates[tripSlot] = along(run, stacked, part, 0);
    add(run, run.initial[id].parts, next);
  }
}

}  // namespace tpc::initial
