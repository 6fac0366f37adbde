// Optimizers as programs, against their formulas.
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;

namespace {

NodeId argument(Hand& hand, ArgumentRole role, const std::string& name = "", double number = 0) {
  OptimizerArgument argument;
  argument.role = role;
  argument.name = name;
  argument.number = number;
  hand.graph.arguments.push_back(argument);
  return hand.append(OpKind::argument, {}, {}, uint32_t(hand.graph.arguments.size() - 1));
}

// momentum: m = b m + grad;  update = -lr m
OptimizerProgram momentum() {
  Hand hand;
  const NodeId grad = argument(hand, ArgumentRole::grad), lr = argument(hand, ArgumentRole::hyper, "lr", 0.1);
  const NodeId b = argument(hand, ArgumentRole::hyper, "b", 0.5), m = argument(hand, ArgumentRole::state, "m");
  const NodeId next = hand.add(hand.mul(b, m), grad);
  OptimizerProgram program;
  program.name = "momentum";
  program.update = hand.map(MapFn::neg, hand.mul(lr, next));
  program.states = {{m, next}};
  program.graph = std::move(hand.graph);
  return program;
}

}  // namespace

TEST_CASE("momentum moves by its state, entry by entry and beyond one chunk", "[interpret][step]") {
  const OptimizerProgram program = momentum();
  REQUIRE(violation(program.graph) == "");
  Tensor w{{3000}, std::vector<double>(3000)}, grad = w;
  for (int i = 0; i < 3000; ++i) grad.values[i] = i;
  OptimizerState state;
  CHECK(takeStep(program, {.hyper = {{"lr", 0.01}}}, grad, state, w) == "");
  CHECK(takeStep(program, {.hyper = {{"lr", 0.01}}}, grad, state, w) == "");
  CHECK(state.step == 2);
  for (int i : {0, 1, 1500, 2999}) {
    CHECK(w.values[i] == Approx(-0.01 * (1 + 1.5) * i));
    CHECK(state.states[0].values[i] == Approx(1.5 * i));
  }
}

TEST_CASE("the step's number starts at one", "[interpret][step]") {
  Hand hand;
  OptimizerProgram program;
  program.update = argument(hand, ArgumentRole::step);
  program.graph = std::move(hand.graph);
  Tensor w{{1}, {0}}, grad{{1}, {0}};
  OptimizerState state;
  takeStep(program, {}, grad, state, w);
  takeStep(program, {}, grad, state, w);
  CHECK(w.values[0] == 3);
}

TEST_CASE("what is not entry by entry is refused by name", "[interpret][step]") {
  Hand hand;
  OptimizerProgram program;
  program.name = "odd";
  program.update = hand.append(OpKind::iota, {}, {Hand::fixed(2)});
  program.graph = std::move(hand.graph);
  Tensor w{{1}, {0}}, grad{{1}, {0}};
  OptimizerState state;
  CHECK(takeStep(program, {}, grad, state, w) == "the optimizer `odd` uses iota, which is not entry by entry");
}
