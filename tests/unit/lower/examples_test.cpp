// Every example of the repository, small: values and gradients against the interpreter, then steps of every optimizer.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "compiler/driver/pipeline.h"
#include "kernels/random.h"
#include "tests/catch.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {
namespace {

struct Example {
  Analysed analysed{};
  Bindings bindings{};
};

using Defines = std::vector<std::pair<std::string, int64_t>>;

// Its numbers at small sizes, random inputs and parameters.
Example exampleOf(const std::string& name, const Defines& defines, const std::string& optimizer = "adam") {
  const std::string path = std::string(TPC_SOURCE_DIR) + "/examples/" + name;
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  SourceMap sources;
  DiagnosticSink diagnostics;
  PipelineOptions options;
  options.defines = defines;
  options.optimizer = optimizer;
  std::optional<Analysed> analysed = analyseProgram(sources, sources.add(path, text.str()), options, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) UNSCOPED_INFO(diagnostic.message);
  REQUIRE(analysed);
  Example example{std::move(*analysed), {}};
  const Graph& graph = example.analysed.graph;
  Bindings& bindings = example.bindings;
  for (const Symbol& symbol : graph.symbols) bindings.numbers.push_back(symbol.number);
  for (size_t m = 0; m < graph.freeMultipliers.size(); ++m) bindings.multipliers.push_back(0.5);
  const auto narrow = [](double x) { return double(float(x)); };
  for (const Input& input : graph.inputs) {
    auto tensor = std::make_shared<Tensor>();
    tensor->shape = *shapeAt(graph, input.node, bindings.numbers);
    tensor->values.resize(size_t(elementCount(tensor->shape)));
    const RandomStream stream(7, input.name);
    for (size_t i = 0; i < tensor->values.size(); ++i)
      tensor->values[i] = input.integer ? std::floor(stream.uniform(i) * double(*input.below.at(bindings.numbers)))
                                        : narrow(stream.normal(i));
    bindings.inputs.push_back(tensor);
  }
  for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
    const Init::Kind kind = graph.parameters[p].init.kind;
    const bool given = kind == Init::Kind::constant || kind == Init::Kind::values || kind == Init::Kind::eye;
    InitialValue first = initialValue(graph, p, bindings.numbers, given ? std::nullopt : std::optional(0.3), 7);
    REQUIRE(first.error == "");
    Tensor tensor = *first.value;
    // Off the special places: biases that are zero would hide a term.
    const RandomStream stream(8, graph.parameters[p].name);
    for (size_t i = 0; i < tensor.values.size(); ++i)
      tensor.values[i] = narrow(tensor.values[i] + 0.05 * stream.normal(i));
    bindings.parameters.push_back(std::make_shared<Tensor>(std::move(tensor)));
  }
  return example;
}

const std::vector<std::pair<std::string, Defines>> examples = {
    {"autoencoder.tp", {{"n", 24}, {"pixels", 20}, {"batch", 3}}},
    {"convnet.tp", {{"n", 4}, {"side", 8}, {"batch", 2}}},
    {"finetune.tp", {{"n", 16}, {"d", 8}, {"vocab", 11}, {"context", 5}, {"batch", 2}}},
    {"gpt.tp", {{"n", 16}, {"d", 8}, {"L", 3}, {"vocab", 13}, {"context", 7}, {"batch", 2}}},
    {"hyper.tp", {{"n", 16}, {"d", 8}, {"L", 2}, {"vocab", 13}, {"context", 6}, {"batch", 2}}},
    {"llama.tp", {{"n", 24}, {"d", 4}, {"groups", 3}, {"L", 2}, {"vocab", 13}, {"context", 6}, {"batch", 2}}},
    {"mixer.tp", {{"n", 8}, {"L", 2}, {"side", 8}, {"batch", 2}}},
    {"mlp.tp", {{"n", 37}, {"pixels", 19}, {"batch", 5}}},
    {"moe.tp", {{"n", 16}, {"d", 8}, {"L", 2}, {"E", 4}, {"vocab", 13}, {"context", 6}, {"batch", 2}}},
    {"recurrent.tp", {{"n", 12}, {"T", 5}, {"symbols", 9}, {"batch", 3}}},
    {"resmlp.tp", {{"n", 20}, {"L", 3}, {"pixels", 17}, {"batch", 4}}},
    {"tauformer.tp", {{"d", 6}, {"H", 2}, {"vocab", 13}, {"context", 6}, {"batch", 2}}},
    {"tied.tp", {{"n", 16}, {"vocab", 13}, {"context", 6}, {"batch", 2}}},
    {"vit.tp", {{"n", 16}, {"d", 8}, {"L", 2}, {"side", 8}, {"batch", 2}}},
};

const OptimizerProgram& optimizerOf(const Example& example, const std::string& name) {
  const auto found = std::find_if(example.analysed.optimizers.begin(), example.analysed.optimizers.end(),
                                  [&](const OptimizerProgram& each) { return each.name == name; });
  REQUIRE(found != example.analysed.optimizers.end());
  return *found;
}

std::vector<std::vector<double>> hyperOf(const ProgramTable& table, double lr) {
  std::vector<std::vector<double>> hyper;
  for (const ProgramParameter& parameter : table.parameters) {
    hyper.emplace_back();
    for (const auto& [name, number] : parameter.hyper)
      hyper.back().push_back(name == "lr" ? lr : name == "decay" ? 0.1 : number);
  }
  return hyper;
}

