// What a carried value comes to after L layers, at initialization.
//
//     h <- h + f(h)        each part of f walks, + g/2, or adds up, + g; see compiler/rules/recurrences.cpp
//
// The body is derived with the carried values as they enter, then as large as the layers make them, until nothing is
// new.  What still grows by as much in every round is of degree one or more: exponential.
#include <algorithm>
#include <optional>

#include "compiler/analysis/initial.h"
#include "compiler/rules/recurrences.h"

namespace tpc::initial {
namespace {

struct Names {
  RuleId residual = ruleNamed("repeat.residual"), exponential = ruleNamed("repeat.exponential");
  RuleId marginal = ruleNamed("repeat.marginal");
};
const Names& names() {
  static const Names names;
  return names;
}

// One layer's parts of a stream, summed over the layers, as the next layer sees them.  The first layers are few.
InitialState summed(Run& run, uint32_t index, Recurrence::Stream& stream, Size::Kind& special) {
  const Repeat& repeat = run.graph.repeats[index];
  const Rational growth = run.atFirstLayers ? Rational(0) : run.recurrences[index].growth;
  InitialState sum;
  for (Recurrence::Term& term : stream.terms) {
    const InitialState& state = run.initial[term.node];
    if (state.special != Size::Kind::power) special = std::max(special, state.special);
    term.parts.clear();
    term.step = noStep;
    std::optional<Rational> largest;
    term.fades = fadesBeside(run, term.node, repeat.yields[size_t(&stream - run.recurrences[index].streams.data())]);
    if (term.fades) continue;
    for (Part part : state.parts) {
      const bool walks = walksAlong(run, part, index);
      term.parts.push_back({part.size, walks});
      const uint32_t facts = walks ? uint32_t(centeredByLayer) : 0u;
      const RuleId rule = recurrenceRule(facts);
      part.size += recurrenceFor(facts).perGrowth * growth;
      part.step = note(run, rule, Aspect::init, term.node, Size::power(part.size), {state.step});
      if (!largest || *largest < part.size) largest = part.size, term.step = part.step;
      part.matrix = none;
      part.freshAxes = 0;
      part.sparse = part.centered = false;
      add(run, sum.parts, part);
    }
    sum.spread = max(sum.spread, state.spread + Size::power(growth));
  }
  return crossing(run, sum, index, repeat.reversed && repeat.forward != none ? nextReversed : nextLayer);
}

// A multiplier of the layer's index is largest in the first layers.  Adds what these make of each carried value; false
// where it falls faster than 1/l, and the first layers decide what a learning rate may be.
bool addFirstLayers(Run& run, uint32_t index, std::vector<InitialState>& carried, bool& isNew) {
  Recurrence& recurrence = run.recurrences[index];
  if (!recurrence.usesIndex) return true;
  auto sizes = [&] {
    std::vector<Size> all;
    for (const Recurrence::Stream& stream : recurrence.streams)
      for (const Recurrence::Term& term : stream.terms) all.push_back(run.initial[term.node].size);
    return all;
  };
  const std::vector<Size> typical = sizes();
  const std::vector<InitialState> before = carried;
  run.atFirstLayers = true;
  deriveBody(run, index, before);
  const std::vector<Size> first = sizes();
  Size::Kind special = Size::Kind::power;
  std::vector<InitialState> made;
  for (Recurrence::Stream& stream : recurrence.streams) made.push_back(summed(run, index, stream, special));
  run.atFirstLayers = false;
  for (size_t i = 0; i < carried.size(); ++i) isNew |= absorb(run, carried[i], made[i]);
  deriveBody(run, index, before);
  for (Recurrence::Stream& stream : recurrence.streams) summed(run, index, stream, special);
  for (size_t t = 0; t < first.size(); ++t)
    if (first[t].isPower() && typical[t].isPower() && typical[t].exponent - first[t].exponent < -recurrence.growth)
      return false;
  return special == Size::Kind::power;
}

std::optional<Rational> sizeOf(InitialState& state) {
  const Size size = state.settle();
  return size.isPower() ? std::optional(size.exponent) : std::nullopt;
}

// By how much the sum of a stream's parts grows where all carried values are larger by one power.
std::vector<Rational> degrees(Run& run, uint32_t index, const std::vector<InitialState>& carried) {
  Recurrence& recurrence = run.recurrences[index];
  auto largest = [&] {
    std::vector<std::optional<Rational>> sizes;
    for (Recurrence::Stream& stream : recurrence.streams) {
      Size::Kind special = Size::Kind::power;
      InitialState sum = summed(run, index, stream, special);
      sizes.push_back(special == Size::Kind::power ? sizeOf(sum) : std::nullopt);
    }
    return sizes;
  };
  std::vector<InitialState> larger = carried;
  for (InitialState& state : larger) {
    for (Part& part : state.parts) part.size += Rational(1);
    state.settle();
  }
  deriveBody(run, index, larger);
  const auto after = largest();
  deriveBody(run, index, carried);
  const auto before = largest();
  std::vector<Rational> result;
  for (size_t i = 0; i < before.size(); ++i)
    // A part that explodes or appears only then is of a degree above every power.
    result.push_back(before[i] && after[i] ? *after[i] - *before[i] : Rational(before[i].has_value() ? 2 : 0));
  return result;
}

// The exponent of the logarithm of what compounds: of its variance, half of it, where the largest part walks.
std::optional<Rational> rateOf(Run& run, uint32_t index) {
  const Repeat& repeat = run.graph.repeats[index];
  const Recurrence& recurrence = run.recurrences[index];
  std::optional<Rational> rate;
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    const Size& carried = run.initial[repeat.arguments[i]].size;
    if (!carried.isPower()) continue;
    for (const Recurrence::Term& term : recurrence.streams[i].terms)
      for (const auto& part : term.parts) {
        const Rational share = part.size - carried.exponent;
        const Rational one = part.walks ? share * Rational(2) + recurrence.growth : share + recurrence.growth;
        rate = rate ? std::max(*rate, one) : one;
      }
  }
  return rate;
}

// A step of what a stream comes to: it rests on what enters and on what the layers add.
StepId streamStep(Run& run, uint32_t index, uint32_t i, RuleId rule, NodeId subject, const Size& size) {
  const Repeat& repeat = run.graph.repeats[index];
  std::vector<StepId> premises{run.initial[run.graph.operands(repeat.node)[i]].step};
  constexpr size_t most = 16;
  for (const Recurrence::Term& term : run.recurrences[index].streams[i].terms)
    if (term.step != noStep && premises.size() < most) premises.push_back(term.step);
  return run.derivation.apply(rule, Aspect::init, subject, size, premises).step();
}

void setCarried(Run& run, uint32_t index, uint32_t i, Size::Kind kind, RuleId rule) {
  const Repeat& repeat = run.graph.repeats[index];
  for (NodeId end : {repeat.arguments[i], repeat.yields[i]}) {
    InitialState& state = run.initial[end];
    state.parts.clear();
    state.special = kind;
    state.settle();
    state.spread = {kind, {}};
    state.step = streamStep(run, index, i, rule, end, {kind, {}});
  }
}

}  // namespace

