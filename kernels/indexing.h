// Operations of floats that move by data or by plain loops: the definition, and fast enough where they stand.
//
// A tensor is given by a pointer and strides; an index is a float that is a whole number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tpc {

// One axis of a loop nest: its length, and the stride in each of up to three tensors.
struct StridedAxis {
  int64_t length = 1;
  int64_t a = 0, b = 0, result = 0;
};

// result[..] = sum over `summed` of a[..] * b[..].  result may not alias a or b.
void contractStrided(float* result, const float* a, const float* b, std::span<const StridedAxis> kept,
                     std::span<const StridedAxis> summed);

// The places along `axis` where the largest entry first stands, or the first NaN.
void argmaxStrided(float* result, const float* a, std::span<const StridedAxis> kept, std::span<const StridedAxis> axis);

// table [before, length, after], index [count], result [before, count, after]; the table's strides are given, index and
// result are row-major.  False where an index is no whole number in 0 .. length - 1.
struct GatherShape {
  int64_t before = 1, length = 1, count = 1, after = 1;
};
bool gatherRows(float* result, const float* table, const float* index, const GatherShape& shape);

// result [before, length, after] = 0, then result[p, index[i], :] += updates[p, i, :] in ascending i, for the columns
// first .. last - 1 of `after`.
bool scatterAddRows(float* result, const float* index, const float* updates, const GatherShape& shape, int64_t first,
                    int64_t last);

// True where every index is a whole number in 0 .. below - 1.
bool indicesInside(const float* index, int64_t count, int64_t below);

}  // namespace tpc
