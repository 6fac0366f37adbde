#include "compiler/import/scalar.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace tpc {

namespace {

// Rationals saturate at 2^30 (rational.h); beyond it only the double is kept.
std::optional<Rational> checked(Rational value) {
  if (value.isOverflow()) return std::nullopt;
  return value;
}

bool isPlainNumber(const Number& number) { return number.kind == Number::Kind::plain; }

std::optional<Number> product(const Number& a, const Number& b) {
  if (!isPlainNumber(a) || !isPlainNumber(b)) return std::nullopt;
  Number result{.coefficient = a.coefficient * b.coefficient, .powers = {}, .kind = Number::Kind::plain};
  if (!std::isfinite(result.coefficient)) return std::nullopt;
  if (result.coefficient == 0) return result;
  auto left = a.powers.begin();
  auto right = b.powers.begin();
  while (left != a.powers.end() || right != b.powers.end()) {
    if (right == b.powers.end() || (left != a.powers.end() && left->first < right->first)) {
      result.powers.push_back(*left++);
    } else if (left == a.powers.end() || right->first < left->first) {
      result.powers.push_back(*right++);
    } else {
      Rational sum = left->second + right->second;
      if (sum.isOverflow()) return std::nullopt;
      if (!sum.isZero()) result.powers.emplace_back(left->first, sum);
      ++left, ++right;
    }
  }
  return result;
}

std::optional<Number> raised(const Number& a, Rational exponent) {
  if (!isPlainNumber(a)) return std::nullopt;
  Number result{.coefficient = std::pow(a.coefficient, exponent.toDouble()), .powers = {}, .kind = Number::Kind::plain};
  if (!std::isfinite(result.coefficient)) return std::nullopt;
  if (exponent.isZero() || result.coefficient == 0) return result;
  for (const auto& [symbol, power] : a.powers) {
    Rational scaled = power * exponent;
    if (scaled.isOverflow()) return std::nullopt;
    result.powers.emplace_back(symbol, scaled);
  }
  return result;
}

// a + sign * b where both have the same powers, so that the sum is a monomial again.
std::optional<Number> sum(const Number& a, const Number& b, double sign) {
  if (!isPlainNumber(a) || !isPlainNumber(b)) return std::nullopt;
  if (b.coefficient == 0) return a;
  if (a.coefficient == 0) {
    Number result = b;
    result.coefficient *= sign;
    return result;
  }
  if (a.powers != b.powers) return std::nullopt;
  Number result = a;
  result.coefficient += sign * b.coefficient;
  if (!std::isfinite(result.coefficient)) return std::nullopt;
  if (result.coefficient == 0) result.powers.clear();
  return result;
}

std::optional<Scalar> whereKnown(Scalar scalar) {
  if (!scalar.factor && !scalar.length) return std::nullopt;
  return scalar;
}

std::optional<Length> lengthOf(Rational value) {
  if (value.isOverflow() || value <= Rational(0)) return std::nullopt;
  return Length::number(value);
}

// The exact rational is the truth where there is one; factor and length follow from it.
Scalar fromExact(Rational value) {
  Scalar result;
  result.exact = value;
  result.factor = Number{.coefficient = value.toDouble(), .powers = {}, .kind = Number::Kind::plain};
  result.length = lengthOf(value);
  return result;
}

bool overflows(const Length& length) {
  return std::any_of(length.terms().begin(), length.terms().end(),
                     [](const Monomial& term) { return term.coefficient.isOverflow(); });
}

std::optional<Length> checked(std::optional<Length> length) {
  if (length && (overflows(*length) || length->terms().empty() || length->terms().size() > 64)) return std::nullopt;
  return length;
}

}  // namespace

std::optional<Rational> fractionOf(double value) {
  if (!std::isfinite(value) || std::abs(value) > 1e9) return std::nullopt;
  for (int64_t den = 1; den <= 1000; ++den) {
    double num = std::round(value * double(den));
    if (num / double(den) == value) return checked(Rational(int64_t(num), den));
  }
  return std::nullopt;
}

