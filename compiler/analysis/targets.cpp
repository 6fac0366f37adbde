// What sizes should be: targets of ports, and the inits and multipliers that reach them.
//
// One pass forward.  At a product with an initial matrix A of x,
//
//     init(A) = want - max( init(x) + growth at init,  target(x) + growth of A0 dx  if something trainable is upstream
//     )
//
// where want is minus the multipliers between the product and its port.  Several uses of one parameter: the smallest.
// A use in front of a kept free multiplier asks for nothing; the multiplier is minus the trained size of what it
// scales.
#include "compiler/analysis/targets.h"

#include <algorithm>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/scales.h"

namespace tpc {
namespace {

void pass(Targets& targets) {
  Run& run = targets.run;
  const Graph& graph = run.graph;
  std::vector<Size>& start = targets.start;
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    if (!run.reachesLoss[id]) {
      // A metric is looked at; it asks for nothing.
      start[id] = run.initial[id].size;
      targets.setTarget(id, start[id]);
      continue;
    }
    if (run.parameterOnly[id]) {
      start[id] = targets.sizeNow(id);
      targets.setTarget(id, start[id]);
      continue;
    }
    auto trained = [&](NodeId operand) { return run.target[operand]; };
    Size size = Size::power(0);
    const auto asMap = [&](NodeId x, const MapFacts& facts) {
      const Sign sign = run.initial[x].sign;
      start[id] = mapSize(facts, start[x], sign);
      targets.setTarget(id, mapSize(facts, trained(x), sign), targets.step(x));
    };
    if (isMeasured(run, id)) asMap(scalarFunction(run, id)->argument, factsOf(*scalarFunction(run, id)));
    else switch (node.kind) {
        case OpKind::contract: {
          NodeId a = operands[0], b = operands[1];
          ContractionGrowth growth = growthOf(run, id);
          if (isSparse(run, a) || isSparse(run, b)) growth.contracted = 0;
          if (run.parameterOnly[a]) targets.matrixProduct(id, 0, growth.freeA);
          else if (run.parameterOnly[b]) targets.matrixProduct(id, 1, growth.freeB);
          else {
            start[id] = start[a] + start[b] + targets.initialGrowth(id);
            // Computed values add up once trained; data does so from the start or not at all.
            const bool learns = run.trainableUpstream[a] || run.trainableUpstream[b];
            size = learns ? trained(a) + trained(b) + Size::power(computedChangeGrowth(run, growth.contracted))
                          : start[id];
            targets.setTarget(id, size, targets.step(a), targets.step(b));
          }
          break;
        }
        case OpKind::gather: {
          if (run.parameterOnly[operands[0]]) {
            Behind after = behind(run, id);
            const bool keeps = after.free != none && targets.kept[after.free];
            if (!keeps) targets.ask(operands[0], -after.numbers, id);
            start[id] = targets.sizeNow(operands[0]);
            size = keeps ? start[id] : Size::power(-after.numbers);
          } else {
            start[id] = start[operands[0]];
            size = trained(operands[0]);
          }
          targets.setTarget(id, size, targets.step(operands[0]));
          break;
        }
        case OpKind::add:
        case OpKind::sub:
        case OpKind::concat:
        case OpKind::maximum:
        case OpKind::minimum:
        case OpKind::select: {
          size = Size::zero();
          Size startSize = Size::zero();
          for (size_t i = node.kind == OpKind::select ? 1 : 0; i < operands.size(); ++i) {
            if (run.parameterOnly[operands[i]])
              targets.ask(operands[i],
                          -behind(run, id).numbers - (run.isLink[id] ? run.termGrowth[operands[i]] : Rational(0)), id);
            Size now = run.parameterOnly[operands[i]] ? targets.sizeNow(operands[i]) : start[operands[i]];
            startSize = max(startSize, now);
            size = max(size, run.parameterOnly[operands[i]] ? now : trained(operands[i]));
          }
          const Size& derived = run.initial[id].size;
          start[id] = derived.isZero() ? derived : startSize;
          targets.setTarget(id, size, targets.step(operands[0]), targets.step(operands[1 % operands.size()]));
          break;
        }
        case OpKind::mul: {
          NodeId a = operands[0], b = operands[1];
          if (run.parameterOnly[b] && !run.parameterOnly[a]) std::swap(a, b);
          Scaling left = scalingOf(run, a), right = scalingOf(run, b);
          if (right.is) std::swap(a, b), std::swap(left, right);
          if (left.is && left.free != none && !right.is) {
            const uint32_t free = left.free;
            static const RuleId keptRule = ruleNamed("multiplier.trained"),
                                goneRule = ruleNamed("multiplier.redundant"),
                                otherRule = ruleNamed("multiplier.other-symbol");
            static const RuleId diversity = ruleNamed("multiplier.diversity"),
                                complete = ruleNamed("multiplier.complete");
            BranchMultiplier& branch = run.branchOf[free];
            const bool isBranch = branch.term != none && !branch.isInner;
            if (isBranch) {
              solveBranch(run, branch, b, left.number);
              if (branch.isSolved) run.multiplier[free] = branch.value;
              explainBranch(run, branch, run.out.multipliers[free]);
            } else if (targets.kept[free] && run.target[b].isPower()) {
              run.multiplier[free] = -(run.target[b].exponent + left.number + behind(run, id).numbers);
            }
            const RuleId rule = isBranch                ? (branch.isComplete ? complete : diversity)
                                : targets.kept[free]    ? keptRule
                                : usesSymbol(run, free) ? goneRule
                                                        : otherRule;
            MultiplierSizes& out = run.out.multipliers[free];
            out.size = Size::power(run.multiplier[free]);
            out.redundant = rule == goneRule;
            out.step = note(run, rule, Aspect::multiplier, left.freeNode, out.size, {targets.step(b)});
            start[id] = Size::power(run.multiplier[free] + left.number) + start[b];
            size = Size::power(run.multiplier[free] + left.number) + trained(b);
          } else if (run.parameterOnly[a]) {
            if (run.target[b].isPower()) targets.ask(a, -behind(run, id).numbers - run.target[b].exponent, id);
            start[id] = targets.sizeNow(a) + start[b];
            size = targets.sizeNow(a) + trained(b);
          } else {
            start[id] = start[a] + start[b];
            size = trained(a) + trained(b);
          }
          targets.setTarget(id, size, targets.step(a), targets.step(b));
          break;
        }
        case OpKind::map: asMap(operands[0], factsOf(MapFn(node.fn), powerOf(run, id))); break;
        case OpKind::reduce: {
          const bool sums = ReduceFn(node.fn) == ReduceFn::sum;
          start[id] = sums ? start[operands[0]] + targets.initialGrowth(id) : start[operands[0]];
          Size grown = Size::power(sums && !isSparse(run, operands[0]) ? targets.contractedGrowth(id) : 0);
          size = run.trainableUpstream[operands[0]] ? trained(operands[0]) + grown : start[id];
          targets.setTarget(id, size, targets.step(operands[0]));
          break;
        }
        case OpKind::bodyArgument: {
          const Repeat& repeat = graph.repeats[node.region];
          start[id] = start[graph.operands(repeat.node)[node.attribute]];
          targets.setTarget(id, Size::power(0));
          break;
        }
        case OpKind::repeat:
          for (NodeId operand : operands)
            if (run.parameterOnly[operand]) targets.ask(operand, 0, id);
          break;
        case OpKind::repeatResult: {
          NodeId yield = graph.repeats[graph.nodes[operands[0]].attribute].yields[node.attribute];
          start[id] = start[yield];
          targets.setTarget(id, run.target[yield], targets.step(yield));
          break;
        }
        default:
          if (operands.empty()) {
            start[id] = run.initial[id].size;
            targets.setTarget(id, start[id]);
          } else {
            start[id] = start[operands[0]];
            targets.setTarget(id, trained(operands[0]), targets.step(operands[0]));
          }
      }
    // Ports ask for order one; one that a fixed init holds above it may stay there where its scale is free.
    if (node.kind == OpKind::repeat || node.kind == OpKind::contract || node.kind == OpKind::gather ||
        !run.isPort[id]) {
      if (node.kind != OpKind::contract || !run.isPort[id] || !start[id].isPower() ||
          !(Rational(0) < start[id].exponent))
        continue;
    }
    if (!run.trainableUpstream[id]) {
      targets.setTarget(id, start[id]);
    } else if (start[id].isPower() && Rational(0) < start[id].exponent && isScaleFree(run, id)) {
      targets.setTarget(id, start[id]);
    } else if (node.kind != OpKind::contract && !start[id].isZero()) {
      // At most order one: a port that cannot reach it, such as what follows a softmax over n, keeps the size it has.
      if (!run.target[id].isPower() || !(Rational(0) < run.target[id].exponent)) continue;
      run.heldBack.push_back({id, run.target[id].exponent});
      targets.setTarget(id, Size::power(0), run.targetStep[id]);
    }
  }
}

// A free multiplier is kept unless another stands behind it, or it scales the product of a parameter that has no
// other use and whose init is the plan's: then that init does its work.
void decideKept(Targets& targets) {
  Run& run = targets.run;
  const Graph& graph = run.graph;
  targets.kept.assign(graph.freeMultipliers.size(), false);
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    if (graph.nodes[id].kind != OpKind::mul) continue;
    auto operands = graph.operands(id);
    Scaling scaling = scalingOf(run, operands[0]);
    NodeId scaled = operands[1];
    if (!scaling.is || scaling.free == none) scaling = scalingOf(run, operands[1]), scaled = operands[0];
    if (!scaling.is || scaling.free == none || scalingOf(run, scaled).is) continue;
    if (!usesSymbol(run, scaling.free)) continue;
    if (const BranchMultiplier& branch = run.branchOf[scaling.free]; branch.term != none) {
      targets.kept[scaling.free] = !branch.isInner;
      if (branch.isInner) run.out.multipliers[scaling.free].why = "the multiplier of the whole branch does its work";
      continue;
    }
    const Behind after = behind(run, id);
    if (after.free != none && usesSymbol(run, after.free)) continue;
    const NodeId product = unscaled(run, scaled);
    const Node& node = graph.nodes[product];
    bool redundant = false;
    if (node.kind == OpKind::contract || node.kind == OpKind::gather || node.kind == OpKind::parameter)
      for (NodeId operand :
           node.kind == OpKind::parameter ? std::span<const NodeId>(&product, 1) : graph.operands(product)) {
        const NodeId leaf = unscaled(run, operand);
        if (graph.nodes[leaf].kind != OpKind::parameter) continue;
        const uint32_t index = graph.nodes[leaf].attribute;
        redundant |= !targets.fixed[index] && targets.useCount[index] == 1 && growthOfAxes(run, leaf, allAxes) > 0;
      }
    // A scalar gate in between keeps it; so does a product of computed values.
    targets.kept[scaling.free] = !redundant;
    if (redundant)
      run.out.multipliers[scaling.free].why = "the init of the parameter whose product it scales does its work";
  }
}

}  // namespace

