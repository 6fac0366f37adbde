#include "compiler/import/emit.h"

#include <algorithm>
#include <cassert>

#include "compiler/import/emit_impl.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tpc {

namespace {

mlir::Value valueOf(const TensorValue& tensor) { return mlir::Value::getFromOpaquePointer(tensor.handle); }

}  // namespace

Emitter::Emitter(mlir::MLIRContext& context) : impl_(std::make_unique<Impl>(context)) {}
Emitter::~Emitter() = default;

void Emitter::beginProgram(const std::vector<Symbol>& symbols, const std::string& model) {
  impl_->module = tp::module(impl_->context, symbols);
  tp::beginProgram(impl_->b, *impl_->module, model);
}

void Emitter::beginOptimizer(const std::vector<Symbol>& symbols, const std::string& name) {
  impl_->module = tp::module(impl_->context, symbols);
  tp::beginOptimizer(impl_->b, *impl_->module, name);
}

void Emitter::swapBuilders(size_t level) {
  if (level < impl_->open.size()) std::swap(impl_->b, impl_->open[level].before);
}

// What it is made of is asked too: `2 * s` may have been put before the repeat in which s is made.
bool Emitter::standsOutside(const TensorValue& value) const {
  std::unordered_map<void*, bool> seen;
  std::vector<mlir::Value> open{valueOf(value)};
  while (!open.empty()) {
    mlir::Value next = open.back();
    open.pop_back();
    if (!seen.emplace(next.getAsOpaquePointer(), true).second) continue;
    // An open repeat's body hangs in the air until the repeat is made.
    mlir::Operation* parent = next.getParentBlock()->getParentOp();
    if (!parent || !llvm::isa<tp::ProgramOp, tp::OptimizerOp>(parent)) return false;
    if (mlir::Operation* op = next.getDefiningOp())
      for (mlir::Value operand : op->getOperands()) open.push_back(operand);
  }
  return true;
}

TensorValue Emitter::made(void* handle, Shape shape, bool constant) {
  ++operations_;
  maximalRank_ = std::max(maximalRank_, int(shape.size()));
  return {.handle = handle, .shape = std::move(shape), .integer = false, .below = {}, .constant = constant};
}

// `made` of a call of build.h: HANDLE(add, a, b) is the handle of tp::add at the span.
#define HANDLE(function, ...) \
  tp::function(impl_->b, tp::at(impl_->context, span) __VA_OPT__(, ) __VA_ARGS__).getAsOpaquePointer()

TensorValue Emitter::parameter(const Parameter& parameter, const Shape& shape, bool stacked, const TensorValue* start,
                               Span span) {
  return made(HANDLE(parameter, parameter, shape, stacked, start ? valueOf(*start) : mlir::Value()), shape, false);
}

TensorValue Emitter::input(const Input& input, const Shape& shape, Span span) {
  TensorValue result = made(HANDLE(input, input, shape), shape, false);
  result.integer = input.integer;
  result.below = input.below;
  return result;
}

TensorValue Emitter::number(const Number& number, Span span) { return made(HANDLE(number, number), {}, true); }

TensorValue Emitter::freeMultiplier(const FreeMultiplier& multiplier, Span span) {
  return made(HANDLE(freeMultiplier, multiplier), {}, false);
}

TensorValue Emitter::iota(const Length& length, Span span) {
  TensorValue result = made(HANDLE(iota, length), {length}, true);
  result.integer = true;
  result.below = length;
  return result;
}

TensorValue Emitter::eye(const Length& rows, const Length& columns, Span span) {
  return made(HANDLE(eye, rows, columns), {rows, columns}, true);
}

TensorValue Emitter::constant(const Constant& constant, const Shape& shape, Span span) {
  return made(HANDLE(constant, constant, shape), shape, true);
}

TensorValue Emitter::dropoutMask(const Dropout& dropout, const Shape& shape, Span span) {
  return made(HANDLE(dropoutMask, dropout, shape), shape, false);
}

TensorValue Emitter::layerIndex(const Length& trips, Span span) {
  TensorValue result = made(HANDLE(layerIndex), {}, false);
  result.integer = true;
  result.below = trips;
  return result;
}

TensorValue Emitter::argument(const OptimizerArgument& argument, Span span) {
  return made(HANDLE(argument, argument), {}, false);
}

