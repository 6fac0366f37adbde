// The nest that kernel.h describes, once for each vector width: wide vectors first, what is left over with narrower
// ones.
//
//     for unit in first .. last                    rows, or entries
//       what depends on the row alone
//       for pass in 0 .. passes                    over the reduced axes; sums are carried by the loops
//         for c in 0 .. n step 16, then step 1     expressions, stores
//
// Within a block of a loop everything is loaded before anything is stored, so that a place may be read and written by
// one kernel, entry by entry.
#include "compiler/lower/emit.h"

#include <functional>

#include "compiler/lower/functions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tpc::loops {
namespace {

using namespace mlir;

constexpr unsigned floatBytes = 4;

// A value as a float, a condition, or both, whichever was asked for so far.
struct Held {
  Value number{}, condition{};
};
using Scope = std::vector<Held>;  // per expression

struct Emitter {
  const Kernel& kernel;
  ImplicitLocOpBuilder b;
  Value places{};
  std::vector<Value> pointers{};
  Value scratch{};
  std::vector<Value> at{};  // per axis: its index, where a loop over it is open
  Scope held{};
  int width = 1;  // of vectors along the vector axis

  const Expression& expression(uint32_t i) const { return kernel.expressions[i]; }
  int vectorAxis() const { return kernel.vectorAxis(); }

  Type f32() { return b.getF32Type(); }
  Type typeOf(int lanes) { return lanes == 1 ? f32() : Type(VectorType::get({lanes}, f32())); }
  Value integer(int64_t value) { return arith::ConstantOp::create(b, b.getI64IntegerAttr(value)); }
  bool varies(uint64_t axes) const { return vectorAxis() >= 0 && (axes >> vectorAxis() & 1) && width > 1; }

  // constant + sum of coefficient * index, in floats.
  Value linear(const Index& index) {
    Value sum;
    for (auto [axis, coefficient] : index.terms) {
      Value term = at[size_t(axis)];
      if (coefficient != 1) term = arith::MulIOp::create(b, term, integer(coefficient));
      sum = sum ? arith::AddIOp::create(b, sum, term) : term;
    }
    if (!sum) return integer(index.constant);
    return index.constant == 0 ? sum : arith::AddIOp::create(b, sum, integer(index.constant));
  }

  Value pointer(Value base, Value offset) {
    return LLVM::GEPOp::create(b, LLVM::LLVMPointerType::get(b.getContext()), f32(), base,
                               llvm::ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(offset)});
  }

  int64_t strideOf(const Index& index) const {
    for (auto [axis, coefficient] : index.terms)
      if (axis == vectorAxis()) return coefficient;
    return 0;
  }

  Value load(Value base, const Index& index) {
    const Value offset = linear(index);
    const int64_t stride = strideOf(index);
    if (width == 1 || stride == 0) return LLVM::LoadOp::create(b, f32(), pointer(base, offset), floatBytes);
    if (stride == 1) return LLVM::LoadOp::create(b, typeOf(width), pointer(base, offset), floatBytes);
    Value vector = filled(b, typeOf(width), 0);
    for (int lane = 0; lane < width; ++lane) {
      const Value where = arith::AddIOp::create(b, offset, integer(lane * stride));
      const Value one = LLVM::LoadOp::create(b, f32(), pointer(base, where), floatBytes);
      vector = vector::InsertOp::create(b, one, vector, llvm::ArrayRef<int64_t>{lane});
    }
    return vector;
  }

  void store(Value base, const Index& index, Value value) {
    const Value offset = linear(index);
    const int64_t stride = strideOf(index);
    if (width == 1 || stride == 0) {
      LLVM::StoreOp::create(b, value, pointer(base, offset), floatBytes);
      return;
    }
    value = spread(value);
    if (stride == 1) {
      LLVM::StoreOp::create(b, value, pointer(base, offset), floatBytes);
      return;
    }
    for (int lane = 0; lane < width; ++lane) {
      const Value where = arith::AddIOp::create(b, offset, integer(lane * stride));
      const Value one = vector::ExtractOp::create(b, value, llvm::ArrayRef<int64_t>{lane});
      LLVM::StoreOp::create(b, one, pointer(base, where), floatBytes);
    }
  }

  Value spread(Value value) {
    if (llvm::isa<VectorType>(value.getType()) || width == 1) return value;
    return vector::BroadcastOp::create(b, VectorType::get({width}, value.getType()), value);
  }

