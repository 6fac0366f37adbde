// Published parametrizations, derived again from the programs they speak of.  No table stands in the compiler.
#include "tests/catch.h"
#include "tests/programs/program.h"
#include "tests/programs/twin.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

const std::string perceptron = R"(size n = 128 -> inf
size d = 8
input  x [batch, d]
target y [batch]
param U [d, n]
param b1 [n]
param W [n, n]
param b2 [n]
param V [n, 1]
h = tanh(x @ U + b1)
h = tanh(h @ W + b2)
loss = mse((h @ V)[:, 0], y)
)";

}  // namespace

// Columns: init, learning rate, multiplier, epsilon, weight decay (the lambda that multiplies the learning rate).
TEST_CASE("Tensor Programs V, table 3: without multipliers", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd"},
             {{"U", "0", "1", "0", "", "-1"},
              {"b1", "0", "1", "0", "", "-1"},
              {"W", "-1/2", "0", "0", "", "0"},
              {"b2", "0", "1", "0", "", "-1"},
              {"V", "-1", "-1", "0", "", "1"}});
  expectRows(perceptron, {.optimizer = "adamw"},
             {{"U", "0", "0", "0", "-1", "0"},
              {"b1", "0", "0", "0", "-1", "0"},
              {"W", "-1/2", "-1", "0", "-1", "1"},
              {"b2", "0", "0", "0", "-1", "0"},
              {"V", "-1", "-1", "0", "0", "1"}});
}

TEST_CASE("Tensor Programs V, table 8: a readout with a multiplier", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd", .gauge = Gauge::readout},
             {{"U", "0", "1", "0", "", "-1"},
              {"b1", "0", "1", "0", "", "-1"},
              {"W", "-1/2", "0", "0", "", "0"},
              {"b2", "0", "1", "0", "", "-1"},
              {"V", "0", "1", "-1", "", "-1"}});
  expectRows(perceptron, {.optimizer = "adamw", .gauge = Gauge::readout},
             {{"U", "0", "0", "0", "-1", "0"},
              {"b1", "0", "0", "0", "-1", "0"},
              {"W", "-1/2", "-1", "0", "-1", "1"},
              {"b2", "0", "0", "0", "-1", "0"},
              {"V", "0", "0", "-1", "-1", "0"}});
}

TEST_CASE("Tensor Programs V, table 9: SGD's learning rate of order one", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd", .gauge = Gauge::sgd},
             {{"U", "-1/2", "0", "1/2", "", "0"},
              {"b1", "-1/2", "0", "1/2", "", "0"},
              {"W", "-1/2", "0", "0", "", "0"},
              {"b2", "-1/2", "0", "1/2", "", "0"},
              {"V", "-1/2", "0", "-1/2", "", "0"}});
  expectRows(perceptron, {.optimizer = "adamw", .gauge = Gauge::sgd},
             {{"U", "-1/2", "-1/2", "1/2", "-1/2", "1/2"},
              {"b1", "-1/2", "-1/2", "1/2", "-1/2", "1/2"},
              {"W", "-1/2", "-1", "0", "-1", "1"},
              {"b2", "-1/2", "-1/2", "1/2", "-1/2", "1/2"},
              {"V", "-1/2", "-1/2", "-1/2", "-1/2", "1/2"}});
}

// A perceptron of five hidden layers has no other plan than one of two: TP4's deep muP, in its form c = 0.
TEST_CASE("Tensor Programs IV, table 1: muP of five hidden layers", "[programs][published]") {
  expectRows(R"(size n = 128 -> inf, d = 8
input  x [batch, d]
target y [batch]
param W1 [d, n]
param W2 [n, n]
param W3 [n, n]
param W4 [n, n]
param W5 [n, n]
param W6 [n, 1]
h = tanh(tanh(tanh(tanh(tanh(x @ W1) @ W2) @ W3) @ W4) @ W5)
loss = mse((h @ W6)[:, 0], y)
)",
             {.optimizer = "sgd", .gauge = Gauge::sgd},
             {{"W1", "-1/2", "0", "1/2", "", ""},
              {"W2", "-1/2", "0", "0", "", ""},
              {"W3", "-1/2", "0", "0", "", ""},
              {"W4", "-1/2", "0", "0", "", ""},
              {"W5", "-1/2", "0", "0", "", ""},
              {"W6", "-1/2", "0", "-1/2", "", ""}});
}

