// Training by the interpreter: slow, in double precision, the definition that compiled steps are held against.
//
//     auto stepper = referenceStepper(graph, optimizers, multipliersOf(plan), numbers, *programTable(...));
//
// Its parameters and states are doubles, so a checkpoint of it loses nothing.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "compiler/graph/graph.h"
#include "runtime/step.h"

namespace tpc {

// How a node is called in messages: `h#2`, or its place where it has no name.
using NodeNames = std::function<std::string(NodeId)>;

// The graph and the optimizers must live as long as the stepper.
std::unique_ptr<Stepper> referenceStepper(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                          std::vector<double> multipliers, std::vector<int64_t> numbers,
                                          ProgramTable table, NodeNames names = {});

}  // namespace tpc
