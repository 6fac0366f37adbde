#include "kernels/indexing.h"

#include <algorithm>

namespace tpc {
namespace {

template <typename Visit>
void walk(std::span<const StridedAxis> axes, int64_t a, int64_t b, int64_t result, const Visit& visit) {
  if (axes.empty()) return visit(a, b, result);
  for (int64_t i = 0; i < axes[0].length; ++i)
    walk(axes.subspan(1), a + i * axes[0].a, b + i * axes[0].b, result + i * axes[0].result, visit);
}

bool isIndex(float value, int64_t below) {
  return value >= 0 && value < float(below) && value == float(int64_t(value));
}

}  // namespace

void contractStrided(float* result, const float* a, const float* b, std::span<const StridedAxis> kept,
                     std::span<const StridedAxis> summed) {
  walk(kept, 0, 0, 0, [&](int64_t atA, int64_t atB, int64_t at) {
    double sum = 0;
    walk(summed, atA, atB, 0, [&](int64_t i, int64_t j, int64_t) { sum += double(a[i]) * double(b[j]); });
    result[at] = float(sum);
  });
}

void argmaxStrided(float* result, const float* a, std::span<const StridedAxis> kept,
                   std::span<const StridedAxis> axis) {
  walk(kept, 0, 0, 0, [&](int64_t atA, int64_t, int64_t at) {
    float value = a[atA];
    int64_t best = 0, place = 0;
    walk(axis, atA, 0, 0, [&](int64_t i, int64_t, int64_t) {
      const float next = a[i];
      if (next > value || (next != next && value == value)) value = next, best = place;
      ++place;
    });
    result[at] = float(best);
  });
}

bool gatherRows(float* result, const float* table, const float* index, const GatherShape& shape) {
  for (int64_t p = 0; p < shape.before; ++p)
    for (int64_t i = 0; i < shape.count; ++i) {
      if (!isIndex(index[i], shape.length)) return false;
      const float* row = table + (p * shape.length + int64_t(index[i])) * shape.after;
      std::copy(row, row + shape.after, result + (p * shape.count + i) * shape.after);
    }
  return true;
}

bool scatterAddRows(float* result, const float* index, const float* updates, const GatherShape& shape, int64_t first,
                    int64_t last) {
  for (int64_t p = 0; p < shape.before; ++p) {
    float* table = result + p * shape.length * shape.after;
    for (int64_t l = 0; l < shape.length; ++l)
      std::fill(table + l * shape.after + first, table + l * shape.after + last, 0.0f);
    for (int64_t i = 0; i < shape.count; ++i) {
      if (!isIndex(index[i], shape.length)) return false;
      float* row = table + int64_t(index[i]) * shape.after;
      const float* update = updates + (p * shape.count + i) * shape.after;
      for (int64_t j = first; j < last; ++j) row[j] += update[j];
    }
  }
  return true;
}

bool indicesInside(const float* index, int64_t count, int64_t below) {
  return std::all_of(index, index + count, [&](float value) { return isIndex(value, below); });
}

}  // namespace tpc
