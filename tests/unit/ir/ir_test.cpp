// The tp dialect: its text, its verifiers, and what flatten makes of it.
#include "compiler/ir/build.h"
#include "compiler/ir/flatten.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "tests/catch.h"

using namespace tpc;
using mlir::Value;

namespace {

const Length batch = Length::symbol(0), n = Length::symbol(1), depth = Length::symbol(2);
const std::vector<Symbol> symbols = {{"batch", false, 32}, {"n", true, 256}, {"L", true, 6}};

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out);
  return text;
}

// The first error of a module given as text.
std::string errorOf(mlir::MLIRContext* context, const std::string& text) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(context, [&](mlir::Diagnostic& diagnostic) {
    if (message.empty()) message = diagnostic.str();
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context);
  return module ? "" : message;
}

std::string program(const std::string& body) { return "module { tp.program \"p\" {\n" + body + "\n} }"; }

Parameter named(const std::string& name) {
  Parameter parameter;
  parameter.name = name;
  return parameter;
}

// Residual layers over a stacked parameter, an embedding, every kind of attribute.
mlir::OwningOpRef<mlir::ModuleOp> residual(mlir::MLIRContext* context) {
  auto module = tp::module(context, symbols);
  mlir::OpBuilder b(context);
  tp::beginProgram(b, *module, "residual");
  mlir::Location at = tp::at(context, {0, 10, 20});
  Parameter e = named("E");
  e.init.kind = Init::Kind::normal;
  e.init.number = {0.02, {{1, Rational(-1, 2)}}, Number::Kind::plain};
  e.init.fixed = true;
  Value table = tp::parameter(b, at, e, {Length::number(10), n});
  Input token;
  token.name = "token";
  token.integer = true;
  token.below = Length::number(10);
  Value h = tp::gather(b, at, table, tp::input(b, at, token, {batch}), 0);
  tp::setName(h, "h");
  Value w = tp::parameter(b, at, named("layers.w"), {depth, n, n}, true);

  tp::Body body = tp::beginRepeat(b, at, {h});
  Value y = tp::contract(b, at, body.arguments[0], tp::layer(b, at, w), {{0, 1}, {1, 2}, {0, 2}});
  y = tp::map(b, at, MapFn::tanh, y);
  Value index = tp::fill(b, at, tp::layerIndex(b, at), {batch, n});
  y = tp::mul(b, at, y, index);
  tp::RepeatParts parts;
  parts.name = "layers";
  parts.trips = depth;
  parts.initial = {h};
  parts.yields = {tp::add(b, at, body.arguments[0], y), y};
  parts.argumentNames = {"layers.h"};
  parts.resultNames = {"h#2", ""};
  tp::RepeatOp layers = tp::endRepeat(b, at, body, parts);
  FreeMultiplier free;
  free.name = "auto";
  free.symbols = {1};
  Value scale = tp::fill(b, at, tp::freeMultiplier(b, at, free), {batch, n});
  Value out = tp::pow(b, at, tp::mul(b, at, layers.getResult(0), scale), Rational(3, 2));
  Value joined = tp::concat(b, at, {out, tp::slice(b, at, out, 1, Length::number(1), Length::number(2))}, 1);
  tp::output(b, at, joined, "out", false);
  tp::loss(b, at, tp::reduce(b, at, ReduceFn::sum, tp::number(b, at, {1, {}, Number::Kind::tiny}), {}));
  return module;
}

}  // namespace

TEST_CASE("a module's text reads back as the same module", "[ir]") {
  auto context = tp::makeContext();
  auto module = residual(context.get());
  REQUIRE(mlir::succeeded(mlir::verify(*module)));
  const std::string text = print(*module);
  INFO(text);
  auto again = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  REQUIRE(again);
  CHECK(print(*again) == text);
  CHECK(text.find("tp.map tanh") != std::string::npos);
  CHECK(text.find("!tp.tensor<s2, s1, s1>") != std::string::npos);
  CHECK(text.find("tp.parameter \"E\" normal") != std::string::npos);
}

TEST_CASE("lengths are polynomials and print so", "[ir]") {
  auto context = tp::makeContext();
  auto roundTrip = [&](const Length& length) {
    std::string text;
    llvm::raw_string_ostream(text) << tp::LengthAttr::get(context.get(), length);
    auto again = mlir::parseAttribute(text, context.get());
    REQUIRE(again);
    CHECK(llvm::cast<tp::LengthAttr>(again).getValue() == length);
    return text;
  };
  CHECK(roundTrip(Length::number(4) * n) == "#tp.length<4 * s1>");
  roundTrip(Length::number(3) * n * n * Length::number(Rational(1, 64)) + batch + Length::number(1));
  CHECK(roundTrip(Length()) == "#tp.length<0>");
}

