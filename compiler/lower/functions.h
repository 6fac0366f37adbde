// Elementary functions of floats as arithmetic on vectors, each in the form that neither overflows nor cancels.
#pragma once

#include "compiler/graph/op_kind.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tpc::loops {

mlir::Value emitMap(mlir::ImplicitLocOpBuilder& b, MapFn fn, mlir::Value x, double power);

// A number as a scalar or vector of x's type.
mlir::Value filled(mlir::ImplicitLocOpBuilder& b, mlir::Type type, double value);

}  // namespace tpc::loops
