// Kernels as functions of MLIR: loops of scf, vectors and arithmetic of builtin types, memory by bare pointers.
#pragma once

#include <string>

#include "compiler/lower/kernel.h"
#include "mlir/IR/BuiltinOps.h"

namespace tpc::loops {

// func @name(%places: !llvm.ptr, %first: i64, %last: i64)
void emitKernel(mlir::ModuleOp module, const std::string& name, const Kernel& kernel);

}  // namespace tpc::loops
