// How training starts: a parameter's first values by the program's table, and the optimizer's states'.
#pragma once

#include <cstdint>

#include "runtime/step.h"

namespace tpc {

// The same bits as the interpreter's, rounded to the stepper's numbers; keyed by seed, name, layer, element.
void setFirstValues(Stepper& stepper, uint64_t seed);

// The states alone, from the parameters as they are.
void setFirstStates(Stepper& stepper);

}  // namespace tpc
