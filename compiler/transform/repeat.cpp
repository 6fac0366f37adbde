// The gradient of a repeat is a repeat that runs from the last trip to the first.
//
//     repeat layers: h -> h + f(layer(W), h)          forward, and h of each trip collected: `saved`
//     repeat layers, reversed: dh -> dh + f'(...)     carries d loss / d h; reads layer(W) and layer(saved)
//
// What a body reads of the forward body is computed again where that is free (numbers, broadcasts, its own layers),
// else the forward repeat collects it.  The gradient of a stacked value comes out collected; that of a value which all
// trips share is a sum over trips and is carried.
#include "compiler/transform/reverse.h"
#include "mlir/IR/IRMapping.h"

namespace tpc {
namespace {

using namespace tp;

// Which carried values' adjoints can be other than zero: those after the last trip, and, trip by trip, those from which
// something that counts is computed.
std::vector<bool> reached(const ReverseProgram& program, RepeatOp repeat, std::vector<bool> yields) {
  mlir::Block& body = repeat.getBody().front();
  auto values = llvm::cast<YieldOp>(body.back()).getValues();
  const size_t carried = body.getNumArguments();
  for (bool changed = true; changed;) {
    changed = false;
    llvm::DenseSet<Value> counts;
    for (size_t i = 0; i < yields.size(); ++i)
      if (yields[i]) counts.insert(values[i]);
    for (mlir::Operation& op : llvm::reverse(body.without_terminator())) {
      if (llvm::none_of(op.getResults(), [&](Value result) { return counts.contains(result); })) continue;
      for (mlir::OpOperand& operand : op.getOpOperands())
        if (program.active.contains(operand.get()) && isDifferentiable(&op, operand.getOperandNumber()))
          counts.insert(operand.get());
      // An inner repeat may read any value of ours inside its body.
      op.walk([&](mlir::Operation* inner) {
        for (Value operand : inner->getOperands())
          if (program.active.contains(operand)) counts.insert(operand);
      });
    }
    for (size_t i = 0; i < carried; ++i)
      if (!yields[i] && counts.contains(body.getArgument(i)) && program.active.contains(body.getArgument(i)))
        yields[i] = changed = true;
  }
  return yields;
}

// The same repeat, which also collects `saved`.  The old one is left empty and unused.
RepeatOp collecting(RepeatOp old, const std::vector<std::pair<Value, Value>>& saved) {
  mlir::OpBuilder b(old);
  MLIRContext* context = b.getContext();
  auto yield = llvm::cast<YieldOp>(old.getBody().front().back());
  std::vector<Value> yields(yield.getValues().begin(), yield.getValues().end());
  std::vector<mlir::Type> types(old->getResultTypes().begin(), old->getResultTypes().end());
  for (const auto& [value, stack] : saved) yields.push_back(value), types.push_back(stack.getType());
  b.setInsertionPoint(yield);
  YieldOp::create(b, yield.getLoc(), ValueRange(yields));
  yield.erase();

  b.setInsertionPoint(old);
  mlir::ArrayAttr names = old.getResultNamesAttr();
  if (names) {
    std::vector<mlir::Attribute> longer(names.begin(), names.end());
    longer.resize(types.size(), b.getStringAttr(""));
    names = b.getArrayAttr(longer);
  }
  mlir::DenseI64ArrayAttr ids = old.getResultIdsAttr();
  if (ids) {
    std::vector<int64_t> longer(ids.asArrayRef().begin(), ids.asArrayRef().end());
    longer.resize(types.size(), -1);
    ids = mlir::DenseI64ArrayAttr::get(context, longer);
  }
  RepeatOp made = RepeatOp::create(b, old.getLoc(), types, old.getInitial(), old.getNameAttr(), old.getTripsAttr(),
                                   old.getReversedAttr(), old.getArgumentNamesAttr(), names, old.getArgumentIdsAttr(),
                                   ids, old.getIdAttr(), old.getForwardAttr());
  made.getBody().takeBody(old.getBody());
  for (auto [before, after] : llvm::zip(old->getResults(), made->getResults())) before.replaceAllUsesWith(after);
  return made;
}

mlir::Type stackedType(Value value, const Length& trips) {
  std::vector<Length> shape = lengthsOf(value);
  shape.insert(shape.begin(), trips);
  return tensor(value.getContext(), shape);
}

}  // namespace

void reverseRepeat(Reverse& outer, RepeatOp repeat) {
  ReverseProgram& program = outer.program;
  mlir::OpBuilder& b = outer.b;
  const mlir::Location at = repeat.getLoc();
  mlir::Block& body = repeat.getBody().front();
  const size_t carried = body.getNumArguments();
  const std::vector<Value> initial(repeat.getInitial().begin(), repeat.getInitial().end());

  // The results' adjoints, recorded under ids of their own.
  std::vector<bool> counts(repeat->getNumResults());
  std::vector<int64_t> resultIds(repeat->getNumResults(), -1);
  for (mlir::OpResult result : repeat->getResults()) {
    const unsigned i = result.getResultNumber();
    auto found = outer.adjoints.find(result);
    if (found == outer.adjoints.end()) continue;
    counts[i] = true;
    outer.record(at, found->second, resultIds[i] = program.ids++);
  }
  if (llvm::none_of(counts, [](bool each) { return each; })) return;
  counts = reached(program, repeat, counts);

  // Invariant, and one per place in the text: it stands outside, so that both repeats read the same one.  Also of a
  // repeat in the body, whose turn would come when this body's values are no longer free to move.
  llvm::SmallVector<FreeMultiplierOp> multipliers;
  repeat.walk([&](FreeMultiplierOp multiplier) { multipliers.push_back(multiplier); });
  for (FreeMultiplierOp multiplier : multipliers) multiplier->moveBefore(repeat);

  // The reverse body: first the adjoints that it carries.
  mlir::Region region;
  mlir::Block& reversed = region.emplaceBlock();
  mlir::OpBuilder inside = b;
  inside.setInsertionPointToEnd(&reversed);
  Reverse inner(program, &body, inside, &outer);
  auto yields = llvm::cast<YieldOp>(body.back()).getValues();
  RepeatParts parts;
  std::vector<size_t> carries;  // which carried values
  for (size_t i = 0; i < carried; ++i) {
    if (!counts[i]) continue;
    carries.push_back(i);
    auto found = outer.adjoints.find(repeat->getResult(i));
    parts.initial.push_back(found != outer.adjoints.end() ? found->second : outer.zeros(at, initial[i].getType()));
    const Value argument = reversed.addArgument(initial[i].getType(), at);
    if (inner.wants(yields[i])) inner.give(yields[i], argument);
  }
  for (size_t i = carried; i < yields.size(); ++i)
    if (counts[i] && inner.wants(yields[i]))
      inner.give(yields[i], layer(inner.b, at, outer.adjoints.lookup(repeat->getResult(i))));

  inner.run();

  // What goes on to the trip before: adjoints of the body's arguments, sums for shared values.
  std::vector<int64_t> argumentIds(carried, -1);
  for (size_t i : carries) {
    auto found = inner.adjoints.find(body.getArgument(i));
    if (found != inner.adjoints.end()) inner.record(at, found->second, argumentIds[i] = program.ids++);
    parts.yields.push_back(found != inner.adjoints.end() ? found->second : inner.zeros(at, initial[i].getType()));
  }
  for (const auto& [value, term] : inner.outside) {
    parts.initial.push_back(outer.zeros(at, value.getType()));
    parts.yields.push_back(add(inner.b, at, reversed.addArgument(value.getType(), at), term));
  }
  for (const auto& [value, term] : inner.layers) parts.yields.push_back(term);

  // The forward repeat collects what was asked for.
  mlir::OpBuilder attributes(repeat);
  const int64_t repeatId = program.ids++;
  repeat.setIdAttr(attributes.getI64IntegerAttr(repeatId));
  repeat.setArgumentIdsAttr(attributes.getDenseI64ArrayAttr(argumentIds));
  repeat.setResultIdsAttr(attributes.getDenseI64ArrayAttr(resultIds));
  RepeatOp now = repeat;
  if (!inner.saved.empty()) {
    now = collecting(repeat, inner.saved);
    program.replaced.push_back(repeat);
    for (auto [before, after] : llvm::zip(repeat->getResults(), now->getResults()))
      for (auto& [value, stack] : outer.saved)
        if (value == before) value = after;
    const size_t first = now->getNumResults() - inner.saved.size();
    for (size_t i = 0; i < inner.saved.size(); ++i)
      inner.saved[i].second.replaceAllUsesWith(outer.use(now->getResult(first + i)));
  }

  parts.name = repeat.getName().str();
  parts.trips = now.getTrips().getValue();
  parts.reversed = !now.getReversed();
  Body made;
  made.region = std::make_unique<mlir::Region>();
  made.region->takeBody(region);
  made.outside = b.saveInsertionPoint();
  RepeatOp gradient = endRepeat(b, at, made, parts);
  gradient.setForwardAttr(attributes.getI64IntegerAttr(repeatId));

  size_t result = 0;
  for (size_t i : carries) {
    if (outer.wants(initial[i])) outer.give(initial[i], gradient->getResult(result));
    ++result;
  }
  for (const auto& [value, term] : inner.outside) outer.give(value, gradient->getResult(result++));
  for (const auto& [value, term] : inner.layers) outer.give(value, gradient->getResult(result++));
}

Value Reverse::use(Value value) {
  if (value.getParentBlock() != forward) return parent->use(value);
  if (!parent) return value;
  if (Value found = captured.lookup(value)) return found;
  mlir::Operation* op = value.getDefiningOp();
  if (op && llvm::isa<NumberOp, IotaOp, EyeOp, LayerIndexOp, LayerOp, BroadcastOp, ReshapeOp, TransposeOp, OneHotOp,
                      DropoutMaskOp>(op)) {
    mlir::IRMapping operands;
    for (Value operand : op->getOperands()) operands.map(operand, use(operand));
    mlir::Operation* again = b.clone(*op, operands);
    again->removeAttr(nameAttribute);
    again->removeAttr(idAttribute);
    return captured[value] = again->getResult(0);
  }
  const Length& trips = llvm::cast<RepeatOp>(forward->getParentOp()).getTrips().getValue();
  const Value stack = placeholders.addArgument(stackedType(value, trips), value.getLoc());
  saved.emplace_back(value, stack);
  return captured[value] = layer(b, value.getLoc(), stack);
}

}  // namespace tpc
