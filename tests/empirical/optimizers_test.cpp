// The library's optimizers, run on gradients of a known size: what an entry of an update is of order of.
//
//     update  :  lr + p g        with eps as large as the gradient, as the plan makes it
#include <cmath>

#include "compiler/driver/pipeline.h"
#include "compiler/interpret/interpret.h"
#include "dsl/source/render.h"
#include "tests/catch.h"
#include "tests/empirical/measure.h"

using namespace tpc;
using namespace tpc::empirical;

namespace {

const std::string text = R"(size n = 64 -> inf
input x [batch, n]
target y [batch, 4]
param W [n, 4]
loss = mse(x @ W, y)
)";

struct Derived {
  OptimizerProgram program;
  Rational homogeneity = 0;
};

Derived derived(const std::string& optimizer) {
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.optimizer = optimizer;
  const std::optional<Analysed> analysed = analyseProgram(sources, sources.add("o.tp", text), options, diagnostics);
  INFO(render(diagnostics, sources));
  REQUIRE(analysed);
  for (const OptimizerProgram& program : analysed->optimizers)
    if (program.name == optimizer) return {program, analysed->analysis.symbols[0].parameters[0].homogeneity};
  FAIL("no optimizer " << optimizer);
  return {};
}

struct Sizes {
  double gradient = 0, lr = 0, parameter = 0;  // exponents of n
};

// The last of five updates, gradients independent from step to step.
double updateSlope(const OptimizerProgram& program, const Sizes& at) {
  const auto last = [&](int64_t n, uint64_t seed) {
    const double g = std::pow(double(n), at.gradient);
    StepNumbers numbers;
    numbers.hyper["lr"] = 0.1 * std::pow(double(n), at.lr);
    numbers.hyper["eps"] = 0.01 * g;
    OptimizerState state;
    const int64_t entries = 256;
    Tensor parameter{{entries}, normals("W", seed, entries, std::pow(double(n), at.parameter))};
    Vector before;
    for (int step = 0; step < 5; ++step) {
      before = parameter.values;
      const Tensor gradient{{entries}, normals("g" + std::to_string(step), seed, entries, g)};
      REQUIRE(takeStep(program, numbers, gradient, state, parameter) == "");
    }
    return rms(mapped(parameter.values, before, std::minus<>()));
  };
  return slope(last, {.largest = 2048, .seeds = 2});
}

}  // namespace

TEST_CASE("an entry of an update is lr times a power of the gradient", "[empirical][update.entry]") {
  const std::pair<const char*, int> expected[] = {{"sgd", 1}, {"momentum", 1}, {"adam", 0}, {"adamw", 0}, {"lion", 0}};
  for (const auto& [name, p] : expected) {
    INFO(name);
    const Derived optimizer = derived(name);
    CHECK(optimizer.homogeneity == Rational(p));
    CHECK(updateSlope(optimizer.program, {.gradient = 0}) == Approx(0).margin(tight));
    CHECK(updateSlope(optimizer.program, {.gradient = -1}) == Approx(-p).margin(tight));
    CHECK(updateSlope(optimizer.program, {.gradient = 0.5}) == Approx(0.5 * p).margin(tight));
    CHECK(updateSlope(optimizer.program, {.gradient = -1, .lr = -0.5}) == Approx(-0.5 - p).margin(tight));
  }
}

TEST_CASE("an update does not depend on the size of the parameter", "[empirical][update.entry]") {
  for (const char* name : {"sgd", "momentum", "adam", "adamw", "lion"}) {
    INFO(name);
    CHECK(updateSlope(derived(name).program, {.parameter = -0.5}) == Approx(0).margin(tight));
  }
}

TEST_CASE("with a gradient of zero nothing moves", "[empirical][update.zero]") {
  for (const char* name : {"sgd", "momentum", "adam", "adamw", "lion"}) {
    INFO(name);
    OptimizerState state;
    Tensor parameter{{3}, {1, -2, 3}};
    REQUIRE(takeStep(derived(name).program, {}, {{3}, {0, 0, 0}}, state, parameter) == "");
    CHECK(parameter.values == Vector{1, -2, 3});
  }
}
