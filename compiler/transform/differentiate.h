// Reverse mode as a pass: the gradient becomes ordinary operations behind the forward program.
//
//     %4 = tp.contract %x, %w        %7 = tp.contract %x, %6      tp.gradient: d loss / d w
//     ...                            tp.adjoint %7 {of = 2}       `of` is tp.id of %w
//     tp.loss %5
//
// Only what a gradient of a trained parameter needs is computed; every adjoint met on the way is recorded by
// `tp.adjoint`. A repeat is followed by a reverse repeat, never unrolled: see repeat.cpp.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace tpc {

// False, with an error on the context's diagnostics, where something has no derivative.  Once per module.
bool differentiate(mlir::ModuleOp module);

}  // namespace tpc
