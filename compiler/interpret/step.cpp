// One step of an optimizer: its program, run entry by entry.
//
// The program's arguments have no axes; each of its values becomes a row of a chunk of entries, so that the memory is
// that of a few rows whatever the parameter.
#include <algorithm>
#include <new>

#include "compiler/interpret/operations.h"

namespace tpc {
namespace {

constexpr int64_t chunk = 1024;

}  // namespace

std::string takeStep(const OptimizerProgram& program, const StepNumbers& numbers, const Tensor& gradient,
                     OptimizerState& state, Tensor& parameter) {
  const Graph& graph = program.graph;
  const int64_t count = int64_t(parameter.values.size());
  if (gradient.values.size() != parameter.values.size()) return "the gradient has another shape than the parameter";
  if (program.update >= graph.nodes.size()) return "the optimizer `" + program.name + "` has no update";
  if (state.states.size() != program.states.size()) {
    state.states.clear();
    for (auto [argument, next] : program.states) {
      const OptimizerArgument& first = graph.arguments[graph.nodes[argument].attribute];
      Tensor tensor = parameter;
      if (!first.startsAsParam) std::fill(tensor.values.begin(), tensor.values.end(), first.number);
      state.states.push_back(std::move(tensor));
    }
  }
  const int64_t step = state.step + 1;

  std::vector<std::vector<double>> rows(graph.nodes.size(), std::vector<double>(std::min(chunk, count)));
  for (int64_t begin = 0; begin < count; begin += chunk) {
    const int64_t width = std::min(chunk, count - begin);
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      const Node& node = graph.nodes[id];
      std::vector<double>& row = rows[id];
      auto x = [&](int i) -> const std::vector<double>& { return rows[graph.operands(id)[i]]; };
      auto fill = [&](double value) { std::fill(row.begin(), row.end(), value); };
      auto each = [&](auto f) {
        for (int64_t i = 0; i < width; ++i) row[i] = f(i);
      };
      switch (node.kind) {
        case OpKind::number: fill(valueAt(graph.numbers[node.attribute], {})); break;
        case OpKind::argument: {
          const OptimizerArgument& argument = graph.arguments[node.attribute];
          switch (argument.role) {
            case ArgumentRole::grad: each([&](int64_t i) { return gradient.values[begin + i]; }); break;
            case ArgumentRole::param: each([&](int64_t i) { return parameter.values[begin + i]; }); break;
            case ArgumentRole::step: fill(double(step)); break;
            case ArgumentRole::fanIn: fill(numbers.fanIn); break;
            case ArgumentRole::fanOut: fill(numbers.fanOut); break;
            case ArgumentRole::hyper: {
              const auto given = numbers.hyper.find(argument.name);
              fill(given != numbers.hyper.end() ? given->second : argument.number);
              break;
            }
            case ArgumentRole::state: {
              const auto at = std::find_if(program.states.begin(), program.states.end(),
                                           [&](const auto& each) { return each.first == id; });
              if (at == program.states.end())
                return "the optimizer `" + program.name + "`: its state `" + argument.name + "` has no next value";
              const Tensor& held = state.states[at - program.states.begin()];
              each([&](int64_t i) { return held.values[begin + i]; });
              break;
            }
          }
          break;
        }
        case OpKind::add: each([&](int64_t i) { return x(0)[i] + x(1)[i]; }); break;
        case OpKind::sub: each([&](int64_t i) { return x(0)[i] - x(1)[i]; }); break;
        case OpKind::mul: each([&](int64_t i) { return x(0)[i] * x(1)[i]; }); break;
        case OpKind::maximum: each([&](int64_t i) { return applyMaximum(x(0)[i], x(1)[i]); }); break;
        case OpKind::minimum: each([&](int64_t i) { return applyMinimum(x(0)[i], x(1)[i]); }); break;
        case OpKind::compare:
          each([&](int64_t i) { return applyCompare(CompareFn(node.fn), x(0)[i], x(1)[i]); });
          break;
        case OpKind::select: each([&](int64_t i) { return x(0)[i] != 0 ? x(1)[i] : x(2)[i]; }); break;
        case OpKind::map: {
          const double power = MapFn(node.fn) == MapFn::pow ? graph.rationals[node.attribute].toDouble() : 1;
          each([&](int64_t i) { return applyMap(MapFn(node.fn), x(0)[i], power); });
          break;
        }
        case OpKind::broadcast:
        case OpKind::reshape:
        case OpKind::stopGradient: each([&](int64_t i) { return x(0)[i]; }); break;
        default:
          return "the optimizer `" + program.name + "` uses " + std::string(toString(node.kind)) +
                 ", which is not entry by entry";
      }
    }
    for (size_t k = 0; k < program.states.size(); ++k)
      for (int64_t i = 0; i < width; ++i) state.states[k].values[begin + i] = rows[program.states[k].second][i];
    for (int64_t i = 0; i < width; ++i) parameter.values[begin + i] += rows[program.update][i];
  }
  state.step = step;
  return {};
}

}  // namespace tpc
