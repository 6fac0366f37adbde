// Multipliers of branches: how large a layer's part may be.
//
//     m f(h), L^g times        diversity   m = - (size of f + g/2 where it walks, + g where it adds up)
//                              complete    m = - (size of f + g)
//
// With `diversity` neighbouring layers differ as much as they can at initialization; a layer's own update then moves
// its product by less than order one.  With `complete` no layer is lazy: its update moves its product by order one, and
// the updates of all layers together the carried value.
#include <algorithm>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/initial.h"
#include "compiler/rules/recurrences.h"

namespace tpc {

void startMultipliers(Run& run) {
  for (size_t free = 0; free < run.branchOf.size(); ++free) {
    const BranchMultiplier& branch = run.branchOf[free];
    if (branch.term != none && !branch.isInner) run.multiplier[free] = -run.recurrences[branch.repeat].growth;
  }
  for (BranchMultiplier& branch : run.implicit) branch.value = -run.recurrences[branch.repeat].growth;
}

void solveBranch(Run& run, BranchMultiplier& branch, NodeId scaled, Rational numbers) {
  const InitialState& state = run.initial[scaled];
  if (state.special != Size::Kind::power || state.parts.empty()) return;
  const Rational growth = run.recurrences[branch.repeat].growth;
  Rational largest = state.parts[0].size;
  for (const Part& part : state.parts) largest = std::max(largest, part.size);
  // Relative to the size that it has, which its port brings to order one.
  std::optional<Rational> sum;
  for (const Part& part : state.parts) {
    const uint32_t facts = initial::walksAlong(run, part, branch.repeat) ? uint32_t(centeredByLayer) : 0u;
    const Rational grown = part.size - largest + recurrenceFor(facts).perGrowth * growth;
    sum = sum ? std::max(*sum, grown) : grown;
  }
  const Rational target = branch.product == none && run.target[scaled].isPower() ? run.target[scaled].exponent : 0;
  branch.diversity = -(target + *sum + numbers);
  branch.complete = -(target + growth + numbers);
  switch (run.options.criterion) {
    case Criterion::diversity: branch.isComplete = false; break;
    case Criterion::complete: branch.isComplete = true; break;
    case Criterion::automatic: branch.isComplete = branch.matrices != 1; break;
  }
  branch.value = branch.isComplete ? branch.complete : branch.diversity;
  branch.isSolved = true;
}

void explainBranch(const Run& run, const BranchMultiplier& branch, MultiplierSizes& out) {
  if (!branch.isSolved) return;
  const std::string& symbol = run.graph.symbols[run.symbol].name;
  const Rational other = branch.isComplete ? branch.diversity : branch.complete;
  std::string why = branch.isComplete ? "complete" : "diversity";
  if (run.options.criterion == Criterion::automatic)
    why += branch.matrices == 0   ? ", no matrix in the branch"
           : branch.matrices == 1 ? ", one matrix in the branch"
                                  : ", " + std::to_string(branch.matrices) + " matrices in the branch";
  out.why =
      why + "; " + (branch.isComplete ? "diversity" : "complete") + " gives " + symbol + "^(" + toString(other) + ")";
}

}  // namespace tpc
