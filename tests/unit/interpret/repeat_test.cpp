// A repeat against the same program written out.
#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;
using Values = std::vector<double>;

namespace {
const Length two = Hand::fixed(2), three = Hand::fixed(3);
}

TEST_CASE("carried values, layers of a stacked parameter and collected values", "[interpret][repeat]") {
  Hand hand;
  const NodeId x = hand.input("x", {two}), g = hand.parameter("layers.g", {three, two}, {}, 0);
  NodeId inside = none;
  const NodeId repeat = hand.repeat("layers", three, {x}, [&](const Hand::Nodes& carried) {
    inside = hand.mul(carried[0], hand.layer(g));
    const NodeId index = hand.append(OpKind::layerIndex, {}, {}, 0);
    const NodeId next = hand.add(inside, hand.broadcast(index, {two}, {-1}));
    return Hand::Nodes{next, carried[0]};
  });
  const NodeId last = hand.result(repeat, 0), before = hand.result(repeat, 1);
  REQUIRE(violation(hand.graph) == "");
  const Bindings bindings = {
      .numbers = {1}, .inputs = {tensor({2}, {1, 2})}, .parameters = {tensor({3, 2}, {2, 3, 4, 5, 6, 7})}};
  Evaluation run = evaluate(hand.graph, bindings, std::vector{last, before, inside});
  REQUIRE(run.error == "");
  // x: (1, 2) -> (2, 6) -> (9, 31) -> (56, 219)
  CHECK(run.values[last]->values == Values{56, 219});
  CHECK(run.values[before]->values == Values{1, 2, 2, 6, 9, 31});
  CHECK(run.values[inside]->shape == std::vector<int64_t>{3, 2});
  CHECK(run.values[inside]->values == Values{2, 6, 8, 30, 54, 217});
}

TEST_CASE("a reversed repeat runs from the last layer and stacks by the layer's index", "[interpret][repeat]") {
  Hand hand;
  const NodeId x = hand.input("x", {}), w = hand.input("w", {three});
  const NodeId repeat = hand.repeat(
      "back", three, {x},
      [&](const Hand::Nodes& carried) {
        return Hand::Nodes{hand.add(hand.mul(carried[0], hand.number(10)), hand.layer(w)), carried[0]};
      },
      true);
  const NodeId last = hand.result(repeat, 0), seen = hand.result(repeat, 1);
  REQUIRE(violation(hand.graph) == "");
  Evaluation run = evaluate(hand.graph, {.numbers = {1}, .inputs = {tensor({}, {0}), tensor({3}, {1, 2, 3})}},
                            std::vector{last, seen});
  REQUIRE(run.error == "");
  CHECK(run.values[last]->values == Values{321});
  CHECK(run.values[seen]->values == Values{32, 3, 0});
}

TEST_CASE("repeats nest, and a value inside comes stacked along both", "[interpret][repeat]") {
  Hand hand;
  const NodeId x = hand.input("x", {});
  NodeId inside = none;
  const NodeId outer = hand.repeat("outer", two, {x}, [&](const Hand::Nodes& carried) {
    const NodeId index = hand.append(OpKind::layerIndex, {}, {}, 0);
    const NodeId inner = hand.repeat("inner", three, {carried[0]}, [&](const Hand::Nodes& held) {
      inside = hand.add(hand.add(held[0], index), hand.append(OpKind::layerIndex, {}, {}, 1));
      return Hand::Nodes{inside};
    });
    return Hand::Nodes{hand.result(inner, 0)};
  });
  const NodeId last = hand.result(outer, 0);
  REQUIRE(violation(hand.graph) == "");
  Evaluation run = evaluate(hand.graph, {.numbers = {1}, .inputs = {tensor({}, {0})}}, std::vector{last, inside});
  REQUIRE(run.error == "");
  CHECK(run.values[last]->values == Values{9});
  CHECK(run.values[inside]->shape == std::vector<int64_t>{2, 3});
  CHECK(run.values[inside]->values == Values{0, 1, 3, 4, 6, 9});
}

TEST_CASE("two carried values may change places", "[interpret][repeat]") {
  Hand hand;
  const NodeId a = hand.input("a", {}), b = hand.input("b", {});
  const NodeId repeat = hand.repeat("swap", three, {a, b}, [&](const Hand::Nodes& held) {
    return Hand::Nodes{held[1], held[0]};
  });
  const NodeId first = hand.result(repeat, 0);
  Evaluation run =
      evaluate(hand.graph, {.numbers = {1}, .inputs = {tensor({}, {1}), tensor({}, {2})}}, std::vector{first});
  REQUIRE(run.error == "");
  CHECK(run.values[first]->values == Values{2});
}
