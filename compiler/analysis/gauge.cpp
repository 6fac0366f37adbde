// The equivalent forms of one parametrization: sizes of a parameter split into init, multiplier and learning rate.
//
// With W = theta w the network reads theta w, the gradient of w is theta times that of W, and an update of w of degree
// p in the gradient changes W by theta^(1 + p):  init - theta, lr - (1 + p) theta, eps + theta.  TP5 Lemma J.1 has this
// for SGD (p = 1) and Adam (p = 0), TP4b Proposition 2.2.3 for eps.
#include "compiler/analysis/analysis.h"

namespace tpc {
namespace {

Size shifted(const Size& size, Rational by) { return size.isPower() ? Size::power(size.exponent + by) : size; }

Rational multiplierExponent(const ParameterSizes& parameter, Gauge gauge) {
  const Size& init = parameter.startsConstant ? parameter.initMean : parameter.initStd;
  const Rational p = parameter.homogeneity;
  switch (gauge) {
    case Gauge::plain: return 0;
    // A parameter with no growing axis left free starts at order one.
    case Gauge::readout: return parameter.role == Role::output && init.isPower() ? init.exponent : Rational(0);
    case Gauge::unit: return init.isPower() ? init.exponent : Rational(0);
    // The form in which SGD (p = 1) has a learning rate of order one: theta = lr / 2, whatever the optimizer at hand.
    case Gauge::sgd: {
      if (!parameter.lr.isPower() || !parameter.gradientTrained.isPower()) return 0;
      // lr of SGD = update - gradient; the update is lr + p g.
      Rational sgdLr = parameter.lr.exponent + (p - Rational(1)) * parameter.gradientTrained.exponent;
      return sgdLr * half;
    }
  }
  return 0;
}

}  // namespace

GaugedParameter inGauge(const ParameterSizes& parameter, Gauge gauge) {
  return withMultiplier(parameter, multiplierExponent(parameter, gauge));
}

GaugedParameter withMultiplier(const ParameterSizes& parameter, Rational theta) {
  GaugedParameter result;
  result.multiplier = Size::power(theta);
  result.initStd = shifted(parameter.initStd, -theta);
  result.initMean = shifted(parameter.initMean, -theta);
  result.lr = shifted(parameter.lr, -(Rational(1) + parameter.homogeneity) * theta);
  result.largestLr = shifted(parameter.largestLr, -(Rational(1) + parameter.homogeneity) * theta);
  result.eps = shifted(parameter.eps, theta);
  result.decayTimesLr = result.lr.isPower() ? Size::power(-result.lr.exponent) : result.lr;
  return result;
}

std::string_view toString(Role role) {
  constexpr std::string_view names[] = {"input", "hidden", "output", "scalar"};
  return names[int(role)];
}

std::string_view toString(Status status) {
  constexpr std::string_view names[] = {"maximal", "lazy", "frozen", "unstable", "never_trains", "not_analysed"};
  return names[int(status)];
}

std::string_view toString(Regime regime) {
  constexpr std::string_view names[] = {"feature_learning", "kernel", "trivial", "unstable", "undetermined"};
  return names[int(regime)];
}

std::string_view toString(Criterion criterion) {
  constexpr std::string_view names[] = {"auto", "diversity", "complete"};
  return names[int(criterion)];
}

std::string_view toString(DepthClass kind) {
  constexpr std::string_view names[] = {"optimal", "stable",   "trivial",     "unfaithful", "redundant",
                                        "lazy",    "unstable", "exponential", "marginal"};
  return names[int(kind)];
}

}  // namespace tpc
