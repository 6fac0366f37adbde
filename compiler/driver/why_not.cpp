#include "compiler/driver/why_not.h"

#include <algorithm>

namespace tpc {

namespace {

Analysis analysedUnder(const Analysed& analysed, const AnalysisOptions& options) {
  return analyse(analysed.graph, analysed.optimizers, options);
}

// What TPC0302 said of the symbol, from the value on: `h2` grows with n as n^(1/2).
std::string whatGrows(const SymbolAnalysis& symbol) {
  for (const Warning& warning : symbol.warnings)
    if (warning.code == "TPC0302") return warning.message.substr(0, warning.message.find(", and may be"));
  return symbol.verdict.unbounded.empty() ? "an output grows"
                                          : "`" + symbol.verdict.unbounded + "` grows from step to step";
}

}  // namespace

std::vector<std::optional<WhyNot>> whyNotLarger(const Analysed& analysed, const std::string& name) {
  const auto found = std::find_if(analysed.graph.parameters.begin(), analysed.graph.parameters.end(),
                                  [&](const Parameter& parameter) { return parameter.name == name; });
  if (found == analysed.graph.parameters.end()) return {};
  const size_t index = size_t(found - analysed.graph.parameters.begin());
  std::vector<std::optional<WhyNot>> result(analysed.analysis.symbols.size());

  // All other learning rates stay what they are.  A gauge does not matter: the raise is a factor.
  AnalysisOptions raised = analysed.options;
  for (size_t s = 0; s < result.size(); ++s) {
    const SymbolAnalysis& symbol = analysed.analysis.symbols[s];
    if (!symbol.analysed) continue;
    const ParameterSizes& sizes = symbol.parameters[index];
    const bool trains = sizes.lr.isPower() && sizes.status != Status::frozen && sizes.status != Status::neverTrains &&
                        sizes.status != Status::notAnalysed;
    if (!trains) continue;
    result[s] = WhyNot{.raise = half, .stable = true, .message = {}, .under = {}};
    auto& given = raised.given[analysed.graph.symbols[symbol.symbol].name];
    for (size_t i = 0; i < analysed.graph.parameters.size(); ++i) {
      const ParameterSizes& one = symbol.parameters[i];
      if (!one.lr.isPower()) continue;
      GivenParameter& exponents = given[analysed.graph.parameters[i].name];
      const Rational theta = (Rational(1) + one.homogeneity) * exponents.multiplier.value_or(0);
      exponents.lr = one.lr.exponent - theta + (i == index ? half : Rational(0));
    }
  }
  const Analysis larger = analysedUnder(analysed, raised);
  if (larger.tooLarge) return {};
  for (size_t s = 0; s < result.size(); ++s) {
    if (!result[s]) continue;
    result[s]->stable = larger.symbols[s].verdict.stableTraining;
    result[s]->message = whatGrows(larger.symbols[s]);
  }
  for (const auto& [alignment, option] : {std::pair{Alignment::none, "--alignment none"},
                                          {Alignment::ev, "--alignment ev"},
                                          {Alignment::full, "--alignment full"}}) {
    if (alignment == analysed.options.alignment) continue;
    AnalysisOptions other = analysed.options;
    other.alignment = alignment;
    const Analysis under = analysedUnder(analysed, other);
    if (under.tooLarge) continue;
    for (size_t s = 0; s < result.size(); ++s)
      if (result[s]) result[s]->under.emplace_back(option, under.symbols[s].parameters[index].largestLr);
  }
  return result;
}

}  // namespace tpc
