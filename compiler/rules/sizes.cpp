// The tables of the calculus; sizes.h says what the letters mean.
//
// One coordinate of y = A x is a sum over the contracted axis of n^k terms, each of size a + b.  Independent terms of
// zero mean walk, sqrt(n^k) steps: a + b + k/2.  Terms that share a sign or a cause add up: a + b + k.
#include "compiler/rules/sizes.h"

#include <array>
#include <cassert>

namespace tpc {
namespace {

constexpr Linear sumOf(Rational k) { return {1, 1, k, 0, 0}; }
constexpr Linear justA{1, 0, 0, 0, 0};
constexpr Linear justE{0, 0, 0, 0, 1};
constexpr auto theorem = Basis::theorem, arithmetic = Basis::arithmetic, heuristic = Basis::heuristic;

// clang-format off
constexpr SizeRow sizeRows[] = {
  // Leaves.
  {{"leaf.parameter", "sizes", "W", "a parameter", "the size it starts with", arithmetic, "", ""},
   Family::leaf, parameterLeaf, 0, justE},
  {{"leaf.data", "sizes", "x", "an input", "order one", heuristic, "", "inputs and targets are of order one in every growing symbol"},
   Family::leaf, dataLeaf, 0, justE},
  {{"leaf.constant", "sizes", "c", "a number, a mask, an index", "the powers of the symbol it is written with", arithmetic, "", ""},
   Family::leaf, 0, parameterLeaf | dataLeaf, justE},

  // Coordinates move; none changes.
  {{"plumbing.same", "sizes", "reshape x", "", "a", arithmetic, "", ""}, Family::plumbing, 0, 0, justA},

  // Sums of finitely many values, coordinate by coordinate.
  {{"add.largest", "sizes", "x + y", "", "max of the operands", heuristic, "", "finitely many terms of one size do not cancel by accident"},
   Family::sum, 0, 0, justE},
  {{"sub.same-value", "sizes", "x - x", "both operands are one value", "zero", arithmetic, "", ""},
   Family::difference, sameValue, 0, justE, false, {}, true},
  {{"sub.same-limit", "sizes", "x - y", "one expression in independent sources", "the spread of the larger", theorem,
    "TP3 Box 1 (Master Theorem: the limits are equal)", ""}, Family::difference, sameLimit, sameValue, justE},
  {{"sub.largest", "sizes", "x - y", "the limits are not proven equal", "max of the operands", heuristic, "",
    "the limits of the two do not cancel by accident"}, Family::difference, 0, sameLimit | sameValue, justE},

  {{"mul.product", "sizes", "x * y", "coordinate by coordinate", "a + b", arithmetic, "", ""}, Family::product, 0, 0, {1, 1, 0, 0, 0}},
  {{"map.order", "sizes", "phi(x)", "", "order of phi at the size of x", arithmetic, "", ""}, Family::map, 0, 0, justE},

  // An initial matrix A times x.
  {{"matmul.fresh", "sizes", "A x", "A initial; x has not seen A transposed", "a + b + k/2", theorem,
    "TP5 Table 14; TP3 Box 1 (Master Theorem)", ""}, Family::matrix, 0, readsBack, sumOf(half)},
  {{"matmul.z-hat", "sizes", "A x, Gaussian part", "A initial; x has seen A transposed", "a + b + k/2", theorem,
    "TP3 Box 1 (Z-hat)", ""}, Family::matrix, readsBack, 0, sumOf(half)},
  // x = x(A^T y, ...) with A^T y : a + y + e/2, so dx/d(A^T y) : b - a - y - e/2 and the part 2a + k + y + that.
  {{"matmul.z-dot", "sizes", "A x, part along y", "x has seen A^T y; the derivative has a mean", "a + b + k - e/2", theorem,
    "TP3 Box 1 (Z-dot)", ""}, Family::zdot, readsBack, oddDerivative, {1, 1, 1, 0, Rational(-1, 2)}},
  {{"matmul.z-dot-odd", "sizes", "A x, part along y", "x has seen A^T y; the derivative is odd in a source", "zero", theorem,
    "TP2 Section 6.3 (Simple GIA Check)", ""}, Family::zdot, readsBack | oddDerivative, 0, justE, false, {}, true},

  // Two computed values.
  {{"contract.walks", "sizes", "sum x y", "the products have zero mean along the axis", "a + b + k/2", theorem,
    "TP5 Table 14; TP3 Box 1", ""}, Family::contraction, growing | zeroMean, 0, sumOf(half)},
  {{"contract.adds-up", "sizes", "sum x y", "no zero mean is proven", "a + b + k", theorem, "TP5 Table 14; TP3 Box 1", ""},
   Family::contraction, growing, zeroMean, sumOf(1)},
  {{"contract.fixed", "sizes", "sum x y", "no contracted axis grows", "a + b", arithmetic, "", ""},
   Family::contraction, 0, growing, sumOf(0)},

  // Reductions of one value.
  {{"sum.walks", "sizes", "sum x", "zero mean along the axis", "a + k/2", theorem, "TP3 Box 1 (Master Theorem)", ""},
   Family::reduction, growing | zeroMean, selecting, {1, 0, half, 0, 0}},
  {{"sum.adds-up", "sizes", "sum x", "no zero mean is proven", "a + k", theorem, "TP3 Box 1 (Master Theorem)", ""},
   Family::reduction, growing, zeroMean | selecting, {1, 0, 1, 0, 0}},
  {{"sum.fixed", "sizes", "sum x", "no summed axis grows", "a", arithmetic, "", ""}, Family::reduction, 0, growing | selecting, justA},
  {{"max.logs", "sizes", "max x", "", "a, up to logarithms", arithmetic, "", ""}, Family::reduction, selecting, 0, justA},

  // Changes: what training adds.
  {{"matmul.change", "sizes", "A dx", "A initial, dx aligned with it", "a + b + max(k/2, k - m/2)", heuristic, "",
    "full alignment (TP4, TP5): a change is aligned with the matrices it was made through, up to the operator norm"},
   Family::matrixChange, 0, alignedNone, sumOf(half), true, {1, 1, 1, Rational(-1, 2), 0}},
  {{"matmul.change-unaligned", "sizes", "A dx", "A initial, no alignment asked for", "a + b + k/2", heuristic, "",
    "no alignment"}, Family::matrixChange, alignedNone, 0, sumOf(half)},
  {{"contract.change", "sizes", "dA x, A dx", "the other one is computed", "a + b + k", theorem,
    "TP4b Definition 2.6.5 (updates are sums of outer products of past activations)", ""}, Family::computedChange, 0, alignedNone, sumOf(1)},
  {{"contract.change-unaligned", "sizes", "dA x, A dx", "no alignment asked for", "a + b + k/2", heuristic, "", "no alignment"},
   Family::computedChange, alignedNone, 0, sumOf(half)},
  {{"map.change", "sizes", "phi(x + dx) - phi(x)", "dx is at most of the size of x", "phi'(x) + dx", arithmetic, "", ""},
   Family::mapChange, 0, outgrown, justE},
  {{"map.outgrown", "sizes", "phi(x + dx) - phi(x)", "dx outgrows x", "phi(dx) - phi(0)", arithmetic, "", ""},
   Family::mapChange, outgrown, 0, justE},
};

// Rows that the solver and the engine name themselves: not sizes of operations but what is asked of them.
constexpr RuleInfo otherRows[] = {
  {"repeat.join", "recurrences", "repeat", "a fixed number of layers", "max over the layers; a layer's own parameters become earlier layers'", arithmetic, "", ""},
  {"repeat.compounds", "recurrences", "repeat", "the carried size changes from layer to layer", "not analysed", heuristic, "", "a power of the symbol per layer compounds"},
  {"port.target", "solver", "port", "a trainable parameter is upstream", "order one", heuristic, "", "the desideratum: as large as stability allows (TP4b Definition 2.2.2)"},
  {"init.solved", "solver", "W", "the plan chooses the init", "what brings the product with it to its target, now and after training", arithmetic, "", ""},
  {"init.given", "solver", "W", "the program fixes the init", "the size it is given", arithmetic, "", ""},
  {"init.largest", "solver", "W", "the init constrains nothing", "order one, a convention", heuristic, "", "a scale symmetry leaves it free"},
  {"allowance.port", "solver", "dx at a port", "", "at most order one, or the port's target", arithmetic, "", ""},
  {"allowance.through", "solver", "dx", "", "allowance of the result minus the growth from x to it, the smallest over all uses", arithmetic, "", ""},
  {"multiplier.trained", "solver", "auto * x", "kept", "minus the trained size of what it multiplies", arithmetic, "", ""},
  {"multiplier.redundant", "solver", "auto * x", "another multiplier or an init does its work", "1", arithmetic, "", ""},
  {"multiplier.other-symbol", "solver", "auto(L) * x", "names other symbols", "1", arithmetic, "", ""},
  {"multiplier.penalty", "solver", "auto * f(W)", "a term of parameters alone", "its gradient is at most the data's", heuristic, "", "a penalty constrains nothing, and is as large as it can be without leading"},
  {"lr.entry", "solver", "lr", "", "allowed update minus the size of an entry of an update at lr of order one", arithmetic, "", ""},
  {"lr.given", "solver", "lr", "the parametrization gives it", "as given", arithmetic, "", ""},
  {"update.entry", "solver", "dW", "", "lr + p times the gradient's size", arithmetic, "", ""},
  {"update.zero", "solver", "dW", "the gradient is zero or the parameter frozen", "zero", arithmetic, "", ""},
  {"gradient.read", "solver", "g", "", "the size of the differentiated program's value", arithmetic, "", ""},
  {"change.capped", "sizes", "dx", "a change cannot exceed what it changes and what it becomes", "min(linearized change, max(init, trained))", arithmetic, "", ""},
  {"trained.operands", "sizes", "x after training", "", "the forward rules at trained operands", arithmetic, "", ""},
  {"spread.limit", "sizes", "x - its limit", "", "the size of what is left when the deterministic limit is taken away", theorem, "TP3 Box 1 (Master Theorem)", ""},
  {"zero", "sizes", "0", "every part is zero", "zero", arithmetic, "", ""},
  {"not-analysed", "sizes", "", "an operand is not analysed, or the operation", "not analysed", arithmetic, "", ""},
  {"map.explodes", "sizes", "exp(x)", "x grows and is not known to be at most zero", "exponential", arithmetic, "", ""},
  {"parity.odd-map", "facts", "odd phi(x)", "", "parity of x is kept", arithmetic, "", ""},
  {"parity.even-map", "facts", "even phi(x)", "", "even in every source", arithmetic, "", ""},
  {"parity.product", "facts", "x * y", "", "allowed flips of both; signs multiply", arithmetic, "", ""},
  {"parity.sum", "facts", "x + y", "", "allowed flips of both under which the signs agree", arithmetic, "", ""},
  {"fresh.matrix", "facts", "A x", "A initial", "fresh along the free axes of A: reads A alone", theorem, "TP3 Box 1 (Master Theorem)", ""},
  {"constant.no-axis", "facts", "x", "no axis of x grows", "even in every source", heuristic, "", "theory of the loss derivative: a scalar is its deterministic limit, or random but common to all coordinates"},
};
// clang-format on

constexpr size_t sizeCount = std::size(sizeRows);

std::vector<RuleInfo> joined() {
  std::vector<RuleInfo> all;
  for (const SizeRow& row : sizeRows) all.push_back(row.info);
  all.insert(all.end(), std::begin(otherRows), std::end(otherRows));
  return all;
}

Rational value(const Linear& form, const Features& f) {
  Rational sum = form.a * f.a + form.b * f.b;
  if (!f.k.isZero()) sum += form.k * f.k;
  if (!f.m.isZero()) sum += form.m * f.m;
  if (!form.e.isZero()) sum += form.e * f.e;
  return sum;
}

}  // namespace

std::span<const RuleInfo> allRules() {
  static const std::vector<RuleInfo> rules = joined();
  return rules;
}

std::string_view toString(Basis basis) {
  return basis == Basis::theorem ? "theorem" : basis == Basis::arithmetic ? "arithmetic" : "heuristic";
}

RuleId rowFor(Family family, uint32_t facts) {
  RuleId found = RuleId(~0);
  for (RuleId id = 0; id < sizeCount; ++id) {
    const SizeRow& row = sizeRows[id];
    if (row.family != family || (facts & row.must) != row.must || (facts & row.mustNot) != 0) continue;
    assert(found == RuleId(~0) && "exactly one row of a family matches");
    found = id;
#ifdef NDEBUG
    break;
#endif
  }
  assert(found != RuleId(~0) && "every family covers all facts");
  return found;
}

const SizeRow& sizeRow(RuleId id) {
  assert(id < sizeCount && "a row of sizes");
  return sizeRows[id];
}

Rational sizeBy(RuleId row, const Features& features) {
  const SizeRow& found = sizeRow(row);
  Rational size = value(found.first, features);
  if (found.hasSecond) size = std::max(size, value(found.second, features));
  return size;
}

RuleId ruleNamed(std::string_view id) {
  std::span<const RuleInfo> rules = allRules();
  for (RuleId rule = 0; rule < rules.size(); ++rule)
    if (rules[rule].id == id) return rule;
  assert(false && "a rule's name in the engine is one of the tables'");
  return 0;
}

}  // namespace tpc
