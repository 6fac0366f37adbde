// Numbers of plans: at target = base they are the base's, and the gauges are one network.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "compiler/driver/pipeline.h"
#include "compiler/plan/numbers.h"
#include "compiler/plan/torch.h"
#include "dsl/source/render.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

struct Planned {
  Analysed analysed;
  Plan plan;
};

Analysed analysedFile(const std::filesystem::path& path, const std::string& optimizer) {
  std::ifstream file(path);
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.optimizer = optimizer;
  const FileId id = sources.add(path.filename().string(), {std::istreambuf_iterator<char>(file), {}});
  std::optional<Analysed> analysed = analyseProgram(sources, id, options, diagnostics);
  INFO(path << "\n" << render(diagnostics, sources, {}));
  REQUIRE(analysed);
  return std::move(*analysed);
}

Plan planAt(const Analysed& analysed, Gauge gauge, int64_t times) {
  PlanRequest request{.gauge = gauge,
                      .base = analysed.declared,
                      .target = analysed.declared,
                      .lr = 0.003,
                      .eps = {},
                      .weightDecay = 0.1};
  for (const SymbolAnalysis& symbol : analysed.analysis.symbols)
    if (symbol.analysed) request.target[symbol.symbol] *= times;
  return planOf(analysed.graph, analysed.analysis, analysed.options, analysed.optimizers, request);
}

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TPC_SOURCE "/examples"))
    if (entry.path().extension() == ".tp") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

constexpr Gauge gauges[] = {Gauge::plain, Gauge::readout, Gauge::sgd, Gauge::unit};

bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b)); }

}  // namespace

TEST_CASE("at the base sizes every number is the base's", "[plan]") {
  for (const auto& path : examples())
    for (const std::string optimizer : {"sgd", "adamw"})
      for (Gauge gauge : gauges) {
        const Plan plan = planAt(analysedFile(path, optimizer), gauge, 1);
        INFO(path << " " << optimizer);
        for (const PlanParameter& parameter : plan.parameters) {
          CHECK(parameter.base.initStd == parameter.target.initStd);
          CHECK(parameter.base.initMean == parameter.target.initMean);
          CHECK(parameter.base.multiplier == parameter.target.multiplier);
          CHECK(parameter.base.lr == parameter.target.lr);
          CHECK(parameter.base.eps == parameter.target.eps);
          CHECK(parameter.base.shape == parameter.target.shape);
          if (parameter.trains) CHECK(parameter.base.lr == 0.003);
        }
        for (const PlanMultiplier& multiplier : plan.multipliers) CHECK(multiplier.base == multiplier.target);
      }
}

// What the network reads is multiplier * init; an update of degree p in the gradient moves it by multiplier^(1 + p) *
// lr.
TEST_CASE("the four gauges are one network", "[plan]") {
  for (const auto& path : examples())
    for (const auto& [optimizer, p] : {std::pair{"sgd", 1}, {"adamw", 0}}) {
      const Analysed analysed = analysedFile(path, optimizer);
      const Plan plain = planAt(analysed, Gauge::plain, 16);
      for (Gauge gauge : gauges) {
        const Plan plan = planAt(analysed, gauge, 16);
        INFO(path << " " << optimizer);
        REQUIRE(plan.parameters.size() == plain.parameters.size());
        for (size_t i = 0; i < plan.parameters.size(); ++i) {
          const ParameterNumbers &one = plan.parameters[i].target, &other = plain.parameters[i].target;
          CHECK(other.multiplier == 1);
          if (one.initStd) CHECK(near(*one.initStd * one.multiplier, *other.initStd));
          if (one.initMean) CHECK(near(*one.initMean * one.multiplier, *other.initMean));
          if (one.lr) CHECK(near(*one.lr * std::pow(one.multiplier, 1 + p), *other.lr));
          if (one.eps) CHECK(near(*one.eps / one.multiplier, *other.eps));
        }
      }
    }
}

TEST_CASE("an update decays by the same share at every width", "[plan]") {
  for (const auto& path : examples()) {
    const Plan plan = planAt(analysedFile(path, "adamw"), Gauge::plain, 16);
    for (const PlanParameter& parameter : plan.parameters)
      if (parameter.trains && *parameter.base.weightDecay != 0)
        CHECK(near(*parameter.target.lr * *parameter.target.weightDecay, 0.003 * 0.1));
  }
}

TEST_CASE("a number that is printed for Python reads back as the same double", "[plan][torch]") {
  for (double value : {0.1, 1.0 / 3, 2.5e-9, 1e-300, 3e-3 / 10.666666666666666, 1.0})
    CHECK(std::stod(shortest(value)) == value);
}
