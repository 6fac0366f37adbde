// Numbers that are known while a program is imported: `4 * n`, `1/sqrt(d)`, `c / heads`, `-1`.
//
// One number has up to two readings, and which one is asked for depends on the place:
//
//     mlp(h, hidden = 4 * n)      as a length, the number of entries of an axis:   4 * n
//     h / sqrt(d)                 as a factor in an expression of tensors:         1 * d^(-1/2)
//
// A length is a sum of monomials with whole powers; a factor is one monomial with rational powers.  `n + 1` is only a
// length, `n^(-1/2)` only a factor, `4 * n` both.  What is neither (`n^(1/2) + 1`) is not folded and becomes
// operations.
#pragma once

#include <optional>
#include <string>

#include "compiler/graph/graph.h"
#include "compiler/graph/length.h"

namespace tpc {

struct Scalar {
  std::optional<Number> factor;
  std::optional<Length> length;   // positive lengths only
  std::optional<Rational> exact;  // a plain rational: whole numbers, and powers such as -1/2
  std::string noLength;           // why a quotient of sizes is no length, in words; empty where nobody has asked
  SymbolId divisor = none;        // the growing or fixed symbol that it was divided by, where that is the reason

  bool isPlain() const { return factor && factor->kind == Number::Kind::plain && factor->powers.empty(); }
  std::optional<int64_t> whole() const {
    if (!exact || exact->isOverflow() || exact->den() != 1) return std::nullopt;
    return exact->num();
  }
};

Scalar scalarOf(double value);
Scalar scalarOf(Rational value);
Scalar scalarOf(const Length& length);
Scalar scalarOf(SymbolId symbol);
Scalar scalarOf(const Number& number);

// The value of a double as the fraction a user means by it: 0.5 is 1/2; empty where no small fraction is equal.
std::optional<Rational> fractionOf(double value);

// Empty where the result is no Scalar and has to be computed by operations.
std::optional<Scalar> add(const Scalar& a, const Scalar& b);
std::optional<Scalar> subtract(const Scalar& a, const Scalar& b);
std::optional<Scalar> multiply(const Scalar& a, const Scalar& b);
std::optional<Scalar> divide(const Scalar& a, const Scalar& b);  // b is not the exact zero
std::optional<Scalar> power(const Scalar& a, Rational exponent);
std::optional<Scalar> negate(const Scalar& a);

// 1 / length as a factor, for a mean over an axis; empty where the length is a sum.
std::optional<Number> reciprocalOf(const Length& length);
std::optional<Number> factorOf(const Length& length);

// The factor's value at the symbols' numbers.
double valueOf(const Number& number, const std::vector<Symbol>& symbols);

// `4 * n`, `n^(-1/2)`, `0.5`: for messages.
std::string toString(const Scalar& scalar, const std::vector<Symbol>& symbols);

}  // namespace tpc
