#include "compiler/rules/maps.h"

#include <array>

namespace tpc {
namespace {

using enum Parity;
using enum Sign;

// clang-format off
//                          small      large     change  phi' small  phi' large  parity  sign         explodes singular zeroAtZero flat homogeneous
constexpr MapFacts rows[] = {
    {MapFn::neg,            1,         1,         1,      0,          0,          odd,    unknown,     false, false,  true, false,  true},
    {MapFn::reciprocal,    -1,        -1,        -1,     -2,         -2,          odd,    unknown,     false,  true, false, false,  true},
    {MapFn::exp,            0,         0,         1,      0,          0,          none,   nonNegative, true},
    {MapFn::log,            0,         0,         0,     -1,         -1,          none,   unknown,     false,  true},
    {MapFn::sqrt,           half,      half,      half,  -half,      -half,       none,   nonNegative, false, false,  true, false,  true},
    {MapFn::rsqrt,         -half,     -half,     -half,  {-3, 2},    {-3, 2},     none,   nonNegative, false,  true, false, false,  true},
    {MapFn::square,         2,         2,         2,      1,          1,          even,   nonNegative, false, false,  true, false,  true},
    {MapFn::abs,            1,         1,         1,      0,          0,          even,   nonNegative, false, false,  true, false,  true},
    {MapFn::sign,           0,         0,         0,     -1,         -1,          odd,    unknown,     false, false,  true, false,  true},
    {MapFn::sin,            1,         0,         1,      0,          0,          odd,    unknown,     false,  false,  true},
    {MapFn::cos,            0,         0,         2,      1,          0,          even,   unknown},
    {MapFn::tanh,           1,         0,         1,      0,         -half,       odd,    unknown,     false,  false,  true},
    {MapFn::sigmoid,        0,         0,         1,      0,         -half,       none,   nonNegative},
    {MapFn::relu,           1,         1,         1,      0,          0,          none,   nonNegative, false, false,  true, false,  true},
    {MapFn::gelu,           1,         1,         1,      0,          0,          none,   unknown,     false,  false,  true},
    {MapFn::silu,           1,         1,         1,      0,          0,          none,   unknown,     false,  false,  true},
    {MapFn::round,          1,         1,         1,      0,          0,          odd,    unknown,     false,  false,  true,      true},
    {MapFn::pow,            0,         0,         0,      0,          0,          none,   unknown,     false, false, false, false,  true},      // by its power, below
    {MapFn::step,           0,         0,         0,     -1,         -1,          none,   nonNegative, false, false,  true, false,  true},
    {MapFn::gelu1,          0,         0,         1,      0,         -half,       none,   unknown},
    {MapFn::silu1,          0,         0,         1,      0,         -half,       none,   unknown},
    {MapFn::sigmoid1,       0,        -half,      2,      1,         -half,       even,   nonNegative},
    {MapFn::tanh1,          0,        -half,      2,      1,         -half,       even,   nonNegative},
    {MapFn::isFinite,       0,         0,         2,      1,         -1,          even,   nonNegative},
};
// clang-format on
static_assert(std::size(rows) == mapFnCount);

}  // namespace

MapFacts factsOf(MapFn fn, Rational power) {
  MapFacts facts = rows[int(fn)];
  if (fn != MapFn::pow) return facts;
  facts.small = facts.large = facts.change = power;
  facts.derivativeSmall = facts.derivativeLarge = power - Rational(1);
  facts.singular = power < Rational(0);
  facts.zeroAtZero = Rational(0) < power;
  bool whole = power.den() == 1;
  if (whole) facts.parity = power.num() % 2 == 0 ? even : odd;
  if (!whole || power.num() % 2 == 0) facts.sign = nonNegative;
  return facts;
}

}  // namespace tpc
