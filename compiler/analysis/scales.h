// Multipliers in front of and behind a value, and what is behind plumbing and multipliers.
#pragma once

#include <vector>

#include "compiler/analysis/run.h"

namespace tpc {

// A scalar made of numbers and free multipliers alone.
struct Scaling {
  bool is = false;
  Rational number = 0;
  uint32_t free = none;
  NodeId freeNode = none;
};
Scaling scalingOf(const Run& run, NodeId id);
NodeId unscaled(const Run& run, NodeId id);  // what stands in front of plumbing and multipliers

// The multipliers from a product up to its port.
struct Behind {
  Rational numbers = 0;
  uint32_t free = none;  // the last free multiplier on the way
};
Behind behind(const Run& run, NodeId id);

bool usesSymbol(const Run& run, uint32_t freeMultiplier);  // may grow with the run's symbol

// Who reads a value, behind plumbing and multipliers; each as often as it does.
std::vector<NodeId> usersBehind(const Run& run, NodeId value);

}  // namespace tpc
