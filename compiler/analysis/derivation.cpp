#include "compiler/analysis/derivation.h"

#include <algorithm>
#include <cassert>

namespace tpc {

Judgment Derivation::apply(RuleId rule, Aspect aspect, uint32_t subject, const Size& size,
                           std::span<const StepId> premises, Quality quality) {
  Step step{.rule = rule, .aspect = aspect, .quality = quality, .subject = subject, .size = size};
  step.firstPremise = uint32_t(premisePool_.size());
  for (StepId premise : premises)
    if (premise != noStep && step.premiseCount < 255) {
      assert(premise < steps_.size() && "premises stand before what rests on them");
      premisePool_.push_back(premise);
      ++step.premiseCount;
    }
  steps_.push_back(step);
  return Judgment(size, StepId(steps_.size() - 1));
}

std::vector<StepId> Derivation::closure(StepId root) const {
  if (root == noStep) return {};
  // Premises have smaller numbers than what rests on them, so marking downwards and reading upwards is enough.
  std::vector<StepId> pending{root};
  std::vector<bool> seen(root + 1, false);
  seen[root] = true;
  for (size_t i = 0; i < pending.size(); ++i)
    for (StepId premise : premises(pending[i]))
      if (!seen[premise]) {
        seen[premise] = true;
        pending.push_back(premise);
      }
  std::sort(pending.begin(), pending.end());
  return pending;
}

std::string_view toString(Aspect aspect) {
  switch (aspect) {
    case Aspect::init: return "init";
    case Aspect::update: return "update";
    case Aspect::trained: return "trained";
    case Aspect::spread: return "spread";
    case Aspect::target: return "target";
    case Aspect::initSize: return "init size";
    case Aspect::allowance: return "allowance";
    case Aspect::learningRate: return "learning rate";
    case Aspect::multiplier: return "multiplier";
    case Aspect::epsilon: return "epsilon";
  }
  return "";
}

std::string_view toString(Quality quality) {
  return quality == Quality::exact ? "exact" : quality == Quality::generic ? "generic" : "bound";
}

}  // namespace tpc
