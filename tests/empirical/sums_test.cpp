// Sums over an axis that grows: which walk and which add up.
#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/empirical/measure.h"

using namespace tpc;
using namespace tpc::empirical;

namespace {

// Scalars scatter: many seeds, which vectors without a matrix can afford.
constexpr Fit many{.seeds = 200};

double tanhOf(double x) { return std::tanh(x); }

}  // namespace

TEST_CASE("products without a common sign walk", "[empirical][contract.walks]") {
  const auto queriesAndKeys = [](int64_t n, uint64_t seed) {
    return dot(normals("q", seed, n), normals("k", seed, n));
  };
  const auto oddTimesAny = [](int64_t n, uint64_t seed) {
    return dot(mapped(normals("q", seed, n), tanhOf), mapped(normals("k", seed, n), relu));
  };
  const auto oddTimesItsEven = [](int64_t n, uint64_t seed) {
    const Vector h = normals("h", seed, n);
    return dot(mapped(h, tanhOf), mapped(h, [](double x) { return std::cos(x); }));
  };
  for (const Sample& sample : {Sample(queriesAndKeys), Sample(oddTimesAny), Sample(oddTimesItsEven)})
    CHECK(slope(sample, many) == Approx(said("contract.walks", {.k = 1})).margin(loose));
}

TEST_CASE("parity is of several sources together", "[empirical][parity.sum][contract.adds-up]") {
  // tanh(a + b) changes sign when a and b both do: times tanh(a) it has a mean, times tanh(a) tanh(b) it has none.
  const auto both = [](int64_t n, uint64_t seed) {
    return mapped(normals("a", seed, n), normals("b", seed, n), [](double a, double b) { return std::tanh(a + b); });
  };
  const auto one = [&](int64_t n, uint64_t seed) { return dot(both(n, seed), mapped(normals("a", seed, n), tanhOf)); };
  const auto two = [&](int64_t n, uint64_t seed) {
    const auto product = [](double a, double b) { return std::tanh(a) * std::tanh(b); };
    return dot(both(n, seed), mapped(normals("a", seed, n), normals("b", seed, n), product));
  };
  CHECK(slope(one, many) == Approx(said("contract.adds-up", {.k = 1})).margin(tight));
  CHECK(slope(two, many) == Approx(said("contract.walks", {.k = 1})).margin(loose));
}

TEST_CASE("products with a common sign or cause add up", "[empirical][contract.adds-up]") {
  const auto withItself = [](int64_t n, uint64_t seed) {
    const Vector h = normals("h", seed, n);
    return dot(h, mapped(h, tanhOf));
  };
  const auto positive = [](int64_t n, uint64_t seed) {
    return dot(mapped(normals("q", seed, n), relu), mapped(normals("k", seed, n), relu));
  };
  CHECK(slope(withItself, many) == Approx(said("contract.adds-up", {.k = 1})).margin(tight));
  CHECK(slope(positive, many) == Approx(said("contract.adds-up", {.k = 1})).margin(tight));
}

TEST_CASE("a sum walks where its terms have mean zero", "[empirical][sum.walks]") {
  const auto odd = [](int64_t n, uint64_t seed) { return sum(mapped(normals("h", seed, n), tanhOf)); };
  CHECK(slope(odd, many) == Approx(said("sum.walks", {.k = 1})).margin(loose));
  // n^2 entries of a matrix: two axes.
  const auto entries = [](int64_t n, uint64_t seed) { return sum(gaussian("W", seed, n, n).entries); };
  CHECK(slope(entries, {.smallest = 8, .largest = 128, .seeds = 200}) ==
        Approx(said("sum.walks", {.k = 2})).margin(loose));
}

TEST_CASE("a sum adds up where its terms have a mean", "[empirical][sum.adds-up]") {
  const auto positive = [](int64_t n, uint64_t seed) { return sum(mapped(normals("h", seed, n), relu)); };
  CHECK(slope(positive, many) == Approx(said("sum.adds-up", {.k = 1})).margin(tight));
}

