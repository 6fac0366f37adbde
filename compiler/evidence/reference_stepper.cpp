#include "compiler/evidence/reference_stepper.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/bind/table.h"
#include "compiler/interpret/interpret.h"

namespace tpc {
namespace {

struct ReferenceStepper : Stepper {
  const Graph& graph;
  const std::vector<OptimizerProgram>& optimizers;
  ProgramTable program;
  NodeNames names;
  Bindings bindings;
  std::vector<std::shared_ptr<Tensor>> held;  // per parameter
  std::vector<OptimizerState> moments;        // per parameter
  std::vector<Tensor> sums;                   // per parameter: gradients of the parts so far
  std::vector<StepBuffer> parameterBuffers;
  std::vector<std::vector<StepBuffer>> stateBuffers;
  std::vector<NodeId> metrics;

  ReferenceStepper(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, std::vector<double> multipliers,
                   std::vector<int64_t> numbers, ProgramTable table, NodeNames nodeNames)
      : graph(graph), optimizers(optimizers), program(std::move(table)), names(std::move(nodeNames)) {
    bindings.numbers = std::move(numbers);
    bindings.multipliers = std::move(multipliers);
    const auto bufferOf = [](Tensor& tensor) {
      return StepBuffer{ElementType::f64, int64_t(tensor.values.size()), tensor.values.data()};
    };
    const size_t count = program.parameters.size();
    moments.resize(count), sums.resize(count), stateBuffers.resize(count), bindings.parameters.resize(count);
    for (size_t p = 0; p < count; ++p) {
      const ProgramParameter& parameter = program.parameters[p];
      const Tensor zero{parameter.shape, std::vector<double>(size_t(elementCount(parameter.shape)))};
      held.push_back(std::make_shared<Tensor>(zero));
      parameterBuffers.push_back(bufferOf(*held[p]));
      moments[p].states.assign(parameter.states.size(), zero);
      for (Tensor& state : moments[p].states) stateBuffers[p].push_back(bufferOf(state));
    }
    for (const Output& output : graph.outputs)
      if (output.metric) metrics.push_back(output.node);
  }

  const ProgramTable& table() const override { return program; }
  std::span<const StepBuffer> parameters() override { return parameterBuffers; }
  std::span<const StepBuffer> states(size_t p) override { return stateBuffers[p]; }
  bool accumulates() const override { return true; }

  void bind(std::span<const void* const> inputs) {
    bindings.inputs.clear();
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      if (!inputs[i]) {
        bindings.inputs.push_back(nullptr);
        continue;
      }
      auto tensor = std::make_shared<Tensor>();
      tensor->shape = program.inputs[i].shape;
      const int64_t count = elementCount(tensor->shape);
      if (const auto* whole = static_cast<const int32_t*>(inputs[i]); program.inputs[i].integer)
        tensor->values.assign(whole, whole + count);
      else if (const auto* real = static_cast<const float*>(inputs[i]); true) tensor->values.assign(real, real + count);
      bindings.inputs.push_back(std::move(tensor));
    }
    for (size_t p = 0; p < held.size(); ++p) {
      const double multiplier = program.parameters[p].multiplier;
      if (multiplier == 1) {
        bindings.parameters[p] = held[p];
        continue;
      }
      auto scaled = std::make_shared<Tensor>(*held[p]);
      for (double& value : scaled->values) value *= multiplier;
      bindings.parameters[p] = std::move(scaled);
    }
  }

  std::vector<double> metricsOf(const Evaluation& run) const {
    std::vector<double> values;
    for (NodeId node : metrics)
      values.push_back(run.values[node]->values.size() == 1 ? run.values[node]->values[0]
                                                            : std::numeric_limits<double>::quiet_NaN());
    return values;
  }

  std::vector<NodeId> wantedToLearn() const {
    std::vector<NodeId> wanted = metrics;
    wanted.push_back(graph.loss);
    for (size_t p = 0; p < program.parameters.size(); ++p)
      if (program.parameters[p].trains) wanted.push_back(graph.parameters[p].gradient);
    return wanted;
  }

