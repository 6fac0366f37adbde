#include "compiler/report/why_not.h"

#include <algorithm>

#include "compiler/report/table.h"
#include "compiler/report/verdict.h"

namespace tpc {

std::string whyNotText(const WhyNot& whyNot, const Derivation& derivation, const ParameterSizes& sizes,
                       const std::string& symbol) {
  std::string text = "\n  if the learning rate were " + asPower(symbol, Size::power(whyNot.raise)) + " larger: ";
  text += whyNot.stable ? "training stays stable; no port that reads it binds it\n"
                        : "unstable in training, " + whyNot.message + "\n";
  std::vector<std::string_view> heuristics;
  size_t count = 0;
  for (StepId step : derivation.closure(sizes.lrStep)) {
    const RuleInfo& rule = allRules()[derivation.steps()[step].rule];
    if (rule.basis != Basis::heuristic) continue;
    ++count;
    if (std::find(heuristics.begin(), heuristics.end(), rule.id) == heuristics.end()) heuristics.push_back(rule.id);
  }
  if (count > 0) {
    text += "  it leans on " + counted(count, "heuristic step") + ": ";
    for (size_t i = 0; i < heuristics.size(); ++i) text += (i ? ", " : "") + std::string(heuristics[i]);
    text += "\n";
  }
  for (const auto& [option, lr] : whyNot.under)
    if (lr != sizes.lr) text += "  under " + option + " it would be " + asPower(symbol, lr) + "\n";
  return text;
}

}  // namespace tpc
