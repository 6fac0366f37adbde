// The state of the pass over targets: what every use asks of the parameters, under the inits found so far.
#pragma once

#include <optional>
#include <vector>

#include "compiler/analysis/run.h"

namespace tpc {

struct Targets {
  Run& run;
  std::vector<std::optional<Rational>> asked;  // per parameter: the smallest init any use asks for
  std::vector<NodeId> askedBy;
  std::vector<bool> fixed;    // the init is not the plan's
  std::vector<Size> start;    // per node: size at initialization under the inits found so far
  std::vector<int> useCount;  // per parameter: users behind its plumbing
  std::vector<bool> kept;     // per free multiplier

  bool isPlans(uint32_t parameter) const { return !fixed[parameter] || isZeroInit(run.graph.parameters[parameter]); }
  void ask(NodeId id, Rational size, NodeId by);
  int varying(NodeId id) const;
  // The size of a function of parameters under what is asked so far; free parameters are of order one until asked.
  Size sizeNow(NodeId id) const;
  // How a sum grew in the pass over parts: walking or adding up, decided by its certificates.
  Size initialGrowth(NodeId id) const;
  int contractedGrowth(NodeId id) const;
  void setTarget(NodeId id, const Size& size, StepId a = noStep, StepId b = noStep);
  StepId step(NodeId id) const { return run.targetStep[id]; }
  // By how much A dx is larger than the entries of A times dx, contracted along the axes of the mask.
  Size actionGrowth(NodeId A, uint32_t mask, int free) const;

  // What is asked of A by a product of it with x.
  struct MatrixQuestion {
    NodeId product = none, A = none;
    uint32_t mask = 0;  // the axes of A that are contracted
    int free = 0;       // growth of those that are not
    Size xStart, xTarget;
    std::optional<Size> growth;  // at initialization, where it is known; else the sum walks
    Rational size;               // that the product shall have
    NodeId by = none;
  };
  void askMatrix(const MatrixQuestion& question);
  // A product of the operand (0 or 1), a function of parameters, with the other operand.
  void matrixProduct(NodeId id, int operand, int freeGrowth);
};

}  // namespace tpc
