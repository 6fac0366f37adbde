#include "compiler/ir/build.h"

#include "compiler/ir/attributes.h"
#include "compiler/ir/shapes.h"

namespace tpc::tp {
namespace {

// Where the operands do not fit, a result of rank 0 lets the verifier say so.
Tensor typed(OpBuilder& b, const MaybeShape& shape) { return tensor(b.getContext(), shape.value_or(Shape())); }

mlir::StringAttr text(OpBuilder& b, const std::string& value) { return b.getStringAttr(value); }
mlir::StringAttr textOrNone(OpBuilder& b, const std::string& value) {
  return value.empty() ? mlir::StringAttr() : b.getStringAttr(value);
}
mlir::UnitAttr flag(OpBuilder& b, bool set) { return set ? b.getUnitAttr() : mlir::UnitAttr(); }
LengthAttr length(OpBuilder& b, const Length& value) { return LengthAttr::get(b.getContext(), value); }
mlir::IntegerAttr small(OpBuilder& b, int value) { return b.getI32IntegerAttr(value); }

template <typename Program>
Program begin(OpBuilder& b, mlir::ModuleOp module, const std::string& name) {
  b.setInsertionPointToEnd(module.getBody());
  auto program = Program::create(b, b.getUnknownLoc(), b.getStringAttr(name));
  b.setInsertionPointToEnd(&program.getBody().emplaceBlock());
  return program;
}

}  // namespace

std::unique_ptr<MLIRContext> makeContext() {
  auto context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  context->loadDialect<TpDialect>();
  return context;
}

mlir::OwningOpRef<mlir::ModuleOp> module(MLIRContext* context, const std::vector<Symbol>& symbols) {
  mlir::Builder b(context);
  std::vector<mlir::Attribute> list;
  for (const Symbol& symbol : symbols) {
    std::vector<mlir::NamedAttribute> fields = {b.getNamedAttr("name", b.getStringAttr(symbol.name)),
                                                b.getNamedAttr("number", b.getI64IntegerAttr(symbol.number))};
    if (symbol.grows) fields.push_back(b.getNamedAttr("grows", b.getUnitAttr()));
    list.push_back(b.getDictionaryAttr(fields));
  }
  auto module = mlir::ModuleOp::create(b.getUnknownLoc());
  module->setAttr(symbolsAttribute, b.getArrayAttr(list));
  return module;
}

std::vector<Symbol> symbolsOf(mlir::ModuleOp module) {
  std::vector<Symbol> symbols;
  auto list = module->getAttrOfType<mlir::ArrayAttr>(symbolsAttribute);
  if (!list) return symbols;
  for (mlir::Attribute entry : list) {
    Symbol symbol;
    if (auto fields = llvm::dyn_cast<mlir::DictionaryAttr>(entry)) {
      if (auto name = fields.getAs<mlir::StringAttr>("name")) symbol.name = name.str();
      if (auto number = fields.getAs<mlir::IntegerAttr>("number")) symbol.number = number.getInt();
      symbol.grows = fields.contains("grows");
    }
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

ProgramOp beginProgram(OpBuilder& b, mlir::ModuleOp module, const std::string& model) {
  return begin<ProgramOp>(b, module, model);
}
OptimizerOp beginOptimizer(OpBuilder& b, mlir::ModuleOp module, const std::string& name) {
  return begin<OptimizerOp>(b, module, name);
}

// The three numbers of a span as file name, line and column of MLIR's own location, which every pass keeps.
Location at(MLIRContext* context, Span span) {
  return mlir::FileLineColLoc::get(mlir::StringAttr::get(context, std::to_string(span.file)), span.begin, span.end);
}

Span spanOf(Location location) {
  Span span;
  auto place = llvm::dyn_cast<mlir::FileLineColLoc>(location);
  if (!place || place.getFilename().getValue().getAsInteger(10, span.file)) return {};
  span.begin = place.getLine();
  span.end = place.getColumn();
  return span;
}

Tensor tensor(MLIRContext* context, const std::vector<Length>& lengths) { return Tensor::get(context, lengths); }

void setName(Value value, const std::string& name) {
  mlir::Operation* op = value.getDefiningOp();
  if (op && op->getNumResults() == 1 && !llvm::isa<RepeatOp>(op))
    op->setAttr(nameAttribute, mlir::StringAttr::get(op->getContext(), name));
}

Value parameter(OpBuilder& b, Location at, const Parameter& parameter, const Shape& shape, bool stacked, Value start) {
  const Init& init = parameter.init;
  const bool hasNumber =
      init.kind == Init::Kind::normal || init.kind == Init::Kind::uniform || init.kind == Init::Kind::constant;
  return ParameterOp::create(b, at, tensor(b.getContext(), shape), start, text(b, parameter.name),
                             small(b, int(init.kind)), flag(b, init.fixed),
                             hasNumber ? NumberAttr::get(b.getContext(), init.number) : NumberAttr(),
                             flag(b, parameter.ownership == Ownership::frozen), flag(b, stacked),
                             textOrNone(b, parameter.file), textOrNone(b, parameter.optimizer));
}

Value input(OpBuilder& b, Location at, const Input& input, const Shape& shape) {
  return InputOp::create(b, at, tensor(b.getContext(), shape), text(b, input.name), flag(b, input.target),
                         input.integer ? length(b, input.below) : LengthAttr());
}

Value number(OpBuilder& b, Location at, const Number& number) {
  return NumberOp::create(b, at, tensor(b.getContext(), {}), NumberAttr::get(b.getContext(), number));
}

Value number(OpBuilder& b, Location at, double plain) {
  Number value;
  value.coefficient = plain;
  return number(b, at, value);
}

Value freeMultiplier(OpBuilder& b, Location at, const FreeMultiplier& multiplier) {
  return FreeMultiplierOp::create(b, at, tensor(b.getContext(), {}), text(b, multiplier.name),
                                  intsAttribute(b.getContext(), multiplier.symbols));
}

Value iota(OpBuilder& b, Location at, const Length& length) {
  return IotaOp::create(b, at, tensor(b.getContext(), {length}));
}
Value eye(OpBuilder& b, Location at, const Length& rows, const Length& columns) {
  return EyeOp::create(b, at, tensor(b.getContext(), {rows, columns}));
}
Value constant(OpBuilder& b, Location at, const Constant& constant, const Shape& shape) {
  return ConstantOp::create(b, at, tensor(b.getContext(), shape), text(b, constant.file),
                            b.getDenseI64ArrayAttr(constant.shape), b.getDenseF64ArrayAttr(constant.values));
}
Value dropoutMask(OpBuilder& b, Location at, const Dropout& dropout, const Shape& shape) {
  return DropoutMaskOp::create(b, at, tensor(b.getContext(), shape), text(b, dropout.name),
                               b.getF64FloatAttr(dropout.rate));
}
Value layerIndex(OpBuilder& b, Location at) { return LayerIndexOp::create(b, at, tensor(b.getContext(), {})); }

Value argument(OpBuilder& b, Location at, const OptimizerArgument& argument) {
  return ArgumentOp::create(b, at, tensor(b.getContext(), {}), small(b, int(argument.role)), text(b, argument.name),
                            b.getF64FloatAttr(argument.number), flag(b, argument.startsAsParam));
}

Value add(OpBuilder& b, Location at, Value x, Value y) { return AddOp::create(b, at, x.getType(), x, y); }
Value sub(OpBuilder& b, Location at, Value x, Value y) { return SubOp::create(b, at, x.getType(), x, y); }
Value mul(OpBuilder& b, Location at, Value x, Value y) { return MulOp::create(b, at, x.getType(), x, y); }
Value maximum(OpBuilder& b, Location at, Value x, Value y) { return MaximumOp::create(b, at, x.getType(), x, y); }
Value minimum(OpBuilder& b, Location at, Value x, Value y) { return MinimumOp::create(b, at, x.getType(), x, y); }

Value map(OpBuilder& b, Location at, MapFn fn, Value x) {
  return MapOp::create(b, at, x.getType(), x, small(b, int(fn)), mlir::DenseI64ArrayAttr());
}
Value pow(OpBuilder& b, Location at, Value x, Rational power) {
  return MapOp::create(b, at, x.getType(), x, small(b, int(MapFn::pow)),
                       b.getDenseI64ArrayAttr({power.num(), power.den()}));
}
Value compare(OpBuilder& b, Location at, CompareFn fn, Value x, Value y) {
  return CompareOp::create(b, at, x.getType(), x, y, small(b, int(fn)));
}
Value select(OpBuilder& b, Location at, Value condition, Value x, Value y) {
  return SelectOp::create(b, at, x.getType(), condition, x, y);
}

Value contract(OpBuilder& b, Location at, Value x, Value y, const Contraction& labels) {
  std::string why;
  MLIRContext* context = b.getContext();
  return ContractOp::create(b, at, typed(b, contractShape(lengthsOf(x), lengthsOf(y), labels, why)), x, y,
                            intsAttribute(context, labels.a), intsAttribute(context, labels.b),
                            intsAttribute(context, labels.result));
}

Value reduce(OpBuilder& b, Location at, ReduceFn fn, Value x, const std::vector<int>& axes) {
  std::string why;
  return ReduceOp::create(b, at, typed(b, reduceShape(lengthsOf(x), fn, axes, why)), x, small(b, int(fn)),
                          intsAttribute(b.getContext(), axes));
}

Value gather(OpBuilder& b, Location at, Value table, Value index, int axis) {
  std::string why;
  return GatherOp::create(b, at, typed(b, gatherShape(lengthsOf(table), lengthsOf(index), axis, why)), table, index,
                          b.getI64IntegerAttr(axis));
}

Value scatterAdd(OpBuilder& b, Location at, Value index, Value updates, int axis, const Length& length) {
  std::string why;
  return ScatterAddOp::create(b, at, typed(b, scatterShape(lengthsOf(index), lengthsOf(updates), axis, length, why)),
                              index, updates, b.getI64IntegerAttr(axis));
}

Value oneHot(OpBuilder& b, Location at, Value index, const Length& k) {
  Shape shape = lengthsOf(index);
  shape.push_back(k);
  return OneHotOp::create(b, at, tensor(b.getContext(), shape), index);
}

Value reshape(OpBuilder& b, Location at, Value x, const Shape& shape, const Regroup& groups) {
  std::vector<int64_t> flat;
  for (auto [from, to] : groups.groups) flat.push_back(from), flat.push_back(to);
  return ReshapeOp::create(b, at, tensor(b.getContext(), shape), x, b.getDenseI64ArrayAttr(flat));
}

Value transpose(OpBuilder& b, Location at, Value x, const std::vector<int>& axes) {
  std::string why;
  return TransposeOp::create(b, at, typed(b, transposeShape(lengthsOf(x), axes, why)), x,
                             intsAttribute(b.getContext(), axes));
}

Value broadcast(OpBuilder& b, Location at, Value x, const Shape& shape, const std::vector<int>& axes) {
  return BroadcastOp::create(b, at, tensor(b.getContext(), shape), x, intsAttribute(b.getContext(), axes));
}

Value fill(OpBuilder& b, Location at, Value scalar, const Shape& shape) {
  return shape.empty() ? scalar : broadcast(b, at, scalar, shape, std::vector<int>(shape.size(), -1));
}

Value slice(OpBuilder& b, Location at, Value x, int axis, const Length& begin, const Length& size) {
  Shape shape = lengthsOf(x);
  if (axis >= 0 && axis < int(shape.size())) shape[axis] = size;
  return SliceOp::create(b, at, tensor(b.getContext(), shape), x, b.getI64IntegerAttr(axis), length(b, begin));
}

Value pad(OpBuilder& b, Location at, Value x, int axis, const Length& begin, const Length& size) {
  Shape shape = lengthsOf(x);
  if (axis >= 0 && axis < int(shape.size())) shape[axis] = size;
  return PadOp::create(b, at, tensor(b.getContext(), shape), x, b.getI64IntegerAttr(axis), length(b, begin));
}

Value concat(OpBuilder& b, Location at, ValueRange parts, int axis) {
  std::vector<Shape> shapes;
  for (Value part : parts) shapes.push_back(lengthsOf(part));
  std::string why;
  return ConcatOp::create(b, at, typed(b, concatShape(shapes, axis, why)), parts, b.getI64IntegerAttr(axis));
}

Value stopGradient(OpBuilder& b, Location at, Value x) { return StopGradientOp::create(b, at, x.getType(), x); }

Value layer(OpBuilder& b, Location at, Value stacked) {
  std::string why;
  return LayerOp::create(b, at, typed(b, layerShape(lengthsOf(stacked), why)), stacked);
}

Body beginRepeat(OpBuilder& b, Location at, const std::vector<Value>& initial) {
  Body body;
  body.outside = b.saveInsertionPoint();
  body.region = std::make_unique<mlir::Region>();
  mlir::Block& block = body.region->emplaceBlock();
  for (Value value : initial) block.addArgument(value.getType(), at);
  body.arguments = block.getArguments();
  b.setInsertionPointToEnd(&block);
  return body;
}

RepeatOp endRepeat(OpBuilder& b, Location at, Body& body, const RepeatParts& parts) {
  b.setInsertionPointToEnd(&body.region->front());
  YieldOp::create(b, at, ValueRange(parts.yields));
  b.restoreInsertionPoint(body.outside);

  std::vector<mlir::Type> types;
  for (size_t i = 0; i < parts.yields.size(); ++i) {
    Shape shape = lengthsOf(parts.yields[i]);
    if (i >= parts.initial.size()) shape.insert(shape.begin(), parts.trips);
    types.push_back(tensor(b.getContext(), shape));
  }
  auto names = [&](const std::vector<std::string>& list) {
    return list.empty() ? mlir::ArrayAttr() : b.getStrArrayAttr(std::vector<llvm::StringRef>(list.begin(), list.end()));
  };
  RepeatOp repeat =
      RepeatOp::create(b, at, types, ValueRange(parts.initial), text(b, parts.name), length(b, parts.trips),
                       flag(b, parts.reversed), names(parts.argumentNames), names(parts.resultNames),
                       mlir::DenseI64ArrayAttr(), mlir::DenseI64ArrayAttr(), mlir::IntegerAttr(), mlir::IntegerAttr());
  repeat.getBody().takeBody(*body.region);
  return repeat;
}

void output(OpBuilder& b, Location at, Value value, const std::string& name, bool metric) {
  OutputOp::create(b, at, value, text(b, name), flag(b, metric));
}
void loss(OpBuilder& b, Location at, Value value) { LossOp::create(b, at, value); }
void claim(OpBuilder& b, Location at, Value value, const std::string& name) {
  ClaimOp::create(b, at, value, text(b, name));
}
void update(OpBuilder& b, Location at, Value value) { UpdateOp::create(b, at, value); }
void next(OpBuilder& b, Location at, Value state, Value value) { NextOp::create(b, at, state, value); }

}  // namespace tpc::tp
