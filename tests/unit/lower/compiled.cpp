#include "tests/unit/lower/compiled.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/compiled_stepper.h"
#include "tests/catch.h"

namespace tpc {

Batch::Batch(const Graph& graph, const Bindings& bindings) {
  floats.resize(graph.inputs.size());
  integers.resize(graph.inputs.size());
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!bindings.inputs[i]) {
      pointers.push_back(nullptr);
    } else if (graph.inputs[i].integer) {
      integers[i].assign(bindings.inputs[i]->values.begin(), bindings.inputs[i]->values.end());
      pointers.push_back(integers[i].data());
    } else {
      floats[i].assign(bindings.inputs[i]->values.begin(), bindings.inputs[i]->values.end());
      pointers.push_back(floats[i].data());
    }
  }
}

std::unique_ptr<Stepper> stepperOf(const Graph& graph, const Bindings& bindings, const LowerOptions& options,
                                   const ProgramTable& table, const std::vector<OptimizerProgram>& optimizers,
                                   int threads) {
  std::string error;
  std::optional<CompiledProgram> program = lower(graph, optimizers, options, table, error);
  INFO(error);
  REQUIRE(program);
  std::unique_ptr<Stepper> stepper = compiledStepper(std::move(*program), table, threads, error);
  REQUIRE(stepper);
  for (size_t p = 0; p < graph.parameters.size(); ++p) {
    if (!bindings.parameters[p]) continue;
    float* to = static_cast<float*>(stepper->parameters()[p].data);
    for (size_t i = 0; i < bindings.parameters[p]->values.size(); ++i) to[i] = float(bindings.parameters[p]->values[i]);
  }
  return stepper;
}

double difference(const Tensor& expected, const std::vector<float>& found) {
  if (found.size() != expected.values.size()) return std::numeric_limits<double>::infinity();
  double largest = 0, worst = 0;
  for (double value : expected.values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < found.size(); ++i) {
    const double a = expected.values[i], b = double(found[i]);
    if (a == b || (a != a && b != b)) continue;
    if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, std::abs(a - b));
  }
  // What cancels to nothing is compared with the numbers that cancelled, which are about one.
  return worst / std::max(largest, 0.02);
}

void checkCompiled(const Graph& graph, const Bindings& given, Tolerance tolerance) {
  // Both read the same numbers: those that a float holds.
  Bindings bindings = given;
  for (auto* tensors : {&bindings.parameters, &bindings.inputs})
    for (TensorPtr& tensor : *tensors) {
      if (!tensor) continue;
      Tensor narrow = *tensor;
      for (double& value : narrow.values) value = double(float(value));
      tensor = std::make_shared<Tensor>(std::move(narrow));
    }
  std::vector<NodeId> everything, few;
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    if (graph.nodes[id].region == none && graph.nodes[id].kind != OpKind::repeat) everything.push_back(id);
  if (graph.loss != none) few.push_back(graph.loss);
  for (const Output& output : graph.outputs) few.push_back(output.node);
  for (const Parameter& parameter : graph.parameters)
    if (parameter.gradient != none) few.push_back(parameter.gradient);
  const Evaluation run = evaluate(graph, bindings, everything);
  INFO(run.error);
  REQUIRE(run.error.empty());
  const ProgramTable table = tableOf(graph, bindings.numbers);
  const Batch batch(graph, bindings);
  for (const std::vector<NodeId>& wanted : {everything, few}) {
    LowerOptions options;
    options.numbers = bindings.numbers, options.multipliers = bindings.multipliers;
    options.training = false, options.wanted = wanted;
    const bool fused = wanted.size() == few.size();
    const std::unique_ptr<Stepper> stepper = stepperOf(graph, bindings, options, table, {}, fused ? 2 : 1);
    // Each fetch is a run; of very many values a sample.
    const size_t stride = wanted.size() > 400 ? 7 : 1;
    for (size_t i = 0; i < wanted.size(); i += stride) {
      std::string error;
      const std::vector<float> found = stepper->fetch(batch.pointers, table.outputs.size() + i, error);
      INFO(error);
      REQUIRE(error.empty());
      const NodeId id = wanted[i];
      const double off = difference(*run.values[id], found);
      INFO((fused ? "fused" : "alone") << ", node " << id << " " << toString(graph.nodes[id].kind) << " off by "
                                       << off);
      REQUIRE(off <= tolerance.relative);
    }
  }
}

}  // namespace tpc
