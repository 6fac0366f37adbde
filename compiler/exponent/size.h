// The size of a value along one growing symbol: zero, or the exponent e of  x : n^e,  or why there is none.
#pragma once

#include <string>

#include "compiler/exponent/rational.h"

namespace tpc {

struct Size {
  enum class Kind : uint8_t { power, zero, exponential, marginal, notAnalysed };
  Kind kind = Kind::power;
  Rational exponent;  // for Kind::power

  // A power beyond what a Rational holds compares with nothing, so it is no power.
  static constexpr Size power(Rational e) {
    return e.isOverflow() ? Size{Kind::notAnalysed, {}} : Size{Kind::power, e};
  }
  static constexpr Size zero() { return {Kind::zero, {}}; }
  static constexpr Size exponential() { return {Kind::exponential, {}}; }
  static constexpr Size marginal() { return {Kind::marginal, {}}; }
  static constexpr Size notAnalysed() { return {Kind::notAnalysed, {}}; }

  constexpr bool isPower() const { return kind == Kind::power; }
  constexpr bool isZero() const { return kind == Kind::zero; }
  friend constexpr bool operator==(const Size&, const Size&) = default;
};

// "-1/2", "zero", "exponential", "marginal", "not_analysed": as JSON has it.
std::string toString(const Size& size);

// zero < powers < marginal < exponential < not analysed
constexpr bool less(const Size& a, const Size& b) {
  if (a.isPower() && b.isPower()) return a.exponent < b.exponent;
  constexpr int order[] = {1, 0, 3, 2, 4};  // by kind
  return order[int(a.kind)] < order[int(b.kind)];
}

// A product and a sum.  Zero annihilates and is neutral; exponential and not analysed win over powers.
constexpr Size operator+(const Size& a, const Size& b) {  // size of x * y
  if (a.isPower() && b.isPower()) return Size::power(a.exponent + b.exponent);
  if (a.isZero() || b.isZero()) return Size::zero();
  return {(less(a, b) ? b : a).kind, {}};
}
constexpr Size max(const Size& a, const Size& b) { return less(a, b) ? b : a; }  // size of x + y
constexpr Size min(const Size& a, const Size& b) {
  if (a.kind == Size::Kind::notAnalysed || b.kind == Size::Kind::notAnalysed) return Size::notAnalysed();
  return less(b, a) ? b : a;
}

}  // namespace tpc
