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

}  // namespace

Verdict verdictOf(const Document& document) {
  Verdict verdict;
  Growths largest;
  bool everyLargest = true;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    if (!symbol.analysed) {
      largest.push_back(Size::notAnalysed());
      continue;
    }
    const SymbolVerdict& one = symbol.verdict;
    verdict.symbols.push_back(document.graph.symbols[symbol.symbol].name);
    verdict.stableInit &= one.stableInit;
    verdict.stableTraining &= one.stableTraining;
    verdict.nontrivial &= one.nontrivial;
    verdict.faithful &= one.faithful;
    verdict.infeasible |= one.infeasible;
    if (severity(one.regime) > severity(verdict.regime)) verdict.regime = one.regime;
    if (verdict.unbounded.empty()) verdict.unbounded = one.unbounded;
    if (verdict.largestGlobalLrBoundBy.empty()) verdict.largestGlobalLrBoundBy = one.largestGlobalLrBoundBy;
    largest.push_back(one.largestGlobalLr);
    // Zero would be "no learning rate at all is stable": what an infeasible program is left with.
    everyLargest &= !one.largestGlobalLr.isZero();
  }
  if (!verdict.symbols.empty() && everyLargest && !verdict.infeasible) verdict.largestGlobalLr = largest;
  return verdict;
}

Growths multiplierGrowths(const Document& document, size_t multiplier) {
  Growths growths;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    const bool known = symbol.analysed && multiplier < symbol.multipliers.size();
    growths.push_back(known ? symbol.multipliers[multiplier].size : Size::notAnalysed());
  }
  return growths;
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
