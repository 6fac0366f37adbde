// Published classifications of parametrizations that are given, not solved.
//
// TP4 and TP4b write W = n^(-a) w with w of size n^(-b), and a learning rate n^(-c): multiplier, init_std and lr here.
// r is theirs: what is learned in the last hidden layer moves it by n^(-r).
#include <filesystem>
#include <fstream>

#include "dsl/source/render.h"
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

std::string perceptron(int hidden) {
  std::string text = "size n = 128 -> inf, d = 8\ninput  x [batch, d]\ntarget y [batch]\n", value = "x";
  for (int layer = 1; layer <= hidden; ++layer) {
    const std::string W = "W" + std::to_string(layer), h = "h" + std::to_string(layer);
    text += "param " + W + " [" + (layer == 1 ? "d" : "n") + ", n]\n" + h + " = tanh(" + value + " @ " + W + ")\n";
    value = h;
  }
  const std::string V = "W" + std::to_string(hidden + 1);
  return text + "param " + V + " [n, 1]\noutput f = (" + value + " @ " + V + ")[:, 0]\nloss = mse(f, y)\n";
}

// Exponents of one layer, as text; an epsilon where Adam's gradients are compared with one.
struct Layer {
  std::string multiplier, init, lr, eps = "";
};

std::string size(const std::string& exponent) { return exponent == "0" ? "{}" : "{\"n\": \"" + exponent + "\"}"; }

std::string parametrization(const std::vector<Layer>& layers) {
  std::string json;
  for (size_t l = 0; l < layers.size(); ++l) {
    json += std::string(l == 0 ? "" : ", ") + "\"W" + std::to_string(l + 1) +
            "\": {\"multiplier\": " + size(layers[l].multiplier) + ", \"init_std\": " + size(layers[l].init) +
            ", \"lr\": " + size(layers[l].lr);
    if (!layers[l].eps.empty()) json += ", \"eps\": " + size(layers[l].eps);
    json += "}";
  }
  return "{\"parameters\": {" + json + "}}";
}

// A file while it is read.
struct Written {
  std::string path;
  explicit Written(const std::string& text)
      : path((std::filesystem::temp_directory_path() / ("tpc_given_" + std::to_string(getpid()) + ".json")).string()) {
    std::ofstream(path) << text;
  }
  ~Written() { std::filesystem::remove(path); }
};

struct Judged {
  Program program;
  const SymbolVerdict* verdict = nullptr;
};

Judged judged(const std::string& text, const std::string& parametrization, const std::string& optimizer) {
  Judged result;
  const FileId file = result.program.sources.add("program.tp", text);
  PipelineOptions options;
  options.optimizer = optimizer;
  options.parametrization = parametrization;
  result.program.analysed = analyseProgram(result.program.sources, file, options, result.program.diagnostics);
  INFO(text << render(result.program.diagnostics, result.program.sources));
  REQUIRE(result.program.analysed);
  result.verdict = &in(result.program, "n").verdict;
  return result;
}

Judged judged(const std::string& text, const std::vector<Layer>& layers, const std::string& optimizer) {
  const Written file(parametrization(layers));
  return judged(text, file.path, optimizer);
}

// What the update of layer l moves its own product by, as -r_l.
std::string ownMove(const Program& program, const std::string& name) {
  const ParameterSizes& sizes = parameterOf(program, name);
  const int contracted = sizes.role == Role::hidden || sizes.role == Role::output;
  return toString(sizes.update + Size::power(contracted));
}

}  // namespace

TEST_CASE("Tensor Programs IV, table 1: gradient descent under parametrizations of one learning rate",
          "[programs][published][given]") {
  struct Case {
    std::string name;
    int hidden;
    std::vector<Layer> layers;
    std::string move;  // -r; empty where the paper says unstable
    bool nontrivial, features;
  };
  const std::vector<Case> cases = {
      {"SP, 1/n", 2, {{"0", "0", "-1"}, {"0", "-1/2", "-1"}, {"0", "-1/2", "-1"}}, "-1/2", true, false},
      {"SP, 1", 2, {{"0", "0", "0"}, {"0", "-1/2", "0"}, {"0", "-1/2", "0"}}, "", false, false},
      {"SP, n^(-1/2)", 2, {{"0", "0", "-1/2"}, {"0", "-1/2", "-1/2"}, {"0", "-1/2", "-1/2"}}, "", false, false},
      {"NTP", 2, {{"0", "0", "0"}, {"-1/2", "0", "0"}, {"-1/2", "0", "0"}}, "-1/2", true, false},
      {"MFP", 1, {{"0", "0", "1"}, {"-1", "0", "1"}}, "0", true, true},
      {"muP", 2, {{"1/2", "-1/2", "0"}, {"0", "-1/2", "0"}, {"-1/2", "-1/2", "0"}}, "0", true, true},
      {"SP, logits by sqrt n", 2, {{"0", "0", "0"}, {"0", "-1/2", "0"}, {"-1/2", "-1/2", "0"}}, "0", true, true},
      {"between NTP and muP",
       2,
       {{"1/4", "-1/4", "0"}, {"-1/4", "-1/4", "0"}, {"-1/2", "-1/4", "0"}},
       "-1/4",
       true,
       false},
      {"the last layer alone", 2, {{"-2", "2", "-1"}, {"-2", "3/2", "-1"}, {"0", "-1/2", "-1"}}, "-9/2", true, false},
      {"SP, n^(-2)", 2, {{"0", "0", "-2"}, {"0", "-1/2", "-2"}, {"0", "-1/2", "-2"}}, "-3/2", false, false},
      {"muP of five layers",
       5,
       {{"1/2", "-1/2", "0"},
        {"0", "-1/2", "0"},
        {"0", "-1/2", "0"},
        {"0", "-1/2", "0"},
        {"0", "-1/2", "0"},
        {"-1/2", "-1/2", "0"}},
       "0",
       true,
       true},
  };
  for (const Case& one : cases) {
    const Judged judgement = judged(perceptron(one.hidden), one.layers, "sgd");
    INFO(one.name);
    const SymbolVerdict& verdict = *judgement.verdict;
    CHECK((verdict.stableInit && verdict.stableTraining) == !one.move.empty());
    CHECK(verdict.nontrivial == one.nontrivial);
    CHECK((verdict.regime == Regime::featureLearning) == one.features);
    if (one.move.empty()) continue;
    CHECK((verdict.regime == Regime::kernel) == (one.nontrivial && !one.features));
    CHECK(toString(valueOf(judgement.program, "h" + std::to_string(one.hidden)).update) == one.move);
  }
}

