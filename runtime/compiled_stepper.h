// The stepper that runs a compiled program: one arena, one list of launches, our own threads; no compiler.
#pragma once

#include <memory>
#include <string>

#include "runtime/format/compiled.h"
#include "runtime/step.h"

namespace tpc {

// Empty with the reason where this machine cannot run the code, or memory is short.
std::unique_ptr<Stepper> compiledStepper(CompiledProgram program, ProgramTable table, int threads, std::string& error);

}  // namespace tpc
