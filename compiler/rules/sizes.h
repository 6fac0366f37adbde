// The rows of sizes: given the facts, exactly one row of a family says how large the result is.
//
// A row's size is a max of linear forms in what the engine knows of the operation at hand:
//
//     a, b   sizes of the operands (of their parts, or of their changes)
//     k      growth of the contracted axes            m   growth that the matrix leaves free
//     e      what the family's comment says (the size of a function at an argument, the growth of an earlier product)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/exponent/rational.h"
#include "compiler/rules/rule.h"

namespace tpc {

struct Linear {
  Rational a, b, k, m, e;
};

struct Features {
  Rational a = 0, b = 0, k = 0, m = 0, e = 0;
};

enum class Family : uint8_t {
  leaf,            // parameters, data, constants.        e: the size they are given
  plumbing,        // coordinates move
  sum,             // the larger part                     e: the largest operand
  difference,      // e: the size of what is left
  product,         // coordinate by coordinate
  map,             // e: the size of the function there
  matrix,          // an initial matrix times a value
  zdot,            // its second part.                    e: growth contracted by the earlier product with the transpose
  contraction,     // two computed values
  reduction,       // one value
  matrixChange,    // an initial matrix times a change
  computedChange,  // a computed value times a change
  mapChange,       // e: the size of the change
};
inline constexpr int familyCount = int(Family::mapChange) + 1;

// What the engine finds out before it asks for a row.
enum Fact : uint32_t {
  growing = 1u << 0,        // k > 0
  readsBack = 1u << 1,      // the operand has seen the matrix in the opposite orientation
  oddDerivative = 1u << 2,  // the derivative by what it has seen has zero mean
  zeroMean = 1u << 3,       // the summands are odd in a source fresh along the axis
  outgrown = 1u << 4,       // the change is larger than what it changes
  parameterLeaf = 1u << 5,
  dataLeaf = 1u << 6,
  sameLimit = 1u << 7,          // both operands are one expression in independent sources
  sameValue = 1u << 8,          // both operands are one value
  alignedNone = 1u << 9,        // the user asks for no alignment after training
  selecting = 1u << 10,         // a maximum over an axis, not a sum
  unalignedReadout = 1u << 11,  // the user asks for EV's alignment, and the matrix leaves no growing axis free
};

struct SizeRow {
  RuleInfo info;
  Family family{};
  uint32_t must = 0, mustNot = 0;
  Linear first;
  bool hasSecond = false;
  Linear second = {};   // the size is the larger one
  bool isZero = false;  // the result, or the part, is zero
};

RuleId rowFor(Family family, uint32_t facts);
const SizeRow& sizeRow(RuleId id);
Rational sizeBy(RuleId row, const Features& features);
RuleId ruleNamed(std::string_view id);

}  // namespace tpc
