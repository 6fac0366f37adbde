// The commands that turn exponents into numbers: `tpc plan`, and `tpc diff` of what it wrote.
#pragma once

#include <string>

#include "compiler/driver/commands.h"
#include "compiler/driver/planning.h"

namespace tpc {

// Formats text, json, markdown and torch.
Answer planCommand(const CommandOptions& options, const PlanOptions& plan);

// Two files of `tpc plan --format json`.
Answer diffCommand(const std::string& before, const std::string& after, bool json);

}  // namespace tpc