TEST_CASE("weight decay keeps its time scale, Tensor Programs IVb 2.10.1", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "adamw"},
             {{"U", "", "0", "", "", "0"},
              {"b1", "", "0", "", "", "0"},
              {"b2", "", "0", "", "", "0"},
              {"W", "", "-1", "", "", "1"},
              {"V", "", "-1", "", "", "1"}});
}

namespace {

std::string attention(const std::string& sizes, const std::string& heads) {
  return sizes + R"(
size c = 8
input  x [batch, 4, c]
target y [batch, 4, c]
param wq [c, )" +
         heads + R"(, d]
param wk [c, )" +
         heads + R"(, d]
s = auto * einsum("b h t e, b h s e -> b h t s", einsum("b t c, c h e -> b h t e", x, wq),
                  einsum("b t c, c h e -> b h t e", x, wk))
loss = mse(mean(einsum("b h t s, b s c -> b h t c", softmax(s), x), axis = 1), y)
)";
}

}  // namespace

TEST_CASE("the logits' multiplier of attention is 1/d, Tensor Programs V 4.1", "[programs][published]") {
  for (const char* optimizer : {"sgd", "adam", "lion"}) {
    const Program program = analysed(attention("size d = 32 -> inf", "2"), optimizer);
    CHECK(multiplierOf(program, "auto", "d") == "-1");
    // q and k are independent at first, so that their product walks; once trained it adds up.
    CHECK(toString(valueOf(program, "s", "d").init) == "-1/2");
    CHECK(toString(valueOf(program, "s", "d").trained) == "0");
  }
  // Heads of a fixed width, however many, ask for nothing.
  CHECK(multiplierOf(analysed(attention("size H = 4 -> inf, d = 8", "H")), "auto", "H") == "0");
}

TEST_CASE("a learned scalar needs nothing, Tensor Programs V B.2", "[programs][published]") {
  const std::string text = R"(size n = 64 -> inf, d = 8, classes = 10
input  x [batch, d]
target y [batch] in classes
param U [d, n]
param V [n, classes]
param temperature []
param place [classes]
loss = cross_entropy(temperature * (relu(x @ U) @ V) + place, y)
)";
  for (const char* optimizer : {"sgd", "adam", "lion"})
    expectRows(
        text, {.optimizer = optimizer},
        {{"temperature", "0", "0", "0", "", ""}, {"place", "0", "0", "0", "", ""}, {"V", "-1", "-1", "", "", ""}});
}

// A multiplier theta on a parameter is answered by init / theta and lr / theta^(1 + p), epsilon by theta.
TEST_CASE("a multiplier on a weight moves its init and learning rate alone, Tensor Programs V Lemma J.1",
          "[programs][published][moves]") {
  const auto withPowers = [](const std::string& u, const std::string& b, const std::string& w, const std::string& v) {
    return "size n = 128 -> inf, d = 8\ninput  x [batch, d]\ntarget y [batch]\nparam U [d, n]\nparam b [n]\n"
           "param W [n, n]\nparam V [n, 1]\nh = tanh(x @ (n^(" +
           u + ") * U) + n^(" + b + ") * b)\nh = tanh(h @ (n^(" + w + ") * W))\nloss = mse((h @ (n^(" + v +
           ") * V))[:, 0], y)\n";
  };
  for (const auto& [optimizer, p] :
       std::vector<std::pair<std::string, int>>{{"sgd", 1}, {"momentum", 1}, {"adamw", 0}, {"lion", 0}}) {
    const Program plain = analysed(withPowers("0", "0", "0", "0"), optimizer);
    const std::map<std::string, Rational> theta = {{"U", half}, {"b", -half}, {"W", {-3, 2}}, {"V", 1}};
    const Program moved = analysed(withPowers("1/2", "-1/2", "-3/2", "1"), optimizer);
    for (const auto& [name, t] : theta) {
      const ParameterSizes &a = parameterOf(plain, name), &b = parameterOf(moved, name);
      INFO(name << ", " << optimizer);
      CHECK(toString(b.initStd) == toString(a.initStd + Size::power(-t)));
      CHECK(toString(b.lr) == toString(a.lr + Size::power(-t * Rational(1 + p))));
      CHECK(toString(b.eps) == toString(a.eps + Size::power(t)));
      CHECK(inGauge(b, Gauge::plain).decayTimesLr ==
            inGauge(a, Gauge::plain).decayTimesLr + Size::power(t * Rational(1 + p)));
      CHECK(b.status == a.status);
    }
    CHECK(toString(valueOf(plain, "h").update) == toString(valueOf(moved, "h").update));
  }
}