// A few steps of both; the share of entries whose change differs by more than `tolerance` of the largest change.
double shareOff(const Example& example, const std::string& optimizer, double lr, double tolerance, int steps = 4) {
  const Graph& graph = example.analysed.graph;
  const OptimizerProgram& program = optimizerOf(example, optimizer);
  const ProgramTable table = tableOf(graph, example.bindings.numbers, &program);
  LowerOptions options;
  options.numbers = example.bindings.numbers, options.multipliers = example.bindings.multipliers;
  const auto stepper = stepperOf(graph, example.bindings, options, table, example.analysed.optimizers, 2);
  const Batch batch(graph, example.bindings);
  const auto hyper = hyperOf(table, lr);

  Bindings bindings = example.bindings;
  std::vector<OptimizerState> states(graph.parameters.size());
  std::vector<NodeId> wanted{graph.loss};
  for (const Parameter& parameter : graph.parameters)
    if (parameter.gradient != none && parameter.ownership == Ownership::trained) wanted.push_back(parameter.gradient);
  for (int step = 1; step <= steps; ++step) {
    bindings.training = Draws{5, step};
    const Evaluation run = evaluate(graph, bindings, wanted);
    REQUIRE(run.error == "");
    const StepResult result =
        stepper->step({.inputs = batch.pointers, .hyper = hyper, .seed = 5, .step = step, .measure = true});
    INFO("step " << step << " " << result.error);
    REQUIRE(result.updated);
    CHECK(result.loss == Approx(run.values[graph.loss]->values[0]).epsilon(3e-4));
    double squares = 0;
    for (size_t i = 1; i < wanted.size(); ++i)
      for (double each : run.values[wanted[i]]->values) squares += each * each;
    CHECK(result.gradientNorm == Approx(std::sqrt(squares)).epsilon(2e-3));
    for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
      const Parameter& parameter = graph.parameters[p];
      if (parameter.gradient == none || parameter.ownership != Ownership::trained) continue;
      StepNumbers numbers;
      for (size_t h = 0; h < table.parameters[p].hyper.size(); ++h)
        numbers.hyper[table.parameters[p].hyper[h].first] = hyper[p][h];
      Tensor next = *bindings.parameters[p];
      REQUIRE(takeStep(program, numbers, *run.values[parameter.gradient], states[p], next) == "");
      bindings.parameters[p] = std::make_shared<Tensor>(std::move(next));
    }
  }
  size_t count = 0, off = 0;
  for (size_t p = 0; p < graph.parameters.size(); ++p) {
    const std::vector<double>&before = example.bindings.parameters[p]->values, &after = bindings.parameters[p]->values;
    const float* found = static_cast<const float*>(stepper->parameters()[p].data);
    double largest = 1e-6;
    for (size_t i = 0; i < before.size(); ++i) largest = std::max(largest, std::abs(after[i] - before[i]));
    for (size_t i = 0; i < before.size(); ++i, ++count)
      off += !(std::abs(double(found[i]) - after[i]) <= tolerance * largest);
  }
  return double(off) / double(count);
}

}  // namespace

TEST_CASE("every example compiles to what it means", "[lower][examples]") {
  for (const auto& [name, defines] : examples) {
    INFO(name);
    const Example example = exampleOf(name, defines);
    checkCompiled(example.analysed.graph, example.bindings, {2e-4});
  }
}

TEST_CASE("every example trains as the interpreter does", "[lower][examples][optimizer]") {
  for (const auto& [name, defines] : examples) {
    INFO(name);
    const Example example = exampleOf(name, defines, "sgd");
    CHECK(shareOff(example, "sgd", 0.02, 2e-3) == 0);
  }
}

TEST_CASE("every optimizer of the library takes the interpreter's steps", "[lower][optimizer]") {
  for (const std::string optimizer : {"sgd", "momentum", "adam", "adamw", "lion"}) {
    INFO(optimizer);
    for (const auto& [name, defines] : {examples[3], examples[7]}) {
      const Example example = exampleOf(name, defines, optimizer);
      // Where a gradient is nothing but rounding, Adam and Lion follow its sign.
      CHECK(shareOff(example, optimizer, 0.01, 2e-3) <= (optimizer == "sgd" || optimizer == "momentum" ? 0 : 5e-3));
    }
  }
}

TEST_CASE("one thread and two give the same bits", "[lower][threads]") {
  for (const auto& [name, defines] : {examples[1], examples[3], examples[8]}) {
    Defines larger = defines;
    for (auto& [symbol, number] : larger)
      if (symbol == "batch") number = 9;
      else if (symbol == "n") number *= 4;
    const Example example = exampleOf(name, larger);
    const Graph& graph = example.analysed.graph;
    const OptimizerProgram& program = optimizerOf(example, "adam");
    const ProgramTable table = tableOf(graph, example.bindings.numbers, &program);
    LowerOptions options;
    options.numbers = example.bindings.numbers, options.multipliers = example.bindings.multipliers;
    const Batch batch(graph, example.bindings);
    const auto hyper = hyperOf(table, 0.01);
    std::vector<std::vector<float>> after[2];
    for (int threads : {1, 2}) {
      const auto stepper = stepperOf(graph, example.bindings, options, table, example.analysed.optimizers, threads);
      for (int step = 1; step <= 3; ++step)
        REQUIRE(
            stepper->step({.inputs = batch.pointers, .hyper = hyper, .seed = 5, .step = step, .clip = 0.5}).updated);
      for (const StepBuffer& buffer : stepper->parameters()) {
        const float* data = static_cast<const float*>(buffer.data);
        after[threads - 1].emplace_back(data, data + buffer.count);
      }
    }
    CHECK(after[0] == after[1]);
  }
}

}  // namespace tpc
