// Making operations of the `tp` dialect: one function per operation, result types found.
//
//     OpBuilder b(context);
//     OwningOpRef<ModuleOp> module = tp::module(context, symbols);
//     tp::beginProgram(b, *module, "mlp");
//     Value h = tp::contract(b, at, image, w1, {.a = {0, 1}, .b = {1, 2}, .result = {0, 2}});
//     tp::setName(h, "h");
//     tp::loss(b, at, tp::reduce(b, at, ReduceFn::sum, h, {0, 1}));
//
// Shapes are explicit, as in op_kind.h: callers broadcast, and have checked what they ask for.  What a function cannot
// make is caught by the verifier (`mlir::verify`), not here: its result then has rank 0.
#pragma once

#include <memory>

#include "compiler/ir/dialect.h"

namespace tpc::tp {

using mlir::Location;
using mlir::MLIRContext;
using mlir::OpBuilder;
using mlir::Value;
using mlir::ValueRange;

// A context with the dialect loaded, without threads.
std::unique_ptr<MLIRContext> makeContext();

// A module with this list of symbols; lengths name them by position.
mlir::OwningOpRef<mlir::ModuleOp> module(MLIRContext* context, const std::vector<Symbol>& symbols);
std::vector<Symbol> symbolsOf(mlir::ModuleOp module);

// A program or an optimizer at the end of the module; the builder then stands at the end of its body.
ProgramOp beginProgram(OpBuilder& b, mlir::ModuleOp module, const std::string& model);
OptimizerOp beginOptimizer(OpBuilder& b, mlir::ModuleOp module, const std::string& name);

// Spans travel as locations.
Location at(MLIRContext* context, Span span);
Span spanOf(Location location);

Tensor tensor(MLIRContext* context, const std::vector<Length>& lengths);

// The path of the variable a value was assigned to.  Only of values that an operation other than repeat made.
void setName(Value value, const std::string& name);

// Leaves.  Of a Parameter: name, ownership, init (without its node: `start` is that value), file, optimizer are read.
// `stacked`: axis 0 is the trip count of the repeat in whose body it is read by `layer`; it stands before that repeat.
Value parameter(OpBuilder& b, Location at, const Parameter& parameter, const std::vector<Length>& shape,
                bool stacked = false, Value start = {});
Value input(OpBuilder& b, Location at, const Input& input, const std::vector<Length>& shape);
Value number(OpBuilder& b, Location at, const Number& number);
Value number(OpBuilder& b, Location at, double plain);
Value freeMultiplier(OpBuilder& b, Location at, const FreeMultiplier& multiplier);
Value iota(OpBuilder& b, Location at, const Length& length);
Value eye(OpBuilder& b, Location at, const Length& rows, const Length& columns);
Value constant(OpBuilder& b, Location at, const Constant& constant, const std::vector<Length>& shape);
Value dropoutMask(OpBuilder& b, Location at, const Dropout& dropout, const std::vector<Length>& shape);
Value layerIndex(OpBuilder& b, Location at);  // of the repeat whose body the builder stands in
Value argument(OpBuilder& b, Location at, const OptimizerArgument& argument);

// Coordinatewise, operands of one shape.
Value add(OpBuilder& b, Location at, Value x, Value y);
Value sub(OpBuilder& b, Location at, Value x, Value y);
Value mul(OpBuilder& b, Location at, Value x, Value y);
Value maximum(OpBuilder& b, Location at, Value x, Value y);
Value minimum(OpBuilder& b, Location at, Value x, Value y);
Value map(OpBuilder& b, Location at, MapFn fn, Value x);
Value pow(OpBuilder& b, Location at, Value x, Rational power);
Value compare(OpBuilder& b, Location at, CompareFn fn, Value x, Value y);
Value select(OpBuilder& b, Location at, Value condition, Value x, Value y);

Value contract(OpBuilder& b, Location at, Value x, Value y, const Contraction& labels);
Value reduce(OpBuilder& b, Location at, ReduceFn fn, Value x, const std::vector<int>& axes);

Value gather(OpBuilder& b, Location at, Value table, Value index, int axis);
// `length` is the result's along `axis`.
Value scatterAdd(OpBuilder& b, Location at, Value index, Value updates, int axis, const Length& length);
Value oneHot(OpBuilder& b, Location at, Value index, const Length& k);

Value reshape(OpBuilder& b, Location at, Value x, const std::vector<Length>& shape, const Regroup& groups);
Value transpose(OpBuilder& b, Location at, Value x, const std::vector<int>& axes);
// Result axis i is x's axis axes[i], or new where -1.
Value broadcast(OpBuilder& b, Location at, Value x, const std::vector<Length>& shape, const std::vector<int>& axes);
// A scalar as every entry of a shape; x itself where the shape has rank 0.
Value fill(OpBuilder& b, Location at, Value scalar, const std::vector<Length>& shape);
Value slice(OpBuilder& b, Location at, Value x, int axis, const Length& begin, const Length& length);
Value pad(OpBuilder& b, Location at, Value x, int axis, const Length& begin, const Length& length);  // result's length
Value concat(OpBuilder& b, Location at, ValueRange parts, int axis);
Value stopGradient(OpBuilder& b, Location at, Value x);
Value layer(OpBuilder& b, Location at, Value stacked);  // this trip's slice of a value from outside the repeat

// A repeat in two steps: what is made between them stands in the body.
//
//     Body body = beginRepeat(b, at, {h});
//     ... use body.arguments ...
//     RepeatOp layers = endRepeat(b, at, body, {.name = "layers", .trips = L, .initial = {h}, .yields = {next,
//     collected}}); layers.getResult(0)  is h after the last trip, getResult(1) the collected one, stacked
//
// Between the two, operations for outside (stacked parameters) go through another builder that stands where the repeat
// will: OpBuilder outer = b; before beginRepeat.  endRepeat puts the builder after the repeat.
struct Body {
  std::unique_ptr<mlir::Region> region;
  mlir::Block::BlockArgListType arguments;
  OpBuilder::InsertPoint outside;
};
struct RepeatParts {
  std::string name;
  Length trips;
  std::vector<Value> initial;
  std::vector<Value> yields;               // the next carried values, then the collected ones
  std::vector<std::string> argumentNames;  // empty, or a path per carried value
  std::vector<std::string> resultNames;    // empty, or a path per result
  bool reversed = false;
};
Body beginRepeat(OpBuilder& b, Location at, const std::vector<Value>& initial);
RepeatOp endRepeat(OpBuilder& b, Location at, Body& body, const RepeatParts& parts);

// Ends.
void output(OpBuilder& b, Location at, Value value, const std::string& name, bool metric);
void loss(OpBuilder& b, Location at, Value value);
void claim(OpBuilder& b, Location at, Value value, const std::string& name);
void update(OpBuilder& b, Location at, Value value);             // of an optimizer
void next(OpBuilder& b, Location at, Value state, Value value);  // the next value of a state (an `argument`)

}  // namespace tpc::tp
