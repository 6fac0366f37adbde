// Each primitive on a case small enough to check by eye, corners included.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;
using Values = std::vector<double>;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const Length two = Hand::fixed(2), three = Hand::fixed(3), four = Hand::fixed(4);

// The value of a node of `hand` with its inputs as given.
TensorPtr value(Hand& hand, NodeId node, std::vector<TensorPtr> inputs) {
  REQUIRE(violation(hand.graph) == "");
  Evaluation run = evaluate(hand.graph, {.numbers = {4}, .inputs = std::move(inputs)}, std::vector{node});
  REQUIRE(run.error == "");
  return run.values[node];
}

std::string error(Hand& hand, NodeId node, std::vector<TensorPtr> inputs) {
  return evaluate(hand.graph, {.numbers = {4}, .inputs = std::move(inputs)}, std::vector{node}).error;
}

Values mapped(MapFn fn, const Values& x) {
  Hand hand;
  const NodeId a = hand.input("a", {Hand::fixed(int64_t(x.size()))});
  return value(hand, hand.map(fn, a), {tensor({int64_t(x.size())}, x)})->values;
}

}  // namespace

TEST_CASE("functions at their corners", "[interpret][map]") {
  CHECK(mapped(MapFn::relu, {-1, 0, 2}) == Values{0, 0, 2});
  CHECK(mapped(MapFn::step, {-1, 0, 2}) == Values{0, 0, 1});
  CHECK(mapped(MapFn::sign, {-3, 0, 2}) == Values{-1, 0, 1});
  CHECK(mapped(MapFn::round, {0.5, 1.5, -0.5, 2.4}) == Values{0, 2, 0, 2});
  CHECK(mapped(MapFn::isFinite, {1, inf, -inf, NAN}) == Values{1, 0, 0, 0});
  CHECK(mapped(MapFn::sigmoid, {-1000, 0, 1000}) == Values{0, 0.5, 1});
  CHECK(mapped(MapFn::exp, {-inf}) == Values{0});
  CHECK(std::isnan(mapped(MapFn::relu, {NAN})[0]));
}

TEST_CASE("derivatives are those of the functions", "[interpret][map]") {
  const std::pair<MapFn, MapFn> pairs[] = {{MapFn::gelu, MapFn::gelu1},
                                           {MapFn::silu, MapFn::silu1},
                                           {MapFn::sigmoid, MapFn::sigmoid1},
                                           {MapFn::tanh, MapFn::tanh1},
                                           {MapFn::relu, MapFn::step}};
  for (auto [f, derivative] : pairs)
    for (double x : {-3.0, -0.7, 0.1, 1.3, 4.0}) {
      const double h = 1e-5;
      CHECK(applyMap(derivative, x) == Approx((applyMap(f, x + h) - applyMap(f, x - h)) / (2 * h)).margin(1e-9));
    }
}

TEST_CASE("of two equal values, and of NaN, maximum and minimum", "[interpret]") {
  Hand hand;
  const NodeId a = hand.input("a", {four}), b = hand.input("b", {four});
  const auto A = tensor({4}, {1, 2, NAN, 0}), B = tensor({4}, {1, 3, 0, NAN});
  const NodeId maximum = hand.binary(OpKind::maximum, a, b), minimum = hand.binary(OpKind::minimum, a, b);
  const Values high = value(hand, maximum, {A, B})->values, low = value(hand, minimum, {A, B})->values;
  CHECK(high[0] == 1);
  CHECK(high[1] == 3);
  CHECK(low[1] == 2);
  CHECK((std::isnan(high[2]) && std::isnan(high[3]) && std::isnan(low[2]) && std::isnan(low[3])));
}

TEST_CASE("select takes the branch and never mixes in the other", "[interpret]") {
  Hand hand;
  const NodeId c = hand.input("c", {three}), a = hand.input("a", {three}), b = hand.input("b", {three});
  const NodeId chosen = hand.append(OpKind::select, {c, a, b}, {three});
  CHECK(value(hand, chosen, {tensor({3}, {1, 0, -2}), tensor({3}, {1, inf, 3}), tensor({3}, {NAN, 5, -inf})})->values ==
        Values{1, 5, 3});
}

TEST_CASE("contractions in any layout", "[interpret][contract]") {
  Hand hand;
  const NodeId a = hand.input("a", {two, three}), b = hand.input("b", {three, two});
  const auto A = tensor({2, 3}, {1, 2, 3, 4, 5, 6}), B = tensor({3, 2}, {1, 0, 0, 1, 1, 1});
  const NodeId product = hand.contract("ij,jk->ik", a, b), transposed = hand.contract("ij,jk->ki", a, b);
  const NodeId outer = hand.contract("ij,kl->ijkl", a, b), diagonal = hand.contract("ij,ji->i", a, b);
  CHECK(value(hand, product, {A, B})->values == Values{4, 5, 10, 11});
  CHECK(value(hand, transposed, {A, B})->values == Values{4, 10, 5, 11});
  CHECK(value(hand, outer, {A, B})->values.size() == 36);
  CHECK(value(hand, diagonal, {A, B})->values == Values{4, 11});
}

