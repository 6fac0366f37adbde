// Making operations, as the expansion of a program asks for it: shapes beside the values, names, repeats.
//
// This is the only file of the room that the MLIR headers are behind (emit.cpp): all others compile without them.
// Every function expects what its operation expects (op_kind.h); who calls has reported what the user got wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"

namespace mlir {
class MLIRContext;
}

namespace tpc {

using Shape = std::vector<Length>;

struct TensorValue {
  void* handle = nullptr;  // mlir::Value
  Shape shape;
  bool integer = false;  // entries are 0 .. below - 1, so it may index
  Length below;
  bool constant = false;  // made of numbers alone: may start a parameter

  int rank() const { return int(shape.size()); }
};

class Emitter {
 public:
  explicit Emitter(mlir::MLIRContext& context);
  ~Emitter();
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  void beginProgram(const std::vector<Symbol>& symbols, const std::string& model);
  void beginOptimizer(const std::vector<Symbol>& symbols, const std::string& name);
  int64_t operations() const { return operations_; }
  int maximalRank() const { return maximalRank_; }

  // Leaves.
  TensorValue parameter(const Parameter& parameter, const Shape& shape, bool stacked, const TensorValue* start,
                        Span span);
  TensorValue input(const Input& input, const Shape& shape, Span span);
  TensorValue number(const Number& number, Span span);
  TensorValue freeMultiplier(const FreeMultiplier& multiplier, Span span);
  TensorValue iota(const Length& length, Span span);
  TensorValue eye(const Length& rows, const Length& columns, Span span);
  TensorValue constant(const Constant& constant, const Shape& shape, Span span);
  TensorValue dropoutMask(const Dropout& dropout, const Shape& shape, Span span);
  TensorValue layerIndex(const Length& trips, Span span);
  TensorValue argument(const OptimizerArgument& argument, Span span);

  // Coordinatewise, operands of one shape.
  enum class Binary { add, sub, mul, maximum, minimum };
  TensorValue binary(Binary op, const TensorValue& a, const TensorValue& b, Span span);
  TensorValue map(MapFn fn, const TensorValue& x, Span span);
  TensorValue pow(const TensorValue& x, Rational power, Span span);
  TensorValue compare(CompareFn fn, const TensorValue& a, const TensorValue& b, Span span);
  TensorValue select(const TensorValue& condition, const TensorValue& a, const TensorValue& b, Span span);

  TensorValue contract(const TensorValue& a, const TensorValue& b, const Contraction& labels, Span span);
  TensorValue reduce(ReduceFn fn, const TensorValue& x, const std::vector<int>& axes, Span span);
  TensorValue gather(const TensorValue& table, const TensorValue& index, int axis, Span span);
  TensorValue oneHot(const TensorValue& index, const Length& k, Span span);

  // Plumbing.  What would change nothing gives its operand back.
  TensorValue reshape(const TensorValue& x, const Shape& shape, const Regroup& groups, Span span);
  TensorValue insertAxis(const TensorValue& x, int axis, Span span);  // of length one
  TensorValue removeAxis(const TensorValue& x, int axis, Span span);  // of length one
  TensorValue transpose(const TensorValue& x, const std::vector<int>& axes, Span span);
  TensorValue broadcastTo(const TensorValue& x, const Shape& shape, Span span);  // x broadcasts to shape
  TensorValue slice(const TensorValue& x, int axis, const Length& begin, const Length& length, Span span);
  TensorValue concat(const std::vector<TensorValue>& parts, int axis, Span span);
  TensorValue stopGradient(const TensorValue& x, Span span);
  TensorValue layer(const TensorValue& stacked, Span span);

  // A repeat: what is made between the two stands in its body.  They nest.
  std::vector<TensorValue> beginRepeat(const std::vector<TensorValue>& initial, Span span);
  struct RepeatEnd {
    std::string name;
    Length trips;
    std::vector<TensorValue> yields;
    std::vector<std::string> resultNames;
  };
  std::vector<TensorValue> endRepeat(const RepeatEnd& end, Span span);
  // What `body` makes stands in the first `level` of the open repeats, before the next one: at 0 in the program itself.
  template <typename F>
  auto at(size_t level, F body) {
    swapBuilders(level);
    auto result = body();
    swapBuilders(level);
    return result;
  }
  bool standsOutside(const TensorValue& value) const;  // of every repeat, with all that it is made of

  void output(const TensorValue& value, const std::string& name, bool metric, Span span);
  void loss(const TensorValue& value, Span span);
  void claim(const TensorValue& value, const std::string& name, Span span);
  void update(const TensorValue& value, Span span);
  void next(const TensorValue& state, const TensorValue& value, Span span);

  void setName(const TensorValue& value, const std::string& name, Span span);

  // Which leaves are used at all, and which reach the loss.  By handle.
  bool isUsed(const TensorValue& value) const;
  std::unordered_map<void*, bool> reachingLoss() const;
  void removeDeadOperations();
  bool verifies();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  void swapBuilders(size_t level);
  TensorValue made(void* handle, Shape shape, bool constant);

  std::unique_ptr<Impl> impl_;
  int64_t operations_ = 0;
  int maximalRank_ = 0;
  std::unordered_map<void*, TensorValue> reshapedFrom_;  // so that a reshape and its inverse leave nothing behind
};

}  // namespace tpc