Scalar scalarOf(double value) {
  if (std::optional<Rational> exact = fractionOf(value)) return fromExact(*exact);
  Scalar result;
  result.factor = Number{.coefficient = value, .powers = {}, .kind = Number::Kind::plain};
  return result;
}

Scalar scalarOf(Rational value) { return fromExact(value); }

Scalar scalarOf(const Length& length) {
  if (length.isNumber() && !length.terms().empty()) return fromExact(length.terms()[0].coefficient);
  Scalar result;
  result.length = length;
  result.factor = factorOf(length);
  return result;
}

Scalar scalarOf(SymbolId symbol) { return scalarOf(Length::symbol(symbol)); }

Scalar scalarOf(const Number& number) {
  Scalar result;
  result.factor = number;
  return result;
}

std::optional<Number> factorOf(const Length& length) {
  if (length.terms().size() != 1) return std::nullopt;
  const Monomial& term = length.terms()[0];
  Number result{.coefficient = term.coefficient.toDouble(), .powers = {}, .kind = Number::Kind::plain};
  for (const auto& [symbol, power] : term.powers) result.powers.emplace_back(symbol, Rational(power));
  return result;
}

std::optional<Number> reciprocalOf(const Length& length) {
  std::optional<Number> factor = factorOf(length);
  if (!factor) return std::nullopt;
  return raised(*factor, Rational(-1));
}

std::optional<Scalar> add(const Scalar& a, const Scalar& b) {
  if (a.exact && b.exact)
    if (auto exact = checked(*a.exact + *b.exact)) return fromExact(*exact);
  Scalar result;
  if (a.factor && b.factor) result.factor = sum(*a.factor, *b.factor, 1);
  if (a.length && b.length) result.length = checked(*a.length + *b.length);
  // n + (-1): a negative literal has no length of its own.
  else if (a.length && b.exact && *b.exact < Rational(0))
    result.length = checked(difference(*a.length, Length::number(-*b.exact)));
  else if (b.length && a.exact && *a.exact < Rational(0))
    result.length = checked(difference(*b.length, Length::number(-*a.exact)));
  else if (a.length && b.exact && b.exact->isZero()) result.length = a.length;
  else if (b.length && a.exact && a.exact->isZero()) result.length = b.length;
  return whereKnown(result);
}

std::optional<Scalar> subtract(const Scalar& a, const Scalar& b) {
  if (a.exact && b.exact)
    if (auto exact = checked(*a.exact - *b.exact)) return fromExact(*exact);
  if (a.length && b.length && *a.length == *b.length) return fromExact(Rational(0));
  // Sizes that are known by their numbers: their difference may be negative, and is a number all the same.
  if (a.length && b.length && a.length->isNumber() && b.length->isNumber())
    if (auto exact = checked(a.length->terms()[0].coefficient - b.length->terms()[0].coefficient))
      return fromExact(*exact);
  Scalar result;
  if (a.factor && b.factor) result.factor = sum(*a.factor, *b.factor, -1);
  if (a.length && b.length) {
    result.length = checked(difference(*a.length, *b.length));
    if (!result.length) result.noLength = "the difference is not a length";
  } else if (a.length && b.exact && b.exact->isZero()) {
    result.length = a.length;
  }
  return whereKnown(result);
}

std::optional<Scalar> multiply(const Scalar& a, const Scalar& b) {
  if (a.exact && b.exact)
    if (auto exact = checked(*a.exact * *b.exact)) return fromExact(*exact);
  if ((a.exact && a.exact->isZero()) || (b.exact && b.exact->isZero())) return fromExact(Rational(0));
  Scalar result;
  if (a.factor && b.factor) result.factor = product(*a.factor, *b.factor);
  if (a.length && b.length) result.length = checked(*a.length * *b.length);
  if (!result.length) {
    result.noLength = !a.noLength.empty() ? a.noLength : b.noLength;
    result.divisor = a.divisor != none ? a.divisor : b.divisor;
  }
  return whereKnown(result);
}

