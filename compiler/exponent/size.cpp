#include "compiler/exponent/size.h"

namespace tpc {

std::string toString(const Size& size) {
  switch (size.kind) {
    case Size::Kind::power: return toString(size.exponent);
    case Size::Kind::zero: return "zero";
    case Size::Kind::exponential: return "exponential";
    case Size::Kind::marginal: return "marginal";
    case Size::Kind::notAnalysed: return "not_analysed";
  }
  return "not_analysed";
}

}  // namespace tpc
