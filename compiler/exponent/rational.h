// Exact rationals: the numbers that exponents are made of.
//
// Every size that tpc derives is a power of a growing symbol, and the powers are fractions such as -1/2.  Halving and
// adding must not round: two derivations of one size are compared with ==.  Numerators stay tiny in honest programs;
// overflow is caught and saturates into `isOverflow`, never wraps.
#pragma once

#include <cassert>
#include <compare>
#include <cstdint>
#include <numeric>
#include <string>

namespace tpc {

class Rational {
 public:
  constexpr Rational() = default;
  constexpr Rational(int64_t whole) {  // NOLINT: an integer is a rational
    const bool fits = whole <= limit && whole >= -limit;
    num_ = fits ? static_cast<int32_t>(whole) : 0;
    den_ = fits ? 1 : 0;
  }
  constexpr Rational(int64_t num, int64_t den) {
    assert(den != 0 && "callers check for a zero denominator");
    if (den < 0) num = -num, den = -den;
    int64_t divisor = std::gcd(num, den);
    if (divisor > 1) num /= divisor, den /= divisor;
    if (num > limit || num < -limit || den > limit) {
      num_ = 0, den_ = 0;
      return;
    }
    num_ = static_cast<int32_t>(num);
    den_ = static_cast<int32_t>(den);
  }

  constexpr int64_t num() const { return num_; }
  constexpr int64_t den() const { return den_; }
  constexpr bool isOverflow() const { return den_ == 0; }
  constexpr bool isZero() const { return num_ == 0 && den_ != 0; }

  friend constexpr Rational operator+(Rational a, Rational b) {
    if (a.den_ == 1 && b.den_ == 1) return Rational(int64_t(a.num_) + b.num_);
    if (a.isOverflow() || b.isOverflow()) return overflow();
    return Rational(int64_t(a.num_) * b.den_ + int64_t(b.num_) * a.den_, int64_t(a.den_) * b.den_);
  }
  friend constexpr Rational operator-(Rational a) { return a.isOverflow() ? a : negated(a); }
  friend constexpr Rational operator-(Rational a, Rational b) { return a + (-b); }
  friend constexpr Rational operator*(Rational a, Rational b) {
    if (a.isOverflow() || b.isOverflow()) return overflow();
    return Rational(int64_t(a.num_) * b.num_, int64_t(a.den_) * b.den_);
  }
  friend constexpr Rational operator/(Rational a, Rational b) {
    assert(b.num_ != 0 && "callers check for a zero divisor");
    if (a.isOverflow() || b.isOverflow()) return overflow();
    return Rational(int64_t(a.num_) * b.den_, int64_t(a.den_) * b.num_);
  }
  constexpr Rational& operator+=(Rational b) { return *this = *this + b; }
  constexpr Rational& operator-=(Rational b) { return *this = *this - b; }

  friend constexpr bool operator==(Rational a, Rational b) { return a.num_ == b.num_ && a.den_ == b.den_; }
  friend constexpr std::strong_ordering operator<=>(Rational a, Rational b) {
    return int64_t(a.num_) * b.den_ <=> int64_t(b.num_) * a.den_;
  }

  constexpr double toDouble() const { return double(num_) / double(den_); }

 private:
  static constexpr int64_t limit = (int64_t(1) << 30);
  static constexpr Rational overflow() { return Rational(limit + 1, 1); }
  static constexpr Rational negated(Rational a) {
    a.num_ = -a.num_;
    return a;
  }

  int32_t num_ = 0;  // invariant: gcd(num, den) == 1 and den > 0, or den == 0 after an overflow
  int32_t den_ = 1;
};

inline constexpr Rational half{1, 2};

// "-1/2", "3": lowest terms, as every document prints them.
std::string toString(Rational value);

}  // namespace tpc
