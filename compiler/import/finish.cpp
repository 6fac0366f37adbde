// What only the whole program can tell: that it has a loss, and what does not reach it.
#include <fmt/format.h>

#include "compiler/import/expander.h"

namespace tpc {

void Expander::finish() {
  if (limitReached_) return;
  if (!loss_) {
    failed_ = true;
    diagnostics_.report({.severity = Severity::error,
                         .code = "TPC0234",
                         .message = "the program has no loss",
                         .span = std::nullopt,
                         .label = {},
                         .notes = {},
                         .help = "end it with `loss = ...`, for instance `loss = cross_entropy(logits, label)`"});
  }
  // After a mistake much is unused only because what used it is missing.
  if (failed_) return;
  std::unordered_map<void*, bool> reached = emitter_.reachingLoss();
  for (const std::string& name : parameterOrder_) {
    const ParameterRecord& record = parameters_.at(name);
    if (!emitter_.isUsed(record.used)) {
      error("TPC0236", fmt::format("unused parameter `{}`", name), record.span, {}, "use it or leave it out");
    } else if (!reached.contains(record.used.handle)) {
      warning("TPC0237", fmt::format("the parameter `{}` does not reach the loss, so it is never trained", name),
              record.span);
    }
  }
  for (const auto& [name, input] : inputs_)
    if (!emitter_.isUsed(input.first)) warning("TPC0238", fmt::format("unused input `{}`", name), input.second);
  emitter_.removeDeadOperations();
}

}  // namespace tpc
