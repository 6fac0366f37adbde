// The table of elementary functions, entry by entry: orders near zero and far out, of values, changes and slopes.
//
//     x : n^(-1)   tanh(x) : n^(-1)    its slope : n^0         x : n^1   tanh(x) : n^0    its slope : n^(-1/2)
#include <cmath>

#include "compiler/interpret/interpret.h"
#include "compiler/rules/maps.h"
#include "tests/catch.h"
#include "tests/empirical/measure.h"

using namespace tpc;
using namespace tpc::empirical;

namespace {

struct Function {
  MapFn fn;
  Rational power = 0;  // of pow

  MapFacts facts() const { return factsOf(fn, power); }
  double operator()(double x) const { return applyMap(fn, x, power.toDouble()); }
  bool needsPositive() const {
    return fn == MapFn::log || fn == MapFn::sqrt || fn == MapFn::rsqrt || (fn == MapFn::pow && power.den() != 1);
  }
};

std::vector<Function> functions() {
  std::vector<Function> all;
  for (int fn = 0; fn < mapFnCount; ++fn)
    if (MapFn(fn) != MapFn::pow && MapFn(fn) != MapFn::isFinite) all.push_back({MapFn(fn)});
  for (Rational power : {Rational(3), Rational(4), Rational(1, 3), Rational(-1), Rational(-3, 2)})
    all.push_back({MapFn::pow, power});
  return all;
}

std::string nameOf(const Function& f) {
  return std::string(toString(f.fn)) + (f.fn == MapFn::pow ? " " + toString(f.power) : "");
}

// Arguments of size X: away from zero, where a function of them would have no size, and positive where it must be.
Vector arguments(const Function& f, uint64_t seed, double X) {
  Vector x = normals("x", seed, 4096);
  for (double& each : x) {
    if (f.facts().singular || f.needsPositive()) each += each < 0 ? -0.5 : 0.5;
    if (f.needsPositive()) each = std::abs(each);
    each *= X;
  }
  return x;
}

double meanAbsolute(const Vector& x) {
  return mean(mapped(x, [](double each) { return std::abs(each); }));
}

constexpr Fit widths{.largest = 4096, .seeds = 3};
// A logarithm is of order one for us; over these widths it doubles.
double marginOf(const Function& f) { return f.fn == MapFn::log ? 0.3 : tight; }

// X as a power of n: +1 far out, -1 near zero.
double arguments(int64_t n, int side) { return side > 0 ? double(n) : 1 / double(n); }

// Of order one on a share 1 / X of the coordinates far out, and nothing elsewhere: few widths, small ones, many seeds.
bool isBump(const Function& f, int side) { return side > 0 && f.facts().large == -half; }
constexpr Fit bumps{.smallest = 16, .largest = 512, .seeds = 40};

double valueSlope(const Function& f, int side) {
  return slope([&](int64_t n, uint64_t seed) { return rms(mapped(arguments(f, seed, arguments(n, side)), f)); },
               isBump(f, side) ? bumps : widths);
}

double changeSlope(const Function& f) {
  const auto size = [&](int64_t n, uint64_t seed) {
    return rms(mapped(arguments(f, seed, 1 / double(n)), [&](double x) { return f(x) - f(0); }));
  };
  return slope(size, widths);
}

// Where a bounded function bends is a share 1 / X of the coordinates, met by small differences; its slope's size is the
// root mean square.  Elsewhere differences are over a tenth of X and the mean is taken: a jump counts by the share of
// coordinates that cross it.
double derivativeSlope(const Function& f, int side) {
  const bool bends = side > 0 && f.facts().derivativeLarge == -half && f.facts().large != half;
  const auto sample = [&](int64_t n, uint64_t seed) {
    const double X = arguments(n, side), dx = bends ? 0.1 : X / 10;
    const Vector slopes = mapped(arguments(f, seed, X), [&](double x) { return (f(x + dx) - f(x)) / dx; });
    return bends ? rms(slopes) : meanAbsolute(slopes);
  };
  return slope(sample, bends ? bumps : widths);
}

// What is small is taken to zero exactly, which an order cannot say.
bool vanishes(const Function& f) { return f.facts().flat; }
double marginOf(const Function& f, int side, bool ofSlope) {
  const bool rare = isBump(f, side) || (ofSlope && side > 0 && f.facts().derivativeLarge == -half);
  return rare ? loose : marginOf(f);
}

}  // namespace

TEST_CASE("values of elementary functions have the orders of the table", "[empirical][map.order]") {
  for (const Function& f : functions()) {
    INFO(nameOf(f));
    const MapFacts facts = f.facts();
    if (!vanishes(f)) CHECK(valueSlope(f, -1) == Approx(-facts.small.toDouble()).margin(marginOf(f)));
    if (facts.explodes) continue;
    CHECK(valueSlope(f, 1) == Approx(facts.large.toDouble()).margin(marginOf(f, 1, false)));
  }
}

TEST_CASE("exp grows faster than any power, and not where its argument is negative", "[empirical][map.explodes]") {
  const auto power = [](int64_t n, uint64_t seed) {
    const Vector x = arguments({MapFn::exp}, seed, double(n) / 64);
    return meanAbsolute(mapped(x, [](double each) { return std::exp(each); }));
  };
  CHECK(factsOf(MapFn::exp, 0).explodes);
  CHECK(slope(power, {.largest = 4096, .seeds = 2}) > 10);
  const auto negative = [](int64_t n, uint64_t seed) {
    const Vector x = normals("x", seed, 4096);
    return rms(mapped(x, [&](double each) { return std::exp(-std::abs(each) * double(n) * 1e-6); }));
  };
  CHECK(slope(negative, widths) == Approx(0).margin(tight));
}