void recurrenceBody(Run& run, uint32_t index) {
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  Recurrence& recurrence = run.recurrences[index];
  auto operands = graph.operands(repeat.node);
  const bool backward = repeat.reversed && repeat.forward != none;
  recurrence.outcome = Size::Kind::power;
  recurrence.grew = recurrence.threshold = false;
  recurrence.rate = std::nullopt;
  recurrence.why = "a layer has an operation whose effect on sizes is not known";
  std::vector<InitialState> entering;
  for (uint32_t i = 0; i < repeat.carried; ++i)
    entering.push_back(backward ? crossing(run, run.initial[operands[i]], index, intoReversed)
                                : run.initial[operands[i]]);
  std::vector<InitialState> carried = entering;

  std::vector<Rational> increments;  // of the largest, round by round
  const int mostRounds = 8 + 2 * int(repeat.carried);
  Size::Kind special = Size::Kind::power;
  bool settled = false;
  for (int round = 0; round < mostRounds && !settled && !run.exhausted(); ++round) {
    deriveBody(run, index, carried);
    settled = true;
    Rational increment = 0;
    const std::vector<InitialState> before = carried;
    for (uint32_t i = 0; i < repeat.carried; ++i) {
      Recurrence::Stream& stream = recurrence.streams[i];
      const std::optional<Rational> old = sizeOf(carried[i]);
      bool isNew = absorb(run, carried[i], summed(run, index, stream, special));
      if (stream.skip != i) isNew |= absorb(run, carried[i], crossing(run, before[stream.skip], index, nextLayer));
      const std::optional<Rational> now = sizeOf(carried[i]);
      if (old && now && *old < *now) increment = std::max(increment, *now - *old);
      settled &= !isNew;
    }
    bool isNew = false;
    if (special == Size::Kind::power && !addFirstLayers(run, index, carried, isNew)) {
      special = Size::Kind::notAnalysed;
      recurrence.why = "its layers have a multiplier that falls faster than 1/l with their index";
    }
    settled &= !isNew;
    if (special != Size::Kind::power) break;
    increments.push_back(increment);
  }
  if (special == Size::Kind::power && !settled) {
    // Degree one or more: what a round adds does not shrink.
    const size_t last = increments.size() - 1;
    const bool compounds = last >= 1 && Rational(0) < increments[last] && !(increments[last] < increments[last - 1]);
    recurrence.why = "what its layers carry settles to no power";
    special = compounds ? Size::Kind::exponential : Size::Kind::notAnalysed;
    recurrence.rate = compounds && increments[last] == increments[last - 1] ? rateOf(run, index) : std::nullopt;
  }
  bool isMarginal = false;
  if (special == Size::Kind::power) {
    const Recurrence* forward = backward ? &run.recurrences[repeat.forward] : nullptr;
    const bool shrinkingShare = recurrence.usesIndex || (forward && forward->grew);
    const std::vector<Rational> degree = degrees(run, index, carried);
    for (uint32_t i = 0; i < repeat.carried; ++i) {
      InitialState now = carried[i], in = entering[i];
      const std::optional<Rational> size = sizeOf(now), first = sizeOf(in);
      recurrence.grew |= size && (!first || *first < *size);
      Size::Kind none = Size::Kind::power;
      InitialState sum = summed(run, index, recurrence.streams[i], none);
      const std::optional<Rational> added = sizeOf(sum);
      const bool critical = size && added && *added == *size;
      if (critical && shrinkingShare && !(degree[i] < Rational(1))) isMarginal = true;
      if (critical && Rational(1) < degree[i]) recurrence.threshold = true;
    }
    if (isMarginal) special = Size::Kind::marginal;
  }
  recurrence.outcome = special;
  if (special != Size::Kind::power) {
    // Which of several carried values are bounded is not told apart.
    const RuleId rule = special == Size::Kind::exponential ? names().exponential
                        : special == Size::Kind::marginal  ? names().marginal
                                                           : ids().notAnalysed;
    for (InitialState& state : carried) state.parts.clear(), state.special = special, state.settle();
    deriveBody(run, index, carried);
    for (uint32_t i = 0; i < repeat.carried; ++i) setCarried(run, index, i, special, rule);
    return;
  }
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    InitialState& argument = run.initial[repeat.arguments[i]];
    argument.step = streamStep(run, index, i, names().residual, repeat.arguments[i], argument.settle());
  }
}

}  // namespace tpc::initial
