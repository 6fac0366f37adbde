// Classes of depth: what many layers of a repeat do to a carried value and to their own updates.
#include <algorithm>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/scales.h"
#include "compiler/rules/recurrences.h"

namespace tpc {
namespace {

// The most matrices one behind the other in a branch.
uint32_t blockDepthOf(const Run& run, const Repeat& repeat, const Recurrence& recurrence) {
  std::vector<uint32_t> chain(repeat.bodyEnd - repeat.bodyBegin, 0);
  for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) {
    uint32_t longest = 0;
    // What other additions have brought to the carried value begins a branch of its own.
    if (!run.isLink[id])
      for (NodeId operand : run.graph.operands(id))
        if (operand >= repeat.bodyBegin && operand < repeat.bodyEnd)
          longest = std::max(longest, chain[operand - repeat.bodyBegin]);
    chain[id - repeat.bodyBegin] = longest + isMatrixProduct(run, id);
  }
  uint32_t most = 0;
  for (const Recurrence::Stream& stream : recurrence.streams)
    for (const Recurrence::Term& term : stream.terms)
      if (term.node >= repeat.bodyBegin && term.node < repeat.bodyEnd)
        most = std::max(most, chain[term.node - repeat.bodyBegin]);
  return most;
}

// 1/2 where a carried value of order one is made of layers that walk, 0 where it is smooth over the layers.
std::optional<Rational> kappaOf(const Run& run, const Repeat& repeat, const Recurrence& recurrence) {
  if (recurrence.outcome != Size::Kind::power) return std::nullopt;
  Rational kappa = 0;
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    const Size& whole = run.initial[repeat.arguments[i]].size;
    if (!whole.isPower()) continue;
    for (const Recurrence::Term& term : recurrence.streams[i].terms)
      for (const auto& part : term.parts)
        if (part.walks && part.size + recurrenceFor(centeredByLayer).perGrowth * recurrence.growth == whole.exponent)
          kappa = half;
  }
  return kappa;
}

// What the update of a layer's matrix moves its product by, relative to the product: the least of all that train.
std::optional<Rational> ownMoveOf(const Run& run, const Repeat& repeat) {
  std::optional<Rational> least;
  for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) {
    if (!isMatrixProduct(run, id) || !run.reachesLoss[id]) continue;
    NodeId matrix = run.graph.operands(id)[0], x = run.graph.operands(id)[1];
    if (!run.parameterOnly[matrix]) std::swap(matrix, x);
    if (!run.trainableUpstream[matrix]) continue;
    const Size update = run.change[matrix].total() + max(run.initial[x].size, run.trained[x]);
    const Size whole = max(run.initial[id].size, run.target[id]);
    if (!update.isPower() || !whole.isPower()) continue;
    const Rational move = update.exponent - whole.exponent;
    least = least ? std::min(*least, move) : move;
  }
  return least;
}

// TP6: every argument of a nonlinearity moves by exactly order one.
bool movesArguments(const Run& run, const Repeat& repeat) {
  for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) {
    const Node& node = run.graph.nodes[id];
    if (node.kind != OpKind::map || !run.reachesLoss[id]) continue;
    const NodeId argument = run.graph.operands(id)[0];
    if (!run.isPort[argument] || run.growingAxes(argument).empty()) continue;
    if (run.change[argument].total() != Size::power(0)) return false;
  }
  return true;
}

Criterion criterionOf(const Run& run, uint32_t index) {
  std::optional<Criterion> found;
  bool same = true;
  auto look = [&](const BranchMultiplier& branch) {
    if (branch.term == none || branch.repeat != index || branch.isInner || !branch.isSolved) return;
    const Criterion one = branch.isComplete ? Criterion::complete : Criterion::diversity;
    same &= !found || *found == one;
    found = one;
  };
  for (const BranchMultiplier& branch : run.branchOf) look(branch);
  for (const BranchMultiplier& branch : run.implicit) look(branch);
  return found && same ? *found : Criterion::automatic;
}

void warn(Run& run, const DepthVerdict& verdict, const Repeat& repeat) {
  const Span span = run.graph.nodes[repeat.node].span;
  const std::string symbol = run.graph.symbols[run.symbol].name, name = "`" + verdict.repeat + "`";
  auto say = [&](const char* code, std::string message, std::string mend) {
    run.out.warnings.push_back({code, span, std::move(message), std::move(mend), {}});
  };
  if (verdict.kind == DepthClass::exponential) {
    const std::string rate = verdict.rate ? symbol + "^(" + toString(*verdict.rate) + ")" : symbol;
    say("TPC0310",
        "what the layers of " + name + " carry grows exponentially with " + symbol + ", as exp(" + rate + ")",
        "scale what a layer adds by `auto(" + symbol + ")`");
  }
  if (verdict.kind == DepthClass::marginal)
    say("TPC0311",
        "what the layers of " + name +
            " carry is of an order that exponents do not decide: each layer changes it by "
            "its share of what it has grown to, or grows faster than it, so that a number of the nonlinearity decides",
        "scale what a layer adds by a smaller power of " + symbol);
}

}  // namespace

