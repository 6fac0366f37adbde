// Elementary functions of one number in double: what the interpreter computes entry by entry, and the runtime for the
// few numbers of an optimizer's step that are the same for every entry, such as 1 - b2^step.
//
// The order is that of the compiler's MapFn, which names the same functions.
#pragma once

#include <cstdint>

namespace tpc {

enum class Elementary : uint8_t {
  neg,
  reciprocal,
  exp,
  log,
  sqrt,
  rsqrt,
  square,
  abs,
  sign,
  sin,
  cos,
  tanh,
  sigmoid,
  relu,
  gelu,
  silu,
  round,
  pow,
  step,
  gelu1,
  silu1,
  sigmoid1,
  tanh1,
  isFinite,
};
inline constexpr int elementaryCount = int(Elementary::isFinite) + 1;

enum class Comparison : uint8_t { eq, ne, lt, le, gt, ge };

double elementary(Elementary fn, double x, double power = 1);  // `power` is read by pow alone
double comparison(Comparison fn, double a, double b);          // 0 or 1
double larger(double a, double b);                             // NaN from either side
double smaller(double a, double b);

}  // namespace tpc
