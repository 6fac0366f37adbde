// Which constants have a bounded number of entries other than zero in every row, however large they grow.
//
//     where(abs(i - j) <= 2, 1, 0)   [n, n]    five in a row: a sum over a row has five terms, not n
//     where(i >= j, 1, 0)            [n, n]    half of them
//
// It is counted, not derived: what is made of constants alone is evaluated at three sizes.
#pragma once

#include "compiler/graph/graph.h"

namespace tpc {

// Fills Graph::sparse.
void countNonzeros(Graph& graph);

}  // namespace tpc
