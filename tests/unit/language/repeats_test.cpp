// Repeats in repeats, several carried values, the index as a value, what is collected, parameters for each round of
// some repeats and for all of others.
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/language/programs.h"

namespace tpc {

namespace {

const std::string head = "size n = 4, m = 3\ninput x [batch, n]\n";
const std::string small = " batch = 2\n";

std::string with(const std::string& body) { return "size n = 4, m = 3, batch = 2\ninput x [batch, n]\n" + body; }

}  // namespace

TEST_CASE("a parameter in nested repeats has an instance for each round of all of them", "[language][repeat]") {
  Program program(with(
      "h = x\nrepeat 2 as outer {\n  param a [n, n]\n  h = tanh(h @ a)\n  repeat 3 as inner {\n    param w [n, n]\n"
      "    shared param s [n]\n    shared(inner) param o [n]\n    shared(outer) param i [n]\n"
      "    h = h + tanh(h @ w) * s + o * i\n  }\n}\nloss = mean(h^2)\n"));
  CHECK(parametersOf(program.graph) ==
        "outer.a [2, n, n]; outer.inner.w [2, 3, n, n]; outer.inner.s [n]; outer.inner.o [2, n]; outer.inner.i [3, n]");
  CHECK(program.parameter("outer.inner.w").innerStacks.size() == 1);
  CHECK(program.parameter("outer.inner.i").innerStacks.empty());
  CHECK(program.graph.repeats[program.parameter("outer.inner.i").stack].name == "outer.inner");
  program.checkGradients();
}

TEST_CASE("nested repeats compute what their rounds written one by one do", "[language][repeat]") {
  Program nested(with(
      "h = x\nparam w [2, 3, n, n]\nrepeat 2 as a {\n  repeat 3 as b {\n    h = tanh(h @ w[a][b] + a - b)\n  }\n}\n"
      "loss = mean(h^2)\n"));
  std::string text = "h = x\nparam w [2, 3, n, n]\n";
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      text += "h = tanh(h @ w[" + std::to_string(a) + "][" + std::to_string(b) + "] + " + std::to_string(a) + " - " +
              std::to_string(b) + ")\n";
  Program plain(with(text + "loss = mean(h^2)\n"));
  CHECK(nested.loss() == Approx(plain.loss()).epsilon(1e-14));
  nested.checkGradients();
  // The stacked form is the same parameter.
  Program stacked(
      with("h = x\nrepeat 2 as a {\n  repeat 3 as b {\n    param w [n, n]\n    h = tanh(h @ w + a - b)\n  }\n}\n"
           "loss = mean(h^2)\n"));
  CHECK(stacked.loss() == Approx(plain.loss()).epsilon(1e-14));
}

TEST_CASE("several values are carried, and change all at once at the end of a round", "[language][repeat]") {
  Program program(
      with("param w [n]\na = x * w\nb = x\nc = sum(x)\nrepeat 4 {\n  a, b = (b, a + b * w)\n  c = c + mean(a * b)\n}\n"
           "loss = c + sum(a)\n"));
  program.checkGradients();
}

TEST_CASE("what a repeat in a repeat assigns is carried by both", "[language][repeat]") {
  Program program(
      with("param w [n]\nh = x\nk = x * w\nrepeat 2 {\n  repeat 3 {\n    h = sin(h * w + k)\n  }\n  k = k + h\n}\n"
           "loss = mean(h * k)\n"));
  CHECK(program.graph.repeats.size() == 4);
  program.checkGradients();
}

TEST_CASE("an index chooses along an axis", "[language][repeat]") {
  Program program(
      "size n = 4, t = 5, batch = 2\ninput x [batch, t, n]\nparam w [n, n]\nparam u [n, n]\n"
      "h = x[:, 0] * 0\nrepeat t as now {\n  h = tanh(h @ w + x[:, now] @ u)\n  s = h * (now + 1)\n  collect s\n}\n"
      "output states = s\nloss = mean(s^2)\n");
  CHECK(program.at("states").shape == std::vector<int64_t>{5, 2, 4});
  program.checkGradients();
  const Tensor x = program.values("x"), w = program.values("w"), u = program.values("u");
  const Tensor states = program.at("states");
  std::vector<double> h(4, 0);  // the first example, by hand
  for (int t = 0; t < 5; ++t) {
    std::vector<double> next(4, 0);
    for (int j = 0; j < 4; ++j) {
      for (int i = 0; i < 4; ++i) next[j] += h[i] * w.values[i * 4 + j] + x.values[t * 4 + i] * u.values[i * 4 + j];
      next[j] = std::tanh(next[j]);
      CHECK(states.values[size_t(t * 8 + j)] == Approx(next[j] * (t + 1)).epsilon(1e-12));
    }
    h = next;
  }
}

TEST_CASE("what an inner repeat collects is stacked by the outer one again", "[language][repeat]") {
  Program program(
      with("param w [n]\nh = x\nrepeat 2 as a {\n  repeat 3 as b {\n    h = sin(h * w)\n    y = h * (a + 2 * b)\n    "
           "collect y\n"
           "  }\n  z = y * 2\n  collect z\n}\noutput all = z\nloss = mean(z^2)\n"));
  CHECK(program.at("all").shape == std::vector<int64_t>{2, 3, 2, 4});
  program.checkGradients();
}

TEST_CASE("a repeat in a function in a repeat stacks its parameters along both", "[language][repeat]") {
  Program program(with(
      "fn deep(z [..., c], k) {\n  repeat k as rounds {\n    param w [c, c]\n    z = tanh(z @ w)\n  }\n  return z\n}\n"
      "h = x\nrepeat 2 as blocks {\n  h += auto * deep(h, 3)\n}\nloss = mean(h^2)\n"));
  CHECK(parametersOf(program.graph) == "blocks.deep.rounds.w [2, 3, n, n]");
  REQUIRE(program.graph.freeMultipliers.size() == 1);
  CHECK(program.graph.freeMultipliers[0].name == "blocks.auto");
  program.checkGradients();
}

TEST_CASE("a repeat that carries nothing collects", "[language][repeat]") {
  Program program(
      with("param w [3, n]\nrepeat 3 as k {\n  z = x * w[k]\n  repeat 2 {\n    z = sin(z)\n  }\n  collect z\n}\nloss = "
           "mean(z^2)\n"));
  program.checkGradients();
}

TEST_CASE("a free multiplier in nested repeats is one for all rounds", "[language][repeat]") {
  Program program(
      with("h = x\nrepeat 2 as a {\n  repeat 3 as b {\n    param w [n, n]\n    h += auto * tanh(h @ w)\n  }\n}\nloss = "
           "mean(h^2)\n"));
  REQUIRE(program.graph.freeMultipliers.size() == 1);
  for (const Node& node : program.graph.nodes)
    if (node.kind == OpKind::freeMultiplier) CHECK(node.region == none);
  program.bindings.multipliers = {0.3};
  program.checkGradients();
}

TEST_CASE("the first values of a layer do not depend on how many layers there are", "[language][repeat]") {
  auto first = [](int a, int b) {
    Program program("size n = 4, batch = 2, A = " + std::to_string(a) + ", B = " + std::to_string(b) +
                    "\ninput x [batch, n]\nh = x\nrepeat A as a { repeat B as b { param w [n, n]\n h = h @ w } }\nloss "
                    "= mean(h)\n");
    InitialValue value = initialValue(program.graph, 0, program.bindings.numbers, 1.0, 7);
    REQUIRE(value.error == "");
    return *value.value;
  };
  const Tensor small = first(2, 2), large = first(3, 4);
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 2; ++b)
      for (int i = 0; i < 16; ++i)
        CHECK(small.values[size_t((a * 2 + b) * 16 + i)] == large.values[size_t((a * 4 + b) * 16 + i)]);
  CHECK(small.values[0] != small.values[16]);
  CHECK(small.values[0] != small.values[32]);
  CHECK(small.values[16] != small.values[32]);
}

}  // namespace tpc
