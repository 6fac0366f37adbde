// Facts about the elementary functions, one row each: how a map changes a size, and its parity.
//
// Near zero phi(x) - phi(0) is of order x^change and phi(x) of order x^small (0 where phi(0) is not 0); far out phi is
// of order x^large.  With x : n^e that gives  phi(x) : n^(small e) for e < 0,  n^0 at e = 0,  n^(large e) for e > 0.
// A size is a root mean square: tanh' is of order one at a share 1/x of the coordinates and nothing elsewhere, hence
// derivativeLarge = -1/2.  (Its mean is of order 1/x; the larger of the two is what a walk sees, and bounds a sum.)
#pragma once

#include "compiler/exponent/rational.h"
#include "compiler/graph/op_kind.h"

namespace tpc {

enum class Parity : uint8_t { none, odd, even };
enum class Sign : uint8_t { unknown, nonNegative, nonPositive };

struct MapFacts {
  MapFn fn{};
  Rational small, large;                      // orders of phi
  Rational change;                            // order of phi(x) - phi(0) at zero
  Rational derivativeSmall, derivativeLarge;  // orders of phi'
  Parity parity = Parity::none;
  Sign sign = Sign::unknown;
  bool explodes = false;     // exponential for large arguments that are not known to be <= 0
  bool singular = false;     // not defined at zero
  bool zeroAtZero = false;   // phi(0) = 0 exactly, which small = 0 does not exclude: step(0) = sign(0) = 0
  bool flat = false;         // phi = 0 in a neighbourhood of zero
  bool homogeneous = false;  // phi(c x) = c^p phi(x) for c > 0
};

// `power` is that of MapFn::pow and ignored for the others.
MapFacts factsOf(MapFn fn, Rational power);

}  // namespace tpc
