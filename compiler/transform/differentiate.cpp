#include "compiler/transform/differentiate.h"

#include "compiler/transform/reverse.h"

namespace tpc {
namespace {

using namespace tp;

// Marks every operation that the reverse pass makes.
struct MarkGradient : mlir::OpBuilder::Listener {
  void notifyOperationInserted(mlir::Operation* op, mlir::OpBuilder::InsertPoint) override {
    if (!llvm::isa<AdjointOp, YieldOp>(op)) op->setAttr(gradientAttribute, mlir::UnitAttr::get(op->getContext()));
  }
};

// Which values depend on a trained parameter through derivatives.  What is carried may become so only by a trip, so a
// body is gone through until nothing new is found.
void markActive(mlir::Block& block, llvm::DenseSet<Value>& active) {
  for (mlir::Operation& op : block) {
    if (auto parameter = llvm::dyn_cast<ParameterOp>(op)) {
      if (!parameter.getFrozen()) active.insert(parameter.getResult());
      continue;
    }
    if (auto repeat = llvm::dyn_cast<RepeatOp>(op)) {
      mlir::Block& body = repeat.getBody().front();
      auto yields = llvm::cast<YieldOp>(body.back()).getValues();
      for (auto [argument, initial] : llvm::zip(body.getArguments(), repeat.getInitial()))
        if (active.contains(initial)) active.insert(argument);
      for (bool changed = true; changed;) {
        changed = false;
        markActive(body, active);
        for (auto [argument, yield] : llvm::zip(body.getArguments(), yields))
          if (active.contains(yield)) changed |= active.insert(argument).second;
      }
      for (auto [index, result] : llvm::enumerate(repeat.getResults()))
        if (active.contains(yields[index]) ||
            (index < body.getNumArguments() && active.contains(body.getArgument(index))))
          active.insert(result);
      continue;
    }
    for (mlir::OpOperand& operand : op.getOpOperands())
      if (active.contains(operand.get()) && isDifferentiable(&op, operand.getOperandNumber()))
        for (Value result : op.getResults()) active.insert(result);
  }
}

void accumulate(mlir::OpBuilder& b, Value& sum, Value term) { sum = sum ? add(b, term.getLoc(), sum, term) : term; }

}  // namespace

void Reverse::give(Value value, Value term) {
  if (value.getParentBlock() == forward) accumulate(b, adjoints[value], term);
  else accumulate(b, outside[value], term);
}

void Reverse::giveLayer(Value stacked, Value term) { accumulate(b, layers[stacked], term); }

Value Reverse::zeros(mlir::Location at, mlir::Type type) {
  return fill(b, at, number(b, at, 0), llvm::cast<Tensor>(type).getLengths());
}

Value Reverse::scaled(mlir::Location at, Value x, Rational factor) {
  return mul(b, at, x, fill(b, at, number(b, at, factor.toDouble()), lengthsOf(x)));
}

void Reverse::record(mlir::Location at, Value adjoint, int64_t id) {
  AdjointOp::create(b, at, adjoint, b.getI64IntegerAttr(id));
}

void Reverse::run() {
  // The gradient of the program itself goes to the end of the same block: the walk ends where it began to grow.
  std::vector<mlir::Operation*> ops;
  for (mlir::Operation& op : *forward)
    if (op.getNumResults() > 0) ops.push_back(&op);
  for (mlir::Operation* op : llvm::reverse(ops)) {
    if (auto repeat = llvm::dyn_cast<RepeatOp>(op)) {
      reverseRepeat(*this, repeat);
      continue;
    }
    auto found = adjoints.find(op->getResult(0));
    if (found == adjoints.end()) continue;
    const Value dy = found->second;
    op->setAttr(idAttribute, b.getI64IntegerAttr(program.ids));
    record(op->getLoc(), dy, program.ids++);
    propagate(*this, op, dy);
  }
}

bool differentiate(mlir::ModuleOp module) {
  bool ok = true;
  for (ProgramOp program : module.getOps<ProgramOp>()) {
    mlir::Block& block = program.getBody().front();
    auto losses = block.getOps<LossOp>();
    if (losses.empty()) continue;
    const Value loss = (*losses.begin()).getValue();
    ReverseProgram state;
    markActive(block, state.active);
    if (!state.active.contains(loss)) continue;

    MarkGradient mark;
    mlir::OpBuilder b(module.getContext(), &mark);
    b.setInsertionPointToEnd(&block);
    // What exists now is forward; the seed comes behind it.
    Reverse reverse(state, &block, b, nullptr);
    reverse.give(loss, number(reverse.b, loss.getLoc(), 1));
    reverse.run();
    for (mlir::Operation* op : state.replaced) op->erase();
    ok &= !state.failed;
  }
  return ok;
}

}  // namespace tpc
