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
#include <algorithm>
#include <map>

#include "compiler/analysis/run.h"

namespace tpc {
namespace {

// A scalar made of numbers and free multipliers alone.
struct Scaling {
  bool is = false;
  Rational number = 0;
  uint32_t free = none;
  NodeId freeNode = none;
};

Scaling scalingOf(const Run& run, NodeId id) {
  const Node& node = run.graph.nodes[id];
  auto operands = run.graph.operands(id);
  switch (node.kind) {
    case OpKind::number: {
      Size size = sizeOfNumber(run, run.graph.numbers[node.attribute]);
      return {size.isPower(), size.exponent, none, none};
    }
    case OpKind::freeMultiplier:
      if (run.multiplierIsGiven[node.attribute]) return {true, run.multiplier[node.attribute], none, none};
      return {true, 0, node.attribute, id};
    case OpKind::broadcast:
    case OpKind::reshape: return scalingOf(run, operands[0]);
    case OpKind::mul: {
      Scaling a = scalingOf(run, operands[0]);
      if (!a.is) return a;
      Scaling b = scalingOf(run, operands[1]);
      if (!b.is) return b;
      return {true, a.number + b.number, a.free != none ? a.free : b.free, a.free != none ? a.freeNode : b.freeNode};
    }
    default: return {};
  }
}

bool isMove(OpKind kind) {
  return kind == OpKind::reshape || kind == OpKind::transpose || kind == OpKind::broadcast || kind == OpKind::slice ||
         kind == OpKind::layer;
}

// What stands behind plumbing and multipliers.
NodeId unscaled(const Run& run, NodeId id) {
  for (;;) {
    const Node& node = run.graph.nodes[id];
    auto operands = run.graph.operands(id);
    if (isMove(node.kind)) id = operands[0];
    else if (node.kind == OpKind::mul && scalingOf(run, operands[0]).is) id = operands[1];
    else if (node.kind == OpKind::mul && scalingOf(run, operands[1]).is) id = operands[0];
    else return id;
  }
}

// The multipliers from a product up to its port.
struct Behind {
  Rational numbers = 0;
  uint32_t free = none;  // the last free multiplier on the way
};

Behind behind(const Run& run, NodeId id) {
  Behind result;
  while (run.firstUse[id + 1] - run.firstUse[id] == 1) {
    NodeId user = run.uses[run.firstUse[id]].user;
    const Node& node = run.graph.nodes[user];
    if (node.kind == OpKind::mul) {
      auto operands = run.graph.operands(user);
      Scaling scaling = scalingOf(run, operands[0] == id ? operands[1] : operands[0]);
      if (!scaling.is) return result;
      result.numbers += scaling.number;
      if (scaling.free != none) result.free = scaling.free;
    } else if (!isMove(node.kind)) {
      return result;
    }
    id = user;
  }
  return result;
}

bool usesSymbol(const Run& run, uint32_t free) {
  const auto& symbols = run.graph.freeMultipliers[free].symbols;
  return symbols.empty() || std::find(symbols.begin(), symbols.end(), run.symbol) != symbols.end();
}

int growthLeft(const Run& run, NodeId node) {
  int sum = 0;
  for (const GrowingAxis& axis : run.growingAxes(node)) sum += axis.growth;
  return sum;
}

struct Targets {
  Run& run;
  std::vector<std::optional<Rational>> asked;  // per parameter: the smallest init any use asks for
  std::vector<NodeId> askedBy;
  std::vector<bool> fixed;    // the init is not the plan's
  std::vector<Size> start;    // per node: size at initialization under the inits found so far
  std::vector<int> useCount;  // per parameter: users behind its plumbing
  std::vector<bool> kept;     // per free multiplier

  bool isPlans(uint32_t parameter) const { return !fixed[parameter] || isZeroInit(run.graph.parameters[parameter]); }

