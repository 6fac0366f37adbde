// Sizes after training: what each value has changed by, and what it has become.
//
// One pass carries the updates of the parameters through the program, forward and gradient alike, by the rules of
// changes; an update makes a gradient, a gradient an update, and the passes are repeated until nothing moves.  A zero
// readout has no gradient below it at step one and has one at step two.  What still grows after (parameters that start
// at zero + 3) passes is unstable.
//
//     y = A x:    dy = max( A0 dx, dA x0, dA dx )
#include "compiler/analysis/training.h"

#include <algorithm>

namespace tpc::training {
namespace {

struct Names {
  RuleId capped = ruleNamed("change.capped"), trained = ruleNamed("trained.operands");
  RuleId entry = ruleNamed("update.entry"), zero = ruleNamed("update.zero"), join = ruleNamed("repeat.join");
};
const Names& names() {
  static const Names names;
  return names;
}

}  // namespace

void setChange(Run& run, NodeId id, Size matrix, Size computed, RuleId rule, StepId p, StepId q) {
  Change next{matrix, computed};
  if (run.changeStep[id] != noStep && run.change[id].matrix == matrix && run.change[id].computed == computed) return;
  run.change[id] = next;
  run.changeStep[id] = note(run, rule, Aspect::update, id, next.total(), {p, q});
}

void setTrained(Run& run, NodeId id, const Size& size) {
  if (run.trainedStep[id] != noStep && run.trained[id] == size) return;
  run.trained[id] = size;
  if (size == run.initial[id].size && run.changeStep[id] == noStep) {
    run.trainedStep[id] = run.initial[id].step;
    return;
  }
  run.trainedStep[id] =
      note(run, names().trained, Aspect::trained, id, size, {run.initial[id].step, run.changeStep[id]});
}

namespace {

Size bilinear(RuleId rule, const Size& a, const Size& b, Rational k, Rational m) {
  Size product = a + b;
  if (!product.isPower()) return product;
  return Size::power(sizeBy(rule, {.a = a.exponent, .b = b.exponent, .k = k, .m = m}));
}

// Note [What shrinks]: 1/|x| falls from n^(1/2) to order one where x grows from n^(-1/2).  Its change is minus what it
// was, with the certificates of that, and what it has become, which is all that is aligned:
//
//     A (x + dx) = A x1        x1 : trained size < size of dx
//
// So a sum sees the smaller of the two, and what the sum was goes away in the same ratio.
bool shrinks(const Run& run, NodeId id) { return less(run.trained[id], run.change[id].total()); }

Change aligned(const Run& run, NodeId id) {
  const Change& change = run.change[id];
  return {min(change.matrix, run.trained[id]), min(change.computed, run.trained[id])};
}

// What an update meets of what was there: of that which shrinks, what it shrinks to.
Size stays(const Run& run, NodeId id) { return min(run.initial[id].size, run.trained[id]); }

// What is left of a sum over values that shrink.
Size left(const Run& run, NodeId id) {
  Size size = run.initial[id].size;
  for (NodeId operand : run.graph.operands(id)) {
    const Size &before = run.initial[operand].size, &after = run.trained[operand];
    if (shrinks(run, operand) && size.isPower() && before.isPower() && after.isPower())
      size = Size::power(size.exponent + after.exponent - before.exponent);
  }
  return size;
}

// Sets both sizes of a sum along axes, whose terms are `largest` in what is aligned.
void setSum(Run& run, NodeId id, const Size& largest, RuleId rule, StepId p, StepId q) {
  const auto operands = run.graph.operands(id);
  const bool goes =
      std::any_of(operands.begin(), operands.end(), [&](NodeId operand) { return shrinks(run, operand); });
  setChange(run, id, Size::zero(), goes ? max(largest, run.initial[id].size) : largest, rule, p, q);
  setTrained(run, id, max(left(run, id), largest));
}

void contractChange(Run& run, NodeId id) {
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  const Change da = aligned(run, a), db = aligned(run, b);
  ContractionGrowth growth = growthOf(run, id);
  if (isSparse(run, a) || isSparse(run, b)) growth.contracted = 0;
  constexpr int any = 1;  // a computed value is no readout
  const RuleId computedRule = rowFor(Family::computedChange, alignmentFacts(run, any));
  const Rational k = growth.contracted;
  const Size a0 = stays(run, a), b0 = stays(run, b);

  Size largest = Size::zero();
  RuleId rule = computedRule;
  StepId p = noStep, q = noStep;
  auto term = [&](const Size& size, RuleId by, StepId first, StepId second) {
    if (!less(largest, size)) return;
    largest = size, rule = by, p = first, q = second;
  };
  const StepId aInit = run.initial[a].step, bInit = run.initial[b].step;
  const StepId aChange = run.changeStep[a], bChange = run.changeStep[b];
  // An initial matrix times a change; and, a factor of the matrix having moved, that matrix times what was there.
  auto half = [&](NodeId A, NodeId x, int operand, const Change& dA, const Change& dx, const Size& A0, const Size& x0,
                  int m, StepId A0Step, StepId dAStep, StepId x0Step, StepId dxStep) {
    const RuleId matrixRule = rowFor(Family::matrixChange, alignmentFacts(run, m));
    const bool acts = (isInitialMatrix(run, A) || run.parameterOnly[A]) && !isSparse(run, x);
    if (acts && (isInitialMatrix(run, A) || !isInitialMatrix(run, x))) {
      const Action action = actionOnChange(run, A, contractedAxes(run, id, operand), m);
      term(action.size + dx.total(), action.isMatrix ? matrixRule : computedRule, A0Step, dxStep);
    }
    if (isInitialMatrix(run, A)) {
      if (!acts) term(bilinear(matrixRule, A0, dx.total(), k, m), matrixRule, A0Step, dxStep);
      term(bilinear(matrixRule, dA.matrix, dx.total(), k, m), matrixRule, dAStep, dxStep);
      // x0 as it was at initialization: the ratio of the moved matrix to the initial one carries over to the product.
      if (dA.matrix.isPower() && A0.isPower()) {
        Size y0 = run.initial[id].size;
        if (y0.isPower()) term(Size::power(y0.exponent + dA.matrix.exponent - A0.exponent), matrixRule, dAStep, x0Step);
      }
    } else if (!isInitialMatrix(run, x)) {
      if (!acts) term(bilinear(computedRule, A0, dx.total(), k, m), computedRule, A0Step, dxStep);
    } else {
      // A computed value times the change of a matrix: the whole of it.
      term(bilinear(computedRule, A0, dx.computed, k, m), computedRule, A0Step, dxStep);
    }
    if (isInitialMatrix(run, A)) {
      if (!isInitialMatrix(run, x)) {
        term(bilinear(computedRule, dA.computed, x0, k, m), computedRule, dAStep, x0Step);
      }
      term(bilinear(computedRule, dA.computed, dx.computed, k, m), computedRule, dAStep, dxStep);
    }
  };
  half(a, b, 0, da, db, a0, b0, growth.freeA, aInit, aChange, bInit, bChange);
  half(b, a, 1, db, da, b0, a0, growth.freeB, bInit, bChange, aInit, aChange);
  if (!isInitialMatrix(run, a) && !isInitialMatrix(run, b))
    term(bilinear(computedRule, da.total(), db.total(), k, 0), computedRule, aChange, bChange);
  setSum(run, id, largest, rule, p, q);
}

void mapChange(Run& run, NodeId id, NodeId x, const MapFacts& facts) {
  const Size x0 = run.initial[x].size, dx = run.change[x].total();
  const Sign sign = run.initial[x].sign;
  const Size trained = mapSize(facts, run.trained[x], sign);
  if (dx.isZero()) {
    setChange(run, id, Size::zero(), Size::zero(), names().zero, run.changeStep[x], noStep);
    setTrained(run, id, run.initial[id].size);
    return;
  }
  const bool isOutgrown = x0.isZero() || less(x0, dx);
  Size size;
  if (run.initial[id].size.kind == Size::Kind::exponential) {
    size = run.initial[id].size;  // so is its derivative
  } else if (!isOutgrown) {
    size = mapDerivativeSize(facts, x0) + dx;
  } else if (dx.isPower() && dx.exponent < Rational(0)) {
    size = facts.flat ? Size::zero() : Size::power(facts.change * dx.exponent);
    if (facts.change < Rational(0) || facts.change.isZero()) size = mapSize(facts, dx, sign);
  } else {
    size = mapSize(facts, dx, sign);
  }
  const RuleId rule = rowFor(Family::mapChange, isOutgrown ? uint32_t(outgrown) : 0u);
  const Size cap = max(run.initial[id].size, trained);
  const bool isCapped = less(cap, size);
  setChange(run, id, Size::zero(), isCapped ? cap : size, isCapped ? names().capped : rule, run.initial[x].step,
            run.changeStep[x]);
  setTrained(run, id, trained);
}

void productChange(Run& run, NodeId id) {
  NodeId a = run.graph.operands(id)[0], b = run.graph.operands(id)[1];
  const Change &da = run.change[a], &db = run.change[b];
  const Size a0 = run.initial[a].size, b0 = run.initial[b].size;
  static const RuleId rule = rowFor(Family::product, 0);
  Size matrix = Size::zero(), computed = Size::zero();
  // A matrix whose factor moves stays one of independent entries.
  const bool ofA = isInitialMatrix(run, id) && isMatrixOf(run, id, a);
  const bool ofB = isInitialMatrix(run, id) && !ofA && isMatrixOf(run, id, b);
  if (ofA) {
    matrix = max(max(a0 + db.total(), da.matrix + db.total()), da.matrix + b0);
    computed = max(da.computed + b0, da.computed + db.total());
  } else if (ofB) {
    matrix = max(max(b0 + da.total(), db.matrix + da.total()), db.matrix + a0);
    computed = max(db.computed + a0, db.computed + da.total());
  } else {
    computed = max(max(a0 + db.total(), da.total() + b0), da.total() + db.total());
  }
  const Size trained = run.trained[a] + run.trained[b];
  // The change of a product cannot exceed what it was and what it has become.
  const Size cap = max(run.initial[id].size, trained);
  if (less(cap, computed)) computed = cap;
  bool first = !less(a0 + db.total(), da.total() + b0);
  setChange(run, id, matrix, computed, rule, first ? run.initial[a].step : run.changeStep[a],
            first ? run.changeStep[b] : run.initial[b].step);
  setTrained(run, id, trained);
}

// sum_j W_ij c_ij is a product with an initial matrix written in two steps, and changes like one: W0 dc up to the
// operator norm, the rest in full.  (The gradient of g in x @ (g * W) has this form.)
bool sumOfFactored(Run& run, NodeId id, Rational k) {
  NodeId product = run.graph.operands(id)[0];
  if (run.graph.nodes[product].kind != OpKind::mul) return false;
  NodeId matrix = run.graph.operands(product)[0], other = run.graph.operands(product)[1];
  if (!isInitialMatrix(run, matrix)) std::swap(matrix, other);
  if (!isInitialMatrix(run, matrix) || isInitialMatrix(run, other) || isInitialMatrix(run, product)) return false;
  int total = 0;
  for (const GrowingAxis& axis : run.growingAxes(product)) total += axis.growth;
  const Rational free = Rational(total) - k;
  const uint32_t alignment = alignmentFacts(run, free.isZero() ? 0 : 1);
  const RuleId matrixRule = rowFor(Family::matrixChange, alignment);
  const RuleId computedRule = rowFor(Family::computedChange, alignmentFacts(run, 1));
  const Change dW = aligned(run, matrix), dc = aligned(run, other);
  Size size = bilinear(matrixRule, max(stays(run, matrix), dW.matrix), dc.total(), k, free);
  const Size computed = max(bilinear(computedRule, dW.computed, stays(run, other), k, free),
                            bilinear(computedRule, dW.computed, dc.total(), k, free));
  const bool fromMatrix = !less(size, computed);
  size = max(size, computed);
  setSum(run, id, size, fromMatrix ? matrixRule : computedRule, run.changeStep[matrix], run.changeStep[other]);
  return true;
}

void sameChange(Run& run, NodeId id, NodeId operand, Rational growth, RuleId rule) {
  Size grown = Size::power(growth);
  Change change = run.change[operand];
  setChange(run, id, isInitialMatrix(run, id) ? change.matrix + grown : Size::zero(),
            (isInitialMatrix(run, id) ? change.computed : change.total()) + grown, rule, run.changeStep[operand],
            noStep);
}

// A sum of one value along axes of this growth.
void sumOfChange(Run& run, NodeId id, NodeId operand, Rational growth, RuleId rule) {
  sameChange(run, id, operand, growth, rule);
  if (shrinks(run, operand))
    return setSum(run, id, aligned(run, operand).total() + Size::power(growth), rule, run.changeStep[operand], noStep);
  setTrained(run, id, max(run.initial[id].size, run.change[id].total()));
}

}  // namespace

void evaluate(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Node& node = graph.nodes[id];
  auto operands = graph.operands(id);
  static const RuleId same = rowFor(Family::plumbing, 0), sum = rowFor(Family::sum, 0),
                      adds = rowFor(Family::reduction, growing), fixed = rowFor(Family::reduction, 0);
  const Size init = run.initial[id].size;
  if (run.initial[id].special == Size::Kind::notAnalysed) {
    run.change[id] = {Size::zero(), Size::notAnalysed()};
    run.trained[id] = Size::notAnalysed();
    run.changeStep[id] = run.trainedStep[id] = run.initial[id].step;
    return;
  }
  if (isMeasured(run, id)) {
    const ScalarFunction& function = *scalarFunction(run, id);
    return mapChange(run, id, function.argument, factsOf(function));
  }
  switch (node.kind) {
    case OpKind::parameter:
    case OpKind::bodyArgument: return;  // set by the pass
    case OpKind::contract: return contractChange(run, id);
    case OpKind::map: return mapChange(run, id, operands[0], factsOf(MapFn(node.fn), powerOf(run, id)));
    case OpKind::mul: return productChange(run, id);
    case OpKind::sub:
      if (run.initial[id].parts.empty() && init.isZero()) {
        auto bare = [&](NodeId of) {
          while (graph.nodes[of].kind == OpKind::stopGradient) of = graph.operands(of)[0];
          return of;
        };
        if (bare(operands[0]) == bare(operands[1])) {
          setChange(run, id, Size::zero(), Size::zero(), names().zero, noStep, noStep);
          return setTrained(run, id, Size::zero());
        }
      }
      [[fallthrough]];
    case OpKind::add:
    case OpKind::concat: {
      // A sum is as large as its operands have become, not as it was, unless it was smaller than they were: then what
      // canceled need not cancel in what they have changed by.
      const bool cancels = std::none_of(operands.begin(), operands.end(),
                                        [&](NodeId operand) { return run.initial[operand].size == init; });
      Size matrix = Size::zero(), computed = Size::zero(), total = cancels ? init : Size::zero();
      const bool keeps = isInitialMatrix(run, id);
      StepId premise = noStep;
      for (NodeId operand : operands) {
        const Change& change = run.change[operand];
        if (less(max(matrix, computed), change.total())) premise = run.changeStep[operand];
        if (keeps && isInitialMatrix(run, operand)) {
          matrix = max(matrix, change.matrix);
          computed = max(computed, change.computed);
        } else {
          computed = max(computed, change.total());
        }
        total = max(total, cancels ? aligned(run, operand).total() : run.trained[operand]);
      }
      setChange(run, id, matrix, computed, sum, premise, noStep);
      return setTrained(run, id, total);
    }
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::select:
    case OpKind::compare: {
      Size change = Size::zero(), trained = Size::zero();
      StepId premise = noStep;
      for (size_t i = node.kind == OpKind::select ? 1 : 0; i < operands.size(); ++i) {
        if (less(change, run.change[operands[i]].total())) premise = run.changeStep[operands[i]];
        change = max(change, run.change[operands[i]].total());
        trained = max(trained, run.trained[operands[i]]);
      }
      if (node.kind == OpKind::compare) trained = Size::power(0), change = min(change, trained);
      if (node.kind == OpKind::select) {
        // Where the condition changes its mind, one branch takes the place of the other.
        const Size& condition = run.change[operands[0]].total();
        const Size flipped = min(max(init, trained) + condition, max(init, trained));
        if (less(change, flipped)) change = flipped, premise = run.changeStep[operands[0]];
      }
      setChange(run, id, Size::zero(), change, sum, premise, noStep);
      return setTrained(run, id, trained);
    }
    case OpKind::reduce: {
      Rational growth = 0;
      if (ReduceFn(node.fn) == ReduceFn::sum && !isSparse(run, operands[0]))
        for (int axis : graph.axes[node.attribute].axes) growth += run.growth(operands[0], axis);
      if (ReduceFn(node.fn) == ReduceFn::argmax) {
        setChange(run, id, Size::zero(), run.change[operands[0]].total().isZero() ? Size::zero() : init, fixed,
                  run.changeStep[operands[0]], noStep);
        return setTrained(run, id, init);
      }
      if (ReduceFn(node.fn) == ReduceFn::sum && !growth.isZero() && sumOfFactored(run, id, growth)) return;
      if (ReduceFn(node.fn) != ReduceFn::sum) {
        sameChange(run, id, operands[0], 0, fixed);
        return setTrained(run, id, run.trained[operands[0]]);
      }
      return sumOfChange(run, id, operands[0], growth, growth.isZero() ? fixed : adds);
    }
    case OpKind::scatterAdd: {
      const Scatter& scatter = graph.scatters[node.attribute];
      Rational growth = 0;
      for (int i = scatter.axis; i < scatter.axis + scatter.indexRank; ++i) growth += run.growth(operands[1], i);
      return sumOfChange(run, id, operands[1], growth, growth.isZero() ? fixed : adds);
    }
    case OpKind::gather:
    case OpKind::reshape:
    case OpKind::transpose:
    case OpKind::broadcast:
    case OpKind::slice:
    case OpKind::pad:
    case OpKind::stopGradient: {
      sameChange(run, id, operands[0], 0, same);
      return setTrained(run, id, run.trained[operands[0]]);
    }
    case OpKind::layer: {
      NodeId stacked = operands[0];
      sameChange(run, id, stacked, 0, same);
      return setTrained(run, id, run.trained[stacked]);
    }
    case OpKind::repeatResult: {
      const Repeat& repeat = graph.repeats[graph.nodes[operands[0]].attribute];
      NodeId yield = repeat.yields[node.attribute];
      sameChange(run, id, yield, 0, names().join);
      return setTrained(run, id, run.trained[yield]);
    }
    default:
      setChange(run, id, Size::zero(), Size::zero(), names().zero, noStep, noStep);
      return setTrained(run, id, init);
  }
}

void repeatBody(Run& run, uint32_t index) {
  if (run.isOverTrips(index)) return recurrenceBody(run, index);
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  auto operands = graph.operands(repeat.node);
  constexpr int mostRounds = 8;
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    NodeId argument = repeat.arguments[i];
    // Afresh in every pass: what an earlier pass had too large must not stay.
    setChange(run, argument, Size::zero(), run.change[operands[i]].total(), names().join, run.changeStep[operands[i]],
              noStep);
    setTrained(run, argument,
               max(max(run.initial[argument].size, run.trained[operands[i]]), run.change[argument].total()));
  }
  for (int round = 0; round < mostRounds; ++round) {
    walk(
        run, repeat.bodyBegin, repeat.bodyEnd, index, [&](uint32_t inner) { repeatBody(run, inner); },
        [&](NodeId id) { evaluate(run, id); });
    bool changed = false;
    for (uint32_t i = 0; i < repeat.carried; ++i) {
      NodeId argument = repeat.arguments[i], yield = repeat.yields[i];
      Size change = max(run.change[argument].total(), run.change[yield].total());
      changed |= change != run.change[argument].total();
      setChange(run, argument, Size::zero(), change, names().join, run.changeStep[yield], noStep);
      setTrained(run, argument, max(max(run.trained[argument], run.trained[yield]), change));
    }
    if (!changed) return;
  }
}

}  // namespace tpc::training

