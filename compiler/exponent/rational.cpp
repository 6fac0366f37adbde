#include "compiler/exponent/rational.h"

namespace tpc {

std::string toString(Rational value) {
  if (value.isOverflow()) return "overflow";
  std::string text = std::to_string(value.num());
  return value.den() == 1 ? text : text + "/" + std::to_string(value.den());
}

}  // namespace tpc