  static Draws drawsOf(const StepRequest& request) { return {request.seed + uint64_t(request.part), request.step}; }

  StepResult step(const StepRequest& request) override {
    StepResult result;
    bind(request.inputs);
    bindings.training = drawsOf(request);
    const std::vector<NodeId> wanted = wantedToLearn();
    const Evaluation run = tpc::evaluate(graph, bindings, wanted);
    if (!run.error.empty()) return result.error = run.error, result;
    result.loss = run.values[graph.loss]->values[0];
    result.metrics = metricsOf(run);
    if (!std::isfinite(result.loss)) return result;

    double squares = 0;
    const bool last = request.part + 1 == request.parts;
    for (size_t p = 0; p < program.parameters.size(); ++p) {
      if (!program.parameters[p].trains) continue;
      const Tensor& gradient = *run.values[graph.parameters[p].gradient];
      const double factor = program.parameters[p].multiplier / request.parts;
      if (request.part == 0) sums[p] = Tensor{gradient.shape, std::vector<double>(gradient.values.size())};
      for (size_t i = 0; i < gradient.values.size(); ++i) sums[p].values[i] += factor * gradient.values[i];
      if (last)
        for (double value : sums[p].values) squares += value * value;
    }
    if (!last) return result;
    result.gradientNorm = std::sqrt(squares);
    if (!std::isfinite(result.gradientNorm)) return result;
    const bool clips = request.clip > 0 && result.gradientNorm > request.clip;
    for (size_t p = 0; p < program.parameters.size(); ++p) {
      const ProgramParameter& parameter = program.parameters[p];
      if (!parameter.trains) continue;
      if (clips)
        for (double& value : sums[p].values) value *= request.clip / result.gradientNorm;
      StepNumbers numbers;
      for (size_t h = 0; h < parameter.hyper.size(); ++h) numbers.hyper[parameter.hyper[h].first] = request.hyper[p][h];
      moments[p].step = request.step - 1;
      result.error =
          takeStep(*optimizerCalled(optimizers, parameter.optimizer), numbers, sums[p], moments[p], *held[p]);
      if (!result.error.empty()) return result;
    }
    result.updated = true;
    return result;
  }

  EvaluateResult evaluate(std::span<const void* const> inputs) override {
    EvaluateResult result;
    bind(inputs);
    bindings.training.reset();
    std::vector<NodeId> wanted = metrics;
    wanted.push_back(graph.loss);
    const Evaluation run = tpc::evaluate(graph, bindings, wanted);
    if (!run.error.empty()) return result.error = run.error, result;
    result.loss = run.values[graph.loss]->values[0];
    result.metrics = metricsOf(run);
    return result;
  }

  std::vector<float> fetch(std::span<const void* const> inputs, size_t output, std::string& error) override {
    bind(inputs);
    bindings.training.reset();
    const NodeId node = graph.outputs[output].node;
    const Evaluation run = tpc::evaluate(graph, bindings, std::vector{node});
    if (!run.error.empty()) return error = run.error, std::vector<float>();
    const std::vector<double>& values = run.values[node]->values;
    return {values.begin(), values.end()};
  }

  StepMemory memory() const override {
    StepMemory memory;
    for (size_t p = 0; p < held.size(); ++p) {
      const int64_t bytes = int64_t(held[p]->values.size() * sizeof(double));
      memory.parameters += bytes;
      memory.states += bytes * int64_t(moments[p].states.size());
      if (program.parameters[p].trains) memory.gradients += 2 * bytes;
    }
    return memory;
  }

  std::string firstNotFinite(const StepRequest& request) override {
    bind(request.inputs);
    bindings.training = drawsOf(request);
    const std::vector<bool> reached = reachedFrom(wantedToLearn());
    std::vector<NodeId> wanted;
    for (NodeId id = 0; id < graph.nodes.size(); ++id)
      if (reached[id] && graph.nodes[id].kind != OpKind::repeat) wanted.push_back(id);
    const Evaluation run = tpc::evaluate(graph, bindings, wanted);
    return run.error.empty() ? originOf(run, wanted) : std::string();
  }

