// One compiled step, timed: random data of the program's shapes, parameters of size one over the root of the inputs.
//
//     step_bench tests/bench/programs/decoder.tp adamw 2 40 batch=8       threads, steps, sizes
//
// Prints how long analysis, compilation and a step took (median and least), the arena, and the loss at the end.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "compiler/lower/lower.h"
#include "kernels/random.h"
#include "runtime/compiled_stepper.h"
#include "tests/unit/lower/table.h"

using namespace tpc;
using Clock = std::chrono::steady_clock;

namespace {

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "step_bench PROGRAM OPTIMIZER THREADS STEPS [size=number ...]\n"), 2;
  std::ifstream in(argv[1]);
  std::stringstream text;
  text << in.rdbuf();
  const int threads = std::atoi(argv[3]), steps = std::atoi(argv[4]);
  PipelineOptions pipeline;
  pipeline.optimizer = argv[2];
  for (int i = 5; i < argc; ++i)
    if (const char* equals = std::strchr(argv[i], '='))
      pipeline.defines.emplace_back(std::string(argv[i], size_t(equals - argv[i])), std::atoll(equals + 1));
  const auto begin = Clock::now();
  SourceMap sources;
  DiagnosticSink diagnostics;
  const auto analysed = analyseProgram(sources, sources.add(argv[1], text.str()), pipeline, diagnostics);
  if (!analysed) return std::fprintf(stderr, "%s does not analyse\n", argv[1]), 1;
  const double analysis = since(begin);

  const Graph& graph = analysed->graph;
  LowerOptions options;
  for (const Symbol& symbol : graph.symbols) options.numbers.push_back(symbol.number);
  for (size_t m = 0; m < graph.freeMultipliers.size(); ++m) options.multipliers.push_back(0.125);
  const OptimizerProgram* optimizer = nullptr;
  for (const OptimizerProgram& each : analysed->optimizers)
    if (each.name == argv[2]) optimizer = &each;
  const ProgramTable table = tableOf(graph, options.numbers, optimizer);
  std::string error;
  const auto compiling = Clock::now();
  std::optional<CompiledProgram> program = lower(graph, analysed->optimizers, options, table, error);
  if (!program) return std::fprintf(stderr, "%s\n", error.c_str()), 1;
  const double compile = since(compiling);
  const double flops = program->flops;
  const size_t kernels = program->kernels.size(), launches = program->gradients.size() + program->updates.size(),
               code = program->code.size();
  const auto stepper = compiledStepper(std::move(*program), table, threads, error);
  if (!stepper) return std::fprintf(stderr, "%s\n", error.c_str()), 1;
  for (size_t p = 0; p < table.parameters.size(); ++p) {
    const auto& shape = table.parameters[p].shape;
    const StepBuffer& buffer = stepper->parameters()[p];
    float* data = static_cast<float*>(buffer.data);
    const RandomStream stream(1, table.parameters[p].name);
    double fan = 1;
    for (size_t i = graph.parameters[p].stack == none ? 0 : 1; i + 1 < shape.size(); ++i) fan *= double(shape[i]);
    for (int64_t i = 0; i < buffer.count; ++i) data[i] = float(stream.normal(uint64_t(i)) / std::sqrt(fan));
  }
  std::vector<std::vector<float>> floats(table.inputs.size());
  std::vector<std::vector<int32_t>> integers(table.inputs.size());
  std::vector<const void*> inputs;
  for (size_t i = 0; i < table.inputs.size(); ++i) {
    int64_t count = 1;
    for (int64_t length : table.inputs[i].shape) count *= length;
    const RandomStream stream(2, table.inputs[i].name);
    for (int64_t j = 0; j < count; ++j)
      if (table.inputs[i].integer)
        integers[i].push_back(int32_t(stream.uniform(uint64_t(j)) * double(table.inputs[i].below)));
      else floats[i].push_back(float(stream.normal(uint64_t(j))));
    inputs.push_back(table.inputs[i].integer ? static_cast<const void*>(integers[i].data()) : floats[i].data());
  }
  std::vector<std::vector<double>> hyper;
  for (const ProgramParameter& parameter : table.parameters) {
    hyper.emplace_back();
    for (const auto& [name, number] : parameter.hyper) hyper.back().push_back(name == "lr" ? 1e-3 : number);
  }
  std::vector<double> times;
  StepResult result;
  double first = 0;
  for (int step = 1; step <= steps; ++step) {
    const auto at = Clock::now();
    result = stepper->step({.inputs = inputs, .hyper = hyper, .seed = 1, .step = step});
    times.push_back(since(at));
    if (step == 1) first = since(begin);
    if (!result.updated)
      return std::fprintf(stderr, "step %d: %s, loss %g\n", step, result.error.c_str(), result.loss), 1;
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  std::printf("analysis %.0f ms, compile %.0f ms, first step done after %.0f ms\n", analysis * 1e3, compile * 1e3,
              first * 1e3);
  std::printf("%zu kernels, %zu launches, %zu bytes of code; arena %.2f MiB, of which values %.2f MiB\n", kernels,
              launches, code,
              double(stepper->memory().parameters + stepper->memory().states + stepper->memory().gradients +
                     stepper->memory().values) /
                  1048576,
              double(stepper->memory().values) / 1048576);
  std::printf("step: median %.1f us, least %.1f us; %.1f GFLOP/s in products; loss %.6f\n", median * 1e6,
              times[0] * 1e6, flops / median * 1e-9, result.loss);
}
