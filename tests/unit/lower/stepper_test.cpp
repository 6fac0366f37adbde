// What a compiled step promises to whoever drives it.
#include <atomic>
#include <cmath>
#include <limits>

#include "runtime/pool.h"
#include "tests/catch.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {
namespace {

// param -= lr * grad, as the library's sgd.
OptimizerProgram descent() {
  OptimizerProgram program;
  program.name = "sgd";
  GraphBuilder builder(program.graph);
  program.graph.arguments = {{ArgumentRole::hyper, "lr", 0.1, false}, {ArgumentRole::grad, "grad", 0, false}};
  const NodeId lr = builder.append(OpKind::argument, {}, std::span<const Length>{}, {.attribute = 0});
  const NodeId grad = builder.append(OpKind::argument, {}, std::span<const Length>{}, {.attribute = 1});
  const NodeId product = builder.append(OpKind::mul, std::vector{lr, grad}, std::span<const Length>{}, {});
  program.update =
      builder.append(OpKind::map, std::vector{product}, std::span<const Length>{}, {.fn = uint8_t(MapFn::neg)});
  return program;
}

struct Trainer {
  Program program;
  OptimizerProgram optimizer = descent();
  ProgramTable table;
  std::unique_ptr<Stepper> stepper;
  Batch batch;

  explicit Trainer(const std::string& text, double multiplier = 1, bool accumulate = false)
      : program(text, 3),
        table(tableOf(program.graph, program.bindings.numbers, &optimizer)),
        batch(program.graph, program.bindings) {
    for (ProgramParameter& parameter : table.parameters) parameter.multiplier = multiplier;
    LowerOptions options;
    options.numbers = program.bindings.numbers;
    options.accumulate = accumulate;
    stepper = stepperOf(program.graph, program.bindings, options, table, {optimizer});
  }
  std::vector<float> parameter(size_t p = 0) {
    const StepBuffer& buffer = stepper->parameters()[p];
    return {static_cast<float*>(buffer.data), static_cast<float*>(buffer.data) + buffer.count};
  }
  StepResult step(StepRequest request) {
    const std::vector<std::vector<double>> hyper(table.parameters.size(), {0.1});
    request.inputs = batch.pointers, request.hyper = hyper;
    return stepper->step(request);
  }
};

}  // namespace

TEST_CASE("a loss that is not finite changes nothing", "[lower][stepper]") {
  Trainer trainer("size n = 5, batch = 2\ninput x [batch, n]\nparam w [n]\nloss = mean(log(x * w)^2)\n");
  const std::vector<float> before = trainer.parameter();
  const StepResult result = trainer.step({});
  CHECK(!std::isfinite(result.loss));
  CHECK(!result.updated);
  CHECK(result.error == "");
  CHECK(trainer.parameter() == before);
}

TEST_CASE("clipping shortens the step to the norm that is asked for", "[lower][stepper]") {
  const std::string text =
      "size n = 5, batch = 2\ninput x [batch, n]\nparam w [n]\nparam v [n]\nloss = sum((x * w + v)^2)\n";
  Trainer free(text), clipped(text);
  const std::vector<float> before[2] = {free.parameter(0), free.parameter(1)};
  const StepResult whole = free.step({.inputs = {}, .measure = true});
  const StepResult shortened = clipped.step({.inputs = {}, .clip = 0.25 * whole.gradientNorm});
  REQUIRE(whole.updated);
  REQUIRE(shortened.updated);
  CHECK(shortened.gradientNorm == whole.gradientNorm);
  for (size_t p : {0, 1})
    for (size_t i = 0; i < before[p].size(); ++i)
      CHECK(clipped.parameter(p)[i] - before[p][i] ==
            Approx(0.25 * (free.parameter(p)[i] - before[p][i])).margin(1e-6));
}

