// Solved exponents into numbers: what a user who has tuned at the base sizes sets at the target sizes.
//
//     number(target) = number(base) * product over growing sizes s of (s at the target / s at the base)^(exponent in s)
//
// so at target = base every number is the base's.  The base number of an init is the one that the program writes, else
// 1 / sqrt(contracted length) at the parameter's first use; of a free multiplier 1 / sqrt(contracted length) where it
// scales a contraction that no init brings to order one (the logits of attention), else 1.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/graph/graph.h"
#include "runtime/format/plan.h"

namespace tpc {

struct PlanRequest {
  Gauge gauge = Gauge::plain;
  std::vector<int64_t> base, target;                 // of the symbols, by id
  std::optional<double> lr{}, eps{}, weightDecay{};  // of the tuned run; empty: eps and decay are the optimizer's own
};

// The part of a plan that comes from the analysis; names of files and versions are the caller's.
Plan planOf(const Graph& graph, const Analysis& analysis, const AnalysisOptions& options,
            const std::vector<OptimizerProgram>& optimizers, const PlanRequest& request);

}  // namespace tpc
