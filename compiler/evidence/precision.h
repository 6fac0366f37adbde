// Which values and gradients leave the range of a number format at the target sizes.
//
// The interpreter takes a step at the base sizes and measures every named value, its gradient and the parameters'
// gradients before and after; the derived exponents carry root mean square and largest coordinate to the target:
//
//     size(target) = size(measured) * product over growing sizes s of (s at the target / s as measured)^(exponent in s)
//
// A base that is too large to interpret in seconds is measured at halved growing sizes and carried to the base
// likewise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/graph/graph.h"
#include "runtime/format/plan.h"

namespace tpc {

// IEEE 754 binary16, bfloat16, and the two 8-bit formats of Micikevicius and others (arXiv 2209.05433).
struct NumberFormat {
  std::string_view name;
  double largest, smallestNormal, smallest;
};
const NumberFormat* numberFormat(std::string_view name);  // fp16, bf16, fp8_e4m3, fp8_e5m2; null for no such format
std::vector<std::string> numberFormatNames();

enum class RangeFault : uint8_t {
  overflows,  // its largest coordinate is above the largest number
  vanishes,   // its root mean square is below the smallest number above zero
  loses,      // its root mean square is below the smallest normal number: fewer bits than the format has
};

struct OutOfRange {
  NodeId node = none;     // the value, or the parameter
  bool gradient = false;  // its gradient, not itself
  std::string_view format;
  RangeFault fault{};
  double atBase = 0, atTarget = 0;  // the largest coordinate where it overflows, else the root mean square
};

struct RangeReport {
  std::vector<OutOfRange> found;
  size_t measured = 0;  // values and gradients
  std::string at;       // `n = 192`: the growing sizes at which they were measured
  std::string error;    // empty: all went well
};

RangeReport outOfRange(const Graph& graph, const Analysis& analysis, const std::vector<OptimizerProgram>& optimizers,
                       const Plan& plan, const std::vector<std::string>& formats);

}  // namespace tpc
