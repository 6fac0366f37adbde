// An example of examples/, analysed along one size, and trained for three steps at a few widths by the plan derived.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/driver/pipeline.h"
#include "compiler/evidence/slopes.h"

namespace tpc::tests {

struct Example {
  std::string file;
  std::vector<std::pair<std::string, int64_t>> defines{};
  std::string optimizer = "adam";
  double lr = 0.0005;
  std::string symbol = "n";
  std::vector<int64_t> widths = {64, 128, 256, 512};
  int seeds = 2;
  Criterion criterion = Criterion::automatic;
  std::function<void(SymbolAnalysis&)> change{};  // of the plan that is followed, not of the sizes it is held against
};

struct MeasuredExample {
  Analysed analysed;
  SymbolAnalysis along;
  Measurement measured;
};

// Fails the running test where the example is not analysed or not run.
MeasuredExample measuredExample(const Example& example);

// `h`, or `d h` where the node is the gradient of h.
std::string nameOf(const Graph& graph, NodeId node);

}  // namespace tpc::tests
