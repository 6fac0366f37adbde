// The table of a graph at numbers, for tests and benchmarks: every parameter that is not frozen trains by one
// optimizer.
#pragma once

#include "compiler/interpret/interpret.h"
#include "runtime/format/program.h"

namespace tpc {

inline ProgramTable tableOf(const Graph& graph, const std::vector<int64_t>& numbers,
                            const OptimizerProgram* optimizer = nullptr) {
  ProgramTable table;
  for (const Parameter& parameter : graph.parameters) {
    ProgramParameter one;
    one.name = parameter.name;
    one.shape = *shapeAt(graph, parameter.node, numbers);
    one.trains = optimizer && parameter.ownership == Ownership::trained;
    if (one.trains) {
      one.optimizer = optimizer->name;
      for (const auto& [argument, next] : optimizer->states) {
        const OptimizerArgument& state = optimizer->graph.arguments[optimizer->graph.nodes[argument].attribute];
        one.states.push_back({state.name, state.number, state.startsAsParam});
      }
      for (const OptimizerArgument& argument : optimizer->graph.arguments)
        if (argument.role == ArgumentRole::hyper) one.hyper.emplace_back(argument.name, argument.number);
    }
    table.parameters.push_back(std::move(one));
  }
  for (const Input& input : graph.inputs)
    table.inputs.push_back({input.name, *shapeAt(graph, input.node, numbers), -1, input.target, input.integer,
                            input.integer ? *input.below.at(numbers) : 0});
  for (const Output& output : graph.outputs)
    table.outputs.push_back({output.name, *shapeAt(graph, output.node, numbers), -1, output.metric});
  return table;
}

}  // namespace tpc