namespace {

// Networks of matrices [n, n], vectors [n] and scalars, read out as a multiplier times the sum of the entries of h.
struct Architecture {
  const char* name;
  std::string text;
  std::vector<std::string> matrices, vectors, scalars;
};

const std::string head =
    "size n = 64 -> inf\ninput  x [batch, 3]\ntarget y [batch]\nparam e0 [n]\nparam e1 [n]\nparam e2 [n]\n"
    "h = x[:, 0:1] * e0 + x[:, 1:2] * e1 + x[:, 2:3] * e2\n";
const std::string tail = "output f = auto * sum(h, axis = -1)\nloss = mse(f, y)\n";

std::vector<Architecture> architectures() {
  return {
      {"a perceptron with biases and a scalar gate",
       head +
           "param W1 [n, n]\nparam b1 [n]\nparam W2 [n, n]\nparam s []\nh = tanh(h @ W1 + b1)\nh = tanh(s * (h @ "
           "W2))\n" +
           tail,
       {"W1", "W2"},
       {"e0", "e1", "e2", "b1"},
       {"s"}},
      {"a recurrent network of tied steps",
       head +
           "param W [n, n]\nparam R [n, n]\nparam b [n]\nz = tanh(h @ W + b)\nz = tanh(z @ R + h @ W + b)\n"
           "h = tanh(z @ R + h @ W + b)\n" +
           tail,
       {"W", "R"},
       {"e0", "e1", "e2", "b"},
       {}},
      {"a residual network with gains and a normalization",
       head +
           "param W1 [n, n]\nparam g [n]\nparam W2 [n, n]\nh = h + (g * relu(rmsnorm(h, gain = false) @ W1)) @ W2\n" +
           tail,
       {"W1", "W2"},
       {"e0", "e1", "e2", "g"},
       {}},
      {"a gated unit",
       head +
           "param Wz [n, n]\nparam Wh [n, n]\nparam bz [n]\nz = sigmoid(h @ Wz + bz)\nh = z * h + (1 - z) * tanh(h @ "
           "Wh)\n" +
           tail,
       {"Wz", "Wh"},
       {"e0", "e1", "e2", "bz"},
       {}},
  };
}

}  // namespace

TEST_CASE("muP of a general architecture, Tensor Programs IVb Definition 2.9.12", "[programs][published]") {
  for (const Architecture& each : architectures()) {
    INFO(each.name);
    std::vector<Row> rows;
    for (const std::string& name : each.matrices) rows.push_back({name, "-1/2", "-1", "0", "-1", ""});
    for (const std::string& name : each.vectors) rows.push_back({name, "0", "0", "0", "-1", ""});
    for (const std::string& name : each.scalars) rows.push_back({name, "0", "0", "0", "0", ""});
    expectRows(each.text, {.optimizer = "adam"}, rows);
    CHECK(multiplierOf(analysed(each.text), "auto") == "-1");
  }
}

// Every program of this folder goes through two of them (program.cpp); here they are looked at themselves.
TEST_CASE("a twin has other names and another order, and the same plan", "[programs][moves]") {
  const Program program = analysed(perceptron);
  int reordered = 0;
  for (uint64_t seed = 10; seed < 30; ++seed) {
    const Twin twin = twinOf(perceptron, seed);
    INFO(twin.text);
    for (const char* name : {"d", "x", "y", "U", "b1", "W", "b2", "V"}) CHECK(twin.names.count(name) == 1);
    CHECK(twin.text.find("b1") == std::string::npos);
    reordered += twin.text.find("param " + twin.names.at("V")) < twin.text.find("param " + twin.names.at("U"));
    CHECK(difference(derivedOf(*program.analysed, &twin), derivedOf(*analysed(twin.text).analysed)) == "");
  }
  CHECK(reordered > 4);
  CHECK(reordered < 16);
  CHECK(difference(derivedOf(*program.analysed), derivedOf(*analysed(perceptron, "sgd").analysed)) != "");
}
