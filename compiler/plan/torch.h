// A plan as Python text for PyTorch: a table of the numbers, and two short functions that put them into a model and
// into the parameter groups of an optimizer.  Parameters are found by name; `rename` maps the model's names to the
// plan's.
#pragma once

#include <string>

#include "runtime/format/plan.h"

namespace tpc {

std::string torchText(const Plan& plan);

// The shortest text that reads back as the same double: `0.003`, `1e-08`.
std::string shortest(double value);

}  // namespace tpc