TEST_CASE("one number in front of a sum gives its terms no sign of their own", "[empirical][constant.no-axis]") {
  // A scalar gate is random, and common to all terms.
  const auto gated = [](int64_t n, uint64_t seed) {
    return normals("gate", seed, 1)[0] * sum(mapped(normals("h", seed, n), relu));
  };
  CHECK(slope(gated, many) == Approx(said("sum.adds-up", {.k = 1})).margin(tight));
}

TEST_CASE("a gradient summed over a batch that grows is not centered by the labels", "[empirical][constant.no-axis]") {
  // sum over b of x_b chi_b / n with chi_b = f_b - y_b of order one and a mean: order one.
  const auto bias = [](int64_t n, uint64_t seed) {
    return mean(mapped(normals("f", seed, n), [](double f) { return f * f - 2; }));
  };
  CHECK(slope(bias, many) == Approx(said("sum.adds-up", {.a = -1, .k = 1})).margin(tight));
}

TEST_CASE("the largest of n entries grows with a logarithm", "[empirical][max.logs]") {
  const auto largest = [](int64_t n, uint64_t seed) {
    const Vector x = normals("x", seed, n);
    return *std::max_element(x.begin(), x.end());
  };
  const auto corrected = [&](int64_t n, uint64_t seed) {
    return largest(n, seed) / std::sqrt(2 * std::log(double(n)));
  };
  CHECK(slope(corrected, many) == Approx(said("max.logs", {})).margin(tight));
  CHECK(slope(largest, many) > 0.02);
  CHECK(slope(largest, many) < 0.2);
}

TEST_CASE("means of one law cancel down to what is left of them", "[empirical][sub.same-limit][spread.limit]") {
  // Of a mean over n: spread of a term, 0, plus 1/2 for the sum, minus 1 for the division.
  const auto energies = [](int64_t n, uint64_t seed) {
    const Vector q = normals("q", seed, n), k = normals("k", seed, n);
    return dot(q, q) / double(n) - dot(k, k) / double(n);
  };
  const auto left = [](int64_t n, uint64_t seed) {
    const Vector q = normals("q", seed, n);
    return dot(q, q) / double(n) - 1;
  };
  CHECK(slope(energies, many) == Approx(said("sub.same-limit", {.e = -half})).margin(loose));
  CHECK(slope(left, many) == Approx(-0.5).margin(loose));
  // A smooth map of it has its derivative times as much.
  const auto root = [&](int64_t n, uint64_t seed) { return std::sqrt(1 + left(n, seed)) - 1; };
  CHECK(slope(root, many) == Approx(-0.5).margin(loose));
}

TEST_CASE("means of two laws do not cancel", "[empirical][sub.largest]") {
  const auto different = [](int64_t n, uint64_t seed) {
    const Vector q = normals("q", seed, n), k = normals("k", seed, n);
    return dot(q, q) / double(n) - mean(mapped(k, relu));
  };
  CHECK(slope(different, many) == Approx(said("sub.largest", {})).margin(tight));
}

TEST_CASE("finitely many terms: the largest decides", "[empirical][add.largest]") {
  const auto terms = [](int64_t n, uint64_t seed) {
    const double small = 1 / std::sqrt(double(n));
    return rms(mapped(normals("x", seed, n), scaled(normals("y", seed, n), small), std::plus<>()));
  };
  CHECK(slope(terms, many) == Approx(said("add.largest", {.e = 0})).margin(tight));
}

TEST_CASE("a product of coordinates has the product of the sizes", "[empirical][mul.product]") {
  const auto product = [](int64_t n, uint64_t seed) {
    const Vector x = normals("x", seed, n, std::sqrt(double(n))), y = normals("y", seed, n, 1 / double(n));
    return rms(mapped(x, y, std::multiplies<>()));
  };
  CHECK(slope(product, many) == Approx(said("mul.product", {.a = half, .b = -1})).margin(tight));
  const auto withItself = [](int64_t n, uint64_t seed) {
    const Vector x = normals("x", seed, n, std::sqrt(double(n)));
    return rms(mapped(x, x, std::multiplies<>()));
  };
  CHECK(slope(withItself, many) == Approx(said("mul.product", {.a = half, .b = half})).margin(tight));
}