TensorValue Emitter::binary(Binary op, const TensorValue& a, const TensorValue& b, Span span) {
  assert(a.shape == b.shape && "callers broadcast");
  bool constant = a.constant && b.constant;
  switch (op) {
    case Binary::add: return made(HANDLE(add, valueOf(a), valueOf(b)), a.shape, constant);
    case Binary::sub: return made(HANDLE(sub, valueOf(a), valueOf(b)), a.shape, constant);
    case Binary::mul: return made(HANDLE(mul, valueOf(a), valueOf(b)), a.shape, constant);
    case Binary::maximum: return made(HANDLE(maximum, valueOf(a), valueOf(b)), a.shape, constant);
    case Binary::minimum: return made(HANDLE(minimum, valueOf(a), valueOf(b)), a.shape, constant);
  }
  return a;
}

TensorValue Emitter::map(MapFn fn, const TensorValue& x, Span span) {
  return made(HANDLE(map, fn, valueOf(x)), x.shape, x.constant);
}

TensorValue Emitter::pow(const TensorValue& x, Rational power, Span span) {
  return made(HANDLE(pow, valueOf(x), power), x.shape, x.constant);
}

TensorValue Emitter::compare(CompareFn fn, const TensorValue& a, const TensorValue& b, Span span) {
  return made(HANDLE(compare, fn, valueOf(a), valueOf(b)), a.shape, a.constant && b.constant);
}

TensorValue Emitter::select(const TensorValue& condition, const TensorValue& a, const TensorValue& b, Span span) {
  return made(HANDLE(select, valueOf(condition), valueOf(a), valueOf(b)), a.shape,
              condition.constant && a.constant && b.constant);
}

TensorValue Emitter::contract(const TensorValue& a, const TensorValue& b, const Contraction& labels, Span span) {
  Shape shape;
  for (uint8_t label : labels.result) {
    auto inA = std::find(labels.a.begin(), labels.a.end(), label);
    if (inA != labels.a.end()) {
      shape.push_back(a.shape[size_t(inA - labels.a.begin())]);
    } else {
      auto inB = std::find(labels.b.begin(), labels.b.end(), label);
      shape.push_back(b.shape[size_t(inB - labels.b.begin())]);
    }
  }
  return made(HANDLE(contract, valueOf(a), valueOf(b), labels), std::move(shape), a.constant && b.constant);
}

TensorValue Emitter::reduce(ReduceFn fn, const TensorValue& x, const std::vector<int>& axes, Span span) {
  Shape shape;
  for (int i = 0; i < x.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) shape.push_back(x.shape[size_t(i)]);
  TensorValue result = made(HANDLE(reduce, fn, valueOf(x), axes), std::move(shape), x.constant);
  if (fn == ReduceFn::argmax) {
    result.integer = true;
    result.below = x.shape[size_t(axes.front())];
  }
  return result;
}

TensorValue Emitter::gather(const TensorValue& table, const TensorValue& index, int axis, Span span) {
  Shape shape(table.shape.begin(), table.shape.begin() + axis);
  shape.insert(shape.end(), index.shape.begin(), index.shape.end());
  shape.insert(shape.end(), table.shape.begin() + axis + 1, table.shape.end());
  TensorValue result =
      made(HANDLE(gather, valueOf(table), valueOf(index), axis), std::move(shape), table.constant && index.constant);
  result.integer = table.integer;
  result.below = table.below;
  return result;
}

TensorValue Emitter::oneHot(const TensorValue& index, const Length& k, Span span) {
  Shape shape = index.shape;
  shape.push_back(k);
  return made(HANDLE(oneHot, valueOf(index), k), std::move(shape), index.constant);
}

TensorValue Emitter::reshape(const TensorValue& x, const Shape& shape, const Regroup& groups, Span span) {
  if (shape == x.shape) return x;
  // Undoing a reshape: mean(x, axis = -1, keep) makes an axis of length one, and broadcasting it takes it away again.
  auto source = reshapedFrom_.find(x.handle);
  if (source != reshapedFrom_.end() && source->second.shape == shape) return source->second;
  TensorValue result = made(HANDLE(reshape, valueOf(x), shape, groups), shape, x.constant);
  result.integer = x.integer;
  result.below = x.below;
  reshapedFrom_.emplace(result.handle, x);
  return result;
}

TensorValue Emitter::insertAxis(const TensorValue& x, int axis, Span span) {
  Shape shape = x.shape;
  shape.insert(shape.begin() + axis, Length::number(1));
  Regroup regroup;
  for (int i = 0; i <= x.rank(); ++i) {
    if (i == axis) regroup.groups.emplace_back(0, 1);
    if (i < x.rank()) regroup.groups.emplace_back(1, 1);
  }
  return reshape(x, shape, regroup, span);
}

