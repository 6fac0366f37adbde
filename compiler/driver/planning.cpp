#include "compiler/driver/planning.h"

#include <algorithm>

#include "compiler/plan/numbers.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

// Writes the numbers over those that stand; the mistake in words, or empty.
std::string place(const char* option, const std::vector<std::pair<std::string, int64_t>>& given,
                  const std::vector<Symbol>& symbols, std::vector<int64_t>& numbers) {
  std::vector<std::string> names;
  for (const Symbol& symbol : symbols)
    if (symbol.name != "batch") names.push_back(symbol.name);
  for (const auto& [name, number] : given) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string hint = didYouMean(name, names);
      return std::string(option) + ": the program has no size `" + name + "`" + (hint.empty() ? "" : "; " + hint);
    }
    for (size_t i = 0; i < symbols.size(); ++i)
      if (symbols[i].name == name) numbers[i] = number;
  }
  return "";
}

std::string mistakeInLengths(const Plan& plan) {
  for (const PlanParameter& parameter : plan.parameters)
    for (const auto& [numbers, where] : {std::pair{&parameter.base, "base"}, {&parameter.target, "target"}})
      if (std::find(numbers->shape.begin(), numbers->shape.end(), 0) != numbers->shape.end())
        return "`" + parameter.name + "` has an axis of no whole length at the sizes of the " + where;
  return "";
}

}  // namespace

std::optional<Plan> planFor(const Analysed& analysed, Gauge gauge, const PlanOptions& asked, std::string& mistake) {
  const std::vector<Symbol>& symbols = analysed.graph.symbols;
  PlanRequest request{.gauge = gauge,
                      .base = analysed.declared,
                      .target = {},
                      .lr = asked.lr ? asked.lr : analysed.trainLr,
                      .eps = asked.eps ? asked.eps : analysed.trainEps,
                      .weightDecay = asked.weightDecay ? asked.weightDecay : analysed.trainDecay};
  for (const Symbol& symbol : symbols) request.target.push_back(symbol.number);
  mistake = place("--base", asked.base, symbols, request.base);
  if (mistake.empty()) mistake = place("--target", asked.target, symbols, request.target);
  if (!mistake.empty()) return std::nullopt;
  Plan plan = planOf(analysed.graph, analysed.analysis, analysed.options, analysed.optimizers, request);
  mistake = mistakeInLengths(plan);
  if (!mistake.empty()) return std::nullopt;
  return plan;
}

std::vector<int64_t> targetNumbers(const Analysed& analysed, const Plan& plan, int64_t batch) {
  std::vector<int64_t> numbers;
  for (const Symbol& symbol : analysed.graph.symbols) {
    const auto found = std::find_if(plan.target.numbers.begin(), plan.target.numbers.end(),
                                    [&](const auto& each) { return each.first == symbol.name; });
    numbers.push_back(found == plan.target.numbers.end() ? batch : found->second);
  }
  return numbers;
}

}  // namespace tpc