  // Where an infinity or a NaN comes from: a value that has one in a round in which none of its operands has. Constants
  // such as the -inf of a mask are meant, and a carried value hands on what another round made.  Of several in one
  // repeat the one of the earliest round.
  std::string originOf(const Evaluation& run, const std::vector<NodeId>& nodes) const {
    NodeId origin = none;
    int64_t originRound = 0;
    std::string what;
    for (NodeId id : nodes) {
      const OpKind kind = graph.nodes[id].kind;
      if (kind == OpKind::number || kind == OpKind::constant || kind == OpKind::bodyArgument) continue;
      if (origin != none && (graph.nodes[id].region == none || graph.nodes[id].region != graph.nodes[origin].region))
        continue;
      const int64_t rounds = roundsOf(run, id);
      for (int64_t round = 0; round < rounds; ++round) {
        const bool nan = holds<true>(run, id, round, rounds);
        if (!nan && !holds<false>(run, id, round, rounds)) continue;
        const auto operands = graph.operands(id);
        const bool handed = std::any_of(operands.begin(), operands.end(), [&](NodeId operand) {
          return nan ? holds<true>(run, operand, round, rounds) : holds<false>(run, operand, round, rounds);
        });
        const bool reversed = graph.nodes[id].region != none && graph.repeats[graph.nodes[id].region].reversed;
        const int64_t order = reversed ? rounds - 1 - round : round;
        if (handed || (origin != none && order >= originRound)) continue;
        origin = id, originRound = order;
        what = nan ? "NaN" : "inf";
        if (rounds > 1) what += " in layer " + std::to_string(round);
      }
    }
    if (origin == none) return {};
    return (names ? names(origin) : "node " + std::to_string(origin)) + " has " + what;
  }

  int64_t roundsOf(const Evaluation& run, NodeId id) const {
    if (!run.values[id]) return 0;
    const std::optional<std::vector<int64_t>> shape = shapeAt(graph, id, bindings.numbers);
    return shape ? int64_t(run.values[id]->values.size()) / elementCount(*shape) : 0;
  }

  // Of `rounds` rounds, the values of round `round`: those of a node further out are the same for several.
  template <bool nan>
  bool holds(const Evaluation& run, NodeId id, int64_t round, int64_t rounds) const {
    const int64_t own = roundsOf(run, id);
    if (own == 0) return false;
    const std::vector<double>& values = run.values[id]->values;
    const size_t width = values.size() / size_t(own),
                 begin = width * size_t(round / std::max<int64_t>(1, rounds / own));
    return std::any_of(values.begin() + ptrdiff_t(begin), values.begin() + ptrdiff_t(begin + width),
                       [](double x) { return nan ? std::isnan(x) : std::isinf(x); });
  }

  std::vector<bool> reachedFrom(const std::vector<NodeId>& roots) const {
    std::vector<bool> reached(graph.nodes.size(), false);
    std::vector<NodeId> work = roots;
    while (!work.empty()) {
      const NodeId id = work.back();
      work.pop_back();
      if (id == none || reached[id]) continue;
      reached[id] = true;
      for (NodeId operand : graph.operands(id)) work.push_back(operand);
      if (graph.nodes[id].kind == OpKind::repeat)
        for (NodeId yield : graph.repeats[graph.nodes[id].attribute].yields) work.push_back(yield);
      if (graph.nodes[id].region != none) work.push_back(graph.repeats[graph.nodes[id].region].node);
    }
    return reached;
  }
};

}  // namespace

std::unique_ptr<Stepper> referenceStepper(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                          std::vector<double> multipliers, std::vector<int64_t> numbers,
                                          ProgramTable table, NodeNames names) {
  return std::make_unique<ReferenceStepper>(graph, optimizers, std::move(multipliers), std::move(numbers),
                                            std::move(table), std::move(names));
}

}  // namespace tpc
