// A graph into numbers, in double: the definition of every primitive.
//
//     Evaluation run = evaluate(graph, {.numbers = {64}, .inputs = {x}, .parameters = {W}}, wanted = {h, loss});
//     if (run.error.empty()) use(*run.values[h]);
//
// Plain loops in a fixed order, so that one run is a reproducible witness: gradients are compared with differences of
// it, compiled code and derived sizes with its values.  README.md beside this file says what each primitive means where
// mathematics leaves a choice.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc {

// Row-major; integers and truth values are numbers too.
struct Tensor {
  std::vector<int64_t> shape{};
  std::vector<double> values{};
};
using TensorPtr = std::shared_ptr<const Tensor>;

int64_t elementCount(const std::vector<int64_t>& shape);
double rootMeanSquare(const Tensor& tensor);

// What a step of training draws.
struct Draws {
  uint64_t seed = 0;
  int64_t step = 1;
};

// What a graph leaves open.
struct Bindings {
  std::vector<int64_t> numbers{};       // per symbol
  std::vector<TensorPtr> inputs{};      // per Graph::inputs; null where nothing wanted reads it
  std::vector<TensorPtr> parameters{};  // per Graph::parameters, stacked ones whole; null likewise
  std::vector<double> multipliers{};    // per Graph::freeMultipliers; empty: all 1
  std::optional<Draws> training{};      // none: evaluation, in which nothing is dropped
};

struct Evaluation {
  std::vector<TensorPtr> values{};  // per node; null where it was not wanted
  std::string error{};              // empty: all went well; else the first thing that could not be computed
};

// The wanted nodes and what they need, nothing else; what nobody reads any more is freed on the way.  A node inside a
// repeat comes stacked: one leading axis for every repeat around it, outermost first, in the order of the layer's
// index.
Evaluation evaluate(const Graph& graph, const Bindings& bindings, std::span<const NodeId> wanted);

// The shape of a node at these numbers of the symbols; empty where an axis has no whole length there.
std::optional<std::vector<int64_t>> shapeAt(const Graph& graph, NodeId node, const std::vector<int64_t>& numbers);

// The value of a number at these numbers of the symbols.
double valueAt(const Number& number, const std::vector<int64_t>& numbers);

// One elementary function; for pow its power.
double applyMap(MapFn fn, double x, double power = 1);

struct InitialValue {
  TensorPtr value{};
  std::string error{};
};

// The parameter's first values.  Random ones have mean zero and the standard deviation `std`, normal, or uniform where
// the program says so; without `std` it is the program's own number.  Constants, eye and expressions ignore it.
InitialValue initialValue(const Graph& graph, uint32_t parameter, const std::vector<int64_t>& numbers,
                          std::optional<double> std, uint64_t seed);

// One parameter's optimizer state: per state of the program a tensor of the parameter's shape.
struct OptimizerState {
  std::vector<Tensor> states{};
  int64_t step = 0;  // steps taken
};

// What a step is given besides the gradient.
struct StepNumbers {
  std::map<std::string, double> hyper{};  // by name; what is not here has the program's default
  double fanIn = 1, fanOut = 1;
};

// param += update, entry by entry, and the states move on.  The error in words, or empty.
std::string takeStep(const OptimizerProgram& program, const StepNumbers& numbers, const Tensor& gradient,
                     OptimizerState& state, Tensor& parameter);

}  // namespace tpc
