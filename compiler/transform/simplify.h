// Drops what changes nothing from the gradient: x * 1, x + 0, a transpose of its inverse, -(-x), and what nobody reads.
//
// The forward program stays as the user wrote it: each of its values has a name and a line in the report.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace tpc {

void simplify(mlir::ModuleOp module);

}  // namespace tpc