TEST_CASE("the verifier names what does not fit", "[ir]") {
  auto context = tp::makeContext();
  const std::string xy = "%x = tp.iota : () -> !tp.tensor<s0>\n%y = tp.iota : () -> !tp.tensor<s1>\n";
  auto error = [&](const std::string& body) { return errorOf(context.get(), program(xy + body)); };
  CHECK(error("%z = tp.add %x, %x : (!tp.tensor<s0>, !tp.tensor<s0>) -> !tp.tensor<s0>").empty());
  CHECK(error("%z = tp.add %x, %y : (!tp.tensor<s0>, !tp.tensor<s1>) -> !tp.tensor<s0>")
            .find("takes and gives one shape") != std::string::npos);
  CHECK(error("%z = tp.contract %x, %y {a = array<i64: 0>, b = array<i64: 0>, labels = array<i64>} : (!tp.tensor<s0>, "
              "!tp.tensor<s1>) -> !tp.tensor<>")
            .find("lengths differ at label 0") != std::string::npos);
  CHECK(error("%z = tp.contract %x, %y {a = array<i64: 0>, b = array<i64: 1>, labels = array<i64: 0>} : "
              "(!tp.tensor<s0>, !tp.tensor<s1>) -> !tp.tensor<s0>")
            .find("is missing in the result") != std::string::npos);
  CHECK(error("%z = tp.reduce sum %x {axes = array<i64: 1>} : (!tp.tensor<s0>) -> !tp.tensor<>")
            .find("there is no axis 1") != std::string::npos);
  CHECK(error("%z = tp.map sine %x : (!tp.tensor<s0>) -> !tp.tensor<s0>").find("no function of one argument") !=
        std::string::npos);
  CHECK(error("%z = tp.layerIndex : () -> !tp.tensor<>").find("body of a repeat") != std::string::npos);
  CHECK(error("%z = tp.slice %x {axis = 0 : i64, begin = #tp.length<1>} : (!tp.tensor<s0>) -> !tp.tensor<s0>")
            .find("not inside the axis") != std::string::npos);
  CHECK(error("%z = tp.reshape %x {groups = array<i64: 1, 2>} : (!tp.tensor<s0>) -> !tp.tensor<s0, 2>")
            .find("different products") != std::string::npos);
  CHECK(error("%z = tp.iota : () -> !tp.tensor<999999999 * 999999999>").find("too large a number") !=
        std::string::npos);
  CHECK(error("%z = tp.iota : () -> !tp.tensor<0>").find("an axis of length 0") != std::string::npos);
  CHECK(error("%z = tp.iota : () -> !tp.tensor<s1 over 0>").find("divisor out of range") != std::string::npos);
  CHECK(error("tp.loss %x : !tp.tensor<s0>").find("rank 0") != std::string::npos);
  CHECK(error("tp.repeat \"r\" %x {trips = #tp.length<s1>} : (!tp.tensor<s0>) -> () {\n^bb0(%a: !tp.tensor<s0>):\n "
              "tp.yield %a : !tp.tensor<s0>\n}")
            .find("one result per yielded value") != std::string::npos);
}

TEST_CASE("a module becomes a graph without violations", "[ir][flatten]") {
  auto context = tp::makeContext();
  auto module = residual(context.get());
  const Graph graph = flatten(*module).graph;
  INFO(toString(graph));
  CHECK(violation(graph) == "");
  CHECK(graph.model == "residual");
  REQUIRE(graph.parameters.size() == 2);
  CHECK(graph.parameters[0].name == "E");
  CHECK(graph.parameters[0].stack == none);
  CHECK(graph.parameters[0].init.fixed);
  CHECK(graph.parameters[0].init.number.powers[0].second == Rational(-1, 2));
  CHECK(graph.parameters[1].stack == 0);
  REQUIRE(graph.repeats.size() == 1);
  CHECK(graph.repeats[0].name == "layers");
  CHECK(graph.repeats[0].trips == depth);
  CHECK(graph.repeats[0].yields.size() == 2);
  CHECK(graph.names[graph.nodes[graph.repeats[0].arguments[0]].name] == "layers.h");
  CHECK(graph.nodes[graph.repeats[0].node].span.begin == 10);
  CHECK(graph.forwardEnd == graph.nodes.size());
  CHECK(graph.loss != none);
  CHECK(graph.outputs.size() == 1);
}

TEST_CASE("an optimizer becomes a program over its arguments", "[ir][flatten]") {
  auto context = tp::makeContext();
  auto module = tp::module(context.get(), {});
  mlir::OpBuilder b(context.get());
  tp::beginOptimizer(b, *module, "momentum");
  mlir::Location at = b.getUnknownLoc();
  Value grad = tp::argument(b, at, {ArgumentRole::grad, "grad", 0, false});
  Value lr = tp::argument(b, at, {ArgumentRole::hyper, "lr", 0.1, false});
  Value m = tp::argument(b, at, {ArgumentRole::state, "m", 0, false});
  Value nextM = tp::add(b, at, m, grad);
  tp::next(b, at, m, nextM);
  tp::update(b, at, tp::map(b, at, MapFn::neg, tp::mul(b, at, lr, nextM)));
  REQUIRE(mlir::succeeded(mlir::verify(*module)));
  const std::vector<OptimizerProgram> optimizers = flatten(*module).optimizers;
  REQUIRE(optimizers.size() == 1);
  CHECK(violation(optimizers[0].graph) == "");
  CHECK(optimizers[0].name == "momentum");
  CHECK(optimizers[0].states == std::vector<std::pair<NodeId, NodeId>>{{2, 3}});
  CHECK(optimizers[0].graph.arguments[1].number == 0.1);
  CHECK(optimizers[0].update == 5);
}
