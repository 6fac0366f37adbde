// Training by the interpreter: first values, accumulation, clipping, and where an infinity comes from.
#include "compiler/evidence/reference_stepper.h"

#include <cmath>

#include "compiler/bind/table.h"
#include "compiler/driver/pipeline.h"
#include "compiler/interpret/interpret.h"
#include "compiler/plan/numbers.h"
#include "kernels/first_values.h"
#include "runtime/batches.h"
#include "runtime/first_values.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

struct Program {
  SourceMap sources;
  DiagnosticSink diagnostics;
  std::optional<Analysed> analysed;
  Plan plan;

  explicit Program(const std::string& text, Gauge gauge = Gauge::plain, int64_t n = 0) {
    PipelineOptions options;
    if (n > 0) options.defines = {{"n", n}};
    analysed = analyseProgram(sources, sources.add("program.tp", text), options, diagnostics);
    for (const Diagnostic& each : diagnostics.all()) INFO(each.message);
    REQUIRE(analysed);
    PlanRequest request{.gauge = gauge, .base = analysed->declared, .target = {}, .lr = 0.01};
    for (const Symbol& symbol : analysed->graph.symbols) request.target.push_back(symbol.number);
    plan = planOf(analysed->graph, analysed->analysis, analysed->options, analysed->optimizers, request);
  }
  std::vector<int64_t> numbers(int64_t batch) const {
    std::vector<int64_t> result;
    for (const Symbol& symbol : analysed->graph.symbols)
      result.push_back(symbol.name == "batch" ? batch : symbol.number);
    return result;
  }
  ProgramTable table(int64_t batch) const {
    std::string error;
    std::optional<ProgramTable> table =
        programTable(analysed->graph, analysed->optimizers, plan, numbers(batch), error);
    INFO(error);
    REQUIRE(table);
    return *table;
  }
  std::unique_ptr<Stepper> stepper(int64_t batch) const {
    return referenceStepper(analysed->graph, analysed->optimizers, multipliersOf(plan), numbers(batch), table(batch));
  }
};

constexpr char deep[] = R"(size n = 8 -> inf, L = 3
size d = 4
input x [batch, d]
target y [batch, d]
param A [d, n]
h = x @ A
repeat L as layers {
  param g [n] init 1
  param u [n, n] init uniform(1)
  param e [n, n] init eye(n)
  repeat 2 as rounds {
    param w [n, n]
    h += auto * tanh((h * g) @ u @ e @ w)
  }
}
loss = mse(h @ transpose(A), y)
)";

std::vector<double> valuesOf(Stepper& stepper, size_t p) {
  const auto* values = static_cast<const double*>(stepper.parameters()[p].data);
  return {values, values + stepper.parameters()[p].count};
}

std::vector<std::vector<double>> hyperOf(const ProgramTable& table) {
  std::vector<std::vector<double>> numbers;
  for (const ProgramParameter& parameter : table.parameters) {
    numbers.emplace_back();
    for (const auto& [name, value] : parameter.hyper) numbers.back().push_back(value);
  }
  return numbers;
}

}  // namespace

TEST_CASE("first values are the interpreter's, and floats are those, rounded", "[stepper][init]") {
  const Program program(deep, Gauge::plain, 16);
  const auto stepper = program.stepper(2);
  setFirstValues(*stepper, 11);
  const ProgramTable& table = stepper->table();
  REQUIRE(table.parameters.size() == 5);
  for (uint32_t p = 0; p < table.parameters.size(); ++p) {
    INFO(table.parameters[p].name);
    const std::optional<double> std = program.plan.parameters[p].target.initStd;
    const InitialValue expected = initialValue(program.analysed->graph, p, program.numbers(2), std, 11);
    REQUIRE(expected.error == "");
    CHECK(valuesOf(*stepper, p) == expected.value->values);
    const ProgramParameter& parameter = table.parameters[p];
    if (parameter.first.kind != FirstKind::normal && parameter.first.kind != FirstKind::uniform) continue;
    std::vector<float> floats(expected.value->values.size());
    drawParameter(floats.data(),
                  {.name = parameter.name,
                   .shape = parameter.shape,
                   .stackedAxes = parameter.stackedAxes,
                   .std = parameter.first.number,
                   .uniform = parameter.first.kind == FirstKind::uniform},
                  11);
    CHECK(std::equal(floats.begin(), floats.end(), expected.value->values.begin(),
                     [](float a, double b) { return a == float(b); }));
  }
  CHECK(table.parameters[4].stackedAxes == 2);
}

