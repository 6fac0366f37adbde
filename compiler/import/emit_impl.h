// What emit.h hides: the module under construction and where its builder stands.
#pragma once

#include <optional>

#include "compiler/import/emit.h"
#include "compiler/ir/build.h"

namespace tpc {

struct Emitter::Impl {
  explicit Impl(mlir::MLIRContext& c) : context(&c), b(&c), other(&c) {}

  mlir::MLIRContext* context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder b;             // where operations are made
  mlir::OpBuilder other;         // in a repeat: before it
  std::optional<tp::Body> body;  // of the open repeat
  std::vector<TensorValue> initial;
};

}  // namespace tpc
