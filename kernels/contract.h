// Contractions of dense tensors: the reference, and a blocked matrix product that the reference's cases reduce to.
#pragma once

#include <cstdint>
#include <vector>

namespace tpc {

// One label of a contraction: its length and its stride in each tensor, 0 where the tensor does not have it.
struct ContractAxis {
  int64_t length = 1;
  int64_t strideA = 0, strideB = 0, strideResult = 0;
};

// result[..] = sum over the axes without a stride in the result of a[..] * b[..].  result may not alias a or b and is
// overwritten.  Plain loops over all axes: the definition.
void contractReference(double* result, const double* a, const double* b, const std::vector<ContractAxis>& axes);

// The same numbers up to rounding, through packed copies and `matrixProduct`.
void contractPacked(double* result, const double* a, const double* b, const std::vector<ContractAxis>& axes);

// c[m, n] = sum_k a[m, k] * b[k, n]      row-major; c may not alias a or b; k is summed in ascending order
void matrixProduct(double* c, const double* a, const double* b, int64_t m, int64_t n, int64_t k);

}  // namespace tpc
