// The size of a value along one growing symbol: zero, or the exponent e of  x : n^e,  or why there is none.
#pragma once

#include <string>

#include "compiler/exponent/rational.h"

namespace tpc {

struct Size {
  enum class Kind : uint8_t { power, zero, exponential, marginal, notAnalysed };
  Kind kind = Kind::power;
  Rational exponent;  // for Kind::power

  static constexpr Size power(Rational e) { return {Kind::power, e}; }
  static constexpr Size zero() { return {Kind::zero, {}}; }
  static constexpr Size exponential() { return {Kind::exponential, {}}; }
  static constexpr Size notAnalysed() { return {Kind::notAnalysed, {}}; }

  constexpr bool isPower() const { return kind == Kind::power; }
  constexpr bool isZero() const { return kind == Kind::zero; }
  friend constexpr bool operator==(const Size&, const Size&) = default;
};

// "-1/2", "zero", "exponential", "marginal", "not_analysed": as JSON has it.
std::string toString(const Size& size);

// A product and a sum.  Zero annihilates and is neutral; exponential and not analysed win over powers.
Size operator+(const Size& a, const Size& b);  // size of x * y
Size max(const Size& a, const Size& b);        // size of x + y
Size min(const Size& a, const Size& b);
bool less(const Size& a, const Size& b);  // zero < powers < marginal < exponential < not analysed

}  // namespace tpc
