// What training makes of a carried value after L layers.
//
//     dh <- dh + df        by the layer's own updates            adds up: all of them follow one gradient
//                          by what arrives through h             each part of f keeps the growth it has: what a layer
//                                                                makes of dh is to its own matrices like h itself
//
// A body is therefore derived three times: by the layer's own updates with dh = 0, by dh without them, and by both.
#include <algorithm>
#include <optional>

#include "compiler/analysis/training.h"
#include "compiler/rules/recurrences.h"

namespace tpc::training {
namespace {

enum class Cause : uint8_t { own, carried, both };

// What the body reads of the program around it, as far as it belongs to the cause: a parameter's update to the layer's
// own, a computed value's change to what it is given, and of a value that the forward body has saved its share.
void showOutside(Run& run, uint32_t index, Cause cause, const std::vector<Change>& whole) {
  const Graph& graph = run.graph;
  const std::vector<NodeId>& outside = run.recurrences[index].outside;
  for (size_t i = 0; i < outside.size(); ++i) {
    const NodeId id = outside[i];
    Change& change = run.change[id];
    change = whole[i];
    if (cause == Cause::both) continue;
    const Node& node = graph.nodes[id];
    if (node.kind == OpKind::repeatResult) {
      const uint32_t made = graph.nodes[graph.operands(id)[0]].attribute;
      const Repeat& forward = graph.repeats[made];
      if (made == graph.repeats[index].forward && node.attribute >= forward.carried) {
        const NodeId saved = forward.yields[node.attribute];
        change = cause == Cause::own ? run.ownChange[saved] : run.carriedChange[saved];
        continue;
      }
    }
    if ((cause == Cause::own) != (run.parameterOnly[id] != 0)) change = {};
  }
}

// What a carried value has changed by, and why: what enters, the layers' own updates, what they make of both.
struct Carried {
  Size change;
  StepId own = noStep, through = noStep;
};

void evaluateBody(Run& run, uint32_t index, Cause cause, const std::vector<Carried>& carried,
                  const std::vector<Change>& whole) {
  static const RuleId residual = ruleNamed("repeat.residual"), exponential = ruleNamed("repeat.exponential"),
                      zero = ruleNamed("update.zero");
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  showOutside(run, index, cause, whole);
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    const NodeId argument = repeat.arguments[i], entering = graph.operands(repeat.node)[i];
    const Size change = cause == Cause::own ? Size::zero() : carried[i].change;
    const RuleId rule = change.isZero() ? zero : change.kind == Size::Kind::exponential ? exponential : residual;
    if (run.changeStep[argument] == noStep || run.change[argument].total() != change) {
      run.change[argument] = {Size::zero(), change};
      run.changeStep[argument] = note(run, rule, Aspect::update, argument, change,
                                      {run.changeStep[entering], carried[i].own, carried[i].through});
    }
    setTrained(run, argument, max(max(run.initial[argument].size, run.trained[entering]), change));
  }
  walk(
      run, repeat.bodyBegin, repeat.bodyEnd, index, [&](uint32_t inner) { repeatBody(run, inner); },
      [&](NodeId id) { evaluate(run, id); });
  std::vector<Change>* kept = cause == Cause::own       ? &run.ownChange
                              : cause == Cause::carried ? &run.carriedChange
                                                        : nullptr;
  if (kept)
    for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) (*kept)[id] = run.change[id];
}

// What a term's change through the carried value comes to over the layers: every part by its own growth.
// One that fades as the widths grow keeps doing so.
Size grownAlongside(const Recurrence& recurrence, const Recurrence::Term& term, const Size& change) {
  if (term.fades) return Size::zero();
  if (!change.isPower() || term.parts.empty()) return change + Size::power(recurrence.growth);
  Rational largest = term.parts[0].size;
  for (const auto& part : term.parts) largest = std::max(largest, part.size);
  Size sum = Size::zero();
  for (const auto& part : term.parts) {
    const Rational growth = recurrenceFor(part.walks ? uint32_t(centeredByLayer) : 0u).perGrowth * recurrence.growth;
    sum = max(sum, Size::power(change.exponent + part.size - largest + growth));
  }
  return sum;
}

// How far the carried values have moved relative to what they are: of this repeat, and of the forward one whose values
// a gradient reads.  Empty where some of them outgrow what they are.
std::optional<Rational> relativeMove(const Run& run, uint32_t index, const std::vector<Size>& carried) {
  std::optional<Rational> most;
  auto take = [&](const Size& change, const Size& whole) {
    if (change.isZero()) return true;
    if (!change.isPower() || !whole.isPower() || whole.exponent < change.exponent) return false;
    most = std::max(most.value_or(change.exponent - whole.exponent), change.exponent - whole.exponent);
    return true;
  };
  const Repeat& repeat = run.graph.repeats[index];
  bool bounded = true;
  for (uint32_t i = 0; i < repeat.carried; ++i)
    if (run.recurrences[index].streams[i].isRead) bounded &= take(carried[i], run.initial[repeat.arguments[i]].size);
  if (repeat.forward != none)
    for (NodeId argument : run.graph.repeats[repeat.forward].arguments)
      bounded &= take(run.change[argument].total(), run.initial[argument].size);
  return bounded ? most : std::nullopt;
}