TEST_CASE("changes from zero have the orders of the table", "[empirical][map.outgrown]") {
  for (const Function& f : functions()) {
    INFO(nameOf(f));
    if (f.facts().singular || f.needsPositive() || vanishes(f)) continue;
    // sign and step do not move by a power of x: they jump, by order one.
    CHECK(changeSlope(f) == Approx(-f.facts().change.toDouble()).margin(marginOf(f)));
  }
}

TEST_CASE("slopes of elementary functions have the orders of the table", "[empirical][map.change]") {
  for (const Function& f : functions()) {
    INFO(nameOf(f));
    const MapFacts facts = f.facts();
    if (!vanishes(f)) CHECK(derivativeSlope(f, -1) == Approx(-facts.derivativeSmall.toDouble()).margin(marginOf(f)));
    if (facts.explodes || f.fn == MapFn::sin || f.fn == MapFn::cos) continue;  // their differences need small steps
    CHECK(derivativeSlope(f, 1) == Approx(facts.derivativeLarge.toDouble()).margin(marginOf(f, 1, true)));
  }
}

// The mean of tanh' falls twice as fast as its root mean square: a size is the latter, and bounds what adds up.
TEST_CASE("far out a bounded function's slope is smaller in the mean than its size",
          "[empirical][map.change][near-miss]") {
  for (MapFn fn : {MapFn::tanh, MapFn::sigmoid}) {
    const Function f{fn};
    const auto size = [&](int64_t n, uint64_t seed) {
      const double dx = 0.1;
      return meanAbsolute(mapped(arguments(f, seed, double(n)), [&](double x) { return (f(x + dx) - f(x)) / dx; }));
    };
    INFO(nameOf(f));
    CHECK(slope(size, bumps) == Approx(-1).margin(loose));
    CHECK(f.facts().derivativeLarge == -half);
  }
}

TEST_CASE("round takes what is small to zero", "[empirical][map.order]") {
  const Function f{MapFn::round};
  CHECK(rms(mapped(arguments(f, 1, 1.0 / 64), f)) == 0);
  CHECK(f.facts().flat);
}

TEST_CASE("what a function is at zero is what the table says", "[empirical][map.order]") {
  for (const Function& f : functions()) {
    INFO(nameOf(f));
    if (!f.facts().singular) CHECK((f(0) == 0) == f.facts().zeroAtZero);
  }
}

TEST_CASE("parity and sign of elementary functions are those of the table",
          "[empirical][parity.odd-map][parity.even-map]") {
  for (const Function& f : functions()) {
    INFO(nameOf(f));
    if (f.needsPositive()) {
      CHECK(f.facts().parity == Parity::none);
      continue;
    }
    bool odd = true, even = true, nonNegative = true;
    for (double x : arguments(f, 1, 1)) {
      odd &= std::abs(f(-x) + f(x)) < 1e-12;
      even &= std::abs(f(-x) - f(x)) < 1e-12;
      nonNegative &= f(x) >= 0;
    }
    CHECK(f.facts().parity == (odd ? Parity::odd : even ? Parity::even : Parity::none));
    CHECK((f.facts().sign == Sign::nonNegative) == nonNegative);
  }
}

TEST_CASE("a change that is no larger than what it changes is the slope times it", "[empirical][map.change]") {
  // x : n^e, dx : n^(e - 1/2).
  for (const Function f : {Function{MapFn::tanh},
                           {MapFn::relu},
                           {MapFn::square},
                           {MapFn::gelu},
                           {MapFn::sigmoid},
                           {MapFn::exp},
                           {MapFn::cos},
                           {MapFn::pow, 3}})
    for (double e : {-0.5, 0.0}) {
      INFO(nameOf(f) << " at n^" << e);
      const auto change = [&](int64_t n, uint64_t seed) {
        const double X = std::pow(double(n), e);
        const Vector x = arguments(f, seed, X), dx = normals("dx", seed, 4096, X / std::sqrt(double(n)));
        return rms(mapped(x, dx, [&](double a, double b) { return f(a + b) - f(a); }));
      };
      const double derivative = e < 0 ? f.facts().derivativeSmall.toDouble() * e : 0;
      CHECK(slope(change, widths) == Approx(derivative + e - 0.5).margin(tight));
    }
}

TEST_CASE("a change that outgrows what it changes is the function of it", "[empirical][map.outgrown]") {
  // dx : n^e, x : n^(e - 1/2).
  for (const Function f :
       {Function{MapFn::tanh}, {MapFn::relu}, {MapFn::square}, {MapFn::gelu}, {MapFn::sigmoid}, {MapFn::pow, 3}})
    for (double e : {-0.5, 0.5}) {
      INFO(nameOf(f) << " at n^" << e);
      const auto change = [&](int64_t n, uint64_t seed) {
        const double dX = std::pow(double(n), e);
        const Vector x = arguments(f, seed, dX / std::sqrt(double(n))), dx = normals("dx", seed, 4096, dX);
        return rms(mapped(x, dx, [&](double a, double b) { return f(a + b) - f(a); }));
      };
      CHECK(slope(change, widths) == Approx((e < 0 ? f.facts().change : f.facts().large).toDouble() * e).margin(0.1));
    }
}