TEST_CASE("reductions over any axes, ties going to the first", "[interpret][reduce]") {
  Hand hand;
  const NodeId x = hand.input("x", {two, three});
  const auto X = tensor({2, 3}, {1, 5, 5, -2, -7, -2});
  const NodeId rows = hand.reduce(ReduceFn::sum, x, {1}), columns = hand.reduce(ReduceFn::sum, x, {0}),
               all = hand.reduce(ReduceFn::max, x, {0, 1});
  const NodeId least = hand.reduce(ReduceFn::min, x, {1}), where = hand.reduce(ReduceFn::argmax, x, {1}),
               nothing = hand.reduce(ReduceFn::sum, x, {});
  CHECK(value(hand, rows, {X})->values == Values{11, -11});
  CHECK(value(hand, columns, {X})->values == Values{-1, -2, 3});
  CHECK(value(hand, all, {X})->values == Values{5});
  CHECK(value(hand, least, {X})->values == Values{1, -7});
  CHECK(value(hand, where, {X})->values == Values{1, 0});
  CHECK(value(hand, nothing, {X})->values == X->values);
}

TEST_CASE("gather, its adjoint, and one-hot rows", "[interpret][gather]") {
  Hand hand;
  const NodeId table = hand.input("table", {three, two}), index = hand.input("index", {four}, three);
  const auto T = tensor({3, 2}, {1, 2, 3, 4, 5, 6}), I = tensor({4}, {2, 0, 0, 1});
  const NodeId rows = hand.append(OpKind::gather, {table, index}, {four, two}, hand.axes({0}));
  CHECK(value(hand, rows, {T, I})->values == Values{5, 6, 1, 2, 1, 2, 3, 4});
  hand.graph.scatters.push_back({.axis = 0, .indexRank = 1});
  const NodeId back = hand.append(OpKind::scatterAdd, {index, rows}, {three, two}, 0);
  CHECK(value(hand, back, {T, I})->values == Values{2, 4, 3, 4, 5, 6});
  const NodeId hot = hand.append(OpKind::oneHot, {index}, {four, three});
  CHECK(value(hand, hot, {T, I})->values == Values{0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0});
  CHECK(error(hand, rows, {T, tensor({4}, {3, 0, 0, 0})}) == "`index` holds 3.000000, not a whole number in 0 .. 2");
}

TEST_CASE("gather along an inner axis", "[interpret][gather]") {
  Hand hand;
  const NodeId table = hand.input("table", {two, three, two}), index = hand.input("index", {two});
  const NodeId picked = hand.append(OpKind::gather, {table, index}, {two, two, two}, hand.axes({1}));
  const auto T = tensor({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(value(hand, picked, {T, tensor({2}, {2, 0})})->values == Values{4, 5, 0, 1, 10, 11, 6, 7});
  CHECK(error(hand, picked, {T, tensor({2}, {0.5, 0})}).find("not a whole number in 0 .. 2") != std::string::npos);
}

TEST_CASE("plumbing moves coordinates", "[interpret][plumbing]") {
  Hand hand;
  const NodeId x = hand.input("x", {two, three});
  const auto X = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const NodeId turned = hand.append(OpKind::transpose, {x}, {three, two}, hand.axes({1, 0}));
  CHECK(value(hand, turned, {X})->values == Values{1, 4, 2, 5, 3, 6});
  hand.graph.regroups.push_back({{{2, 1}}});
  const NodeId flat = hand.append(OpKind::reshape, {x}, {Hand::fixed(6)}, 0);
  CHECK(value(hand, flat, {X})->values == X->values);
  hand.graph.slices.push_back({1, Hand::fixed(1)});
  const NodeId part = hand.append(OpKind::slice, {x}, {two, two}, 0);
  CHECK(value(hand, part, {X})->values == Values{2, 3, 5, 6});
  const NodeId padded = hand.append(OpKind::pad, {part}, {two, four}, 0);
  CHECK(value(hand, padded, {X})->values == Values{0, 2, 3, 0, 0, 5, 6, 0});
  const NodeId joined = hand.append(OpKind::concat, {x, part}, {two, Hand::fixed(5)}, hand.axes({1}));
  CHECK(value(hand, joined, {X})->values == Values{1, 2, 3, 2, 3, 4, 5, 6, 5, 6});
  const NodeId tooFar = hand.append(OpKind::slice, {x}, {two, three}, 0);
  CHECK(error(hand, tooFar, {X}).find("reaches beyond its axis") != std::string::npos);
}

TEST_CASE("broadcast adds axes", "[interpret][plumbing]") {
  Hand hand;
  const NodeId x = hand.input("x", {two});
  const auto X = tensor({2}, {1, 2});
  const NodeId rows = hand.broadcast(x, {three, two}, {-1, 0}), columns = hand.broadcast(x, {two, three}, {0, -1});
  CHECK(value(hand, rows, {X})->values == Values{1, 2, 1, 2, 1, 2});
  CHECK(value(hand, columns, {X})->values == Values{1, 1, 1, 2, 2, 2});
}

TEST_CASE("numbers are powers of the sizes", "[interpret]") {
  Hand hand;
  const NodeId number = hand.number(3, {{0, Rational(-1, 2)}});
  CHECK(value(hand, number, {})->values == Values{1.5});  // n = 4
  const NodeId iota = hand.append(OpKind::iota, {}, {Hand::n()}), eye = hand.append(OpKind::eye, {}, {two, three});
  CHECK(value(hand, iota, {})->values == Values{0, 1, 2, 3});
  CHECK(value(hand, eye, {})->values == Values{1, 0, 0, 0, 1, 0});
}
