// Each function once, in the form that neither overflows nor cancels where its value does not.
#include "kernels/elementary.h"

#include <cmath>
#include <limits>

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

double elementary(Elementary fn, double x, double power) {
  switch (fn) {
    case Elementary::neg: return -x;
    case Elementary::reciprocal: return 1 / x;
    case Elementary::exp: return std::exp(x);
    case Elementary::log: return std::log(x);
    case Elementary::sqrt: return std::sqrt(x);
    case Elementary::rsqrt: return 1 / std::sqrt(x);
    case Elementary::square: return x * x;
    case Elementary::abs: return std::abs(x);
    case Elementary::sign: return x > 0 ? 1 : x < 0 ? -1 : x;  // zero and NaN stay
    case Elementary::sin: return std::sin(x);
    case Elementary::cos: return std::cos(x);
    case Elementary::tanh: return std::tanh(x);
    case Elementary::sigmoid: return sigmoid(x);
    case Elementary::relu: return x > 0 || x != x ? x : 0;
    case Elementary::gelu: return x * normalDistribution(x);
    case Elementary::silu: return x * sigmoid(x);
    case Elementary::round: return std::nearbyint(x);
    case Elementary::pow: return std::pow(x, power);
    case Elementary::step: return x > 0 ? 1 : 0;
    case Elementary::gelu1: return normalDistribution(x) + x * normalDensity(x);
    case Elementary::silu1: return sigmoid(x) * (1 + x * sigmoid(-x));
    case Elementary::sigmoid1: return sigmoid(x) * sigmoid(-x);
    case Elementary::tanh1: {
      const double t = std::tanh(x);
      return 1 - t * t;
    }
    case Elementary::isFinite: return std::isfinite(x) ? 1 : 0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double comparison(Comparison fn, double a, double b) {
  switch (fn) {
    case Comparison::eq: return a == b;
    case Comparison::ne: return a != b;
    case Comparison::lt: return a < b;
    case Comparison::le: return a <= b;
    case Comparison::gt: return a > b;
    case Comparison::ge: return a >= b;
  }
  return 0;
}

double larger(double a, double b) { return a != a ? a : b > a || b != b ? b : a; }
double smaller(double a, double b) { return a != a ? a : b < a || b != b ? b : a; }

}  // namespace tpc
