// An optimizer's program over all entries of one parameter.
#pragma once

#include "compiler/lower/bind.h"
#include "runtime/format/compiled.h"
#include "runtime/format/program.h"

namespace tpc::loops {

// Appends the update of a parameter by its gradient; fills in what the runtime computes for it in double.
void appendUpdate(const OptimizerProgram& optimizer, const ProgramParameter& parameter, OpId gradient, int64_t clipAt,
                  Arena& arena, LoopProgram& program, CompiledParameter& compiled);

}  // namespace tpc::loops
