// The derivative of each primitive: from dy = d loss / d y to what each operand gets.
//
// Conventions, for whoever compares with another framework: relu'(0) = 0; a tie in `maximum` or `minimum` of two values
// gives half to each; ties in a max or min along axes share evenly.  Integers (comparisons, argmax, iota, one-hot) get
// none.
#include "compiler/ir/attributes.h"
#include "compiler/transform/reverse.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tpc {
namespace {

using namespace tp;

Value one(Reverse& r, mlir::Location at, mlir::Type type, double number) {
  return fill(r.b, at, tp::number(r.b, at, number), llvm::cast<Tensor>(type).getLengths());
}

// f'(x), as an operation of the forward values; empty where it is zero everywhere.
std::optional<Value> derivative(Reverse& r, MapOp op) {
  mlir::OpBuilder& b = r.b;
  const mlir::Location at = op.getLoc();
  auto x = [&] { return r.use(op.getX()); };
  auto y = [&] { return r.use(op.getResult()); };
  switch (MapFn(op.getFn())) {
    case MapFn::reciprocal: return map(b, at, MapFn::neg, map(b, at, MapFn::square, y()));
    case MapFn::exp: return y();
    case MapFn::log: return map(b, at, MapFn::reciprocal, x());
    case MapFn::sqrt: return r.scaled(at, map(b, at, MapFn::reciprocal, y()), Rational(1, 2));
    case MapFn::rsqrt: return r.scaled(at, mul(b, at, y(), map(b, at, MapFn::square, y())), Rational(-1, 2));
    case MapFn::square: return r.scaled(at, x(), Rational(2));
    case MapFn::abs: return map(b, at, MapFn::sign, x());
    case MapFn::sin: return map(b, at, MapFn::cos, x());
    case MapFn::cos: return map(b, at, MapFn::neg, map(b, at, MapFn::sin, x()));
    case MapFn::tanh: return map(b, at, MapFn::tanh1, x());
    case MapFn::sigmoid: return map(b, at, MapFn::sigmoid1, x());
    case MapFn::relu: return map(b, at, MapFn::step, x());
    case MapFn::gelu: return map(b, at, MapFn::gelu1, x());
    case MapFn::silu: return map(b, at, MapFn::silu1, x());
    case MapFn::pow: {
      const Rational power((*op.getPower())[0], (*op.getPower())[1]);
      if (power == Rational(1)) return one(r, at, op.getType(), 1);
      if (power == Rational(2)) return r.scaled(at, x(), power);
      return r.scaled(at, pow(b, at, x(), power - Rational(1)), power);
    }
    default: return std::nullopt;
  }
}

void propagateMap(Reverse& r, MapOp op, Value dy) {
  const MapFn fn = MapFn(op.getFn());
  if (fn == MapFn::neg) return r.give(op.getX(), map(r.b, op.getLoc(), MapFn::neg, dy));
  if (std::optional<Value> slope = derivative(r, op)) return r.give(op.getX(), mul(r.b, op.getLoc(), dy, *slope));
  // isDifferentiable let it pass, so its derivative is not zero: it is not written.
  op.emitOpError() << "of `" << llvm::StringRef(toString(fn)) << "` has no derivative here";
  r.program.failed = true;
}

// The larger (or smaller) operand gets dy, a tie half to each.
void propagateExtremum(Reverse& r, mlir::Operation* op, CompareFn wins, CompareFn loses, Value dy) {
  const mlir::Location at = op->getLoc();
  const Value a = op->getOperand(0), b = op->getOperand(1);
  auto share = [&](CompareFn fn) {
    const Value x = r.use(a), y = r.use(b);
    return select(r.b, at, compare(r.b, at, CompareFn::eq, x, y), one(r, at, x.getType(), 0.5),
                  compare(r.b, at, fn, x, y));
  };
  if (r.wants(a)) r.give(a, mul(r.b, at, dy, share(wins)));
  if (r.wants(b)) r.give(b, mul(r.b, at, dy, share(loses)));
}

// The value back under the axes that a reduction took away.
Value unreduce(Reverse& r, ReduceOp op, Value y) {
  const std::vector<Length>& shape = lengthsOf(op.getX());
  std::vector<int> axes(shape.size(), 0);
  for (int64_t axis : op.getAxes()) axes[axis] = -1;
  int next = 0;
  for (int& axis : axes)
    if (axis != -1) axis = next++;
  return broadcast(r.b, op.getLoc(), y, shape, axes);
}

void propagateReduce(Reverse& r, ReduceOp op, Value dy) {
  if (op.getAxes().empty()) return r.give(op.getX(), dy);
  if (ReduceFn(op.getFn()) == ReduceFn::sum) return r.give(op.getX(), unreduce(r, op, dy));
  const mlir::Location at = op.getLoc();
  const Value isBest = compare(r.b, at, CompareFn::eq, r.use(op.getX()), unreduce(r, op, r.use(op.getResult())));
  const Value ties = reduce(r.b, at, ReduceFn::sum, isBest, ints(op.getAxes()));
  const Value each = mul(r.b, at, dy, map(r.b, at, MapFn::reciprocal, ties));
  r.give(op.getX(), mul(r.b, at, unreduce(r, op, each), isBest));
}

// A label of the operand that gets the gradient stands in y or in the other operand, so this is a contraction again.
void propagateContract(Reverse& r, ContractOp op, Value dy) {
  const Contraction labels = labelsOf(op);
  if (r.wants(op.getX()))
    r.give(op.getX(), contract(r.b, op.getLoc(), dy, r.use(op.getY()), {labels.result, labels.b, labels.a}));
  if (r.wants(op.getY()))
    r.give(op.getY(), contract(r.b, op.getLoc(), r.use(op.getX()), dy, {labels.a, labels.result, labels.b}));
}

void propagateBroadcast(Reverse& r, BroadcastOp op, Value dy) {
  std::vector<int> fresh, order(lengthsOf(op.getX()).size());
  int kept = 0;
  bool sorted = true;
  for (int i = 0; i < int(op.getAxes().size()); ++i) {
    const int64_t axis = op.getAxes()[i];
    if (axis == -1) {
      fresh.push_back(i);
      continue;
    }
    sorted &= axis == kept;
    order[axis] = kept++;
  }
  if (!fresh.empty()) dy = reduce(r.b, op.getLoc(), ReduceFn::sum, dy, fresh);
  r.give(op.getX(), sorted ? dy : transpose(r.b, op.getLoc(), dy, order));
}

void propagateConcat(Reverse& r, ConcatOp op, Value dy) {
  const int axis = int(op.getAxis());
  Length begin;
  for (Value part : op.getParts()) {
    const Length& length = lengthsOf(part)[axis];
    if (r.wants(part)) r.give(part, slice(r.b, op.getLoc(), dy, axis, begin, length));
    begin = begin + length;
  }
}

}  // namespace

