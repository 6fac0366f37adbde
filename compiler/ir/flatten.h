// A `tp` module as flat tables: what everything behind the IR reads.
#pragma once

#include <vector>

#include "compiler/graph/graph.h"
#include "mlir/IR/BuiltinOps.h"

namespace tpc {

struct Flattened {
  Graph graph;                               // of the module's program; with gradients after `differentiate`
  std::vector<OptimizerProgram> optimizers;  // in the order of the module
};

// Of a module that verifies and has one program.
Flattened flatten(mlir::ModuleOp module);

}  // namespace tpc