void judgeDepth(Run& run) {
  const Graph& graph = run.graph;
  for (uint32_t index = 0; index < graph.repeats.size(); ++index) {
    const Repeat& repeat = graph.repeats[index];
    if (!run.isOverTrips(index) || (repeat.reversed && repeat.forward != none)) continue;
    const Recurrence& forward = run.recurrences[index];
    const Recurrence* backward = nullptr;
    for (uint32_t other = 0; other < graph.repeats.size(); ++other)
      if (graph.repeats[other].forward == index) backward = &run.recurrences[other];
    DepthVerdict& verdict = run.out.depth.emplace_back();
    verdict.repeat = repeat.name;
    verdict.criterion = criterionOf(run, index);
    verdict.blockDepth = blockDepthOf(run, repeat, forward);
    verdict.kappa = kappaOf(run, repeat, forward);
    verdict.ownMove = ownMoveOf(run, repeat);
    auto either = [&](auto holds) { return holds(forward) || (backward && holds(*backward)); };
    const SymbolVerdict& whole = run.out.verdict;
    const bool lazy = verdict.ownMove && *verdict.ownMove < Rational(0);
    bool trainingExplodes = false;
    for (const Repeat& one : graph.repeats)
      for (NodeId argument : one.arguments)
        trainingExplodes |=
            (&one == &repeat || one.forward == index) && run.change[argument].total().kind == Size::Kind::exponential;
    if (either([](const Recurrence& r) { return r.outcome == Size::Kind::exponential; }) || trainingExplodes) {
      verdict.kind = DepthClass::exponential;
      if (forward.outcome == Size::Kind::exponential) verdict.rate = forward.rate;
      else if (backward && backward->outcome == Size::Kind::exponential) verdict.rate = backward->rate;
    } else if (either([](const Recurrence& r) { return r.outcome == Size::Kind::marginal || r.threshold; })) {
      verdict.kind = DepthClass::marginal;
    } else if (!whole.stableInit || !whole.stableTraining) {
      verdict.kind = DepthClass::unstable;
    } else if (!whole.nontrivial) {
      verdict.kind = DepthClass::trivial;
    } else if (!movesArguments(run, repeat)) {
      verdict.kind = DepthClass::unfaithful;
    } else if (verdict.blockDepth == 0) {
      verdict.kind = DepthClass::stable;
    } else if (verdict.blockDepth > 1) {
      verdict.kind = lazy ? DepthClass::lazy : DepthClass::optimal;
    } else {
      verdict.kind = verdict.kappa && verdict.kappa->isZero() ? DepthClass::redundant : DepthClass::optimal;
    }
    // In a block of one matrix the update that the carried value allows is the most there is to have.
    for (size_t i = 0; i < graph.parameters.size() && verdict.blockDepth == 1; ++i)
      if (graph.parameters[i].stack == index && run.out.parameters[i].status == Status::lazy &&
          !less(run.out.parameters[i].update, run.update[i]))
        run.out.parameters[i].status = Status::maximal;
    warn(run, verdict, repeat);
  }
  static const std::string powers[] = {"diversity", "complete"};
  const std::string& symbol = graph.symbols[run.symbol].name;
  for (const BranchMultiplier& branch : run.implicit) {
    if (!branch.isSolved) continue;
    const Parameter& parameter = graph.parameters[branch.parameter];
    // Where it is added, in the user's own text.
    const bool isUsed = run.firstUse[branch.term] < run.firstUse[branch.term + 1];
    run.out.warnings.push_back({"TPC0312",
                                graph.nodes[isUsed ? run.uses[run.firstUse[branch.term]].user : branch.term].span,
                                "what this layer adds carries no multiplier of " + symbol + "; " + symbol + "^(" +
                                    toString(branch.value) + ") stands in the init and the learning rate of `" +
                                    parameter.name + "` (" + powers[branch.isComplete] + "; " +
                                    powers[!branch.isComplete] + " gives " + symbol + "^(" +
                                    toString(branch.isComplete ? branch.diversity : branch.complete) + "))",
                                "write `auto(" + symbol + ") * ...` for a multiplier of its own",
                                {}});
  }
}

}  // namespace tpc