bool isDifferentiable(mlir::Operation* op, unsigned operand) {
  if (llvm::isa<CompareOp, StopGradientOp, OneHotOp, ParameterOp>(op)) return false;
  if (auto map = llvm::dyn_cast<MapOp>(op)) {
    const MapFn fn = MapFn(map.getFn());
    if (fn == MapFn::pow) return (*map.getPower())[0] != 0;
    return fn != MapFn::sign && fn != MapFn::round && fn != MapFn::step && fn != MapFn::isFinite;
  }
  if (auto reduce = llvm::dyn_cast<ReduceOp>(op)) return ReduceFn(reduce.getFn()) != ReduceFn::argmax;
  if (llvm::isa<SelectOp>(op)) return operand != 0;
  if (llvm::isa<GatherOp>(op)) return operand == 0;
  if (llvm::isa<ScatterAddOp>(op)) return operand == 1;
  return true;
}

void propagate(Reverse& r, mlir::Operation* op, Value dy) {
  mlir::OpBuilder& b = r.b;
  const mlir::Location at = op->getLoc();
  llvm::TypeSwitch<mlir::Operation*>(op)
      .Case([&](AddOp op) {
        if (r.wants(op.getA())) r.give(op.getA(), dy);
        if (r.wants(op.getB())) r.give(op.getB(), dy);
      })
      .Case([&](SubOp op) {
        if (r.wants(op.getA())) r.give(op.getA(), dy);
        if (r.wants(op.getB())) r.give(op.getB(), map(b, at, MapFn::neg, dy));
      })
      .Case([&](MulOp op) {
        if (r.wants(op.getA())) r.give(op.getA(), mul(b, at, dy, r.use(op.getB())));
        if (r.wants(op.getB())) r.give(op.getB(), mul(b, at, dy, r.use(op.getA())));
      })
      .Case([&](MapOp op) { propagateMap(r, op, dy); })
      .Case([&](MaximumOp op) { propagateExtremum(r, op, CompareFn::gt, CompareFn::lt, dy); })
      .Case([&](MinimumOp op) { propagateExtremum(r, op, CompareFn::lt, CompareFn::gt, dy); })
      // Zeros are selected, not multiplied in: behind a mask dy may be infinite.
      .Case([&](SelectOp op) {
        const Value condition = r.use(op.getCondition());
        if (r.wants(op.getA())) r.give(op.getA(), select(b, at, condition, dy, r.zeros(at, dy.getType())));
        if (r.wants(op.getB())) r.give(op.getB(), select(b, at, condition, r.zeros(at, dy.getType()), dy));
      })
      .Case([&](ContractOp op) { propagateContract(r, op, dy); })
      .Case([&](ReduceOp op) { propagateReduce(r, op, dy); })
      .Case([&](GatherOp op) {
        const int axis = int(op.getAxis());
        r.give(op.getTable(), scatterAdd(b, at, r.use(op.getIndex()), dy, axis, lengthsOf(op.getTable())[axis]));
      })
      .Case(
          [&](ScatterAddOp op) { r.give(op.getUpdates(), gather(b, at, dy, r.use(op.getIndex()), int(op.getAxis()))); })
      .Case([&](ReshapeOp op) {
        Regroup groups = groupsOf(op);
        for (auto& [from, to] : groups.groups) std::swap(from, to);
        r.give(op.getX(), reshape(b, at, dy, lengthsOf(op.getX()), groups));
      })
      .Case([&](TransposeOp op) {
        std::vector<int> inverse(op.getAxes().size());
        for (int i = 0; i < int(inverse.size()); ++i) inverse[op.getAxes()[i]] = i;
        r.give(op.getX(), transpose(b, at, dy, inverse));
      })
      .Case([&](BroadcastOp op) { propagateBroadcast(r, op, dy); })
      .Case([&](SliceOp op) {
        const int axis = int(op.getAxis());
        r.give(op.getX(), pad(b, at, dy, axis, op.getBegin().getValue(), lengthsOf(op.getX())[axis]));
      })
      .Case([&](PadOp op) {
        const int axis = int(op.getAxis());
        r.give(op.getX(), slice(b, at, dy, axis, op.getBegin().getValue(), lengthsOf(op.getX())[axis]));
      })
      .Case([&](ConcatOp op) { propagateConcat(r, op, dy); })
      .Case([&](LayerOp op) { r.giveLayer(op.getStacked(), dy); })
      .Default([](mlir::Operation*) {});  // leaves, and what isDifferentiable keeps inactive
}

}  // namespace tpc
