// The packed product against the plain loops, over ragged shapes and all kinds of axes.
#include "kernels/contract.h"

#include <cmath>

#include "kernels/random.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

std::vector<double> random(const char* name, int64_t count) {
  std::vector<double> values(count);
  RandomStream(1, name).normals(values.data(), 0, count);
  return values;
}

double largestDifference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("a product of small matrices by hand", "[kernels][contract]") {
  const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 0, 1, 1, 1};
  double c[4];
  matrixProduct(c, a, b, 2, 2, 3);
  CHECK(c[0] == 4);
  CHECK(c[1] == 5);
  CHECK(c[2] == 10);
  CHECK(c[3] == 11);
}

TEST_CASE("the packed contraction agrees with its reference over ragged shapes", "[kernels][contract]") {
  for (int64_t batch : {1, 3})
    for (int64_t m : {1, 4, 7, 33})
      for (int64_t n : {1, 5, 257})
        for (int64_t k : {1, 2, 65}) {
          const std::vector<double> a = random("a", batch * m * k), b = random("b", batch * n * k);
          std::vector<double> plain(batch * m * n), fast(batch * m * n);
          // a is [k, batch, m], b is [batch, n, k], the result [n, batch, m].
          const std::vector<ContractAxis> axes = {
              {batch, m, n * k, m}, {m, 1, 0, 1}, {n, 0, k, batch * m}, {k, batch * m, 1, 0}};
          contractReference(plain.data(), a.data(), b.data(), axes);
          contractPacked(fast.data(), a.data(), b.data(), axes);
          CHECK(largestDifference(plain, fast) < 1e-12);
        }
}

TEST_CASE("without a summed axis a contraction is an outer product", "[kernels][contract]") {
  const std::vector<double> a = random("a", 3), b = random("b", 4);
  std::vector<double> result(12);
  contractPacked(result.data(), a.data(), b.data(), {{3, 1, 0, 4}, {4, 0, 1, 1}});
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) CHECK(result[4 * i + j] == a[i] * b[j]);
}
