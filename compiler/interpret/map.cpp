// Numbers as programs write them; elementary functions are the kernels'.
#include <cmath>
#include <limits>

#include "compiler/interpret/operations.h"
#include "kernels/elementary.h"

namespace tpc {

static_assert(mapFnCount == elementaryCount && int(MapFn::pow) == int(Elementary::pow) &&
              int(CompareFn::ge) == int(Comparison::ge));

double applyMap(MapFn fn, double x, double power) { return elementary(Elementary(fn), x, power); }
double applyCompare(CompareFn fn, double a, double b) { return comparison(Comparison(fn), a, b); }
double applyMaximum(double a, double b) { return larger(a, b); }
double applyMinimum(double a, double b) { return smaller(a, b); }

double valueAt(const Number& number, const std::vector<int64_t>& numbers) {
  if (number.kind == Number::Kind::infinity) return std::numeric_limits<double>::infinity();
  if (number.kind == Number::Kind::minusInfinity) return -std::numeric_limits<double>::infinity();
  double value = number.coefficient;
  for (const auto& [symbol, power] : number.powers)
    value *= symbol < numbers.size() ? std::pow(double(numbers[symbol]), power.toDouble())
                                     : std::numeric_limits<double>::quiet_NaN();
  return value;
}

}  // namespace tpc
