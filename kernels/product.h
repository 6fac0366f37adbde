// Matrix products of floats, the one operation that we leave to a library (oneDNN) where it is fast.
//
//     c[i, j] (+)= sum_l a[i, l] * b[l, j]       row-major with leading lengths; c may not alias a or b
//
// One call runs on the calling thread: who has several gives each a block of its own, so that bits do not depend on how
// many there are.
#pragma once

#include <cstdint>

namespace tpc {

struct ProductShape {
  bool transposedA = false, transposedB = false;  // a[i, l] stands at a[l * lda + i]; b likewise
  int64_t m = 1, n = 1, k = 1;
  int64_t lda = 1, ldb = 1, ldc = 1;
};

// The definition.
void productReference(float* c, const float* a, const float* b, const ProductShape& shape, bool accumulate);

void product(float* c, const float* a, const float* b, const ProductShape& shape, bool accumulate);

}  // namespace tpc
