// The rows of recurrences: what a carried value comes to after L layers  h <- R h + f(h).
//
//     f walks     h : n^(f + g/2)       parts that a parameter of the layer's own gives zero mean, given all other
//     layers f adds up   h : n^(f + g)         the rest
//
// Here f is the size of one layer's part for a typical layer l = Theta(L), and L^g the number of layers.  Whether h
// stays bounded is a question of how f changes with h: of degree one it multiplies, log |h| ~ L^rho with rho the growth
// of the part relative to h; of degree zero (a norm at its entry) it only adds.
#pragma once

#include <cstdint>
#include <span>

#include "compiler/exponent/rational.h"
#include "compiler/rules/rule.h"

namespace tpc {

// What the engine finds out of one part of a branch.
enum BranchFact : uint32_t {
  centeredByLayer = 1u << 0,  // zero mean given all other layers: odd in, or centered by, the layer's own parameters
};

struct RecurrenceRow {
  RuleInfo info;
  uint32_t must = 0, mustNot = 0;
  Rational perGrowth;  // of the trip count's growth g
};

const RecurrenceRow& recurrenceFor(uint32_t facts);
RuleId recurrenceRule(uint32_t facts);  // the same row as an index into allRules()

// All rows of the table, those that only name what happened to a carried value included.
std::span<const RuleInfo> recurrenceRules();

}  // namespace tpc