// A layer makes of a relative change of what it is given at most one of its own parts, and these are what they are at
// initialization.
Size atMostRelative(const Run& run, const Recurrence::Term& term, const std::optional<Rational>& move,
                    const Size& change) {
  const Size& whole = run.initial[term.node].size;
  if (!move || term.parts.empty() || !whole.isPower()) return change;
  return min(change, Size::power(whole.exponent + *move));
}

}  // namespace

void recurrenceBody(Run& run, uint32_t index) {
  static const RuleId ownRule = ruleNamed("repeat.own-updates"), throughRule = ruleNamed("repeat.carried-change");
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  const Recurrence& recurrence = run.recurrences[index];
  auto operands = graph.operands(repeat.node);
  const Size perLayer = Size::power(recurrence.growth);
  std::vector<Change> whole;
  for (NodeId id : recurrence.outside) whole.push_back(run.change[id]);

  std::vector<Carried> carried;
  for (uint32_t i = 0; i < repeat.carried; ++i) carried.push_back({run.change[operands[i]].total()});
  evaluateBody(run, index, Cause::own, carried, whole);
  std::vector<std::vector<Size>> own(repeat.carried);
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    Size largest = Size::zero();
    for (const Recurrence::Term& term : recurrence.streams[i].terms) {
      own[i].push_back(run.ownChange[term.node].total());
      const Size sum = own[i].back() + perLayer;
      if (less(largest, sum)) {
        largest = sum;
        carried[i].own = note(run, ownRule, Aspect::update, term.node, sum, {run.changeStep[term.node]});
      }
    }
    carried[i].change = max(carried[i].change, largest);
  }

  const int mostRounds = 6 + 2 * int(repeat.carried);
  for (int round = 0; round < mostRounds && !run.exhausted(); ++round) {
    evaluateBody(run, index, Cause::carried, carried, whole);
    std::vector<Carried> next = carried;
    std::vector<Size> before;
    for (const Carried& one : carried) before.push_back(one.change);
    const std::optional<Rational> move = relativeMove(run, index, before);
    for (uint32_t i = 0; i < repeat.carried; ++i) {
      const Recurrence::Stream& stream = recurrence.streams[i];
      next[i].change = max(next[i].change, before[stream.skip]);
      Size largest = Size::zero();
      for (const Recurrence::Term& term : stream.terms) {
        const Size through = run.carriedChange[term.node].total();
        const Size sum = grownAlongside(recurrence, term, atMostRelative(run, term, move, through));
        if (!less(largest, sum)) continue;
        largest = sum;
        next[i].through = note(run, throughRule, Aspect::update, term.node, sum, {run.changeStep[term.node]});
      }
      next[i].change = max(next[i].change, largest);
    }
    evaluateBody(run, index, Cause::both, carried, whole);
    for (uint32_t i = 0; i < repeat.carried; ++i)
      for (size_t t = 0; t < recurrence.streams[i].terms.size(); ++t) {
        // What needs both is the layer's own.
        const NodeId term = recurrence.streams[i].terms[t].node;
        const Size both = run.change[term].total(), sum = both + perLayer;
        if (!less(max(own[i][t], run.carriedChange[term].total()), both) || !less(next[i].change, sum)) continue;
        next[i].change = sum;
        next[i].own = note(run, ownRule, Aspect::update, term, sum, {run.changeStep[term]});
      }
    const bool settled = std::equal(next.begin(), next.end(), carried.begin(),
                                    [](const Carried& a, const Carried& b) { return a.change == b.change; });
    carried = next;
    if (settled) break;
    if (round + 1 < mostRounds) continue;
    for (Carried& one : carried) one.change = max(one.change, Size::exponential());
  }
  // The step of what it comes to rests on both causes.
  for (uint32_t i = 0; i < repeat.carried; ++i)
    run.changeStep[repeat.arguments[i]] = run.changeStep[repeat.yields[i]] = noStep;
  evaluateBody(run, index, Cause::both, carried, whole);
  for (size_t i = 0; i < recurrence.outside.size(); ++i) run.change[recurrence.outside[i]] = whole[i];
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    const NodeId yield = repeat.yields[i];
    setTrained(run, yield, max(run.initial[repeat.arguments[i]].size, max(run.trained[yield], carried[i].change)));
  }
}

}  // namespace tpc::training
