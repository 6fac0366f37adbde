// The operations that need no control flow, each from whole tensors to a whole tensor.  Private to the room.
#pragma once

#include "compiler/interpret/interpret.h"

namespace tpc {

// Thrown inside the room, caught by its entry points.
struct Failure {
  std::string message;
};

// Everything but leaves, parameters and repeats.
Tensor applyOperation(const Graph& graph, NodeId id, std::vector<int64_t> shape,
                      const std::vector<const Tensor*>& operands, const std::vector<int64_t>& numbers);

double applyCompare(CompareFn fn, double a, double b);
double applyMaximum(double a, double b);
double applyMinimum(double a, double b);

Tensor zeros(std::vector<int64_t> shape);
Tensor sliceOf(const Tensor& stacked, int64_t index);

}  // namespace tpc
