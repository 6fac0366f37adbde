// Reverse mode: what stands where after it.  Its numbers are held against finite differences in tests/unit/interpret.
#include "tests/unit/transform/program.h"

using namespace tpc;
using mlir::Value;

namespace {

NodeId named(const Graph& graph, const std::string& name) {
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    if (graph.nodes[id].name != none && graph.names[graph.nodes[id].name] == name) return id;
  return none;
}

}  // namespace

TEST_CASE("a matrix product's adjoints are matrix products", "[transform][differentiate]") {
  Made made;
  Value x = made.input("x", {batch, n}), w = made.parameter("w", {n, n}), v = made.parameter("v", {n, n});
  Value h = tp::map(made.b, made.at, MapFn::relu, tp::contract(made.b, made.at, x, w, {{0, 1}, {1, 2}, {0, 2}}));
  tp::setName(h, "h");
  made.lossOfSum(tp::contract(made.b, made.at, h, v, {{0, 1}, {1, 2}, {0, 2}}));
  const Graph graph = made.differentiated();

  // dW = x^T (relu' * dy V^T), dV = h^T dy; the input gets none.
  const Node& dw = graph.nodes[graph.parameters[0].gradient];
  CHECK(dw.kind == OpKind::contract);
  CHECK(graph.operands(graph.parameters[0].gradient)[0] == graph.inputs[0].node);
  CHECK(graph.nodes[graph.operands(graph.parameters[0].gradient)[1]].kind == OpKind::mul);
  CHECK(graph.operands(graph.parameters[1].gradient)[0] == named(graph, "h"));
  CHECK(graph.gradientOf[graph.inputs[0].node] == none);
  CHECK(graph.nodes[graph.gradientOf[named(graph, "h")]].kind == OpKind::contract);
  CHECK(graph.nodes[graph.gradientOf[graph.loss]].kind == OpKind::number);
}

TEST_CASE("what is used twice gets the sum of both", "[transform][differentiate]") {
  Made made;
  Value w = made.parameter("w", {n});
  made.lossOfSum(tp::mul(made.b, made.at, w, w));
  const Graph graph = made.differentiated();
  CHECK(graph.nodes[graph.parameters[0].gradient].kind == OpKind::add);
}

TEST_CASE("frozen parameters, stopped values and integers get no gradient", "[transform][differentiate]") {
  Made made;
  Value w = made.parameter("w", {n}), f = made.parameter("f", {n}, false, true), s = made.parameter("s", {n});
  Value y = tp::mul(made.b, made.at, w, f);
  Value step = tp::compare(made.b, made.at, CompareFn::gt, s, s);
  made.lossOfSum(tp::mul(made.b, made.at, tp::add(made.b, made.at, y, tp::stopGradient(made.b, made.at, s)), step));
  const Graph graph = made.differentiated();
  CHECK(graph.parameters[0].gradient != none);
  CHECK(graph.parameters[1].gradient == none);
  CHECK(graph.parameters[2].gradient == none);
}

TEST_CASE("behind a mask the gradient is selected to zero", "[transform][differentiate]") {
  Made made;
  Value w = made.parameter("w", {n}), mask = made.input("mask", {n});
  Value infinity =
      tp::fill(made.b, made.at, tp::number(made.b, made.at, Number{1, {}, Number::Kind::minusInfinity}), {n});
  Value masked = tp::select(made.b, made.at, mask, w, infinity);
  made.lossOfSum(tp::map(made.b, made.at, MapFn::exp, masked));
  const Graph graph = made.differentiated();
  CHECK(graph.nodes[graph.parameters[0].gradient].kind == OpKind::select);
}

TEST_CASE("a program whose loss trains nothing has no gradient", "[transform][differentiate]") {
  Made made;
  made.lossOfSum(made.input("x", {n}));
  const Graph graph = made.differentiated();
  CHECK(graph.forwardEnd == graph.nodes.size());
}

TEST_CASE("every plumbing operation has its adjoint", "[transform][differentiate]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  const Length two = Length::number(2), four = Length::number(4);
  Value w = made.parameter("w", {two, four, n}), table = made.parameter("E", {n, four}),
        index = made.input("i", {batch});
  Value t = tp::transpose(b, at, w, {2, 0, 1});                                                // n 2 4
  Value flat = tp::reshape(b, at, t, {n, Length::number(8)}, Regroup{{{1, 1}, {2, 1}}});       // n 8
  Value part = tp::slice(b, at, flat, 1, Length::number(1), four);                             // n 4
  Value both = tp::concat(b, at, {part, tp::pad(b, at, part, 1, two, Length::number(8))}, 1);  // n 12
  Value best = tp::reduce(b, at, ReduceFn::max, both, {1});                                    // n
  Value wide = tp::broadcast(b, at, best, {four, n, two}, {-1, 0, -1});
  Value rows = tp::gather(b, at, table, index, 0);        // batch 4
  Value back = tp::scatterAdd(b, at, index, rows, 0, n);  // n 4
  Value all =
      tp::maximum(b, at, tp::reduce(b, at, ReduceFn::sum, wide, {0, 2}), tp::reduce(b, at, ReduceFn::sum, back, {1}));
  for (MapFn fn :
       {MapFn::neg, MapFn::exp, MapFn::square, MapFn::log, MapFn::sqrt, MapFn::rsqrt, MapFn::reciprocal, MapFn::abs,
        MapFn::sin, MapFn::cos, MapFn::tanh, MapFn::sigmoid, MapFn::relu, MapFn::gelu, MapFn::silu})
    all = tp::map(b, at, fn, all);
  all = tp::pow(b, at, all, Rational(3, 2));
  made.lossOfSum(tp::minimum(b, at, all, tp::sub(b, at, all, best)));
  const Graph graph = made.differentiated();
  CHECK(graph.parameters[0].gradient != none);
  CHECK(graph.parameters[1].gradient != none);
}

