// A graph, its optimizers and a plan, at numbers: the table by which the runtime trains.
//
//     lr of W2 in the plan at the target 0.00075   ->   hyper of W2: lr 0.00075, b1 0.9, b2 0.95, eps 1e-08, decay 0
//
// What the plan decides (standard deviations, learning rates, epsilons, decay, multipliers) becomes numbers here, and
// first values that a program computes or reads become values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "runtime/format/plan.h"
#include "runtime/format/program.h"

namespace tpc {

// `numbers` per symbol, `batch` among them.  The plan is one with learning rates, its target those numbers.  Empty with
// the error in words.
std::optional<ProgramTable> programTable(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                         const Plan& plan, const std::vector<int64_t>& numbers, std::string& error);

// What free multipliers are at the target, per Graph::freeMultipliers.
std::vector<double> multipliersOf(const Plan& plan);

// The optimizer's program; null where it has none of this name.
const OptimizerProgram* optimizerCalled(const std::vector<OptimizerProgram>& optimizers, const std::string& name);

}  // namespace tpc
