// A program's text with numbers: its values, and its gradients held against differences.
//
//     Program program("size n = 5\nparam w [n]\nloss = sum(sin(w))\n");
//     program.checkGradients();
//     program.at("h")        the value called h
#pragma once

#include <random>
#include <string>

#include "compiler/graph/graph.h"
#include "compiler/import/import.h"
#include "compiler/interpret/interpret.h"

namespace tpc {

class Program {
 public:
  // Everything random, from the seed: inputs, and parameters in [low, high].  Fails the test where the text is wrong.
  explicit Program(const std::string& text, uint64_t seed = 1, double low = -1, double high = 1,
                   const ImportOptions& options = {});

  // Every parameter's gradient along a random direction, in double, against (loss(p + t v) - loss(p - t v)) / 2t.
  void checkGradients(double tolerance = 1e-6);

  Tensor at(const std::string& name);  // of the forward program
  double loss() { return value(bindings, graph.loss).values.at(0); }
  const Parameter& parameter(const std::string& name) const;
  Tensor& values(const std::string& name);  // of a parameter or an input, to change them

  Graph graph;
  Bindings bindings;

 private:
  Tensor value(const Bindings& where, NodeId node);
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  template <typename Draw>
  TensorPtr drawn(NodeId node, Draw draw);

  std::mt19937_64 random_;
};

// The names of the parameters with their shapes: "layers.w [3, n, n]; b [n]".
std::string parametersOf(const Graph& graph);

}  // namespace tpc
