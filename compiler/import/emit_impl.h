// What emit.h hides: the module under construction and where its builder stands.
#pragma once

#include <optional>

#include "compiler/import/emit.h"
#include "compiler/ir/build.h"

namespace tpc {

struct Emitter::Impl {
  explicit Impl(mlir::MLIRContext& c) : context(&c), b(&c) {}

  struct Open {
    mlir::OpBuilder before;  // where the repeat will stand
    tp::Body body;
    std::vector<TensorValue> initial;
  };

  mlir::MLIRContext* context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder b;       // where operations are made
  std::vector<Open> open;  // repeats, outermost first
};

}  // namespace tpc
