// What must hold of each operation, beyond what TpOps.td says: its result's shape, its attributes' ranges, its place.
#include "compiler/ir/attributes.h"
#include "compiler/ir/shapes.h"

namespace tpc::tp {

using llvm::LogicalResult;
using mlir::success;

namespace {

// The one result has this shape.
LogicalResult hasShape(mlir::Operation* op, const MaybeShape& shape, const std::string& why) {
  if (!shape) return op->emitOpError() << why;
  if (lengthsOf(op->getResult(0)) == *shape) return success();
  return op->emitOpError() << "has a result of type " << op->getResult(0).getType() << ", and its operands give "
                           << Tensor::get(op->getContext(), *shape);
}

LogicalResult fits(mlir::Operation* op, bool ok, const std::string& why) {
  return ok ? success() : op->emitOpError() << why;
}

LogicalResult hasRank(mlir::Operation* op, size_t rank) {
  return fits(op, lengthsOf(op->getResult(0)).size() == rank, "has a result of rank " + std::to_string(rank));
}

LogicalResult oneShape(mlir::Operation* op) {
  for (mlir::Value operand : op->getOperands())
    if (operand.getType() != op->getResult(0).getType())
      return op->emitOpError() << "takes and gives one shape, not " << operand.getType() << " and "
                               << op->getResult(0).getType();
  return success();
}

LogicalResult inRange(mlir::Operation* op, int64_t value, int64_t count) {
  return fits(op, value >= 0 && value < count, "has an attribute out of range");
}

LogicalResult allInRange(mlir::Operation* op, llvm::ArrayRef<int64_t> values, int64_t low, int64_t count) {
  for (int64_t value : values)
    if (value < low || value >= count) return op->emitOpError("has an attribute out of range");
  return success();
}

RepeatOp enclosing(mlir::Operation* op) { return llvm::dyn_cast<RepeatOp>(op->getParentOp()); }

}  // namespace

LogicalResult ParameterOp::verify() {
  if (failed(inRange(*this, getInit(), 7))) return mlir::failure();
  const auto kind = Init::Kind(getInit());
  if ((kind == Init::Kind::values) != bool(getStart())) return emitOpError("has a start exactly where init is values");
  if (getStart() && getStart().getType() != getType()) return emitOpError("starts as a value of another shape");
  const bool needsNumber = kind == Init::Kind::normal || kind == Init::Kind::uniform || kind == Init::Kind::constant;
  if (needsNumber && !getNumber()) return emitOpError("has no number for its init");
  if (getStacked() && lengthsOf(getResult()).empty()) return emitOpError("is stacked and has no axis");
  return fits(*this, !enclosing(*this), "stands outside every repeat");
}
LogicalResult InputOp::verify() { return success(); }
LogicalResult NumberOp::verify() { return hasRank(*this, 0); }
LogicalResult FreeMultiplierOp::verify() {
  if (failed(allInRange(*this, getSymbols(), 0, int64_t(1) << 31))) return mlir::failure();
  return hasRank(*this, 0);
}
LogicalResult IotaOp::verify() { return hasRank(*this, 1); }
LogicalResult EyeOp::verify() { return hasRank(*this, 2); }
LogicalResult ConstantOp::verify() {
  int64_t count = 1;
  for (int64_t length : getCounts()) {
    if (length < 1 || length > int64_t(getValues().size()) / count) return emitOpError("has values of another shape");
    count *= length;
  }
  return fits(*this, count == int64_t(getValues().size()) && getCounts().size() == lengthsOf(getResult()).size(),
              "has values of another shape");
}
LogicalResult DropoutMaskOp::verify() {
  const double rate = getRate().convertToDouble();
  return fits(*this, rate >= 0 && rate < 1, "has a rate from 0 to below 1");
}
LogicalResult LayerIndexOp::verify() {
  if (!enclosing(*this)) return emitOpError("stands in the body of a repeat");
  return hasRank(*this, 0);
}
LogicalResult ArgumentOp::verify() {
  if (failed(inRange(*this, getRole(), 7))) return mlir::failure();
  return fits(*this, llvm::isa<OptimizerOp>((*this)->getParentOp()), "stands in an optimizer");
}

LogicalResult AddOp::verify() { return oneShape(*this); }
LogicalResult SubOp::verify() { return oneShape(*this); }
LogicalResult MulOp::verify() { return oneShape(*this); }
LogicalResult MaximumOp::verify() { return oneShape(*this); }
LogicalResult MinimumOp::verify() { return oneShape(*this); }
LogicalResult SelectOp::verify() { return oneShape(*this); }
LogicalResult StopGradientOp::verify() { return oneShape(*this); }
LogicalResult CompareOp::verify() {
  if (failed(inRange(*this, getFn(), 6))) return mlir::failure();
  return oneShape(*this);
}
LogicalResult MapOp::verify() {
  if (failed(inRange(*this, getFn(), mapFnCount))) return mlir::failure();
  const bool isPow = MapFn(getFn()) == MapFn::pow;
  if (isPow != getPower().has_value()) return emitOpError("has a power exactly where its function is pow");
  if (isPow && (getPower()->size() != 2 || (*getPower())[1] <= 0))
    return emitOpError("has a power that is no fraction");
  return oneShape(*this);
}

LogicalResult ContractOp::verify() {
  for (llvm::ArrayRef<int64_t> labels : {getA(), getB(), getLabels()})
    if (failed(allInRange(*this, labels, 0, 256))) return mlir::failure();
  std::string why;
  MaybeShape shape = contractShape(lengthsOf(getX()), lengthsOf(getY()), labelsOf(*this), why);
  return hasShape(*this, shape, why);
}
LogicalResult ReduceOp::verify() {
  if (failed(inRange(*this, getFn(), 4)) || failed(allInRange(*this, getAxes(), 0, 256))) return mlir::failure();
  std::string why;
  MaybeShape shape = reduceShape(lengthsOf(getX()), ReduceFn(getFn()), ints(getAxes()), why);
  return hasShape(*this, shape, why);
}

LogicalResult GatherOp::verify() {
  if (failed(inRange(*this, getAxis(), 256))) return mlir::failure();
  std::string why;
  MaybeShape shape = gatherShape(lengthsOf(getTable()), lengthsOf(getIndex()), int(getAxis()), why);
  return hasShape(*this, shape, why);
}
LogicalResult ScatterAddOp::verify() {
  if (failed(inRange(*this, getAxis(), 256))) return mlir::failure();
  const Shape& result = lengthsOf(getResult());
  if (getAxis() >= result.size()) return emitOpError("has no such axis");
  std::string why;
  MaybeShape shape =
      scatterShape(lengthsOf(getIndex()), lengthsOf(getUpdates()), int(getAxis()), result[getAxis()], why);
  return hasShape(*this, shape, why);
}
LogicalResult OneHotOp::verify() {
  Shape index = lengthsOf(getIndex());
  const Shape& result = lengthsOf(getResult());
  if (result.empty()) return emitOpError("has a result of rank 0");
  index.push_back(result.back());
  return hasShape(*this, index, {});
}

LogicalResult ReshapeOp::verify() {
  if (getGroups().size() % 2 != 0) return emitOpError("has half a group");
  if (failed(allInRange(*this, getGroups(), 0, 256))) return mlir::failure();
  std::string why;
  return fits(*this, fitsReshape(lengthsOf(getX()), lengthsOf(getResult()), groupsOf(*this), why), why);
}
LogicalResult TransposeOp::verify() {
  if (failed(allInRange(*this, getAxes(), 0, 256))) return mlir::failure();
  std::string why;
  MaybeShape shape = transposeShape(lengthsOf(getX()), ints(getAxes()), why);
  return hasShape(*this, shape, why);
}
LogicalResult BroadcastOp::verify() {
  if (failed(allInRange(*this, getAxes(), -1, 256))) return mlir::failure();
  std::string why;
  return fits(*this, fitsBroadcast(lengthsOf(getX()), lengthsOf(getResult()), ints(getAxes()), why), why);
}
LogicalResult SliceOp::verify() {
  if (failed(inRange(*this, getAxis(), 256))) return mlir::failure();
  std::string why;
  return fits(*this, fitsSlice(lengthsOf(getX()), lengthsOf(getResult()), int(getAxis()), getBegin().getValue(), why),
              why);
}
LogicalResult PadOp::verify() {
  if (failed(inRange(*this, getAxis(), 256))) return mlir::failure();
  std::string why;
  return fits(*this, fitsSlice(lengthsOf(getResult()), lengthsOf(getX()), int(getAxis()), getBegin().getValue(), why),
              why);
}
LogicalResult ConcatOp::verify() {
  if (failed(inRange(*this, getAxis(), 256))) return mlir::failure();
  std::vector<Shape> parts;
  for (mlir::Value part : getParts()) parts.push_back(lengthsOf(part));
  std::string why;
  MaybeShape shape = concatShape(parts, int(getAxis()), why);
  return hasShape(*this, shape, why);
}

LogicalResult LayerOp::verify() {
  RepeatOp repeat = enclosing(*this);
  if (!repeat) return emitOpError("stands in the body of a repeat");
  if (repeat.getBody().isAncestor(getStacked().getParentRegion()))
    return emitOpError("reads a value from outside its repeat");
  const Shape& stacked = lengthsOf(getStacked());
  std::string why;
  MaybeShape shape = layerShape(stacked, why);
  if (shape && !(stacked[0] == repeat.getTrips().getValue()))
    return emitOpError("reads a value whose axis 0 is not the trip count");
  return hasShape(*this, shape, why);
}

LogicalResult RepeatOp::verify() {
  const size_t carried = getInitial().size();
  mlir::Block& block = getBody().front();
  if (block.getNumArguments() != carried) return emitOpError("has not one body argument per carried value");
  for (size_t i = 0; i < carried; ++i)
    if (block.getArgument(i).getType() != getInitial()[i].getType())
      return emitOpError("has a body argument of another shape than what is carried into it");
  auto yield = block.empty() ? YieldOp() : llvm::dyn_cast<YieldOp>(block.back());
  if (!yield) return emitOpError("has a body that does not end in tp.yield");
  if (yield.getValues().size() != getResults().size() || getResults().size() < carried)
    return emitOpError("has not one result per yielded value");
  for (size_t i = 0; i < getResults().size(); ++i) {
    Shape shape = lengthsOf(yield.getValues()[i]);
    if (i >= carried) shape.insert(shape.begin(), getTrips().getValue());
    if (lengthsOf(getResults()[i]) != shape)
      return emitOpError() << "has a result " << i << " of another shape than what is yielded";
    if (i < carried && yield.getValues()[i].getType() != getInitial()[i].getType())
      return emitOpError() << "carries value " << i << " on in another shape";
  }
  if (getArgumentNames() && getArgumentNames()->size() != carried)
    return emitOpError("has not one name per body argument");
  if (getResultNames() && getResultNames()->size() != getResults().size())
    return emitOpError("has not one name per result");
  if (getArgumentIds() && getArgumentIds()->size() != carried) return emitOpError("has not one id per body argument");
  if (getResultIds() && getResultIds()->size() != getResults().size()) return emitOpError("has not one id per result");
  return success();
}

LogicalResult LossOp::verify() { return fits(*this, lengthsOf(getValue()).empty(), "takes a value of rank 0"); }

}  // namespace tpc::tp