TEST_CASE("two halves of a batch make the step of the whole", "[stepper]") {
  const Program program(deep);
  Mistake mistake;
  const auto whole = program.stepper(8), half = program.stepper(4);
  const auto data = bindData(whole->table(), {.data = {"teacher:8"}}, mistake);
  REQUIRE(data);
  Batch all(whole->table()), first(half->table()), second(half->table());
  REQUIRE((fillInOrder(all, *data->training, 0, 8, mistake) && fillInOrder(first, *data->training, 0, 4, mistake) &&
           fillInOrder(second, *data->training, 4, 4, mistake)));
  setFirstValues(*whole, 1), setFirstValues(*half, 1);
  const auto hyper = hyperOf(whole->table());
  const StepResult one = whole->step({.inputs = all.inputs(), .hyper = hyper, .clip = 0.01});
  CHECK(!half->step({.inputs = first.inputs(), .hyper = hyper, .clip = 0.01, .part = 0, .parts = 2}).updated);
  const StepResult two = half->step({.inputs = second.inputs(), .hyper = hyper, .clip = 0.01, .part = 1, .parts = 2});
  REQUIRE((one.updated && two.updated));
  CHECK(one.gradientNorm > 0.01);  // so that clipping counts
  CHECK(two.gradientNorm == Approx(one.gradientNorm).epsilon(1e-12));
  for (size_t p = 0; p < 5; ++p)
    for (size_t i = 0; i < valuesOf(*whole, p).size(); ++i)
      CHECK(valuesOf(*whole, p)[i] == Approx(valuesOf(*half, p)[i]).epsilon(1e-9).margin(1e-12));
}

TEST_CASE("a gauge changes how the numbers are held, not what is learned", "[stepper][gauge]") {
  const std::string text = R"(size n = 8 -> inf
size d = 3
input x [batch, d]
target y [batch, d]
param A [d, n]
param B [n, n]
param C [n, d]
loss = mse(tanh(tanh(x @ A) @ B) @ C, y)
)";
  Mistake mistake;
  std::vector<double> losses[2];
  for (const Gauge gauge : {Gauge::plain, Gauge::readout}) {
    const Program program(text, gauge, 32);
    const auto stepper = program.stepper(4);
    if (gauge == Gauge::readout) CHECK(stepper->table().parameters[2].multiplier != 1);
    const auto data = bindData(stepper->table(), {.data = {"teacher:64"}}, mistake);
    REQUIRE(data);
    setFirstValues(*stepper, 1);
    Batches batches(*data->training, stepper->table(), 1);
    for (int64_t step = 1; step <= 12; ++step) {
      const StepResult result =
          stepper->step({.inputs = batches.at(step - 1, mistake), .hyper = hyperOf(stepper->table()), .step = step});
      REQUIRE(result.updated);
      losses[gauge == Gauge::readout].push_back(result.loss);
    }
  }
  // But for epsilon, whose exponent differs by the same factor, they are one training.
  for (size_t step = 0; step < 12; ++step) CHECK(losses[0][step] == Approx(losses[1][step]).epsilon(1e-6));
  CHECK(losses[0].back() < losses[0].front());
}

TEST_CASE("a step that is not finite changes nothing and says where it began", "[stepper]") {
  const Program program(R"(size n = 8 -> inf, L = 5
size d = 4
input x [batch, d]
target y [batch, d]
param A [d, n]
h = x @ A
mask = where(iota(n) >= 4, 0, -inf)
repeat L as layers {
  param u [n]
  h = h * h + u
}
loss = mse(exp(h + mask) @ transpose(A), y)
)");
  Mistake mistake;
  const auto stepper = program.stepper(2);
  const auto data = bindData(stepper->table(), {.data = {"teacher:8"}}, mistake);
  REQUIRE(data);
  Batch batch(stepper->table());
  REQUIRE(fillInOrder(batch, *data->training, 0, 2, mistake));
  setFirstValues(*stepper, 1);
  auto* weights = static_cast<double*>(stepper->parameters()[0].data);
  for (int i = 0; i < 32; ++i) weights[i] = 1e40;
  const auto before = valuesOf(*stepper, 0);
  const auto hyper = hyperOf(stepper->table());
  const StepRequest request{.inputs = batch.inputs(), .hyper = hyper};
  const StepResult result = stepper->step(request);
  CHECK(!result.updated);
  CHECK(valuesOf(*stepper, 0) == before);
  // 1e40 to the powers 2, 4, 8: the square of the fourth round is above 1.8e308.
  const std::string where = stepper->firstNotFinite(request);
  CHECK_THAT(where, Catch::Contains("has inf in layer 2"));
}

TEST_CASE("evaluation drops nothing and fetches outputs without targets", "[stepper]") {
  const Program program(R"(size n = 64 -> inf
size d = 4
input x [batch, d]
target y [batch, n]
param A [d, n]
output h = dropout(x @ A, 0.5)
metric size = mean(h^2)
loss = mse(h, y)
)");
  Mistake mistake;
  const auto stepper = program.stepper(2);
  const auto data = bindData(stepper->table(), {.data = {"teacher:8"}}, mistake);
  REQUIRE(data);
  Batch batch(stepper->table());
  REQUIRE(fillInOrder(batch, *data->training, 0, 2, mistake));
  setFirstValues(*stepper, 1);
  const auto hyper = hyperOf(stepper->table());
  std::string error;
  const std::vector<float> h = stepper->fetch(std::vector<const void*>{batch.inputs()[0], nullptr}, 0, error);
  CHECK(error == "");
  CHECK(h.size() == 128);
  CHECK(std::count(h.begin(), h.end(), 0.0f) == 0);
  const EvaluateResult evaluated = stepper->evaluate(batch.inputs());
  const StepResult stepped = stepper->step({.inputs = batch.inputs(), .hyper = hyper});
  REQUIRE((evaluated.metrics.size() == 1 && stepped.metrics.size() == 1));
  CHECK(stepped.metrics[0] != Approx(evaluated.metrics[0]));
}
