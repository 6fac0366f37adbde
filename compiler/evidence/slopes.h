// Sizes measured: the slope of log size against log width, to be held against the derived exponents.
//
//     Measurement measured = measure(graph, optimizers, planOf(graph, symbolAnalysis, base), {.symbol = n, .numbers =
//     base}); measured.of(h)->update.slope     near  symbolAnalysis.values[h].update
//
// The interpreter runs the program at a few widths and seeds, takes a few steps of the optimizer on one batch, and
// looks at every wanted value before and after.  A wrong rule shows here as a slope that is off by 1/2.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/interpret/interpret.h"

namespace tpc {

// What a plan gives at one width.
struct PlanNumbers {
  std::vector<std::optional<double>> initStd{};  // per parameter; empty: the program's own number
  std::vector<double> lr{}, eps{};               // per parameter
  std::vector<double> multipliers{};             // per free multiplier
};
using PlanAt = std::function<PlanNumbers(const std::vector<int64_t>& numbers)>;

struct PlanBase {
  std::vector<int64_t> numbers{};  // of the symbols at the base, where every factor of the plan is 1
  double lr = 0.01, eps = 1e-12;
};

// The plan that an analysis along one symbol gives in the plain gauge: base number times (n / base)^exponent.  A
// parameter whose init says nothing starts at the base with 1 / sqrt(the product of all its lengths but the last).
PlanAt planOf(const Graph& graph, const SymbolAnalysis& analysis, const PlanBase& base);

struct SlopeOptions {
  SymbolId symbol = 0;             // which one grows
  std::vector<int64_t> numbers{};  // of the symbols; that of `symbol` is replaced
  std::vector<int64_t> widths = {64, 128, 256, 512};
  int firstSeed = 1, seeds = 2;
  int steps = 3;
  std::string optimizer = "adam";  // for parameters that name none
  std::vector<NodeId>
      nodes{};  // empty: every named forward node but metrics, its gradient, and the parameters' gradients
};

// One quantity over the widths.
struct Series {
  std::vector<double> sizes{};    // root mean square over coordinates and seeds, per width
  std::vector<double> largest{};  // absolute value of any coordinate, per width
  double slope = 0;               // of log size against log width
  bool zero = false;              // it vanishes at every width
  bool finite = true;
};

struct MeasuredValue {
  NodeId node = none;
  Series init, update, trained;  // before the steps, the change by all of them, after them
};

struct Measurement {
  std::vector<int64_t> widths{};
  std::vector<MeasuredValue> values{};
  std::vector<double> lossBefore{}, lossAfter{};  // per width, mean over seeds
  std::string error{};                            // empty: all went well

  const MeasuredValue* of(NodeId node) const;
};

Measurement measure(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, const PlanAt& plan,
                    const SlopeOptions& options);

// The fit itself; sizes of 0 make it zero, others not finite.
Series fitted(const std::vector<int64_t>& widths, std::vector<double> sizes);

}  // namespace tpc
