// The plan as a document, schema `tpc.plan/1`: what each parameter starts with and learns with, as exponents and as
// numbers at the sizes at which a user has tuned (base) and at those at which she trains (target).
//
// Whoever trains reads numbers here and nothing else: no program, no rules.  Reading believes nothing: names and shapes
// are bounded, numbers finite, and a document that is not understood is refused with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tpc {

// Per growing symbol its exponent in lowest terms, "-1/2"; symbols with exponent 0 are left out.
struct PlanGrowth {
  bool zero = false;
  std::vector<std::pair<std::string, std::string>> powers{};
  friend bool operator==(const PlanGrowth&, const PlanGrowth&) = default;
};

struct PlanExponents {
  PlanGrowth initStd{}, initMean{}, multiplier{};
  std::optional<PlanGrowth> lr{}, eps{}, decayPerStep{}, decayTimesLr{};
  friend bool operator==(const PlanExponents&, const PlanExponents&) = default;
};

// How the entries of a parameter start.
enum class PlanInit : uint8_t { normal, uniform, constant, eye, values, file };

// One parameter at one choice of sizes.  What is not there does not apply, or was not given (a learning rate without
// --lr): then the factor between base and target is in the exponents alone.
struct ParameterNumbers {
  std::vector<int64_t> shape{};
  std::optional<double> initStd{}, initMean{};
  double multiplier = 1;
  std::optional<double> lr{}, eps{}, weightDecay{};  // weight decay for the convention that multiplies it by lr
};

struct PlanParameter {
  std::string name{};
  PlanInit init = PlanInit::normal;
  bool initIsGiven = false;  // the base number stands in the program; else it is 1 / sqrt(contracted length)
  bool trains = true;
  std::string optimizer{};
  PlanExponents exponents{};
  ParameterNumbers base{}, target{};
};

struct PlanMultiplier {
  std::string name{};
  PlanGrowth exponent{};
  double base = 1, target = 1;
};

struct PlanSizes {
  std::vector<std::pair<std::string, int64_t>> numbers{};  // of every size, in order of declaration
  friend bool operator==(const PlanSizes&, const PlanSizes&) = default;
};

struct PlanWarning {
  std::string code{}, at{}, message{}, mend{};  // `at` and `mend` may be empty
};

struct Plan {
  std::string tpc{}, file{}, model{}, optimizer{}, parametrization{};
  std::optional<std::string> gauge{};  // none: as the parametrization was given
  std::vector<std::string> growing{}, notAnalysed{};
  std::optional<double> lr{}, eps{}, weightDecay{};  // the base numbers of the optimizer
  PlanSizes base{}, target{};
  std::vector<PlanParameter> parameters{};
  std::vector<PlanMultiplier> multipliers{};
  std::vector<PlanWarning> warnings{};
};

std::string toJson(const Plan& plan);

// Empty with the reason where the text is no plan.
std::optional<Plan> readPlan(const std::string& text, std::string& reason);

}  // namespace tpc