std::optional<Scalar> divide(const Scalar& a, const Scalar& b) {
  if (a.exact && b.exact && !b.exact->isZero())
    if (auto exact = checked(*a.exact / *b.exact)) return fromExact(*exact);
  Scalar result;
  if (a.factor && b.factor) {
    std::optional<Number> inverse = raised(*b.factor, Rational(-1));
    if (inverse) result.factor = product(*a.factor, *inverse);
  }
  if (a.length && b.length) {
    result.length = checked(quotient(*a.length, *b.length));
    if (!result.length) {
      result.noLength = "the quotient is not a length";
      // Which symbol of the divisor does not cancel: the one whose power is larger below than above.
      if (b.length->terms().size() == 1)
        for (const auto& [symbol, power] : b.length->terms()[0].powers) {
          int above = std::numeric_limits<int>::max();
          for (const Monomial& term : a.length->terms()) {
            int own = 0;
            for (const auto& [s, p] : term.powers)
              if (s == symbol) own = p;
            above = std::min(above, own);
          }
          if (above < power) result.divisor = symbol;
        }
    }
  }
  if (!result.length && result.noLength.empty()) {
    result.noLength = !a.noLength.empty() ? a.noLength : b.noLength;
    result.divisor = a.divisor != none ? a.divisor : b.divisor;
  }
  return whereKnown(result);
}

std::optional<Scalar> power(const Scalar& a, Rational exponent) {
  Scalar result;
  if (exponent.den() == 1 && exponent.num() >= 0 && exponent.num() <= 16) {
    // A whole power is a product, so that n^2 is a length as well.
    std::optional<Scalar> repeated = fromExact(Rational(1));
    for (int64_t i = 0; repeated && i < exponent.num(); ++i) repeated = multiply(*repeated, a);
    if (repeated) return repeated;
  }
  if (a.exact && exponent == Rational(-1) && !a.exact->isZero()) return fromExact(Rational(1) / *a.exact);
  if (a.factor) result.factor = raised(*a.factor, exponent);
  if (result.factor && result.factor->powers.empty())
    if (std::optional<Rational> exact = fractionOf(result.factor->coefficient)) return fromExact(*exact);
  return whereKnown(result);
}

std::optional<Scalar> negate(const Scalar& a) {
  if (a.exact) return fromExact(-*a.exact);
  if (!a.factor) return std::nullopt;
  Number number = *a.factor;
  switch (number.kind) {
    case Number::Kind::plain: number.coefficient = -number.coefficient; break;
    case Number::Kind::tiny: return std::nullopt;
    case Number::Kind::infinity: number.kind = Number::Kind::minusInfinity; break;
    case Number::Kind::minusInfinity: number.kind = Number::Kind::infinity; break;
  }
  return scalarOf(number);
}

double valueOf(const Number& number, const std::vector<Symbol>& symbols) {
  if (number.kind == Number::Kind::infinity) return std::numeric_limits<double>::infinity();
  if (number.kind == Number::Kind::minusInfinity) return -std::numeric_limits<double>::infinity();
  double value = number.coefficient;
  for (const auto& [symbol, power] : number.powers) value *= std::pow(double(symbols[symbol].number), power.toDouble());
  return value;
}

std::string toString(const Scalar& scalar, const std::vector<Symbol>& symbols) {
  if (scalar.exact) return toString(*scalar.exact);
  if (scalar.length) return toString(*scalar.length, symbols);
  if (!scalar.factor) return "a number";
  const Number& number = *scalar.factor;
  if (number.kind == Number::Kind::infinity) return "inf";
  if (number.kind == Number::Kind::minusInfinity) return "-inf";
  if (number.kind == Number::Kind::tiny) return fmt::format("tiny({})", number.coefficient);
  std::string text;
  if (number.coefficient != 1 || number.powers.empty()) text = fmt::format("{}", number.coefficient);
  for (const auto& [symbol, power] : number.powers) {
    if (!text.empty()) text += " * ";
    text += symbols[symbol].name;
    if (power == Rational(1)) continue;
    text += power.den() == 1 && power > Rational(0) ? "^" + toString(power) : "^(" + toString(power) + ")";
  }
  return text;
}

}  // namespace tpc
