// Each axis of a contraction is one of four: in all three tensors (a batch), in a and the result (rows), in b and the
// result (columns), in a and b (summed).  Copies in the orders [batch, rows, summed] and [batch, summed, columns] make
// it a batch of matrix products.
#include "kernels/contract.h"

#include <algorithm>

namespace tpc {
namespace {

// Calls visit(offsetA, offsetB, offsetResult) over the axes, the last one innermost.
template <typename Visit>
void walk(const std::vector<ContractAxis>& axes, size_t depth, int64_t a, int64_t b, int64_t result,
          const Visit& visit) {
  if (depth == axes.size()) return visit(a, b, result);
  const ContractAxis& axis = axes[depth];
  for (int64_t i = 0; i < axis.length; ++i)
    walk(axes, depth + 1, a + i * axis.strideA, b + i * axis.strideB, result + i * axis.strideResult, visit);
}

int64_t elements(const std::vector<ContractAxis>& axes) {
  int64_t count = 1;
  for (const ContractAxis& axis : axes) count *= axis.length;
  return count;
}

std::vector<ContractAxis> joined(std::vector<ContractAxis> a, const std::vector<ContractAxis>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

void contractReference(double* result, const double* a, const double* b, const std::vector<ContractAxis>& axes) {
  std::vector<ContractAxis> kept, summed;
  for (const ContractAxis& axis : axes) (axis.strideResult != 0 ? kept : summed).push_back(axis);
  walk(kept, 0, 0, 0, 0, [&](int64_t atA, int64_t atB, int64_t at) {
    double sum = 0;
    walk(summed, 0, atA, atB, 0, [&](int64_t i, int64_t j, int64_t) { sum += a[i] * b[j]; });
    result[at] = sum;
  });
}

void matrixProduct(double* c, const double* a, const double* b, int64_t m, int64_t n, int64_t k) {
  // A stripe of b stays in the cache while four rows of c pass over it.
  constexpr int64_t columns = 256, depth = 64;
  std::fill(c, c + m * n, 0.0);
  for (int64_t j0 = 0; j0 < n; j0 += columns) {
    const int64_t width = std::min(columns, n - j0);
    for (int64_t k0 = 0; k0 < k; k0 += depth) {
      const int64_t kEnd = std::min(k, k0 + depth);
      int64_t i = 0;
      for (; i + 4 <= m; i += 4) {
        double* __restrict c0 = c + i * n + j0;
        double* __restrict c1 = c0 + n;
        double* __restrict c2 = c1 + n;
        double* __restrict c3 = c2 + n;
        const double* row = a + i * k;
        for (int64_t l = k0; l < kEnd; ++l) {
          const double a0 = row[l], a1 = row[l + k], a2 = row[l + 2 * k], a3 = row[l + 3 * k];
          const double* __restrict bl = b + l * n + j0;
          for (int64_t j = 0; j < width; ++j) {
            const double x = bl[j];
            c0[j] += a0 * x;
            c1[j] += a1 * x;
            c2[j] += a2 * x;
            c3[j] += a3 * x;
          }
        }
      }
      for (; i < m; ++i) {
        double* __restrict ci = c + i * n + j0;
        for (int64_t l = k0; l < kEnd; ++l) {
          const double x = a[i * k + l];
          const double* __restrict bl = b + l * n + j0;
          for (int64_t j = 0; j < width; ++j) ci[j] += x * bl[j];
        }
      }
    }
  }
}

void contractPacked(double* result, const double* a, const double* b, const std::vector<ContractAxis>& axes) {
  std::vector<ContractAxis> batch, rows, columns, summed;
  for (const ContractAxis& axis : axes) {
    if (axis.length == 1) continue;
    if (axis.strideResult == 0) {
      if (axis.strideA == 0 || axis.strideB == 0) return contractReference(result, a, b, axes);
      summed.push_back(axis);
    } else {
      (axis.strideA == 0 ? columns : axis.strideB == 0 ? rows : batch).push_back(axis);
    }
  }
  const int64_t m = elements(rows), n = elements(columns), k = elements(summed);
  std::vector<double> packedA(m * k), packedB(k * n), product(m * n);
  const std::vector<ContractAxis> orderA = joined(rows, summed), orderB = joined(summed, columns),
                                  orderC = joined(rows, columns);
  walk(batch, 0, 0, 0, 0, [&](int64_t atA, int64_t atB, int64_t at) {
    double* out = packedA.data();
    walk(orderA, 0, atA, 0, 0, [&](int64_t i, int64_t, int64_t) { *out++ = a[i]; });
    out = packedB.data();
    walk(orderB, 0, 0, atB, 0, [&](int64_t, int64_t i, int64_t) { *out++ = b[i]; });
    matrixProduct(product.data(), packedA.data(), packedB.data(), m, n, k);
    const double* in = product.data();
    walk(orderC, 0, 0, 0, at, [&](int64_t, int64_t, int64_t i) { result[i] = *in++; });
  });
}

}  // namespace tpc
