#include "kernels/first_values.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/random.h"

namespace tpc {
namespace {

template <typename Real>
void draw(Real* out, const RandomParameter& parameter, uint64_t seed) {
  const size_t stacked = size_t(parameter.stackedAxes);
  int64_t layers = 1, count = 1;
  for (size_t axis = 0; axis < parameter.shape.size(); ++axis)
    (axis < stacked ? layers : count) *= parameter.shape[axis];
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::string outer;
    int64_t rest = layer, innermost = layer;
    for (size_t axis = stacked; axis-- > 0; rest /= parameter.shape[axis])
      if (axis + 1 == stacked) innermost = rest % parameter.shape[axis];
      else outer = "/" + std::to_string(rest % parameter.shape[axis]) + outer;
    const RandomStream stream(seed, std::string(parameter.name) + outer, uint32_t(innermost));
    constexpr int64_t chunk = 1024;
    double drawn[chunk];
    for (int64_t begin = 0; begin < count; begin += chunk) {
      const int64_t width = std::min(chunk, count - begin);
      if (parameter.uniform) {
        for (int64_t i = 0; i < width; ++i)
          drawn[i] = (2 * stream.uniform(uint64_t(begin + i)) - 1) * parameter.std * std::sqrt(3.0);
      } else {
        stream.normals(drawn, uint64_t(begin), uint64_t(width));
        for (int64_t i = 0; i < width; ++i) drawn[i] *= parameter.std;
      }
      for (int64_t i = 0; i < width; ++i) out[layer * count + begin + i] = Real(drawn[i]);
    }
  }
}

}  // namespace

void drawParameter(double* out, const RandomParameter& parameter, uint64_t seed) { draw(out, parameter, seed); }
void drawParameter(float* out, const RandomParameter& parameter, uint64_t seed) { draw(out, parameter, seed); }

}  // namespace tpc
