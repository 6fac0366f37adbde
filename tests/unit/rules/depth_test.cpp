// Rules of layers whose number grows: a sentence for each, and beside it a program that looks alike.
#include <set>

#include "compiler/driver/pipeline.h"
#include "dsl/source/render.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

// The rules that the analysis over L writes down, for the program with this body of the repeat.
std::set<std::string> overL(const std::string& layer, Criterion criterion = Criterion::automatic) {
  const std::string text =
      "size n = 64 -> inf, L = 4 -> inf\ninput  x [batch, 8]\ntarget y [batch]\nparam U [8, n]\nparam V [n, 1]\n"
      "h = x @ U\nrepeat L as layers {\n" +
      layer + "\n}\nloss = mse((h @ V)[:, 0], y)\n";
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.criterion = criterion;
  const auto analysed = analyseProgram(sources, sources.add("layers.tp", text), options, diagnostics);
  INFO(text << render(diagnostics, sources));
  REQUIRE(analysed);
  std::set<std::string> rules;
  for (const SymbolAnalysis& symbol : analysed->analysis.symbols) {
    if (analysed->graph.symbols[symbol.symbol].name != "L") continue;
    REQUIRE(symbol.analysed);
    for (const Step& step : symbol.derivation.steps()) rules.insert(std::string(allRules()[step.rule].id));
  }
  return rules;
}

bool says(const std::set<std::string>& rules, const char* rule) { return rules.count(rule) > 0; }

}  // namespace

TEST_CASE("a part that changes sign with its layer's matrix walks", "[rules][repeat.walks][repeat.residual]") {
  const auto rules = overL("param W [n, n]; h += L^(-1/2) * tanh(h @ W)");
  CHECK(says(rules, "repeat.walks"));
  CHECK(says(rules, "repeat.residual"));
}
TEST_CASE("a part that changes sign with all layers' matrix does not walk", "[rules][near-miss][repeat.walks]") {
  CHECK_FALSE(says(overL("shared param W [n, n]; h += L^(-1) * tanh(h @ W)"), "repeat.walks"));
}

TEST_CASE("a part that has a mean adds up", "[rules][repeat.adds-up]") {
  CHECK(says(overL("param W [n, n]; h += L^(-1) * relu(h @ W)"), "repeat.adds-up"));
}
TEST_CASE("a part whose mean over the width is taken away does not", "[rules][near-miss][repeat.adds-up]") {
  const auto forward = overL("param W [n, n]; z = relu(h @ W); h += L^(-1/2) * (z - mean(z, axis = -1, keep))");
  CHECK_FALSE(says(forward, "repeat.adds-up"));
}

TEST_CASE("what multiplies by too much is exponential", "[rules][repeat.exponential]") {
  CHECK(says(overL("param W [n, n]; h += L^(-1/4) * (h @ W)"), "repeat.exponential"));
}
TEST_CASE("what only adds is a power, and little enough of it bounded",
          "[rules][near-miss][repeat.exponential][repeat.residual]") {
  CHECK_FALSE(says(overL("param W [n, n]; h += L^(-1/2) * (h @ W)"), "repeat.exponential"));
  CHECK_FALSE(says(overL("param W [n, n]; h += L^(-1/4) * (h @ W)"), "repeat.residual"));
}

TEST_CASE("a layer's share 1/l of what is carried is marginal", "[rules][repeat.marginal]") {
  CHECK(says(overL("param W [n, n]; h += (layers + 1)^(-1/2) * (h @ W)"), "repeat.marginal"));
}
TEST_CASE("a smaller share is bounded", "[rules][near-miss][repeat.marginal]") {
  CHECK_FALSE(says(overL("param W [n, n]; h += (layers + 1)^(-3/4) * (h @ W)"), "repeat.marginal"));
}

TEST_CASE("updates of all layers add up; what arrives through the carried value keeps its growth",
          "[rules][repeat.own-updates][repeat.carried-change]") {
  const auto rules = overL("param W [n, n]; h += auto(L) * tanh(h @ W)");
  CHECK(says(rules, "repeat.own-updates"));
  CHECK(says(rules, "repeat.carried-change"));
}
TEST_CASE("layers that are frozen have no updates, and layers that read nothing carried carry none on",
          "[rules][near-miss][repeat.own-updates][repeat.carried-change]") {
  CHECK_FALSE(says(overL("frozen param W [n, n]; h += L^(-1/2) * tanh(h @ W)"), "repeat.own-updates"));
  CHECK_FALSE(says(overL("param b [n]; h += L^(-1) * b"), "repeat.carried-change"));
}

TEST_CASE("a mean over the width is gone before there are many layers", "[rules][sum.narrow]") {
  CHECK(says(overL("param W [n, n]; h += auto(L) * tanh((h - mean(h, axis = -1, keep)) @ W)"), "sum.narrow"));
}
TEST_CASE("a mean of what has one stays", "[rules][near-miss][sum.narrow]") {
  CHECK_FALSE(says(overL("param W [n, n]; h += L^(-1) * relu(h @ W)"), "sum.narrow"));
}

TEST_CASE("a branch with one matrix is as large as layers that walk may be", "[rules][multiplier.diversity]") {
  CHECK(says(overL("param W [n, n]; h += auto(L) * tanh(h @ W)"), "multiplier.diversity"));
}
TEST_CASE("a branch with two is not, unless asked for", "[rules][near-miss][multiplier.diversity]") {
  const std::string two = "param W [n, n]; param R [n, n]; h += auto(L) * (tanh(h @ W) @ R)";
  CHECK_FALSE(says(overL(two), "multiplier.diversity"));
  CHECK(says(overL(two, Criterion::diversity), "multiplier.diversity"));
}

TEST_CASE("a branch with two matrices lets no layer be lazy", "[rules][multiplier.complete]") {
  CHECK(says(overL("param W [n, n]; param R [n, n]; h += auto(L) * (tanh(h @ W) @ R)"), "multiplier.complete"));
}
TEST_CASE("a branch with one does not ask for it", "[rules][near-miss][multiplier.complete]") {
  CHECK_FALSE(
      says(overL("param W [n, n]; param g [n] init 1; h += auto(L) * (tanh(h * g) @ W)"), "multiplier.complete"));
}
