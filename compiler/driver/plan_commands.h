// The commands that turn exponents into numbers: `tpc plan`, and `tpc diff` of what it wrote.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/driver/commands.h"

namespace tpc {

struct PlanOptions {
  std::vector<std::pair<std::string, int64_t>> base, target;  // by name; what is left out is the file's, and -D's
  std::optional<double> lr, eps, weightDecay;                 // of the tuned run
  std::vector<std::string> precision;                         // formats whose range is checked: fp16, fp8_e4m3, ...
};

// Formats text, json, markdown and torch.
Answer planCommand(const CommandOptions& options, const PlanOptions& plan);

// Two files of `tpc plan --format json`.
Answer diffCommand(const std::string& before, const std::string& after, bool json);

}  // namespace tpc
