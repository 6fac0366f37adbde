// The examples trained for three steps at widths 64 to 512: every value's measured slope against its derived exponent.
//
// A rule that is wrong shows here.  Bases are small and so are the batches, so that it takes seconds; slopes at finite
// widths are off by a little, rules by 1/2.
#include <algorithm>
#include <sstream>

#include "tests/catch.h"
#include "tests/unit/evidence/example.h"

using namespace tpc;
using namespace tpc::tests;

namespace {

constexpr double tolerance = 0.3;

// What a derived size says of a slope that was measured; empty where they agree.  `least` is a smaller part of the same
// value: at finite widths the slope lies between the two.
std::string disagreement(const Series& measured, const Size& derived, const Size& least) {
  std::ostringstream out;
  if (derived.isZero()) {
    if (measured.zero) return {};
    out << "derived zero, measured " << (measured.sizes.empty() ? 0 : measured.sizes.back());
    return out.str();
  }
  if (!derived.isPower()) return {};
  const double exponent = derived.exponent.toDouble();
  if (measured.zero) return "derived n^" + toString(derived.exponent) + ", measured zero";
  if (!measured.finite) return "measured sizes are not finite";
  const double lowest = least.isPower() ? std::min(exponent, least.exponent.toDouble()) : exponent;
  if (measured.slope <= exponent + tolerance && measured.slope >= lowest - tolerance) return {};
  out << "derived " << toString(derived.exponent) << ", measured " << measured.slope << " :";
  for (double size : measured.sizes) out << ' ' << size;
  return out.str();
}

std::vector<std::string> disagreements(const Example& example) {
  const auto& [analysed, along, measured] = measuredExample(example);
  const Graph& graph = analysed.graph;
  // A plan that moves nothing would agree with any sizes.
  for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
    INFO(graph.parameters[p].name);
    const bool lazy = example.criterion == Criterion::diversity && along.parameters[p].status == Status::lazy;
    CHECK((along.parameters[p].status == Status::maximal || lazy));
  }
  CHECK(measured.values.size() > 10);
  std::vector<std::string> found;
  for (const MeasuredValue& value : measured.values) {
    const ValueSizes& sizes = along.values[value.node];
    const std::string name = nameOf(graph, value.node);
    const std::pair<const char*, std::string> aspects[] = {
        {" at init: ", disagreement(value.init, sizes.init, sizes.init)},
        {" update: ", disagreement(value.update, sizes.update, sizes.update)},
        {" trained: ", disagreement(value.trained, sizes.trained, min(sizes.init, sizes.update))}};
    for (const auto& [aspect, what] : aspects)
      if (!what.empty()) found.push_back(name + aspect + what);
  }
  return found;
}

void check(const Example& example) {
  for (const std::string& each : disagreements(example)) FAIL_CHECK(each);
}

}  // namespace

TEST_CASE("the perceptron's sizes are as derived", "[evidence][examples]") {
  check({.file = "mlp.tp", .defines = {{"n", 64}, {"pixels", 16}, {"batch", 8}}});
}

TEST_CASE("a plan that is wrong by a power shows", "[evidence][examples]") {
  Example wrong{.file = "mlp.tp", .defines = {{"n", 64}, {"pixels", 16}, {"batch", 8}}};
  wrong.change = [](SymbolAnalysis& plan) { plan.parameters[2].lr = plan.parameters[2].lr + Size::power(half); };
  CHECK_FALSE(disagreements(wrong).empty());
  wrong.change = [](SymbolAnalysis& plan) {
    plan.parameters[4].initStd = plan.parameters[4].initStd + Size::power(half);
  };
  CHECK_FALSE(disagreements(wrong).empty());
}

TEST_CASE("sizes under gradient descent are as derived", "[evidence][examples]") {
  check({.file = "mlp.tp", .defines = {{"n", 64}, {"pixels", 16}, {"batch", 8}}, .optimizer = "sgd", .lr = 0.02});
  check({.file = "resmlp.tp",
         .defines = {{"n", 64}, {"L", 2}, {"pixels", 16}, {"batch", 8}},
         .optimizer = "sgd",
         .lr = 0.02});
  check({.file = "gpt.tp",
         .defines = {{"n", 64}, {"L", 2}, {"d", 16}, {"vocab", 16}, {"context", 8}, {"batch", 2}},
         .optimizer = "sgd",
         .lr = 0.02});
}

TEST_CASE("the residual perceptron's sizes are as derived", "[evidence][examples]") {
  check({.file = "resmlp.tp", .defines = {{"n", 64}, {"L", 2}, {"pixels", 16}, {"batch", 8}}});
}

TEST_CASE("the decoder's sizes are as derived", "[evidence][examples]") {
  check({.file = "gpt.tp", .defines = {{"n", 64}, {"L", 2}, {"d", 16}, {"vocab", 16}, {"context", 8}, {"batch", 2}}});
}

TEST_CASE("the tied model's sizes are as derived", "[evidence][examples]") {
  // The row of E that was read stands in h, and one of the logits contracts it with itself: n terms of one sign, times
  // 1/n.
  check({.file = "tied.tp", .defines = {{"n", 64}, {"vocab", 16}, {"context", 8}, {"batch", 2}}});
}

// The number of layers grows at a fixed width, which is large enough: 4 to 64 layers, with the multipliers of a base of
// one layer, so that what walks is small beside what enters from the start.
TEST_CASE("sizes over depth are as derived", "[evidence][examples][depth]") {
  for (Criterion criterion : {Criterion::automatic, Criterion::diversity}) {
    check({.file = "resmlp.tp",
           .defines = {{"n", 64}, {"L", 1}, {"pixels", 16}, {"batch", 8}},
           .symbol = "L",
           .widths = {4, 8, 16, 32, 64},
           .criterion = criterion});
    check({.file = "gpt.tp",
           .defines = {{"n", 64}, {"L", 1}, {"d", 16}, {"vocab", 16}, {"context", 8}, {"batch", 2}},
           .symbol = "L",
           .widths = {4, 8, 16, 32, 64},
           .criterion = criterion});
  }
}

TEST_CASE("a multiplier or a learning rate that is wrong by a power of L shows", "[evidence][examples][depth]") {
  Example wrong{.file = "resmlp.tp",
                .defines = {{"n", 64}, {"L", 1}, {"pixels", 16}, {"batch", 8}},
                .symbol = "L",
                .widths = {4, 8, 16, 32, 64}};
  wrong.change = [](SymbolAnalysis& plan) { plan.multipliers[0].size = Size::power(0); };
  CHECK_FALSE(disagreements(wrong).empty());
  wrong.change = [](SymbolAnalysis& plan) {
    for (ParameterSizes& parameter : plan.parameters) parameter.lr = parameter.lr + Size::power(half);
  };
  CHECK_FALSE(disagreements(wrong).empty());
}
