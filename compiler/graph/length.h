// Lengths of axes as symbolic expressions: `4 * n`, `n / 64`, `3 * H * d`.
//
// A length is a sum of monomials, each a positive rational times a product of symbols with non-negative whole powers.
// Two axes match when their lengths are the same expression, never because their numbers happen to agree.  The growth
// of an axis in a symbol is the largest power of that symbol.
//
// A quotient is exact or it is refused: n / d is a length while d is a number or cancels (n / (n / 64) = 64).  With d
// growing, n / d has no limit at fixed n, and the mend is to declare the quotient and to write  let n = H * d.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/exponent/rational.h"

namespace tpc {

using SymbolId = uint32_t;

// A name declared by `size` or by the language (`batch`).
struct Symbol {
  std::string name;
  bool grows = false;
  int64_t number = 1;  // its value at the base: the number in the file, or that of -D
};

struct Monomial {
  Rational coefficient{1};                       // > 0
  std::vector<std::pair<SymbolId, int>> powers;  // sorted by symbol, powers > 0
  friend bool operator==(const Monomial&, const Monomial&) = default;
};

class Length {
 public:
  Length() = default;  // zero: no axis has it, sums start from it
  static Length number(Rational value);
  static Length symbol(SymbolId symbol);

  const std::vector<Monomial>& terms() const { return terms_; }
  bool isNumber() const { return terms_.empty() || (terms_.size() == 1 && terms_[0].powers.empty()); }
  // More than 64 terms or a power above 64: no honest axis.  `at` is empty; who builds lengths from user text reports
  // it.
  bool isOverflow() const { return terms_.size() == 1 && terms_[0].coefficient.isOverflow(); }
  bool isOne() const { return terms_.size() == 1 && terms_[0].powers.empty() && terms_[0].coefficient == Rational(1); }

  // The largest power of the symbol; 0 where it does not occur.
  int growth(SymbolId symbol) const;

  // The value at the given numbers of the symbols (by id); empty unless it is a whole number in 1 .. 2^40.
  std::optional<int64_t> at(const std::vector<int64_t>& numbers) const;

  friend Length operator+(const Length& a, const Length& b);
  friend Length operator*(const Length& a, const Length& b);
  // a - b and a / b where they are lengths again; empty where not (see the head of this file).
  friend std::optional<Length> difference(const Length& a, const Length& b);
  friend std::optional<Length> quotient(const Length& a, const Length& b);
  friend bool operator==(const Length&, const Length&) = default;

 private:
  static Length overflow();
  void add(Monomial term);
  std::vector<Monomial> terms_;  // invariant: sorted by powers, powers distinct, coefficients > 0
};

std::optional<Length> difference(const Length& a, const Length& b);
std::optional<Length> quotient(const Length& a, const Length& b);

// `4 * n`, `n / 64`, `n * H + 1`: as a user writes it.
std::string toString(const Length& length, const std::vector<Symbol>& symbols);

}  // namespace tpc
