// Compiled code held against the interpreter: every value that stands outside of a repeat, loss, outputs and gradients.
//
//     Program program("size n = 5\nparam w [n]\nloss = sum(sin(w))\n");
//     checkCompiled(program.graph, program.bindings);
#pragma once

#include <memory>
#include <string>

#include "compiler/interpret/interpret.h"
#include "compiler/lower/lower.h"
#include "runtime/step.h"
#include "tests/unit/lower/table.h"

namespace tpc {

// Inputs as a stepper takes them.
struct Batch {
  Batch(const Graph& graph, const Bindings& bindings);
  std::vector<std::vector<float>> floats{};
  std::vector<std::vector<int32_t>> integers{};
  std::vector<const void*> pointers{};
};

// A stepper with the parameters of the bindings; fails the test where there is none.
std::unique_ptr<Stepper> stepperOf(const Graph& graph, const Bindings& bindings, const LowerOptions& options,
                                   const ProgramTable& table, const std::vector<OptimizerProgram>& optimizers = {},
                                   int threads = 1);

struct Tolerance {
  double relative = 2e-5;  // of the largest entry of the value
};

// What evaluation gives, once with every value outside of repeats in memory, once fused as it would be.
void checkCompiled(const Graph& graph, const Bindings& bindings, Tolerance tolerance = {});

// The largest difference as a share of the largest entry, or of 0.02; infinities and NaN agree with themselves.
double difference(const Tensor& expected, const std::vector<float>& found);

}  // namespace tpc
