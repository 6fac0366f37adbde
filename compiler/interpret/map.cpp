// Elementary functions of one number and of two, and numbers as programs write them.
#include <cmath>
#include <limits>

#include "compiler/interpret/operations.h"

namespace tpc {
namespace {

double sigmoid(double x) {
  // exp of a positive number could overflow; each form only sees a negative one.
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double normalDensity(double x) { return std::exp(-x * x / 2) * 0.3989422804014327; }
double normalDistribution(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

}  // namespace

double applyMap(MapFn fn, double x, double power) {
  switch (fn) {
    case MapFn::neg: return -x;
    case MapFn::reciprocal: return 1 / x;
    case MapFn::exp: return std::exp(x);
    case MapFn::log: return std::log(x);
    case MapFn::sqrt: return std::sqrt(x);
    case MapFn::rsqrt: return 1 / std::sqrt(x);
    case MapFn::square: return x * x;
    case MapFn::abs: return std::abs(x);
    case MapFn::sign: return x > 0 ? 1 : x < 0 ? -1 : x;  // zero and NaN stay
    case MapFn::sin: return std::sin(x);
    case MapFn::cos: return std::cos(x);
    case MapFn::tanh: return std::tanh(x);
    case MapFn::sigmoid: return sigmoid(x);
    case MapFn::relu: return x > 0 || x != x ? x : 0;
    case MapFn::gelu: return x * normalDistribution(x);
    case MapFn::silu: return x * sigmoid(x);
    case MapFn::round: return std::nearbyint(x);
    case MapFn::pow: return std::pow(x, power);
    case MapFn::step: return x > 0 ? 1 : 0;
    case MapFn::gelu1: return normalDistribution(x) + x * normalDensity(x);
    case MapFn::silu1: return sigmoid(x) * (1 + x * sigmoid(-x));
    case MapFn::sigmoid1: return sigmoid(x) * sigmoid(-x);
    case MapFn::tanh1: {
      const double t = std::tanh(x);
      return 1 - t * t;
    }
    case MapFn::isFinite: return std::isfinite(x) ? 1 : 0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double applyCompare(CompareFn fn, double a, double b) {
  switch (fn) {
    case CompareFn::eq: return a == b;
    case CompareFn::ne: return a != b;
    case CompareFn::lt: return a < b;
    case CompareFn::le: return a <= b;
    case CompareFn::gt: return a > b;
    case CompareFn::ge: return a >= b;
  }
  return 0;
}

double applyMaximum(double a, double b) { return a != a ? a : b > a || b != b ? b : a; }
double applyMinimum(double a, double b) { return a != a ? a : b < a || b != b ? b : a; }

double valueAt(const Number& number, const std::vector<int64_t>& numbers) {
  if (number.kind == Number::Kind::infinity) return std::numeric_limits<double>::infinity();
  if (number.kind == Number::Kind::minusInfinity) return -std::numeric_limits<double>::infinity();
  double value = number.coefficient;
  for (const auto& [symbol, power] : number.powers)
    value *= symbol < numbers.size() ? std::pow(double(numbers[symbol]), power.toDouble())
                                     : std::numeric_limits<double>::quiet_NaN();
  return value;
}

}  // namespace tpc
