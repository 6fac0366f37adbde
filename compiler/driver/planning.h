// From the numbers of a command line to a plan: what `tpc plan` prints and `tpc train` trains by is one.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/driver/pipeline.h"
#include "runtime/format/plan.h"

namespace tpc {

// The tuned run's numbers; what is left out is the file's train block's, and then the optimizer's own.
struct PlanOptions {
  std::vector<std::pair<std::string, int64_t>> base, target;  // by name; what is left out is the file's, and -D's
  std::optional<double> lr, eps, weightDecay;                 // of the tuned run
  std::vector<std::string> precision;                         // formats whose range is checked: fp16, fp8_e4m3, ...
};

// Empty with what is wrong with the options in words.
std::optional<Plan> planFor(const Analysed& analysed, Gauge gauge, const PlanOptions& asked, std::string& mistake);

// The numbers of all symbols that the target has, `batch` as it is given.
std::vector<int64_t> targetNumbers(const Analysed& analysed, const Plan& plan, int64_t batch);

}  // namespace tpc
