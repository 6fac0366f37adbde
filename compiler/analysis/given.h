// Parametrizations that are given and judged, not solved: those with a name, and what a user writes.
//
//     sp     init n^(-k/2)                      what PyTorch's layers start with
//     ntp    init of order one, multiplier n^(-k/2)          (neural tangent parametrization)
//     mfp    the same, but n^(-k) where no growing axis is left free   (mean field)
//
// k is the growth contracted at the parameter's first use.  Learning rates that are not given are solved.
#pragma once

#include <string_view>

#include "compiler/analysis/analysis.h"

namespace tpc {

bool isNamedParametrization(std::string_view name);  // sp, ntp, mfp; not auto

// Writes what the name says into `options`, per growing symbol, and into the parameters of `graph` how they start where
// the program does not say: gains at 1, terms of sums at 0.  What the program fixes stays as it is.
void giveByName(std::string_view name, Graph& graph, AnalysisOptions& options);

}  // namespace tpc