TEST_CASE("a repeat's gradient is a reverse repeat over what it saved", "[transform][differentiate][repeat]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  Value e = made.parameter("e", {batch, n}), w = made.parameter("layers.w", {depth, n, n}, true),
        shared = made.parameter("shared", {batch, n});
  tp::Body body = tp::beginRepeat(b, at, {e});
  Value x = body.arguments[0];
  Value y = tp::map(b, at, MapFn::tanh, tp::contract(b, at, x, tp::layer(b, at, w), {{0, 1}, {1, 2}, {0, 2}}));
  y = tp::mul(b, at, y, shared);
  tp::setName(y, "layers.y");
  tp::RepeatParts parts;
  parts.name = "layers";
  parts.trips = depth;
  parts.initial = {e};
  parts.yields = {tp::add(b, at, x, y), y};
  parts.argumentNames = {"layers.h"};
  parts.resultNames = {"h#2", "ys"};
  tp::RepeatOp layers = tp::endRepeat(b, at, body, parts);
  made.lossOfSum(tp::add(b, at, layers.getResult(0), tp::reduce(b, at, ReduceFn::sum, layers.getResult(1), {0})));
  const Graph graph = made.differentiated();

  REQUIRE(graph.repeats.size() == 2);
  const Repeat& forward = graph.repeats[0];
  const Repeat& reverse = graph.repeats[1];
  CHECK(reverse.reversed);
  CHECK(reverse.forward == 0);
  CHECK(reverse.trips == depth);
  CHECK(reverse.carried == 2);        // d h and the sum for `shared`
  CHECK(reverse.yields.size() == 3);  // and d layers.w, collected
  CHECK(forward.carried == 1);
  CHECK(forward.yields.size() > 2);
  for (const Parameter& parameter : graph.parameters) {
    REQUIRE(parameter.gradient != none);
    CHECK(graph.nodes[parameter.gradient].kind == OpKind::repeatResult);
  }
  CHECK(graph.parameters[1].stack == 0);
  // Values of the body, its argument and its results have adjoints; those of the body stand in the reverse body.
  CHECK(graph.nodes[graph.gradientOf[named(graph, "layers.y")]].region == 1);
  CHECK(graph.nodes[graph.gradientOf[named(graph, "layers.h")]].region == 1);
  CHECK(graph.nodes[graph.gradientOf[named(graph, "h#2")]].region == none);
  CHECK(graph.gradientOf[named(graph, "ys")] != none);
}

TEST_CASE("nested repeats reverse within each other", "[transform][differentiate][repeat]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  const Length three = Length::number(3);
  Value h = made.parameter("h", {n}), w = made.parameter("w", {depth, n}, true), g = made.parameter("g", {n});
  tp::Body outer = tp::beginRepeat(b, at, {h});
  Value u = tp::mul(b, at, outer.arguments[0], tp::layer(b, at, w));
  tp::Body inner = tp::beginRepeat(b, at, {u});
  Value v = tp::mul(b, at, tp::map(b, at, MapFn::sin, inner.arguments[0]), tp::mul(b, at, g, u));
  tp::RepeatOp rounds = tp::endRepeat(b, at, inner, {"rounds", three, {u}, {v}, {}, {}, false});
  tp::RepeatOp layers = tp::endRepeat(
      b, at, outer, {"layers", depth, {h}, {tp::map(b, at, MapFn::tanh, rounds.getResult(0))}, {}, {}, false});
  made.lossOfSum(layers.getResult(0));
  const Graph graph = made.differentiated();
  CHECK(graph.repeats.size() == 4);
  for (const Parameter& parameter : graph.parameters) CHECK(parameter.gradient != none);
}

TEST_CASE("a carried value that the loss does not see is not run backward", "[transform][differentiate][repeat]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  Value h = made.parameter("h", {n}), k = made.parameter("k", {n});
  tp::Body body = tp::beginRepeat(b, at, {h, k});
  Value x = tp::map(b, at, MapFn::sin, body.arguments[0]), z = tp::mul(b, at, body.arguments[1], x);
  tp::RepeatOp layers = tp::endRepeat(b, at, body, {"layers", depth, {h, k}, {x, z}, {}, {}, false});
  made.lossOfSum(layers.getResult(0));
  const Graph graph = made.differentiated();
  CHECK(graph.repeats[1].carried == 1);
  CHECK(graph.parameters[0].gradient != none);
  CHECK(graph.parameters[1].gradient == none);
}

TEST_CASE("simplify drops what changes nothing, from the gradient only", "[transform][simplify]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  Value w = made.parameter("w", {n, batch});
  Value y = tp::map(b, at, MapFn::neg, tp::map(b, at, MapFn::neg, tp::transpose(b, at, w, {1, 0})));
  y = tp::mul(b, at, y, made.constant(1, {batch, n}));
  made.lossOfSum(
      tp::add(b, at, tp::transpose(b, at, tp::transpose(b, at, y, {1, 0}), {1, 0}), made.constant(0, {batch, n})));
  const Graph graph = made.differentiated();
  auto count = [&](OpKind kind, bool gradient) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [&](const Node& node) { return node.kind == kind && node.gradient == gradient; });
  };
  CHECK(count(OpKind::transpose, false) == 3);
  CHECK(count(OpKind::mul, false) == 1);
  CHECK(count(OpKind::mul, true) == 0);
  CHECK(count(OpKind::transpose, true) ==
        2);  // down and up again: the adjoint of the value between is recorded; and of w
}