namespace tpc {

using namespace training;

TrainingOutcome deriveTraining(Run& run) {
  const Graph& graph = run.graph;
  const size_t count = graph.nodes.size();
  run.change.assign(count, {});
  run.trained.assign(count, Size::zero());
  run.changeStep.assign(count, noStep);
  run.trainedStep.assign(count, noStep);
  if (run.overDepth) run.ownChange.assign(count, {}), run.carriedChange.assign(count, {});
  for (NodeId id = 0; id < count; ++id) run.trained[id] = run.initial[id].size;

  int rounds = 4 + run.slowStarts;
  for (const Parameter& parameter : graph.parameters) rounds += isZeroInit(parameter);
  std::vector<Size> moved(graph.parameters.size(), Size::zero());
  run.steepest.assign(graph.parameters.size(), Size::zero());
  // Gradients as they are at initialization make the first update.
  auto updates = [&](bool first) {
    bool changed = false;
    for (size_t i = 0; i < graph.parameters.size(); ++i) {
      const Parameter& parameter = graph.parameters[i];
      const NodeId gradient = parameter.gradient;
      const bool trains = parameter.ownership == Ownership::trained && gradient != none;
      Size g = !trains ? Size::zero() : first ? run.initial[gradient].size : run.trained[gradient];
      Size size = Size::zero();
      const OptimizerFacts& facts = run.optimizerOf[i];
      // A sign, or a gradient divided by its own size, does not see how large it was.
      const bool sizeCounts = !facts.homogeneity.isZero();
      if (g.isPower() || (g.kind == Size::Kind::exponential && !sizeCounts)) {
        if (!facts.analysed) size = Size::notAnalysed();
        else if (run.lr[i])
          size = Size::power(*run.lr[i] + facts.entry + (sizeCounts ? facts.homogeneity * g.exponent : Rational(0)));
        else size = run.update[i];
      } else if (!g.isZero()) {
        size = g;
      }
      if (gradient != none)
        run.steepest[i] = max(run.steepest[i], first ? run.initial[gradient].size : run.trained[gradient]);
      // Behind a norm that starts small the first gradients are the largest; what they moved stays moved.
      size = max(size, moved[i]);
      changed |= !(size == moved[i]);
      moved[i] = size;
      StepId premise = trains ? (first ? run.initial[gradient].step : run.trainedStep[gradient]) : noStep;
      setChange(run, parameter.node, Size::zero(), size, size.isZero() ? names().zero : names().entry, premise, noStep);
      setTrained(run, parameter.node, max(run.initial[parameter.node].size, size));
    }
    return changed;
  };

  TrainingOutcome outcome;
  std::vector<StepId> firstSteps, firstTrainedSteps;
  std::vector<Size> before;
  std::vector<Change> firstChange;
  std::vector<Size> firstTrained;
  updates(true);
  for (int round = 0; round < rounds; ++round) {
    before.assign(count, Size::zero());
    for (NodeId id = 0; id < count; ++id) before[id] = run.trained[id];
    walk(
        run, 0, NodeId(count), none, [&](uint32_t repeat) { repeatBody(run, repeat); },
        [&](NodeId id) { evaluate(run, id); });
    if (run.exhausted()) return outcome;
    if (round == 0)
      firstChange = run.change, firstTrained = run.trained, firstSteps = run.changeStep,
      firstTrainedSteps = run.trainedStep;
    if (!updates(false)) return outcome;
  }
  // Still growing: who first, and the sizes after the first update, never a later pass' number.
  outcome.settled = false;
  for (NodeId id = 0; id < graph.forwardEnd && outcome.growsFirst == none; ++id)
    if (less(before[id], run.trained[id]) && graph.nodes[id].name != none) outcome.growsFirst = id;
  for (NodeId id = 0; id < count && outcome.growsFirst == none; ++id)
    if (less(before[id], run.trained[id])) outcome.growsFirst = id;
  run.change = firstChange, run.trained = firstTrained, run.changeStep = firstSteps,
  run.trainedStep = firstTrainedSteps;
  return outcome;
}

}  // namespace tpc
