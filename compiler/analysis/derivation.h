// How every size was got: numbered steps, each a rule and the earlier steps it rests on.
//
//     12  h : n^0      9, 3     matmul.fresh     theorem
//
// A judgment is a size together with its step.  It has no public constructor: `Derivation::apply` makes one from a rule
// and premises, and that is the only way to a size that a user reads.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/exponent/size.h"
#include "compiler/rules/rule.h"

namespace tpc {

using StepId = uint32_t;
inline constexpr StepId noStep = ~uint32_t(0);

// How a size is meant.
enum class Quality : uint8_t {
  exact,
  generic,  // unless terms cancel by accident
  bound,    // at most
};

// What a step speaks about.
enum class Aspect : uint8_t {
  init,
  update,
  trained,
  spread,
  target,
  initSize,
  allowance,
  learningRate,
  multiplier,
  epsilon
};

struct Step {
  RuleId rule = 0;
  Aspect aspect{};
  Quality quality = Quality::exact;
  uint8_t premiseCount = 0;
  uint32_t firstPremise = 0;  // into Derivation::premisePool
  uint32_t subject = 0;       // a node of the graph
  Size size;
};

class Judgment {
 public:
  const Size& size() const { return size_; }
  StepId step() const { return step_; }

 private:
  friend class Derivation;
  Judgment(Size size, StepId step) : size_(size), step_(step) {}
  Size size_;
  StepId step_;
};

class Derivation {
 public:
  Judgment apply(RuleId rule, Aspect aspect, uint32_t subject, const Size& size, std::span<const StepId> premises,
                 Quality quality = Quality::exact);

  const std::vector<Step>& steps() const { return steps_; }
  std::span<const StepId> premises(StepId id) const {
    return {premisePool_.data() + steps_[id].firstPremise, steps_[id].premiseCount};
  }
  void reserve(size_t steps) { steps_.reserve(steps), premisePool_.reserve(2 * steps); }

  // The steps that `root` rests on, itself last, each once, premises first.
  std::vector<StepId> closure(StepId root) const;

 private:
  std::vector<Step> steps_;
  std::vector<StepId> premisePool_;
};

std::string_view toString(Aspect aspect);
std::string_view toString(Quality quality);

}  // namespace tpc
