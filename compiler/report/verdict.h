// What all growing symbols say together, and the words in which a step of the derivation is told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/report/document.h"

namespace tpc {

// The verdict speaks of the symbols that were analysed, and of the worst of them.
struct Verdict {
  std::vector<std::string> symbols;
  bool stableInit = true, stableTraining = true, nontrivial = true, faithful = true, infeasible = false;
  Regime regime = Regime::undetermined;
  std::string unbounded;
  std::optional<Growths> largestGlobalLr;
  std::string largestGlobalLrBoundBy;
};
Verdict verdictOf(const Document& document);

// The growths that the plan chose for a free multiplier.
Growths multiplierGrowths(const Document& document, size_t multiplier);

// Those of the program, of its symbols, and that a trip count was not analysed; in this order.
std::vector<Warning> allWarnings(const Document& document);

// `update of h : n^(-1/2)`
std::string stepInWords(const std::vector<std::string>& subjects, const Step& step, const std::string& symbol);

// `n^(-1/2)`, `n^0`: in a derivation also order one is written as a power, since it speaks of one symbol.
std::string asPower(const std::string& symbol, const Size& size);

}  // namespace tpc