  // Where a kept expression stands in the scratch row: its number, then the reduced axes.
  Index scratchIndex(uint32_t i) const {
    Index index;
    int64_t row = 1, number = 0;
    for (size_t axis = kernel.loops.size(); axis-- > 0; row *= kernel.lengths[size_t(kernel.loops[axis])])
      index.add(Index::axis(kernel.loops[axis]), row);
    for (uint32_t each = 0; each < i; ++each) number += expression(each).kept;
    index.constant = number * ((row + 15) / 16 * 16);
    return index;
  }

  Value number(uint32_t i) {
    Held& value = held[i];
    if (!value.number) {
      const Value condition = value.condition;
      value.number = arith::SelectOp::create(b, condition, filled(b, withWidthOf(condition), 1),
                                             filled(b, withWidthOf(condition), 0));
    }
    return value.number;
  }

  Type withWidthOf(Value condition) {
    if (auto vector = llvm::dyn_cast<VectorType>(condition.getType())) return VectorType::get(vector.getShape(), f32());
    return f32();
  }

  Value condition(uint32_t i) {
    Held& value = held[i];
    if (!value.condition)
      value.condition =
          arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, value.number, filled(b, value.number.getType(), 0));
    return value.condition;
  }

  static arith::CmpFPredicate predicate(CompareFn fn) {
    switch (fn) {
      case CompareFn::eq: return arith::CmpFPredicate::OEQ;
      case CompareFn::ne: return arith::CmpFPredicate::UNE;
      case CompareFn::lt: return arith::CmpFPredicate::OLT;
      case CompareFn::le: return arith::CmpFPredicate::OLE;
      case CompareFn::gt: return arith::CmpFPredicate::OGT;
      case CompareFn::ge: return arith::CmpFPredicate::OGE;
    }
    return arith::CmpFPredicate::OEQ;
  }

  Held compute(uint32_t i) {
    const Expression& e = expression(i);
    switch (e.kind) {
      case ExpressionKind::number: return {filled(b, f32(), e.number), {}};
      case ExpressionKind::load: return {load(pointers[e.place], e.index), {}};
      case ExpressionKind::iota: {
        Value value = arith::SIToFPOp::create(b, f32(), linear(e.index));
        if (const int64_t stride = strideOf(e.index); width > 1 && stride != 0) {
          llvm::SmallVector<Attribute> lanes;
          for (int lane = 0; lane < width; ++lane) lanes.push_back(b.getF32FloatAttr(float(lane * stride)));
          const Value steps =
              arith::ConstantOp::create(b, DenseElementsAttr::get(llvm::cast<ShapedType>(typeOf(width)), lanes));
          value = arith::AddFOp::create(b, spread(value), steps);
        }
        return {value, {}};
      }
      case ExpressionKind::reduce: break;
      case ExpressionKind::pointwise: return pointwise(e);
    }
    return {};
  }

  Held pointwise(const Expression& e) {
    std::vector<Value> x;
    bool wide = false;
    const bool isSelect = e.op == OpKind::select;
    for (size_t k = 0; k < e.operands.size(); ++k) {
      x.push_back(isSelect && k == 0 ? condition(e.operands[k]) : number(e.operands[k]));
      wide |= llvm::isa<VectorType>(x.back().getType());
    }
    if (wide)
      for (Value& each : x) each = spread(each);
    switch (e.op) {
      case OpKind::add: return {arith::AddFOp::create(b, x[0], x[1]), {}};
      case OpKind::sub: return {arith::SubFOp::create(b, x[0], x[1]), {}};
      case OpKind::mul: return {arith::MulFOp::create(b, x[0], x[1]), {}};
      case OpKind::maximum: return {arith::MaximumFOp::create(b, x[0], x[1]), {}};
      case OpKind::minimum: return {arith::MinimumFOp::create(b, x[0], x[1]), {}};
      case OpKind::compare: return {{}, arith::CmpFOp::create(b, predicate(CompareFn(e.fn)), x[0], x[1])};
      case OpKind::select: return {arith::SelectOp::create(b, x[0], x[1], x[2]), {}};
      case OpKind::map: return {emitMap(b, MapFn(e.fn), x[0], e.number), {}};
      default: throw Failure{"a defect of tpc: no arithmetic for " + std::string(toString(e.op))};
    }
  }

  // The expressions of which the predicate holds, in order; those that are held already stay.
  void emitWhere(const std::function<bool(uint32_t)>& wanted) {
    for (uint32_t i = 0; i < kernel.expressions.size(); ++i)
      if (!held[i].number && !held[i].condition && expression(i).kind != ExpressionKind::reduce && wanted(i))
        held[i] = compute(i);
  }

  uint64_t maskOf(const std::vector<int>& axes) const {
    uint64_t mask = 0;
    for (int axis : axes) mask |= uint64_t(1) << axis;
    return mask;
  }

  // for i in from .. to step; the values carried come back.
  llvm::SmallVector<Value> loop(Value from, Value to, int64_t step, llvm::ArrayRef<Value> carried,
                                const std::function<llvm::SmallVector<Value>(Value, llvm::ArrayRef<Value>)>& body) {
    auto made = scf::ForOp::create(b, from, to, integer(step), carried);
    const Scope before = held;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(made.getBody());
      llvm::SmallVector<Value> arguments(made.getRegionIterArgs().begin(), made.getRegionIterArgs().end());
      llvm::SmallVector<Value> next = body(made.getInductionVar(), arguments);
      // scf::ForOp makes its terminator only where nothing is carried.
      if (carried.empty()) {
        if (!made.getBody()->mightHaveTerminator()) scf::YieldOp::create(b);
      } else {
        scf::YieldOp::create(b, next);
      }
    }
    held = before;
    return {made.getResults().begin(), made.getResults().end()};
  }

  struct Sum {
    uint32_t expression;
    ReduceFn fn;
    Value wide{}, narrow{};  // narrow: what is summed without vectors, where vectors run along a reduced axis
  };

  Value first(ReduceFn fn, Type type) {
    const double infinity = std::numeric_limits<double>::infinity();
    return filled(b, type, fn == ReduceFn::sum ? 0 : fn == ReduceFn::max ? -infinity : infinity);
  }

  Value combined(ReduceFn fn, Value a, Value c) {
    if (fn == ReduceFn::sum) return arith::AddFOp::create(b, a, c);
    if (fn == ReduceFn::max) return arith::MaximumFOp::create(b, a, c);
    return arith::MinimumFOp::create(b, a, c);
  }

  // Halves folded onto each other: the same tree on every machine.
  Value across(ReduceFn fn, Value vector) {
    int lanes = int(llvm::cast<VectorType>(vector.getType()).getNumElements());
    while (lanes > 1) {
      lanes /= 2;
      llvm::SmallVector<int64_t> low, high;
      for (int lane = 0; lane < lanes; ++lane) low.push_back(lane), high.push_back(lane + lanes);
      const Value a = vector::ShuffleOp::create(b, vector, vector, low);
      const Value c = vector::ShuffleOp::create(b, vector, vector, high);
      vector = combined(fn, a, c);
    }
    return vector::ExtractOp::create(b, vector, llvm::ArrayRef<int64_t>{0});
  }

  // What one point of a pass computes: which expressions, given what earlier passes keep.
  std::vector<bool> neededIn(int pass) const {
    std::vector<bool> needed(kernel.expressions.size());
    for (uint32_t i = 0; i < kernel.expressions.size(); ++i)
      if (expression(i).kind == ExpressionKind::reduce && expression(i).stage == pass + 1)
        needed[expression(i).operands[0]] = true;
    for (const Store& store : kernel.stores)
      if (inLoops(store) && expression(store.expression).stage == pass) needed[store.expression] = true;
    for (size_t i = kernel.expressions.size(); i-- > 0;) {
      if (!needed[i]) continue;
      if (expression(uint32_t(i)).kept && keptBefore(uint32_t(i), pass)) continue;
      if (expression(uint32_t(i)).kind == ExpressionKind::pointwise)
        for (uint32_t operand : expression(uint32_t(i)).operands) needed[operand] = true;
    }
    return needed;
  }

  mutable std::vector<int> firstPass{};  // per expression: the pass that keeps it
  bool keptBefore(uint32_t i, int pass) const { return firstPass[i] >= 0 && firstPass[i] < pass; }
  bool inLoops(const Store& store) const { return (store.axes & maskOf(kernel.loops)) != 0; }

  // One point, or one vector of points, of a pass.
  void point(int pass, const std::vector<bool>& needed) {
    for (uint32_t i = 0; i < kernel.expressions.size(); ++i) {
      if (!needed[i] || held[i].number || held[i].condition || expression(i).kind == ExpressionKind::reduce) continue;
      if (expression(i).kept && keptBefore(i, pass)) held[i].number = load(scratch, scratchIndex(i));
      else held[i] = compute(i);
    }
    for (uint32_t i = 0; i < kernel.expressions.size(); ++i)
      if (needed[i] && expression(i).kept && firstPass[i] == pass) store(scratch, scratchIndex(i), number(i));
    for (const Store& each : kernel.stores)
      if (inLoops(each) && expression(each.expression).stage == pass)
        store(pointers[each.place], each.index, number(each.expression));
  }

  // Adds the point to the sums of the pass.
  void accumulate(std::vector<Sum>& sums, bool narrow) {
    for (Sum& sum : sums) {
      const uint32_t operand = expression(sum.expression).operands[0];
      Value value = number(operand);
      Value& into = narrow ? sum.narrow : sum.wide;
      if (llvm::isa<VectorType>(into.getType())) value = spread(value);
      into = combined(sum.fn, into, value);
    }
  }

  llvm::SmallVector<Value> packed(const std::vector<Sum>& sums) {
    llvm::SmallVector<Value> values;
    for (const Sum& sum : sums) values.push_back(sum.wide), values.push_back(sum.narrow);
    return values;
  }
  void unpack(std::vector<Sum>& sums, llvm::ArrayRef<Value> values) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i].wide = values[2 * i], sums[i].narrow = values[2 * i + 1];
  }

  void overLoops(size_t depth, int pass, const std::vector<bool>& needed, std::vector<Sum>& sums) {
    if (depth == kernel.loops.size()) {
      point(pass, needed);
      accumulate(sums, false);
      return;
    }
    const int axis = kernel.loops[depth];
    const int64_t length = kernel.lengths[size_t(axis)];
    const auto run = [&](int64_t from, int64_t to, int64_t step, bool last) {
      if (from >= to) return;
      const auto results =
          loop(integer(from), integer(to), step, packed(sums), [&](Value i, llvm::ArrayRef<Value> carried) {
            at[size_t(axis)] = i;
            unpack(sums, carried);
            if (last) {
              point(pass, needed);
              accumulate(sums, kernel.vectorInLoops && width == 1);
            } else {
              overLoops(depth + 1, pass, needed, sums);
            }
            return packed(sums);
          });
      unpack(sums, results);
    };
    const bool last = depth + 1 == kernel.loops.size();
    if (!last || !kernel.vectorInLoops) return run(0, length, 1, last);
    const int wide = width;
    const int64_t whole = length / wide * wide;
    run(0, whole, wide, true);
    width = 1;
    run(whole, length, 1, true);
    width = wide;
  }

  // All passes for one row, or one vector of rows; what depends on rows alone in between.
  void rowBody() {
    const uint64_t loopMask = maskOf(kernel.loops);
    const auto rowLevel = [&](int stage) {
      return [this, loopMask, stage](uint32_t i) {
        return (expression(i).axes & loopMask) == 0 && expression(i).stage <= stage;
      };
    };
    // Along reduced axes a row's own values are scalars.
    const int wide = width;
    if (kernel.vectorInLoops) width = 1;
    emitWhere(rowLevel(0));
    for (int pass = 0; pass < kernel.passes; ++pass) {
      width = wide;
      std::vector<Sum> sums;
      for (uint32_t i = 0; i < kernel.expressions.size(); ++i)
        if (expression(i).kind == ExpressionKind::reduce && expression(i).stage == pass + 1) {
          const ReduceFn fn = ReduceFn(expression(i).fn);
          const bool varying =
              kernel.vectorInLoops || varies(expression(expression(i).operands[0]).axes) || varies(expression(i).axes);
          sums.push_back({i, fn, first(fn, typeOf(varying ? width : 1)), first(fn, f32())});
        }
      overLoops(0, pass, neededIn(pass), sums);
      for (Sum& sum : sums) {
        Value value = sum.wide;
        if (kernel.vectorInLoops && width > 1) value = combined(sum.fn, across(sum.fn, value), sum.narrow);
        else if (kernel.vectorInLoops) value = combined(sum.fn, value, sum.narrow);
        held[sum.expression].number = value;
      }
      if (kernel.vectorInLoops) width = 1;
      emitWhere(rowLevel(pass + 1));
    }
    for (const Store& each : kernel.stores)
      if (!inLoops(each)) store(pointers[each.place], each.index, number(each.expression));
    width = wide;
  }

  // The rows' indices out of one number; all but the last `skip`.
  void decode(Value unit, size_t skip) {
    const size_t count = kernel.rows.size() - skip;
    for (size_t i = count; i-- > 0;) {
      const int axis = kernel.rows[i];
      if (i == 0) {
        at[size_t(axis)] = unit;
        break;
      }
      const Value length = integer(kernel.lengths[size_t(axis)]);
      at[size_t(axis)] = arith::RemUIOp::create(b, unit, length);
      unit = arith::DivUIOp::create(b, unit, length);
    }
  }

  // Vectors from `from` to `to` along the last axis of the rows, in the widths given.
  void alongRows(Value from, Value to, std::vector<int> widths) {
    const int axis = kernel.rows.back();
    for (int each : widths) {
      width = each;
      const Value end = each == 1
                            ? to
                            : arith::AddIOp::create(
                                  b, from,
                                  arith::MulIOp::create(
                                      b, arith::DivSIOp::create(b, arith::SubIOp::create(b, to, from), integer(each)),
                                      integer(each)));
      loop(from, end, each, {}, [&](Value i, llvm::ArrayRef<Value>) {
        at[size_t(axis)] = i;
        rowBody();
        return llvm::SmallVector<Value>{};
      });
      from = end;
    }
    width = 1;
  }

  void planKept() {
    firstPass.assign(kernel.expressions.size(), -1);
    for (int pass = 0; pass < kernel.passes; ++pass) {
      const std::vector<bool> needed = neededIn(pass);
      for (size_t i = 0; i < needed.size(); ++i)
        if (needed[i] && firstPass[i] < 0) firstPass[i] = pass;
    }
  }

  void body(Value firstUnit, Value lastUnit) {
    planKept();
    held.assign(kernel.expressions.size(), {});
    at.assign(kernel.lengths.size(), Value());
    const Type pointerType = LLVM::LLVMPointerType::get(b.getContext());
    for (uint32_t i = 0; i <= kernel.placeCount; ++i) {
      const Value slot = LLVM::GEPOp::create(b, pointerType, pointerType, places,
                                             llvm::ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(i))});
      pointers.push_back(LLVM::LoadOp::create(b, pointerType, slot));
    }
    scratch = pointers.back();
    emitWhere([&](uint32_t i) { return expression(i).axes == 0 && expression(i).stage == 0; });
    const std::vector<int> widths = kernel.loops.empty() ? std::vector<int>{16, 1} : std::vector<int>{32, 8, 1};
    if (kernel.rows.empty()) {
      width = kernel.vectorInLoops ? 16 : 1;
      rowBody();
      return;
    }
    if (kernel.unitsAreEntries()) return alongRows(firstUnit, lastUnit, widths);
    loop(firstUnit, lastUnit, 1, {}, [&](Value unit, llvm::ArrayRef<Value>) {
      if (kernel.vectorInLoops) {
        decode(unit, 0);
        width = 16;
        rowBody();
        width = 1;
      } else {
        decode(unit, 1);
        const uint64_t open = maskOf(std::vector<int>(kernel.rows.begin(), kernel.rows.end() - 1));
        emitWhere([&](uint32_t i) { return (expression(i).axes & ~open) == 0 && expression(i).stage == 0; });
        alongRows(integer(0), integer(kernel.lengths[size_t(kernel.rows.back())]), widths);
      }
      return llvm::SmallVector<Value>{};
    });
  }
};

}  // namespace

void emitKernel(mlir::ModuleOp module, const std::string& name, const Kernel& kernel) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  const Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  auto function = func::FuncOp::create(b, name, b.getFunctionType({pointer, i64, i64}, {}));
  Block* entry = function.addEntryBlock();
  b.setInsertionPointToEnd(entry);
  Emitter emitter{kernel, b, entry->getArgument(0)};
  emitter.body(entry->getArgument(1), entry->getArgument(2));
  emitter.b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(emitter.b);
}

}  // namespace tpc::loops