void solveTargets(Run& run) {
  const Graph& graph = run.graph;
  static const RuleId solved = ruleNamed("init.solved"), given = ruleNamed("init.given"),
                      largest = ruleNamed("init.largest");
  Targets targets{run, {}, {}, {}, {}, {}, {}};
  const size_t parameters = graph.parameters.size();
  targets.fixed.assign(parameters, false);
  targets.useCount.assign(parameters, 0);
  const auto givenHere = run.options.given.find(graph.symbols[run.symbol].name);
  for (size_t i = 0; i < parameters; ++i) {
    const Parameter& parameter = graph.parameters[i];
    const Init& init = parameter.init;
    switch (init.kind) {
      case Init::Kind::plan: break;
      case Init::Kind::file: break;  // whatever trained it has brought its products to where the plan would
      case Init::Kind::normal:
      case Init::Kind::uniform: {
        Size size = sizeOfNumber(run, init.number);
        const bool mentions = std::any_of(init.number.powers.begin(), init.number.powers.end(),
                                          [&](const auto& power) { return graph.symbols[power.first].grows; });
        targets.fixed[i] = init.fixed || mentions;
        if (targets.fixed[i]) run.initSize[i] = size;
        break;
      }
      case Init::Kind::constant: targets.fixed[i] = true, run.initSize[i] = sizeOfNumber(run, init.number); break;
      default: targets.fixed[i] = true, run.initSize[i] = Size::power(0);
    }
    if (givenHere != run.options.given.end())
      if (auto found = givenHere->second.find(parameter.name);
          found != givenHere->second.end() && found->second.initStd) {
        targets.fixed[i] = true;
        run.initSize[i] = Size::power(*found->second.initStd + found->second.multiplier.value_or(0));
      }
    for (NodeId user : usersBehind(run, parameter.node)) targets.useCount[i] += run.reachesLoss[user];
  }

  decideKept(targets);
  std::erase_if(run.implicit, [&](const BranchMultiplier& branch) {
    return targets.fixed[branch.parameter] || targets.useCount[branch.parameter] != 1;
  });
  startMultipliers(run);
  for (int round = 0; round < 4; ++round) {
    deriveInitial(run, graph.forwardEnd);
    targets.asked.assign(parameters, std::nullopt);
    targets.askedBy.assign(parameters, none);
    targets.start.assign(graph.forwardEnd, Size::zero());
    run.target.assign(graph.forwardEnd, Size::zero());
    run.targetStep.assign(graph.forwardEnd, noStep);
    run.heldBack.clear();
    const std::vector<Rational> multipliers = run.multiplier;
    pass(targets);
    bool changed = multipliers != run.multiplier;
    for (BranchMultiplier& branch : run.implicit) {
      const Rational before = branch.value;
      solveBranch(run, branch, branch.product, 0);
      changed |= branch.value != before;
    }
    for (size_t i = 0; i < parameters; ++i) {
      if (!targets.isPlans(uint32_t(i))) continue;
      Size size = Size::power(targets.asked[i].value_or(0));
      changed |= !(size == run.initSize[i]);
      run.initSize[i] = size;
    }
    if (!changed && round > 0) break;
  }
  for (NodeId id = 0; id < graph.forwardEnd; ++id)
    if (run.parameterOnly[id]) run.target[id] = targets.sizeNow(id);
  for (size_t i = 0; i < parameters; ++i) {
    const bool plans = targets.isPlans(uint32_t(i)) && !targets.fixed[i];
    StepId premise = targets.askedBy[i] == none ? noStep : run.targetStep[targets.askedBy[i]];
    RuleId rule = !plans ? given : targets.asked[i] ? solved : largest;
    run.out.parameters[i].initStep =
        note(run, rule, Aspect::initSize, graph.parameters[i].node,
             isZeroInit(graph.parameters[i]) ? Size::zero() : run.initSize[i], {plans ? premise : noStep});
  }
}

}  // namespace tpc
