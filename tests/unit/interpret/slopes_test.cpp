// Measured slopes of a perceptron made by hand, gradient included, in two parametrizations that are known.
#include "compiler/evidence/slopes.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;

namespace {

// logits = relu(relu(x W1) W2) W3;  loss = sum logits * label, so that d logits = label.
struct Mlp : Hand {
  NodeId x, label, W1, W2, W3, a1, h1, a2, h2, logits, dh2;
  Mlp() {
    const Length batch = fixed(8), pixels = fixed(16), classes = fixed(4);
    x = input("x", {batch, pixels});
    label = input("label", {batch, classes});
    W1 = parameter("W1", {pixels, n()});
    W2 = parameter("W2", {n(), n()});
    W3 = parameter("W3", {n(), classes});
    a1 = contract("bp,pi->bi", x, W1);
    h1 = named("h1", map(MapFn::relu, a1));
    a2 = contract("bi,ij->bj", h1, W2);
    h2 = named("h2", map(MapFn::relu, a2));
    logits = named("logits", contract("bj,jc->bc", h2, W3));
    graph.loss = reduce(ReduceFn::sum, mul(logits, label), {0, 1});
    graph.forwardEnd = NodeId(graph.nodes.size());
    graph.gradientOf.assign(graph.forwardEnd, none);
    dh2 = contract("bc,jc->bj", label, W3);
    const NodeId da2 = mul(dh2, map(MapFn::step, a2));
    const NodeId dh1 = contract("bj,ij->bi", da2, W2);
    const NodeId da1 = mul(dh1, map(MapFn::step, a1));
    graph.gradientOf[h2] = dh2;
    graph.gradientOf[h1] = dh1;
    graph.parameters[0].gradient = contract("bp,bi->pi", x, da1);
    graph.parameters[1].gradient = contract("bi,bj->ij", h1, da2);
    graph.parameters[2].gradient = contract("bj,bc->jc", h2, label);
    REQUIRE(violation(graph) == "");
  }
};

// update = -lr grad / |grad|: what Adam does in its first step.
OptimizerProgram signDescent() {
  Hand hand;
  auto argument = [&](ArgumentRole role, const std::string& name) {
    OptimizerArgument argument;
    argument.role = role;
    argument.name = name;
    hand.graph.arguments.push_back(argument);
    return hand.append(OpKind::argument, {}, {}, uint32_t(hand.graph.arguments.size() - 1));
  };
  const NodeId grad = argument(ArgumentRole::grad, ""), lr = argument(ArgumentRole::hyper, "lr");
  OptimizerProgram program;
  program.name = "sign";
  program.update = hand.map(MapFn::neg, hand.mul(lr, hand.map(MapFn::sign, grad)));
  program.graph = std::move(hand.graph);
  return program;
}

SymbolAnalysis exponents(std::vector<Rational> std, std::vector<Rational> lr) {
  SymbolAnalysis analysis;
  for (size_t p = 0; p < std.size(); ++p) {
    ParameterSizes sizes;
    sizes.initStd = Size::power(std[p]);
    sizes.lr = Size::power(lr[p]);
    analysis.parameters.push_back(sizes);
  }
  return analysis;
}

}  // namespace

TEST_CASE("with mup's exponents for Adam every layer learns and nothing grows", "[evidence][slopes]") {
  Mlp mlp;
  const SymbolAnalysis mup = exponents({0, -half, -1}, {0, -1, -1});
  const Measurement measured =
      measure(mlp.graph, {signDescent()}, planOf(mlp.graph, mup, {.numbers = {64}, .lr = 0.002}),
              {.numbers = {64}, .optimizer = "sign"});
  REQUIRE(measured.error == "");
  for (NodeId h : {mlp.h1, mlp.h2}) {
    CHECK(measured.of(h)->init.slope == Approx(0).margin(0.1));
    CHECK(measured.of(h)->update.slope == Approx(0).margin(0.15));
  }
  CHECK(measured.of(mlp.logits)->init.slope == Approx(-0.5).margin(0.15));
  CHECK(measured.of(mlp.logits)->update.slope == Approx(0).margin(0.15));
  CHECK(measured.of(mlp.dh2)->init.slope == Approx(-1).margin(0.1));
  for (size_t i = 0; i < measured.widths.size(); ++i) CHECK(measured.lossAfter[i] < measured.lossBefore[i]);
}

TEST_CASE("with the standard parametrization and one learning rate the logits blow up", "[evidence][slopes]") {
  Mlp mlp;
  const SymbolAnalysis standard = exponents({0, -half, -half}, {0, 0, 0});
  const Measurement measured =
      measure(mlp.graph, {signDescent()}, planOf(mlp.graph, standard, {.numbers = {64}, .lr = 1e-6}),
              {.numbers = {64}, .steps = 1, .optimizer = "sign"});
  REQUIRE(measured.error == "");
  CHECK(measured.of(mlp.logits)->init.slope == Approx(0).margin(0.2));
  CHECK(measured.of(mlp.h2)->update.slope == Approx(1).margin(0.15));
  CHECK(measured.of(mlp.logits)->update.slope > 0.8);
}

TEST_CASE("a slope needs positive finite sizes, and zero is said to be zero", "[evidence][slopes]") {
  CHECK(fitted({64, 128, 256}, {1, 2, 4}).slope == Approx(1));
  CHECK(fitted({64, 128}, {0, 0}).zero);
  CHECK_FALSE(fitted({64, 128}, {0, 1}).finite);
  Mlp mlp;
  CHECK(
      measure(mlp.graph, {}, planOf(mlp.graph, {}, {.numbers = {64}}), {.numbers = {64}, .optimizer = "sign"}).error ==
      "`W1` has no optimizer");
}
