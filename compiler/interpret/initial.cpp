// How parameters start.
#include <cmath>

#include "compiler/interpret/operations.h"
#include "dsl/source/files.h"
#include "kernels/first_values.h"
#include "runtime/format/arrays.h"

namespace tpc {
namespace {

Tensor randomTensor(const Parameter& parameter, std::vector<int64_t> shape, double std, bool uniform, uint64_t seed) {
  Tensor result = zeros(std::move(shape));
  const int stacked = parameter.stack == none ? 0 : 1 + int(parameter.innerStacks.size());
  drawParameter(result.values.data(),
                {.name = parameter.name, .shape = result.shape, .stackedAxes = stacked, .std = std, .uniform = uniform},
                seed);
  return result;
}

// The values of one layer, or of all of them, into the parameter's shape.
Tensor layered(const Tensor& values, std::vector<int64_t> shape) {
  Tensor result = zeros(std::move(shape));
  if (values.values.empty() || result.values.size() % values.values.size() != 0)
    throw Failure{"its first values have another shape"};
  for (size_t i = 0; i < result.values.size(); ++i) result.values[i] = values.values[i % values.values.size()];
  return result;
}

}  // namespace

InitialValue initialValue(const Graph& graph, uint32_t index, const std::vector<int64_t>& numbers,
                          std::optional<double> std, uint64_t seed) {
  const Parameter& parameter = graph.parameters[index];
  const auto failed = [&](const std::string& why) { return InitialValue{nullptr, "`" + parameter.name + "`: " + why}; };
  const std::optional<std::vector<int64_t>> shape = shapeAt(graph, parameter.node, numbers);
  if (!shape) return failed("an axis has no whole length at these sizes");
  const Init& init = parameter.init;
  try {
    Tensor value;
    switch (init.kind) {
      case Init::Kind::plan:
        if (!std) return failed("the plan gives it no size");
        value = randomTensor(parameter, *shape, *std, false, seed);
        break;
      case Init::Kind::normal:
        value = randomTensor(parameter, *shape, std ? *std : valueAt(init.number, numbers), false, seed);
        break;
      case Init::Kind::uniform:
        value =
            randomTensor(parameter, *shape, std ? *std : valueAt(init.number, numbers) / std::sqrt(3.0), true, seed);
        break;
      case Init::Kind::constant:
        value = zeros(*shape);
        for (double& x : value.values) x = valueAt(init.number, numbers);
        break;
      case Init::Kind::eye: {
        const size_t rank = shape->size();
        if (rank < 2) return failed("eye needs two axes");
        Tensor one = zeros({(*shape)[rank - 2], (*shape)[rank - 1]});
        for (int64_t i = 0; i < std::min(one.shape[0], one.shape[1]); ++i) one.values[i * one.shape[1] + i] = 1;
        value = layered(one, *shape);
        break;
      }
      case Init::Kind::values: {
        Evaluation run = evaluate(graph, {.numbers = numbers}, std::vector{init.node});
        if (!run.error.empty()) return failed(run.error);
        value = layered(*run.values[init.node], *shape);
        break;
      }
      case Init::Kind::file: {
        std::string reason;
        const auto refused = [&](const std::string& why) { return failed("`" + parameter.file + "`: " + why); };
        const std::optional<std::string> bytes = readFile(parameter.file, ArrayLimits::bytes, reason);
        if (!bytes) return refused(reason);
        std::optional<NumberArray> array = readArray(parameter.file, *bytes, reason);
        if (!array) return refused(reason);
        if (array->shape != *shape) return refused("it has another shape than the parameter");
        value = Tensor{std::move(array->shape), std::move(array->values)};
        break;
      }
    }
    return {std::make_shared<Tensor>(std::move(value)), {}};
  } catch (const Failure& failure) {
    return failed(failure.message);
  } catch (const std::bad_alloc&) {
    return failed("there is not enough memory for it");
  }
}

}  // namespace tpc
