// The tables of the calculus; sizes.h says what the letters mean.
//
// One coordinate of y = A x is a sum over the contracted axis of n^k terms, each of size a + b.  Independent terms of
// zero mean walk, sqrt(n^k) steps: a + b + k/2.  Terms that share a sign or a cause add up: a + b + k.
#include "compiler/rules/sizes.h"

#include <array>
#include <cassert>

#include "compiler/rules/recurrences.h"

namespace tpc {
namespace {

constexpr Linear sumOf(Rational k) { return {1, 1, k, 0, 0}; }
constexpr Linear justA{1, 0, 0, 0, 0};
constexpr Linear justE{0, 0, 0, 0, 1};
constexpr auto theorem = Basis::theorem, arithmetic = Basis::arithmetic, heuristic = Basis::heuristic;

// clang-format off
constexpr SizeRow sizeRows[] = {
  // Leaves.
  {{"leaf.parameter", "sizes", "W", "W is a parameter", "the size that its entries start with", arithmetic, "", ""},
   Family::leaf, parameterLeaf, 0, justE},
  {{"leaf.data", "sizes", "x", "x is an input or a target", "0", heuristic, "", "entries of inputs and targets are of order one in every growing symbol"},
   Family::leaf, dataLeaf, 0, justE},
  {{"leaf.constant", "sizes", "c", "c is a number, a mask or an index", "the powers of the symbol that it is written with", arithmetic, "", ""},
   Family::leaf, 0, parameterLeaf | dataLeaf, justE},

  // Coordinates move; none changes.
  {{"plumbing.same", "sizes", "reshape, transpose, slice, ... of x", "entries are moved, selected or repeated", "a", arithmetic, "", ""}, Family::plumbing, 0, 0, justA},

  // Sums of finitely many values, coordinate by coordinate.
  {{"add.largest", "sizes", "x + y; the parts of one value", "", "max(a, b)", heuristic, "", "finitely many terms of one size do not cancel by accident"},
   Family::sum, 0, 0, justE},
  {{"sub.same-value", "sizes", "x - x", "both operands are one value", "zero", arithmetic, "", ""},
   Family::difference, sameValue, 0, justE, false, {}, true},
  // What is left of each when the common limit is taken away.
  {{"sub.same-limit", "sizes", "x - y", "x and y are one expression in different, independent parameters", "the larger spread", theorem,
    "TP3 Theorem 2.10 (the limits are equal); TP4b Theorem 2.6.10 (the rate)", ""}, Family::difference, sameLimit, sameValue, justE},
  {{"sub.largest", "sizes", "x - y", "the limits of x and y are not proven equal", "max(a, b)", heuristic, "",
    "the limits of the two do not cancel by accident"}, Family::difference, 0, sameLimit | sameValue, justE},

  {{"mul.product", "sizes", "x * y", "coordinate by coordinate", "a + b", arithmetic, "", ""}, Family::product, 0, 0, {1, 1, 0, 0, 0}},
  {{"map.order", "sizes", "phi(x)", "coordinate by coordinate", "p a; p is the order of phi at zero for a < 0, far out for a > 0", arithmetic, "", ""}, Family::map, 0, 0, justE},

  // An initial matrix A times x.
  {{"matmul.fresh", "sizes", "A x", "A is initial; x does not depend on products with A transposed", "a + b + k/2", theorem,
    "TP3 Box 1 (ZHat); TP5 Table 14 (Gaussian)", ""}, Family::matrix, 0, readsBack, sumOf(half)},
  {{"matmul.z-hat", "sizes", "A x, the Gaussian part", "A is initial; x depends on products with A transposed", "a + b + k/2", theorem,
    "TP3 Box 1 (ZHat)", ""}, Family::matrix, readsBack, 0, sumOf(half)},
  // x = x(A^T y, ...) with A^T y : a + y + e/2, so dx/d(A^T y) : b - a - y - e/2 and the part 2a + k + y + that.
  {{"matmul.z-dot", "sizes", "A x, the part along y", "x depends on A^T y, a sum over n^e terms; its derivative by A^T y is not proven to have mean zero", "a + b + k - e/2", theorem,
    "TP3 Box 1 (ZDot)", ""}, Family::zdot, readsBack, oddDerivative, {1, 1, 1, 0, Rational(-1, 2)}},
  {{"matmul.z-dot-odd", "sizes", "A x, the part along y", "x depends on A^T y; its derivative by A^T y changes sign with a parameter", "zero", theorem,
    "TP3 Box 1 (ZDot: the mean of the derivative is a factor); TP2 Condition 1 (Simple GIA Check: the parameter is the readout)", ""}, Family::zdot, readsBack | oddDerivative, 0, justE, false, {}, true},

  // Two computed values.
  {{"contract.walks", "sizes", "sum x y", "neither is initial; x y has mean zero along the summed axis", "a + b + k/2", heuristic, "",
    "a sum of mean zero is of the order of its standard deviation (TP5 Appendix J); at most that is a theorem, TP4b Theorem 2.6.10"},
   Family::contraction, growing | zeroMean, 0, sumOf(half)},
  {{"contract.adds-up", "sizes", "sum x y", "neither is initial; mean zero is not proven", "a + b + k", theorem,
    "TP3 Theorem 2.10 (a mean over coordinates has a limit)", ""},
   Family::contraction, growing, zeroMean, sumOf(1)},
  {{"contract.fixed", "sizes", "sum x y", "no summed axis grows", "a + b", arithmetic, "", ""},
   Family::contraction, 0, growing, sumOf(0)},

  // Reductions of one value.
  {{"sum.walks", "sizes", "sum x", "x has mean zero along the summed axis", "a + k/2", heuristic, "",
    "a sum of mean zero is of the order of its standard deviation (TP5 Appendix J); at most that is a theorem, TP4b Theorem 2.6.10"},
   Family::reduction, growing | zeroMean, selecting, {1, 0, half, 0, 0}},
  {{"sum.adds-up", "sizes", "sum x", "mean zero is not proven", "a + k", theorem, "TP3 Theorem 2.10 (a mean over coordinates has a limit)", ""},
   Family::reduction, growing, zeroMean | selecting, {1, 0, 1, 0, 0}},
  {{"sum.fixed", "sizes", "sum x", "no summed axis grows", "a", arithmetic, "", ""}, Family::reduction, 0, growing | selecting, justA},
  {{"max.logs", "sizes", "max x, min x", "", "a, up to powers of log n", arithmetic, "", ""}, Family::reduction, selecting, 0, justA},

  // Changes: what training adds.
  {{"matmul.change", "sizes", "A dx", "A is initial", "a + b + max(k/2, k - m/2)", heuristic, "",
    "full alignment: a change is aligned with the matrices it was made through, as far as their operator norm allows (TP5 Appendix J)"},
   Family::matrixChange, 0, alignedNone | unalignedReadout, sumOf(half), true, {1, 1, 1, Rational(-1, 2), 0}},
  {{"matmul.change-readout", "sizes", "A dx", "A is initial and leaves no growing axis free; --alignment ev", "a + b + k/2", heuristic, "",
    "a readout's initial entries are to the change of what it reads like independent ones (the assumption of EV)"},
   Family::matrixChange, unalignedReadout, alignedNone, sumOf(half)},
  {{"matmul.change-unaligned", "sizes", "A dx", "A is initial; --alignment none", "a + b + k/2", heuristic, "",
    "no alignment: a change is to every matrix like an independent vector"}, Family::matrixChange, alignedNone, unalignedReadout, sumOf(half)},
  // An update is a (nonlinear) outer product of past gradients and activations; times an activation it is a mean.
  {{"contract.change", "sizes", "dA x, dA dx, A dx", "A is computed in A dx; dA is an update", "a + b + k", theorem,
    "TP4b Theorem 2.7.1 (equation 2.21); TP5 Table 14 ((nonlinear) tensor product)", ""}, Family::computedChange, 0, alignedNone, sumOf(1)},
  {{"contract.change-unaligned", "sizes", "dA x, dA dx, A dx", "--alignment none", "a + b + k/2", heuristic, "",
    "no alignment: a change is to every value like an independent one"},
   Family::computedChange, alignedNone, 0, sumOf(half)},
  {{"map.change", "sizes", "phi(x + dx) - phi(x)", "dx is at most of the size of x", "size of phi'(x) + size of dx", arithmetic, "", ""},
   Family::mapChange, 0, outgrown, justE},
  {{"map.outgrown", "sizes", "phi(x + dx) - phi(x)", "dx is larger than x", "size of phi(dx) - phi(0)", arithmetic, "", ""},
   Family::mapChange, outgrown, 0, justE},
};

// Rows that the solver and the engine name themselves: not sizes of operations but what is asked of them.
constexpr RuleInfo otherRows[] = {
  {"repeat.join", "recurrences", "repeat", "a fixed number of layers", "max over the layers; what is a layer's own parameter is to the next one an earlier layer's", arithmetic, "", ""},
  {"repeat.compounds", "recurrences", "repeat", "the carried value changes by a power of the symbol from layer to layer", "not analysed", arithmetic, "", ""},
  {"port.lowered", "solver", "an output, a carried value, an argument of a nonlinearity, a product with a parameter", "it stays below its target whatever moves", "its size after training", arithmetic, "", ""},
  {"port.target", "solver", "an output, a carried value, an argument of a nonlinearity, a product with a parameter", "a trained parameter is upstream", "0 after training", heuristic, "", "the desideratum: as large as stability allows (TP5 Desiderata J.1)"},
  {"init.solved", "solver", "W", "the plan chooses how W starts", "what brings the products with W to their targets, at the start and after training; the smallest over all uses", arithmetic, "", ""},
  {"init.given", "solver", "W", "the program or the parametrization says how W starts", "as given", arithmetic, "", ""},
  {"init.largest", "solver", "W", "no use of W asks for a size", "0", heuristic, "", "order one is a convention where nothing is asked for"},
  {"allowance.port", "solver", "dx of an output, a carried value, ...", "", "at most the larger of 0 and its target", arithmetic, "", ""},
  {"allowance.through", "solver", "dx", "", "what the result may change by, minus the growth from dx to it; the smallest over all uses", arithmetic, "", ""},
  {"multiplier.trained", "solver", "auto * x", "the multiplier is needed", "minus the trained size of x", arithmetic, "", ""},
  {"multiplier.redundant", "solver", "auto * x", "another multiplier, or the init of the only parameter of x, does its work", "0", arithmetic, "", ""},
  {"multiplier.given", "solver", "auto * x", "the parametrization gives it", "as given", arithmetic, "", ""},
  {"multiplier.other-symbol", "solver", "auto(L) * x", "it names other symbols", "0", arithmetic, "", ""},
  {"multiplier.penalty", "solver", "auto * f(W)", "a term of the loss made of parameters alone", "the largest with which its gradient is at most the data's", heuristic, "", "a penalty asks nothing of W's plan, and is as large as it can be without deciding the gradient"},
  {"lr.entry", "solver", "lr of W", "", "what W may change by, minus the size of an entry of its update at a learning rate of order one", arithmetic, "", ""},
  {"lr.given", "solver", "lr of W", "the parametrization gives it", "as given", arithmetic, "", ""},
  {"update.entry", "solver", "dW", "", "lr + the size of the update at lr and gradient of order one + p g; g: the gradient's size, p: the optimizer's degree in it", arithmetic, "", ""},
  {"update.zero", "solver", "dW, dx", "no gradient arrives, the parameter is frozen, or nothing trained is upstream", "zero", arithmetic, "", ""},
  {"change.capped", "sizes", "dx", "the linearized change is larger than what was and what has become", "max(size before, size after)", arithmetic, "", ""},
  {"trained.operands", "sizes", "x after training", "", "what the rules above give at the operands' sizes after training; at least the size before", arithmetic, "", ""},
  // A mean over coordinates is within n^(-1/2), up to logarithms, of its limit; every other operation carries it on.
  {"spread.limit", "sizes", "x minus its limit", "", "for a sum over n^k terms: spread of a term + k/2; for a map: size of phi'(x) + spread of x", theorem, "TP4b Theorem 2.6.10 (the rate of convergence)", ""},
  {"zero", "sizes", "0", "every part is zero", "zero", arithmetic, "", ""},
  {"not-analysed", "sizes", "", "an operand, or the operation, is not analysed; or the exponent is larger than 2^30", "not analysed", arithmetic, "", ""},
  {"map.explodes", "sizes", "exp(x)", "a > 0, and x is not known to be at most zero", "exponential", arithmetic, "", ""},
  {"parity.odd-map", "facts", "phi(x), phi odd", "", "changes sign under the flips of parameters under which x does", arithmetic, "", ""},
  {"parity.even-map", "facts", "phi(x), phi even", "", "keeps its sign under all flips of parameters under which x keeps or changes it", arithmetic, "", ""},
  {"parity.product", "facts", "x * y", "", "the flips of parameters under which both have a sign; the signs multiply", arithmetic, "", ""},
  {"parity.sum", "facts", "x + y", "", "the flips of parameters under which both have the same sign", arithmetic, "", ""},
  {"fresh.matrix", "facts", "A x", "A is initial", "independent along the free axes of A, whatever x depends on; changes sign with A alone", theorem, "TP3 Box 1 (ZHat)", ""},
  {"map.measured", "sizes", "f(x), f of several operations", "nothing but x and numbers enters", "the order of f at the size of x", heuristic, "", "the order of a function near zero and far out is what its values there say"},
  {"claim.user", "sizes", "claim p(M)", "", "a; what is claimed is taken to hold", heuristic, "", "what the program claims of a value"},
  {"constant.no-axis", "facts", "x", "no axis of x grows: a scalar gate, a norm's statistic, the loss' derivative", "keeps its sign under all flips of parameters", heuristic, "", "in a sum over a growing axis x is one number common to all terms: near its limit, or random as a whole"},
};
// clang-format on

constexpr size_t sizeCount = std::size(sizeRows);

// Per family its first row, and where the last family ends: a lookup reads the few rows of one family.
constexpr auto firstOf = [] {
  std::array<RuleId, familyCount + 1> first{};
  for (size_t row = 0; row < sizeCount; ++row) first[size_t(sizeRows[row].family) + 1] = RuleId(row + 1);
  return first;
}();
static_assert(
    [] {
      for (size_t row = 1; row < sizeCount; ++row)
        if (sizeRows[row].family < sizeRows[row - 1].family) return false;
      return true;
    }(),
    "the rows stand by family, in the order of Family");

std::vector<RuleInfo> joined() {
  std::vector<RuleInfo> all;
  for (const SizeRow& row : sizeRows) all.push_back(row.info);
  all.insert(all.end(), std::begin(otherRows), std::end(otherRows));
  all.insert(all.end(), recurrenceRules().begin(), recurrenceRules().end());
  return all;
}

Rational value(const Linear& form, const Features& f) {
  Rational sum = 0;
  auto term = [&](Rational factor, Rational of) {
    if (factor.isZero() || of.isZero()) return;
    sum += factor == Rational(1) ? of : factor * of;
  };
  term(form.a, f.a), term(form.b, f.b), term(form.k, f.k), term(form.m, f.m), term(form.e, f.e);
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
  for (RuleId id = firstOf[int(family)]; id < firstOf[int(family) + 1]; ++id) {
    const SizeRow& row = sizeRows[id];
    if ((facts & row.must) != row.must || (facts & row.mustNot) != 0) continue;
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
