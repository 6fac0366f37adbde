#include "compiler/bind/table.h"

#include <algorithm>

#include "compiler/interpret/interpret.h"

namespace tpc {
namespace {

// The first axis whose length is `batch`.
int batchAxisOf(const Graph& graph, NodeId node) {
  for (int axis = 0; axis < graph.rank(node); ++axis) {
    const Length& length = graph.length(node, axis);
    if (length.terms().size() != 1) continue;
    const Monomial& only = length.terms()[0];
    if (only.powers.size() == 1 && only.powers[0].second == 1 && only.coefficient == Rational(1) &&
        graph.symbols[only.powers[0].first].name == "batch")
      return axis;
  }
  return -1;
}

std::optional<FirstValues> firstValues(const Graph& graph, uint32_t index, const PlanParameter& planned,
                                       const std::vector<int64_t>& numbers, std::string& error) {
  switch (graph.parameters[index].init.kind) {
    case Init::Kind::plan:
    case Init::Kind::normal: return FirstValues{FirstKind::normal, planned.target.initStd.value_or(0), {}};
    case Init::Kind::uniform: return FirstValues{FirstKind::uniform, planned.target.initStd.value_or(0), {}};
    case Init::Kind::constant: return FirstValues{FirstKind::constant, planned.target.initMean.value_or(0), {}};
    case Init::Kind::eye: return FirstValues{FirstKind::eye, 1, {}};
    case Init::Kind::values:
    case Init::Kind::file: break;
  }
  const InitialValue value = initialValue(graph, index, numbers, std::nullopt, 0);
  if (!value.error.empty()) return error = value.error, std::nullopt;
  return FirstValues{FirstKind::values, 0, value.value->values};
}

void addOptimizer(const OptimizerProgram& program, const ParameterNumbers& numbers, ProgramParameter& out) {
  for (const OptimizerArgument& argument : program.graph.arguments) {
    if (argument.role != ArgumentRole::hyper) continue;
    std::optional<double> planned;
    if (argument.name == "lr") planned = numbers.lr;
    if (argument.name == "eps") planned = numbers.eps;
    if (argument.name == "decay") planned = numbers.weightDecay;
    out.hyper.emplace_back(argument.name, planned.value_or(argument.number));
  }
  for (const auto& [argument, next] : program.states) {
    const OptimizerArgument& state = program.graph.arguments[program.graph.nodes[argument].attribute];
    out.states.push_back({state.name, state.number, state.startsAsParam});
  }
}

}  // namespace

const OptimizerProgram* optimizerCalled(const std::vector<OptimizerProgram>& optimizers, const std::string& name) {
  const auto found = std::find_if(optimizers.begin(), optimizers.end(),
                                  [&](const OptimizerProgram& each) { return each.name == name; });
  return found == optimizers.end() ? nullptr : &*found;
}

std::vector<double> multipliersOf(const Plan& plan) {
  std::vector<double> values;
  for (const PlanMultiplier& multiplier : plan.multipliers) values.push_back(multiplier.target);
  return values;
}

std::optional<ProgramTable> programTable(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                         const Plan& plan, const std::vector<int64_t>& numbers, std::string& error) {
  ProgramTable table;
  table.model = graph.model;
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    table.sizes.emplace_back(graph.symbols[symbol].name, numbers[symbol]);
    if (graph.symbols[symbol].name == "batch") table.batch = numbers[symbol];
  }
  const auto shapeOf = [&](NodeId node, const std::string& name) {
    std::optional<std::vector<int64_t>> shape = shapeAt(graph, node, numbers);
    if (!shape) error = "`" + name + "` has an axis of no whole length at these sizes";
    return shape;
  };
  for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
    const Parameter& parameter = graph.parameters[p];
    const PlanParameter& planned = plan.parameters[p];
    const auto shape = shapeOf(parameter.node, parameter.name);
    if (!shape) return std::nullopt;
    std::optional<FirstValues> first = firstValues(graph, p, planned, numbers, error);
    if (!first) return std::nullopt;
    ProgramParameter out{
        .name = parameter.name,
        .shape = *shape,
        .stackedAxes = parameter.stack == none ? 0 : 1 + int(parameter.innerStacks.size()),
        .first = std::move(*first),
        .multiplier = planned.target.multiplier,
        .trains = parameter.ownership == Ownership::trained && parameter.gradient != none && planned.trains};
    if (out.trains) {
      const OptimizerProgram* program = optimizerCalled(optimizers, planned.optimizer);
      if (!program) return error = "`" + parameter.name + "` has no optimizer", std::nullopt;
      out.optimizer = program->name;
      addOptimizer(*program, planned.target, out);
    }
    table.parameters.push_back(std::move(out));
  }
  for (const Input& input : graph.inputs) {
    const auto shape = shapeOf(input.node, input.name);
    if (!shape) return std::nullopt;
    ProgramInput out{.name = input.name,
                     .shape = *shape,
                     .batchAxis = batchAxisOf(graph, input.node),
                     .target = input.target,
                     .integer = input.integer};
    if (input.integer) {
      const std::optional<int64_t> below = input.below.at(numbers);
      if (!below || *below > int64_t(INT32_MAX))
        return error = "`" + input.name + "` has no bound that numbers of 32 bits hold", std::nullopt;
      out.below = *below;
    }
    table.inputs.push_back(std::move(out));
  }
  for (const Output& output : graph.outputs) {
    const auto shape = shapeOf(output.node, output.name);
    if (!shape) return std::nullopt;
    table.outputs.push_back({output.name, *shape, batchAxisOf(graph, output.node), output.metric});
  }
  return table;
}

}  // namespace tpc