  void ask(NodeId id, Rational size, NodeId by) {
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

  int varying(NodeId id) const {
    int sum = 0;
    for (const GrowingAxis& axis : run.growingAxes(id))
      if (run.varies[id] >> axis.axis & 1) sum += axis.growth;
    return sum;
  }

  // The size of a function of parameters under what is asked so far; free parameters are of order one until asked.
  Size sizeNow(NodeId id) const {
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
  Size initialGrowth(NodeId id) const {
    Size size = run.initial[id].size;
    for (NodeId operand : run.graph.operands(id)) {
      const Size& of = run.initial[operand].size;
      if (!size.isPower() || !of.isPower()) return Size::power(half * Rational(contractedGrowth(id)));
      size = Size::power(size.exponent - of.exponent);
    }
    return size;
  }
  int contractedGrowth(NodeId id) const {
    const Node& node = run.graph.nodes[id];
    if (node.kind == OpKind::contract) return growthOf(run, id).contracted;
    int growth = 0;
    for (int axis : run.graph.axes[node.attribute].axes) growth += run.growth(run.graph.operands(id)[0], axis);
    return growth;
  }

  void setTarget(NodeId id, const Size& size, StepId a = noStep, StepId b = noStep) {
    static const RuleId port = ruleNamed("port.target"), operands = ruleNamed("trained.operands");
    const bool fixedHere = run.isPort[id] != 0;
    run.target[id] = size;
    run.targetStep[id] = note(run, fixedHere ? port : operands, Aspect::target, id, size, {a, b});
  }

  StepId step(NodeId id) const { return run.targetStep[id]; }

  // A product with a function of parameters.
  void matrixProduct(NodeId id, NodeId A, NodeId x, int freeGrowth, int contracted) {
    const Behind after = behind(run, id);
    const Rational k = contracted;
    const Rational changeGrowth = matrixChangeGrowth(run, k, freeGrowth);
    Size reach = Size::zero();
    reach = max(reach, start[x] + initialGrowth(id));
    if (run.trainableUpstream[x]) reach = max(reach, run.target[x] + Size::power(changeGrowth));
    const bool keeps = after.free != none && kept[after.free];
    if (!keeps && reach.isPower()) ask(A, -after.numbers - reach.exponent, id);
    start[id] = sizeNow(A) + start[x] + initialGrowth(id);
    const bool something = run.trainableUpstream[id];
    Size trained = max(start[id], sizeNow(A) + (something ? reach : Size::zero()));
    if (keeps) setTarget(id, trained, step(x));
    else setTarget(id, something ? Size::power(-after.numbers) : start[id], step(x));
  }
};

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
    switch (node.kind) {
      case OpKind::contract: {
        NodeId a = operands[0], b = operands[1];
        ContractionGrowth growth = growthOf(run, id);
        if (isSparse(run, a) || isSparse(run, b)) growth.contracted = 0;
        if (run.parameterOnly[a]) targets.matrixProduct(id, a, b, growth.freeA, growth.contracted);
        else if (run.parameterOnly[b]) targets.matrixProduct(id, b, a, growth.freeB, growth.contracted);
        else {
          start[id] = start[a] + start[b] + targets.initialGrowth(id);
          // Computed values add up once trained; data does so from the start or not at all.
          const bool learns = run.trainableUpstream[a] || run.trainableUpstream[b];
          size =
              learns ? trained(a) + trained(b) + Size::power(computedChangeGrowth(run, growth.contracted)) : start[id];
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
          if (run.parameterOnly[operands[i]]) targets.ask(operands[i], -behind(run, id).numbers, id);
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
          static const RuleId keptRule = ruleNamed("multiplier.trained"), goneRule = ruleNamed("multiplier.redundant"),
                              otherRule = ruleNamed("multiplier.other-symbol");
          if (targets.kept[free] && run.target[b].isPower())
            run.multiplier[free] = -(run.target[b].exponent + left.number + behind(run, id).numbers);
          const RuleId rule = targets.kept[free] ? keptRule : usesSymbol(run, free) ? goneRule : otherRule;
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
      case OpKind::map: {
        MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, id));
        start[id] = mapSize(facts, start[operands[0]], run.initial[operands[0]].sign);
        targets.setTarget(id, mapSize(facts, trained(operands[0]), run.initial[operands[0]].sign),
                          targets.step(operands[0]));
        break;
      }
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
      if (run.target[id].isPower() && Rational(0) < run.target[id].exponent)
        run.heldBack.push_back({id, run.target[id].exponent});
      targets.setTarget(id, Size::power(0), run.targetStep[id]);
    }
  }
}

}  // namespace

bool isScaleFree(const Run& run, NodeId value) {
  const Graph& graph = run.graph;
  std::map<NodeId, Rational> degree{{value, 1}};
  std::map<NodeId, bool> pending{{value, true}};
  int budget = 400;
  auto degreeOf = [&](NodeId id) {
    auto found = degree.find(id);
    return found == degree.end() ? Rational(0) : found->second;
  };
  while (!pending.empty()) {
    if (--budget == 0) return false;
    NodeId id = pending.begin()->first;
    pending.erase(pending.begin());
    if (degreeOf(id).isZero()) continue;
    if (id == graph.loss) return false;
    for (const Output& output : graph.outputs)
      if (!output.metric && output.node == id) return false;
    for (uint32_t u = run.firstUse[id]; u < run.firstUse[id + 1]; ++u) {
      NodeId user = run.uses[u].user;
      if (!run.reachesLoss[user]) continue;
      const Node& node = graph.nodes[user];
      auto operands = graph.operands(user);
      Rational next = 0;
      switch (node.kind) {
        case OpKind::contract:
        case OpKind::mul:
          for (NodeId operand : operands) next += degreeOf(operand);
          break;
        case OpKind::map: {
          MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, user));
          const bool homogeneous = facts.small == facts.large && !facts.explodes && MapFn(node.fn) != MapFn::gelu &&
                                   MapFn(node.fn) != MapFn::silu && MapFn(node.fn) != MapFn::round &&
                                   MapFn(node.fn) != MapFn::log;
          if (!homogeneous) return false;
          next = facts.small * degreeOf(operands[0]);
          break;
        }
        case OpKind::add:
        case OpKind::sub:
        case OpKind::concat:
        case OpKind::maximum:
        case OpKind::minimum:
        case OpKind::select: {
          bool same = true;
          for (size_t i = node.kind == OpKind::select ? 1 : 0; i < operands.size(); ++i) {
            NodeId bare = operands[i];
            while (isMove(graph.nodes[bare].kind)) bare = graph.operands(bare)[0];
            const bool nothing = graph.nodes[bare].kind == OpKind::number &&
                                 sizeOfNumber(run, graph.numbers[graph.nodes[bare].attribute]).isZero();
            same &= nothing || degreeOf(operands[i]) == degreeOf(id);
          }
          if (!same) return false;
          next = degreeOf(id);
          break;
        }
        case OpKind::repeat:
        case OpKind::compare: return false;
        default: next = degreeOf(id);
      }
      if (degree.count(user) && degree[user] == next) continue;
      degree[user] = next;
      pending[user] = true;
    }
  }
  return true;
}

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
    std::vector<NodeId> pending{parameter.node};
    while (!pending.empty()) {
      NodeId id = pending.back();
      pending.pop_back();
      for (uint32_t u = run.firstUse[id]; u < run.firstUse[id + 1]; ++u) {
        NodeId user = run.uses[u].user;
        const bool scales = graph.nodes[user].kind == OpKind::mul && unscaled(run, user) == unscaled(run, id);
        if (isMove(graph.nodes[user].kind) || scales) pending.push_back(user);
        else if (run.reachesLoss[user]) ++targets.useCount[i];
      }
    }
  }

  // A free multiplier is kept unless another stands behind it, or it scales the product of a parameter that has no
  // other use and whose init is the plan's: then that init does its work.
  targets.kept.assign(graph.freeMultipliers.size(), false);
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    if (graph.nodes[id].kind != OpKind::mul) continue;
    auto operands = graph.operands(id);
    Scaling scaling = scalingOf(run, operands[0]);
    NodeId scaled = operands[1];
    if (!scaling.is || scaling.free == none) scaling = scalingOf(run, operands[1]), scaled = operands[0];
    if (!scaling.is || scaling.free == none || scalingOf(run, scaled).is) continue;
    if (!usesSymbol(run, scaling.free)) continue;
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
        redundant |= !targets.fixed[index] && targets.useCount[index] == 1 && growthLeft(run, leaf) > 0;
      }
    // A scalar gate in between keeps it; so does a product of computed values.
    targets.kept[scaling.free] = !redundant;
    if (redundant)
      run.out.multipliers[scaling.free].why = "the init of the parameter whose product it scales does its work";
  }

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
