// tpc-opt: the passes of this room over the text of `tp` modules, for looking and for tests.
//
//     tpc-opt --tp-differentiate model.mlir
#include "compiler/ir/dialect.h"
#include "compiler/transform/differentiate.h"
#include "compiler/transform/simplify.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

namespace {

struct DifferentiatePass : mlir::PassWrapper<DifferentiatePass, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DifferentiatePass)
  llvm::StringRef getArgument() const final { return "tp-differentiate"; }
  llvm::StringRef getDescription() const final { return "append the gradient to each program"; }
  void runOnOperation() final {
    if (!tpc::differentiate(getOperation())) signalPassFailure();
  }
};

struct SimplifyPass : mlir::PassWrapper<SimplifyPass, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SimplifyPass)
  llvm::StringRef getArgument() const final { return "tp-simplify"; }
  llvm::StringRef getDescription() const final { return "drop what changes nothing from the gradient"; }
  void runOnOperation() final { tpc::simplify(getOperation()); }
};

}  // namespace

int main(int argc, char** argv) {
  mlir::PassRegistration<DifferentiatePass>();
  mlir::PassRegistration<SimplifyPass>();
  mlir::DialectRegistry registry;
  registry.insert<tpc::tp::TpDialect>();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "tpc-opt: passes over tp modules\n", registry));
}
