// Which values are functions of one other value, coordinate by coordinate, and what such a function does near zero and
// far out.
//
//     where(h > 0, h, exp(h) - 1)      order 1 at zero, order 1 far out, no parity
//     (exp(h) - exp(-h)) / (exp(h) + exp(-h))      order 1, order 0, odd
//
// Operation by operation neither would come out: exp(h) is of order one at zero, and that one goes away is a
// cancellation. So the function is evaluated, in double: near zero around 2^-5, 2^-7, 2^-9, far out around 2^60, 2^70,
// 2^80, or, where that is beyond the numbers, around 2^5, 2^7, 2^9, on both sides; an order is recorded where the
// slopes agree on a fraction with a small denominator, and the function is left out where they do not.  Parity and sign
// are looked at on a grid from 2^-10 to 2^8.
#pragma once

#include "compiler/graph/graph.h"

namespace tpc {

// Fills Graph::scalarFunctions, from the forward program.
void measureScalarFunctions(Graph& graph);

}  // namespace tpc