TensorValue Emitter::removeAxis(const TensorValue& x, int axis, Span span) {
  Shape shape = x.shape;
  shape.erase(shape.begin() + axis);
  Regroup regroup;
  for (int i = 0; i < x.rank(); ++i) regroup.groups.emplace_back(1, i == axis ? 0 : 1);
  return reshape(x, shape, regroup, span);
}

TensorValue Emitter::transpose(const TensorValue& x, const std::vector<int>& axes, Span span) {
  if (std::is_sorted(axes.begin(), axes.end())) return x;
  Shape shape;
  for (int axis : axes) shape.push_back(x.shape[size_t(axis)]);
  TensorValue result = made(HANDLE(transpose, valueOf(x), axes), std::move(shape), x.constant);
  result.integer = x.integer;
  result.below = x.below;
  return result;
}

TensorValue Emitter::broadcastTo(const TensorValue& x, const Shape& shape, Span span) {
  if (x.shape == shape) return x;
  assert(x.rank() <= int(shape.size()) && "callers have checked that x broadcasts");
  int missing = int(shape.size()) - x.rank();
  // Axes of length one that are to become longer go first, so that `broadcast` only makes new ones.
  Shape kept;
  Regroup regroup;
  std::vector<int> axes(size_t(missing), -1);
  for (int i = 0; i < x.rank(); ++i) {
    bool grows = x.shape[size_t(i)] != shape[size_t(missing + i)];
    regroup.groups.emplace_back(1, grows ? 0 : 1);
    axes.push_back(grows ? -1 : int(kept.size()));
    if (!grows) kept.push_back(x.shape[size_t(i)]);
  }
  TensorValue squeezed = reshape(x, kept, regroup, span);
  TensorValue result = made(HANDLE(broadcast, valueOf(squeezed), shape, axes), shape, x.constant);
  result.integer = x.integer;
  result.below = x.below;
  return result;
}

TensorValue Emitter::slice(const TensorValue& x, int axis, const Length& begin, const Length& length, Span span) {
  if (x.shape[size_t(axis)] == length) return x;
  Shape shape = x.shape;
  shape[size_t(axis)] = length;
  TensorValue result = made(HANDLE(slice, valueOf(x), axis, begin, length), std::move(shape), x.constant);
  result.integer = x.integer;
  result.below = x.below;
  return result;
}

TensorValue Emitter::concat(const std::vector<TensorValue>& parts, int axis, Span span) {
  if (parts.size() == 1) return parts[0];
  Shape shape = parts[0].shape;
  bool constant = parts[0].constant;
  std::vector<mlir::Value> values{valueOf(parts[0])};
  for (size_t i = 1; i < parts.size(); ++i) {
    shape[size_t(axis)] = shape[size_t(axis)] + parts[i].shape[size_t(axis)];
    constant = constant && parts[i].constant;
    values.push_back(valueOf(parts[i]));
  }
  return made(HANDLE(concat, values, axis), std::move(shape), constant);
}

TensorValue Emitter::stopGradient(const TensorValue& x, Span span) {
  TensorValue result = made(HANDLE(stopGradient, valueOf(x)), x.shape, x.constant);
  result.integer = x.integer;
  result.below = x.below;
  return result;
}

TensorValue Emitter::layer(const TensorValue& stacked, Span span) {
  return made(HANDLE(layer, valueOf(stacked)), Shape(stacked.shape.begin() + 1, stacked.shape.end()), false);
}

std::vector<TensorValue> Emitter::beginRepeat(const std::vector<TensorValue>& initial, Span span) {
  std::vector<mlir::Value> values;
  for (const TensorValue& value : initial) values.push_back(valueOf(value));
  const mlir::OpBuilder before = impl_->b;
  impl_->open.push_back({before, tp::beginRepeat(impl_->b, tp::at(impl_->context, span), values), initial});
  std::vector<TensorValue> arguments;
  for (size_t i = 0; i < initial.size(); ++i)
    arguments.push_back(
        made(mlir::Value(impl_->open.back().body.arguments[i]).getAsOpaquePointer(), initial[i].shape, false));
  return arguments;
}

std::vector<TensorValue> Emitter::endRepeat(const RepeatEnd& end, Span span) {
  tp::RepeatParts parts;
  parts.name = end.name;
  parts.trips = end.trips;
  parts.resultNames = end.resultNames;
  const std::vector<TensorValue> initial = std::move(impl_->open.back().initial);
  for (const TensorValue& value : initial) parts.initial.push_back(valueOf(value));
  for (const TensorValue& value : end.yields) parts.yields.push_back(valueOf(value));
  // Operations may have been put before the repeat meanwhile; both builders stand at the end of the same block.
  tp::RepeatOp op = tp::endRepeat(impl_->b, tp::at(impl_->context, span), impl_->open.back().body, parts);
  impl_->open.pop_back();
  std::vector<TensorValue> results;
  for (size_t i = 0; i < end.yields.size(); ++i) {
    Shape shape = end.yields[i].shape;
    if (i >= initial.size()) shape.insert(shape.begin(), end.trips);
    results.push_back(made(mlir::Value(op->getResult(unsigned(i))).getAsOpaquePointer(), std::move(shape), false));
  }
  return results;
}

