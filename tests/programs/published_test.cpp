// Published parametrizations, derived again from the programs they speak of.  No table stands in the compiler.
#include <algorithm>
#include <random>

#include "tests/catch.h"
#include "tests/programs/program.h"

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

TEST_CASE("Tensor Programs V, table 3: without multipliers", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd"},
             {{"U", "0", "1", "0", "", ""},
              {"b1", "0", "1", "0", "", ""},
              {"W", "-1/2", "0", "0", "", ""},
              {"b2", "0", "1", "0", "", ""},
              {"V", "-1", "-1", "0", "", ""}});
  expectRows(perceptron, {.optimizer = "adam"},
             {{"U", "0", "0", "0", "-1", ""},
              {"b1", "0", "0", "0", "-1", ""},
              {"W", "-1/2", "-1", "0", "-1", ""},
              {"b2", "0", "0", "0", "-1", ""},
              {"V", "-1", "-1", "0", "0", ""}});
}

TEST_CASE("Tensor Programs V, table 8: a readout with a multiplier", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd", .gauge = Gauge::readout},
             {{"U", "0", "1", "0", "", ""},
              {"b1", "0", "1", "0", "", ""},
              {"W", "-1/2", "0", "0", "", ""},
              {"V", "0", "1", "-1", "", ""}});
  expectRows(perceptron, {.optimizer = "adam", .gauge = Gauge::readout},
             {{"U", "0", "0", "0", "-1", ""},
              {"b1", "0", "0", "0", "-1", ""},
              {"W", "-1/2", "-1", "0", "-1", ""},
              {"V", "0", "0", "-1", "-1", ""}});
}

TEST_CASE("Tensor Programs V, table 9: SGD's learning rate of order one", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "sgd", .gauge = Gauge::sgd},
             {{"U", "-1/2", "0", "1/2", "", ""},
              {"b1", "-1/2", "0", "1/2", "", ""},
              {"W", "-1/2", "0", "0", "", ""},
              {"V", "-1/2", "0", "-1/2", "", ""}});
  expectRows(perceptron, {.optimizer = "adam", .gauge = Gauge::sgd},
             {{"U", "-1/2", "-1/2", "1/2", "-1/2", ""},
              {"W", "-1/2", "-1", "0", "-1", ""},
              {"V", "-1/2", "-1/2", "-1/2", "-1/2", ""}});
}

TEST_CASE("weight decay keeps its time scale, Tensor Programs IVb 2.10.1", "[programs][published]") {
  expectRows(perceptron, {.optimizer = "adamw"},
             {{"U", "", "0", "", "", "0"}, {"W", "", "-1", "", "", "1"}, {"V", "", "-1", "", "", "1"}});
}

TEST_CASE("the logits' multiplier of attention is 1/d, Tensor Programs V 4.1", "[programs][published]") {
  const Program program = analysed(R"(size d = 32 -> inf, c = 8
input  x [batch, 4, c]
target y [batch, 4, c]
param wq [c, d]
param wk [c, d]
s = auto * einsum("b t e, b s e -> b t s", x @ wq, x @ wk)
loss = mse(softmax(s) @ x, y)
)");
  CHECK(multiplierOf(program, "auto", "d") == "-1");
}

TEST_CASE("a learned scalar needs nothing, Tensor Programs V B.2", "[programs][published]") {
  expectRows(R"(size n = 64 -> inf, d = 8, classes = 10
input  x [batch, d]
target y [batch] in classes
param U [d, n]
param V [n, classes]
param temperature []
loss = cross_entropy(temperature * (relu(x @ U) @ V), y)
)",
             {.optimizer = "adam"}, {{"temperature", "0", "0", "0", "", ""}, {"V", "-1", "-1", "", "", ""}});
}

// Names and the order of declarations mean nothing: only sizes that move with them would show a mistake.
TEST_CASE("renaming and reordering change nothing", "[programs][moves]") {
  const std::vector<std::string> names = {"U", "b1", "W", "b2", "V"};
  const auto expected = rowsOf(analysed(perceptron));
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> renamed;
    for (size_t i = 0; i < names.size(); ++i)
      renamed.push_back("p" + std::to_string(random() % 100000) + "_" + std::to_string(i));
    std::vector<std::string> declarations = {"param " + renamed[0] + " [d, n]\n",
                                             "param " + renamed[1] + " [n]\n",
                                             "param " + renamed[2] + " [n, n]\n",
                                             "param " + renamed[3] + " [n]\n",
                                             "param " + renamed[4] + " [n, 1]\n",
                                             "input  x [batch, d]\n",
                                             "target y [batch]\n"};
    std::shuffle(declarations.begin(), declarations.end(), random);
    std::string text = "size d = 8\nsize n = 128 -> inf\n";
    for (const std::string& declaration : declarations) text += declaration;
    text += "g = tanh(x @ " + renamed[0] + " + " + renamed[1] + ")\ng2 = tanh(g @ " + renamed[2] + " + " + renamed[3] +
            ")\nloss = mse((g2 @ " + renamed[4] + ")[:, 0], y)\n";
    const auto rows = rowsOf(analysed(text));
    for (size_t i = 0; i < names.size(); ++i) {
      const Row &a = expected.at(names[i]), &b = rows.at(renamed[i]);
      INFO(text << names[i]);
      CHECK((a.init + " " + a.lr + " " + a.eps + " " + a.decay) == (b.init + " " + b.lr + " " + b.eps + " " + b.decay));
    }
  }
}
