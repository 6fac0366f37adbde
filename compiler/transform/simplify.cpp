#include "compiler/transform/simplify.h"

#include <optional>
#include <vector>

#include "compiler/ir/dialect.h"

namespace tpc {
namespace {

using namespace tp;
using mlir::Value;

// The plain number that every entry is.
std::optional<double> constant(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>()) value = broadcast.getX();
  auto op = value.getDefiningOp<NumberOp>();
  if (!op) return std::nullopt;
  const Number number = op.getValue().getNumber();
  if (number.kind != Number::Kind::plain || (number.coefficient != 0 && !number.powers.empty())) return std::nullopt;
  return number.coefficient;
}

// A value that the operation's result equals in every entry, if there is one.  Not x * 0: it is NaN where x is
// infinite.
Value same(mlir::Operation& op) {
  if (auto mul = llvm::dyn_cast<MulOp>(op)) {
    if (constant(mul.getA()) == 1) return mul.getB();
    if (constant(mul.getB()) == 1) return mul.getA();
  }
  if (auto add = llvm::dyn_cast<AddOp>(op)) {
    if (constant(add.getA()) == 0) return add.getB();
    if (constant(add.getB()) == 0) return add.getA();
  }
  if (auto outer = llvm::dyn_cast<MapOp>(op); outer && MapFn(outer.getFn()) == MapFn::neg) {
    auto inner = outer.getX().getDefiningOp<MapOp>();
    if (inner && MapFn(inner.getFn()) == MapFn::neg) return inner.getX();
  }
  if (auto outer = llvm::dyn_cast<TransposeOp>(op)) {
    auto inner = outer.getX().getDefiningOp<TransposeOp>();
    if (!inner) return {};
    for (auto [i, axis] : llvm::enumerate(outer.getAxes()))
      if (inner.getAxes()[axis] != int64_t(i)) return {};
    return inner.getX();
  }
  return {};
}

bool isGradient(mlir::Operation& op) { return op.hasAttr(gradientAttribute); }

void simplify(mlir::Block& block) {
  for (mlir::Operation& op : llvm::make_early_inc_range(block)) {
    if (!isGradient(op)) continue;
    for (mlir::Region& region : op.getRegions())
      for (mlir::Block& body : region) simplify(body);
    if (Value value = same(op)) {
      op.getResult(0).replaceAllUsesWith(value);
      op.erase();
    }
  }
  // Backward, so that what only dead operations read goes too.
  for (mlir::Operation& op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isGradient(op) && op.getNumRegions() == 0 && op.getNumResults() == 1 && op.use_empty()) op.erase();
}

}  // namespace

void simplify(mlir::ModuleOp module) {
  for (ProgramOp program : module.getOps<ProgramOp>()) simplify(program.getBody().front());
}

}  // namespace tpc
