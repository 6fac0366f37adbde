#include "compiler/rules/recurrences.h"

#include <array>
#include <cassert>
#include <string_view>

#include "compiler/rules/sizes.h"

namespace tpc {
namespace {

constexpr auto arithmetic = Basis::arithmetic, heuristic = Basis::heuristic;

// clang-format off
constexpr RecurrenceRow rows[] = {
  // Terms that are uncorrelated given the other layers: the variance of their sum is the sum of their variances.
  {{"repeat.walks", "recurrences", "h + f(h), L times", "the part of f has zero mean given all other layers: it changes sign with a parameter of its layer alone, or its mean over the width was taken away", "a + g/2; a: the size of one layer's part, L^g: the number of layers", arithmetic, "", ""},
   centeredByLayer, 0, half},
  {{"repeat.adds-up", "recurrences", "h + f(h), L times", "zero mean given the other layers is not proven", "a + g", heuristic, "", "the layers' parts share a sign or a cause, and do not cancel by accident"},
   0, centeredByLayer, 1},
};

constexpr RuleInfo named[] = {
  {"repeat.residual", "recurrences", "h + f(h), L times", "what enters, and the parts of all layers, settle to a power", "max(what enters, the sums of the parts)", arithmetic, "", ""},
  {"repeat.exponential", "recurrences", "h + f(h), L times", "f is of degree one or more in h, and its sum over the layers outgrows h", "exponential: log h grows like L^rho, rho the growth of the sum relative to h", arithmetic, "", ""},
  {"repeat.marginal", "recurrences", "h + f(h), L times", "each layer changes h by its share 1/l of it (a state that has grown, or a multiplier of the layer's index)", "marginal: a power of L whose exponent is a number of the nonlinearity", arithmetic, "", ""},
  {"repeat.own-updates", "recurrences", "dh", "contributions of the layers' own updates", "b + g; b: what one layer's update changes", heuristic, "", "the updates of all layers follow one gradient, and their contributions are aligned"},
  {"repeat.carried-change", "recurrences", "dh", "what a layer makes of the change of what it is given", "each part of f grows as it does at initialization", heuristic, "", "a change that arrives through the carried value is to a layer's own parameters like the value itself"},
  {"sum.narrow", "sizes", "x + y, in the run over a trip count", "y is smaller than x as a width goes to infinity", "a: y is gone before the layers become many", heuristic, "", "the widths go to infinity before the number of layers does"},
  {"multiplier.diversity", "solver", "auto(L) * f(h)", "criterion diversity", "what brings the sum over the layers to order one at initialization", arithmetic, "", ""},
  {"multiplier.complete", "solver", "auto(L) * f(h)", "criterion complete", "minus the size of f, minus g: then each layer's own update moves its product by order one, and the sum over the layers too", arithmetic, "", ""},
};
// clang-format on

std::array<RuleInfo, std::size(rows) + std::size(named)> joined() {
  std::array<RuleInfo, std::size(rows) + std::size(named)> all{};
  size_t next = 0;
  for (const RecurrenceRow& row : rows) all[next++] = row.info;
  for (const RuleInfo& info : named) all[next++] = info;
  return all;
}

}  // namespace

const RecurrenceRow& recurrenceFor(uint32_t facts) {
  const RecurrenceRow* found = nullptr;
  for (const RecurrenceRow& row : rows) {
    if ((facts & row.must) != row.must || (facts & row.mustNot) != 0) continue;
    assert(!found && "exactly one row matches");
    found = &row;
  }
  assert(found && "the rows cover all facts");
  return *found;
}

RuleId recurrenceRule(uint32_t facts) {
  static const RuleId walks = ruleNamed("repeat.walks"), adds = ruleNamed("repeat.adds-up");
  return (facts & centeredByLayer) ? walks : adds;
}

std::span<const RuleInfo> recurrenceRules() {
  static const auto all = joined();
  return all;
}

}  // namespace tpc
