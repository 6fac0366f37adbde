// The state of reverse mode in one block, and what the rules of adjoints.cpp see of it.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/build.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace tpc {

using mlir::Value;

// What holds for the whole program.
struct ReverseProgram {
  llvm::DenseSet<Value> active;            // depends on a trained parameter through derivatives
  int64_t ids = 0;                         // the next tp.id
  std::vector<mlir::Operation*> replaced;  // erased at the end: until then no other value takes their addresses
  bool failed = false;
};

// One forward block and the block that runs backward through it: the program's own, or the body of a repeat.
class Reverse {
 public:
  Reverse(ReverseProgram& program, mlir::Block* forward, mlir::OpBuilder builder, Reverse* parent)
      : program(program), forward(forward), b(builder), parent(parent) {}

  // A forward value as the reverse block may read it: itself, computed again where that is cheap, or saved by the
  // repeat.
  Value use(Value value);
  bool wants(Value value) const { return program.active.contains(value); }
  // One more term of d loss / d value.
  void give(Value value, Value term);
  // d loss / d (its layer of `stacked`) inside the body of a repeat.
  void giveLayer(Value stacked, Value term);

  Value zeros(mlir::Location at, mlir::Type type);
  Value scaled(mlir::Location at, Value x, Rational factor);

  // Walks the forward block from its end.
  void run();
  // Records that `adjoint` is d loss / d (the value with this id).
  void record(mlir::Location at, Value adjoint, int64_t id);

  ReverseProgram& program;
  mlir::Block* forward;
  mlir::OpBuilder b;  // at the end of the reverse block
  Reverse* parent;

  llvm::DenseMap<Value, Value> adjoints;  // of values of the forward block
  llvm::MapVector<Value, Value> outside;  // of values from outside the body
  llvm::MapVector<Value, Value> layers;   // of this layer of stacked values from outside
  llvm::DenseMap<Value, Value> captured;
  std::vector<std::pair<Value, Value>> saved;  // (forward value, its stack: an argument of `placeholders` for now)
  mlir::Block placeholders;
};

// adjoints.cpp: gives to the operation's operands, dy being d loss / d (its one result).
void propagate(Reverse& reverse, mlir::Operation* op, Value dy);
// Whether a derivative flows from this operand of this operation to its results.
bool isDifferentiable(mlir::Operation* op, unsigned operand);
// repeat.cpp: the reverse repeat of a forward one.
void reverseRepeat(Reverse& reverse, tp::RepeatOp repeat);

}  // namespace tpc
