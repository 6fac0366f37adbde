// What is computed, what is kept, and how a mistake is reported.
#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;

namespace {

struct Network : Hand {
  NodeId x, W, product, h;
  Network() {
    x = input("x", {fixed(2), n()});
    W = parameter("W", {n(), n()});
    product = contract("bi,ij->bj", x, W);
    h = named("h", map(MapFn::relu, product));
  }
};

}  // namespace

TEST_CASE("only wanted values are kept, only needed ones computed", "[interpret]") {
  Network net;
  const auto x = tensor({2, 2}, {1, 2, 3, 4}), W = tensor({2, 2}, {1, -1, 0, 1});
  Evaluation run = evaluate(net.graph, {.numbers = {2}, .inputs = {x}, .parameters = {W}}, std::vector{net.h});
  CHECK(run.error == "");
  CHECK(run.values[net.h]->values == std::vector<double>{1, 1, 3, 1});
  CHECK(run.values[net.product] == nullptr);
  run = evaluate(net.graph, {.numbers = {2}, .inputs = {x}}, std::vector{net.x});  // W is not asked for
  CHECK(run.error == "");
}

TEST_CASE("missing and misshapen values are named", "[interpret]") {
  Network net;
  const auto x = tensor({2, 2}, {1, 2, 3, 4});
  const std::vector wanted = {net.h};
  CHECK(evaluate(net.graph, {.numbers = {2}, .inputs = {x}}, wanted).error == "`W` is given no values");
  CHECK(evaluate(net.graph, {.numbers = {2}, .inputs = {x}, .parameters = {x, x}}, wanted).error == "");
  CHECK(evaluate(net.graph, {.numbers = {3}, .inputs = {x}, .parameters = {x}}, wanted).error ==
        "`x` has the shape [2, 3] and is given [2, 2]");
  CHECK(evaluate(net.graph, {.numbers = {}, .inputs = {x}, .parameters = {x}}, wanted).error.find("no whole length") !=
        std::string::npos);
  CHECK(evaluate(net.graph, {.numbers = {int64_t(1) << 35}, .inputs = {x}, .parameters = {x}}, wanted)
            .error.find("too large") != std::string::npos);
  CHECK(evaluate(net.graph, {.numbers = {2}}, std::vector<NodeId>{99}).error == "a wanted node does not exist");
}

TEST_CASE("a free multiplier is one until the plan says otherwise", "[interpret]") {
  Hand hand;
  hand.graph.freeMultipliers.push_back({.name = "auto"});
  const NodeId free = hand.append(OpKind::freeMultiplier, {}, {}, 0);
  CHECK(evaluate(hand.graph, {.numbers = {2}}, std::vector{free}).values[free]->values[0] == 1);
  CHECK(evaluate(hand.graph, {.numbers = {2}, .multipliers = {0.25}}, std::vector{free}).values[free]->values[0] ==
        0.25);
}