TEST_CASE("a multiplier stands on every use of its parameter and on the gradient", "[lower][stepper]") {
  const std::string text = "size n = 5, batch = 2\ninput x [batch, n]\nparam w [n]\nloss = sum(sin(x * w))\n";
  Trainer trainer(text, 0.5);
  Program reference(text, 3);
  for (double& each : reference.values("w").values) each *= 0.5;
  const Evaluation run = evaluate(reference.graph, reference.bindings,
                                  std::vector{reference.graph.loss, reference.graph.parameters[0].gradient});
  const std::vector<float> before = trainer.parameter();
  const StepResult result = trainer.step({});
  CHECK(result.loss == Approx(run.values[reference.graph.loss]->values[0]).epsilon(1e-5));
  const std::vector<double>& gradient = run.values[reference.graph.parameters[0].gradient]->values;
  for (size_t i = 0; i < before.size(); ++i)
    CHECK(trainer.parameter()[i] == Approx(before[i] - 0.1 * 0.5 * gradient[i]).margin(1e-6));
}

TEST_CASE("batches in parts make the step of their mean gradient", "[lower][stepper]") {
  const std::string text =
      "size n = 5, batch = 2\ninput x [batch, n]\nparam w [n]\nparam v [n, 3]\nloss = mean(sin(x * w) @ v) + sum(w)\n";
  Trainer whole(text), parts(text, 1, true);
  CHECK(!whole.stepper->accumulates());
  CHECK(whole.step({.inputs = {}, .parts = 2}).error == "it was compiled without sums of gradients");
  REQUIRE(parts.stepper->accumulates());
  const std::vector<float> before = parts.parameter();
  // The first sum begins anew, whatever stood there: a step was given up after its first part.
  CHECK(!parts.step({.inputs = {}, .part = 0, .parts = 3}).updated);
  CHECK(!parts.step({.inputs = {}, .part = 0, .parts = 2}).updated);
  CHECK(parts.parameter() == before);
  for (float& each : parts.batch.floats[0]) each *= 2;  // another batch
  const StepResult last = parts.step({.inputs = {}, .part = 1, .parts = 2});
  REQUIRE(last.updated);

  std::vector<std::vector<float>> sums(2);
  const std::vector<float> first[2] = {whole.parameter(0), whole.parameter(1)};
  for (int part = 0; part < 2; ++part) {
    Trainer one(text);
    if (part == 1)
      for (float& each : one.batch.floats[0]) each *= 2;
    REQUIRE(one.step({}).updated);
    for (size_t p : {0, 1}) {
      sums[p].resize(first[p].size());
      for (size_t i = 0; i < first[p].size(); ++i) sums[p][i] += 0.5f * (one.parameter(p)[i] - first[p][i]);
    }
  }
  for (size_t p : {0, 1})
    for (size_t i = 0; i < sums[p].size(); ++i)
      CHECK(parts.parameter(p)[i] - first[p][i] == Approx(sums[p][i]).margin(1e-6));
}

TEST_CASE("an input beyond its range is an error", "[lower][stepper]") {
  Trainer trainer("size n = 3, batch = 2\ninput t [batch, 2] in 6\nparam e [6, n]\nloss = sum(e[t]^2)\n");
  const std::vector<int32_t> far{0, 1, 6, 2};
  const std::vector<const void*> inputs{far.data()};
  const EvaluateResult result = trainer.stepper->evaluate(inputs);
  CHECK(result.error == "`t` holds 6, not a whole number in 0 .. 5");
}

TEST_CASE("every block runs once, on any number of threads", "[runtime][pool]") {
  for (int threads : {1, 2, 5}) {
    Pool pool(threads);
    for (int64_t blocks : {0, 1, 2, 7, 100}) {
      for (int again = 0; again < 200; ++again) {
        std::vector<std::atomic<int>> done(static_cast<size_t>(blocks));
        pool.run(blocks, [&](int64_t block, int thread) {
          done[size_t(block)].fetch_add(thread >= 0 && thread < threads ? 1 : 100);
        });
        for (const std::atomic<int>& each : done) REQUIRE(each == 1);
      }
    }
  }
}

}  // namespace tpc
