// How a program uses a parameter first.  From it come the roles in reports, what `sp`, `ntp` and `mfp` say of a
// parameter, and the number that an init has where the program names none.
//
//     h = relu(x @ W + b) * g        W  contracted, over the growth and length of x's last axis
//                                    b  a term of a sum, g  a factor
//     h = E[token]                   E  looked up
//
// What parameters alone are made of is seen through: in x @ (W + B @ A) W is used by that product, and A in B @ A.
#pragma once

#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/graph/uses.h"

namespace tpc {

enum class UseKind : uint8_t { none, contracted, lookedUp, factor, term, other };

struct FirstUse {
  UseKind kind = UseKind::none;
  NodeId node = none;    // the operation that uses it
  uint32_t operand = 0;  // as which of its operands
};

// Per parameter.
std::vector<FirstUse> firstUses(const Graph& graph, const Uses& uses);

struct UseGrowth {
  int contracted = 0, free = 0;  // axes that the other operand shares, and that data index, count as neither
};
UseGrowth growthOf(const Graph& graph, uint32_t parameter, const FirstUse& use, SymbolId symbol);

// The product of the contracted lengths; one where nothing is contracted.
Length contractedLength(const Graph& graph, NodeId contraction);

// The contraction that a free multiplier scales, numbers and plumbing in between; none where it scales something else,
// or where the contraction is the first use of a parameter, whose own init then does the work.
NodeId scaledContraction(const Graph& graph, const Uses& uses, const std::vector<FirstUse>& first, uint32_t multiplier);

}  // namespace tpc
