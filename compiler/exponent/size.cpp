#include "compiler/exponent/size.h"

namespace tpc {

std::string toString(const Size& size) {
  switch (size.kind) {
    case Size::Kind::power: return size.exponent.isOverflow() ? "not_analysed" : toString(size.exponent);
    case Size::Kind::zero: return "zero";
    case Size::Kind::exponential: return "exponential";
    case Size::Kind::marginal: return "marginal";
    case Size::Kind::notAnalysed: return "not_analysed";
  }
  return "not_analysed";
}

Size operator+(const Size& a, const Size& b) {
  if (a.isZero() || b.isZero()) return Size::zero();
  for (Size::Kind kind : {Size::Kind::notAnalysed, Size::Kind::exponential, Size::Kind::marginal})
    if (a.kind == kind || b.kind == kind) return {kind, {}};
  return Size::power(a.exponent + b.exponent);
}

namespace {

int order(Size::Kind kind) {
  switch (kind) {
    case Size::Kind::zero: return 0;
    case Size::Kind::power: return 1;
    case Size::Kind::marginal: return 2;
    case Size::Kind::exponential: return 3;
    case Size::Kind::notAnalysed: return 4;
  }
  return 4;
}

}  // namespace

bool less(const Size& a, const Size& b) {
  if (a.isPower() && b.isPower()) return a.exponent < b.exponent;
  return order(a.kind) < order(b.kind);
}

Size max(const Size& a, const Size& b) { return less(a, b) ? b : a; }

Size min(const Size& a, const Size& b) {
  if (a.kind == Size::Kind::notAnalysed || b.kind == Size::Kind::notAnalysed) return Size::notAnalysed();
  return less(b, a) ? b : a;
}

}  // namespace tpc