TEST_CASE("Tensor Programs IVb, section 2: Adam, with epsilon against the gradients", "[programs][published][given]") {
  struct Case {
    std::string name;
    std::vector<Layer> layers;
    bool faithful, stable;
    std::vector<std::string> own{};  // -r_l, layer by layer; empty where unstable
    bool features = false;
  };
  // A gradient multiplied by n^d before an epsilon of order one is one before an epsilon n^(-d).
  const std::vector<Case> cases = {
      {"SP", {{"0", "0", "0", "0"}, {"0", "-1/2", "0", "0"}, {"0", "-1/2", "0", "0"}}, false, false},
      {"SP, 1/n", {{"0", "0", "-1", "-1/2"}, {"0", "-1/2", "-1", "-1/2"}, {"0", "-1/2", "-1", "0"}}, true, false},
      {"NTP",
       {{"0", "0", "-1/2", "-1/2"}, {"-1/2", "0", "-1", "-1"}, {"-1/2", "0", "-1/2", "-1/2"}},
       true,
       true,
       {"-1/2", "-1/2", "0"}},
      {"muP",
       {{"0", "0", "0", "-1"}, {"0", "-1/2", "-1", "-1"}, {"-1", "0", "0", "-1"}},
       true,
       true,
       {"0", "0", "0"},
       true},
  };
  for (const Case& one : cases) {
    const Judged judgement = judged(perceptron(2), one.layers, "adam");
    INFO(one.name);
    const SymbolVerdict& verdict = *judgement.verdict;
    CHECK(verdict.stableInit);
    CHECK(verdict.faithful == one.faithful);
    CHECK(verdict.stableTraining == one.stable);
    CHECK(verdict.nontrivial == one.stable);
    CHECK((verdict.regime == Regime::featureLearning) == one.features);
    for (size_t l = 0; l < one.own.size(); ++l)
      CHECK(ownMove(judgement.program, "W" + std::to_string(l + 1)) == one.own[l]);
    if (one.stable) CHECK(toString(valueOf(judgement.program, "h2").update) == (one.features ? "0" : "-1/2"));
  }
}

TEST_CASE("Tensor Programs IVb, Definition 2.9.11: NTP of a general architecture", "[programs][published][given]") {
  const Judged judgement = judged(R"(size n = 64 -> inf
input  x [batch, 2]
target y [batch]
param e0 [n]
param e1 [n]
param W1 [n, n]
param b1 [n]
param W2 [n, n]
param s []
param t []
h = x[:, 0:1] * e0 + x[:, 1:2] * e1
h = tanh(h @ W1 + b1)
h = tanh(s * (h @ W2))
output f = n^(-1/2) * sum(h, axis = -1) + t
loss = mse(f, y)
)",
                                  "ntp", "adam");
  // Behind a multiplier theta a learning rate of Adam is smaller by theta.
  const std::map<std::string, std::string> rates = {{"W1", "-1"},   {"W2", "-1"},   {"e0", "-1/2"},
                                                    {"e1", "-1/2"}, {"b1", "-1/2"}, {"t", "0"}};
  for (const auto& [name, lr] : rates) {
    INFO(name);
    const Size theta = name[0] == 'W' ? Size::power(half) : Size::power(0);
    CHECK(toString(parameterOf(judgement.program, name).lr + theta) == lr);
  }
  // The paper has 0 for every scalar: a scalar that moves leaves the zero mean of tanh(s W h) alone, and the sum walks.
  // The analysis carries no facts about changes and takes the sum to add up.
  CHECK(toString(parameterOf(judgement.program, "s").lr) == "-1/2");
}