void Emitter::output(const TensorValue& value, const std::string& name, bool metric, Span span) {
  tp::output(impl_->b, tp::at(impl_->context, span), valueOf(value), name, metric);
}
void Emitter::loss(const TensorValue& value, Span span) {
  tp::loss(impl_->b, tp::at(impl_->context, span), valueOf(value));
}
void Emitter::claim(const TensorValue& value, const std::string& name, Span span) {
  tp::claim(impl_->b, tp::at(impl_->context, span), valueOf(value), name);
}
void Emitter::update(const TensorValue& value, Span span) {
  tp::update(impl_->b, tp::at(impl_->context, span), valueOf(value));
}
void Emitter::next(const TensorValue& state, const TensorValue& value, Span span) {
  tp::next(impl_->b, tp::at(impl_->context, span), valueOf(state), valueOf(value));
}

void Emitter::setName(const TensorValue& tensor, const std::string& name, Span span) {
  mlir::Value value = valueOf(tensor);
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return;  // an argument of a repeat's body
  if (auto repeat = llvm::dyn_cast<tp::RepeatOp>(op)) {
    // A repeat has many values, so its names are a list of their own.
    unsigned index = llvm::cast<mlir::OpResult>(value).getResultNumber();
    llvm::SmallVector<mlir::Attribute> names(op->getNumResults(), mlir::StringAttr::get(impl_->context, ""));
    if (auto old = repeat.getResultNamesAttr()) std::copy(old.begin(), old.end(), names.begin());
    names[index] = mlir::StringAttr::get(impl_->context, name);
    repeat.setResultNamesAttr(mlir::ArrayAttr::get(impl_->context, names));
    return;
  }
  tp::setName(value, name);
  op->setLoc(tp::at(impl_->context, span));
}

bool Emitter::isUsed(const TensorValue& value) const { return !valueOf(value).use_empty(); }

// Backward over all operations from the loss; a repeat passes everything its body reads on, value by value would need
// its fixpoint and would only make this warning rarer.
std::unordered_map<void*, bool> Emitter::reachingLoss() const {
  std::unordered_map<void*, bool> reached;
  std::vector<mlir::Value> open;
  auto visit = [&](mlir::Value value) {
    if (reached.emplace(value.getAsOpaquePointer(), true).second) open.push_back(value);
  };
  impl_->module->walk([&](tp::LossOp loss) { visit(loss.getValue()); });
  std::unordered_map<mlir::Operation*, bool> seenBodies;
  while (!open.empty()) {
    mlir::Operation* op = open.back().getDefiningOp();
    open.pop_back();
    if (!op || llvm::isa<tp::StopGradientOp>(op)) continue;
    for (mlir::Value operand : op->getOperands()) visit(operand);
    if (op->getNumRegions() == 0 || !seenBodies.emplace(op, true).second) continue;
    op->walk([&](tp::YieldOp yield) {
      for (mlir::Value value : yield.getValues()) visit(value);
    });
  }
  return reached;
}

void Emitter::removeDeadOperations() {
  // From the end, so that what only dead operations read is dead when its turn comes.
  std::vector<mlir::Operation*> operations;
  impl_->module->walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation* op) { operations.push_back(op); });
  for (auto op = operations.rbegin(); op != operations.rend(); ++op) {
    bool isLayerRead = llvm::isa<tp::LayerOp, tp::LayerIndexOp>(*op);
    // An optimizer that does not read `fan_in` has no such argument; what the user may set stays.
    if (auto argument = llvm::dyn_cast<tp::ArgumentOp>(*op))
      isLayerRead = ArgumentRole(argument.getRole()) != ArgumentRole::hyper &&
                    ArgumentRole(argument.getRole()) != ArgumentRole::state;
    if ((*op)->getNumRegions() == 0 && (*op)->use_empty() && (*op)->getNumResults() == 1 &&
        (mlir::isPure(*op) || isLayerRead))
      (*op)->erase();
  }
}

bool Emitter::verifies() { return mlir::succeeded(mlir::verify(*impl_->module)); }

#undef HANDLE

}  // namespace tpc
