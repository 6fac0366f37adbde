// What the analysis says of one parameter, over all growing symbols and in one gauge: the exponents of a plan.
#pragma once

#include <string>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/graph/graph.h"

namespace tpc {

// One growth per entry of Analysis::symbols; one that was not analysed keeps its place, since leaving it out would read
// as order one.
using Growths = std::vector<Size>;

struct ParameterExponents {
  Growths initStd, initMean, multiplier, lr, largestLr, eps, decayPerStep, decayTimesLr, gradientInit, gradientTrained,
      update;
  bool trains = false;  // has a learning rate
  bool hasGradient = false, hasEps = false, hasDecay = false, startsConstant = false;
  std::vector<std::optional<Role>> roles;
  Status status = Status::notAnalysed;
  std::string boundBy;
};

// A given parametrization stands in the gauge it was given in: its multipliers decide, not `gauge`.
ParameterExponents exponentsOf(const Graph& graph, const Analysis& analysis, const AnalysisOptions& options,
                               Gauge gauge, size_t parameter);

// What was chosen, or given, for a free multiplier.
Growths multiplierGrowths(const Analysis& analysis, size_t multiplier);

}  // namespace tpc
