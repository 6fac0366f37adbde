#include "compiler/report/verdict.h"

namespace tpc {

namespace {

int severity(Regime regime) {
  switch (regime) {
    case Regime::undetermined: return 0;
    case Regime::featureLearning: return 1;
    case Regime::kernel: return 2;
    case Regime::trivial: return 3;
    case Regime::unstable: return 4;
  }
  return 0;
}

// One learning rate for all: the smallest of those that are stable for one parameter each, in the gauge at hand.
void findLargestGlobalLr(const Document& document, Verdict& verdict) {
  std::vector<std::optional<Size>> smallest(document.analysis.symbols.size());
  for (size_t i = 0; i < document.graph.parameters.size(); ++i) {
    const ParameterReport report = parameterReport(document, i);
    if (!report.trains) continue;
    for (size_t s = 0; s < smallest.size(); ++s) {
      const Size& lr = report.largestLr[s];
      if (!document.analysis.symbols[s].analysed || !lr.isPower()) continue;
      if (smallest[s] && !less(lr, *smallest[s])) continue;
      smallest[s] = lr;
      if (verdict.largestGlobalLrBoundBy.empty() || s == 0)
        verdict.largestGlobalLrBoundBy = document.graph.parameters[i].name;
    }
  }
  Growths growths;
  bool any = false;
  for (const auto& size : smallest) {
    growths.push_back(size.value_or(Size::notAnalysed()));
    any |= size.has_value();
  }
  if (any) verdict.largestGlobalLr = growths;
}

}  // namespace

Verdict verdictOf(const Document& document) {
  Verdict verdict;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    if (!symbol.analysed) continue;
    const SymbolVerdict& one = symbol.verdict;
    verdict.symbols.push_back(document.graph.symbols[symbol.symbol].name);
    verdict.stableInit &= one.stableInit;
    verdict.stableTraining &= one.stableTraining;
    verdict.nontrivial &= one.nontrivial;
    verdict.faithful &= one.faithful;
    verdict.infeasible |= one.infeasible;
    if (severity(one.regime) > severity(verdict.regime)) verdict.regime = one.regime;
    if (verdict.unbounded.empty()) verdict.unbounded = one.unbounded;
  }
  if (!verdict.symbols.empty() && !verdict.infeasible) findLargestGlobalLr(document, verdict);
  return verdict;
}

Growths multiplierGrowths(const Document& document, size_t multiplier) {
  return multiplierGrowths(document.analysis, multiplier);
}

std::vector<Warning> allWarnings(const Document& document) {
  std::vector<Warning> warnings = document.analysis.warnings;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    for (Warning warning : symbol.warnings) warnings.push_back(std::move(warning));
  }
  return warnings;
}

std::string asPower(const std::string& symbol, const Size& size) {
  if (!size.isPower()) return inText(symbol, size);
  const std::string exponent = toString(size.exponent);
  const bool plain = size.exponent.den() == 1 && size.exponent.num() >= 0;
  return symbol + "^" + (plain ? exponent : "(" + exponent + ")");
}

std::string stepInWords(const std::vector<std::string>& subjects, const Step& step, const std::string& symbol) {
  std::string subject = step.subject < subjects.size() ? subjects[step.subject] : "the program";
  if (step.aspect != Aspect::init) subject = std::string(toString(step.aspect)) + " of " + subject;
  std::string text = subject + " : " + asPower(symbol, step.size);
  if (step.quality == Quality::bound) text += " at most";
  return text;
}

}  // namespace tpc
