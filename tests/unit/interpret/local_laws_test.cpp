// The local laws behind the rules, measured on random matrices: a theory that is wrong here is wrong everywhere.
//
// A slope is that of log size against log n over n = 64 .. 1024, the mean of three seeds.  Nothing of the compiler
// takes part: the numbers come from `kernels`, the arithmetic is plain loops.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "kernels/random.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

using Vector = std::vector<double>;

Vector random(const std::string& name, uint64_t seed, int64_t count, double std = 1) {
  Vector values(count);
  RandomStream(seed, name).normals(values.data(), 0, uint64_t(count));
  for (double& x : values) x *= std;
  return values;
}

// W x, or W^T x.
Vector times(const Vector& W, const Vector& x, bool transposed = false) {
  const size_t n = x.size();
  Vector y(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      if (transposed) y[j] += W[i * n + j] * x[i];
      else y[i] += W[i * n + j] * x[j];
    }
  return y;
}

double mean(const Vector& x) {
  double sum = 0;
  for (double each : x) sum += each;
  return sum / double(x.size());
}

double meanProduct(const Vector& x, const Vector& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum / double(x.size());
}

double rms(const Vector& x) { return std::sqrt(meanProduct(x, x)); }

Vector relu(Vector x) {
  for (double& each : x) each = each > 0 ? each : 0;
  return x;
}

// The slope of the root mean square over seeds, for quantities that scatter about zero too.
double slope(const std::function<double(int64_t n, uint64_t seed)>& size, int seeds = 3) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0, count = 0;
  for (int64_t n = 64; n <= 1024; n *= 2) {
    double square = 0;
    for (int seed = 1; seed <= seeds; ++seed) square += std::pow(size(n, uint64_t(seed)), 2) / seeds;
    const double x = std::log2(double(n)), y = 0.5 * std::log2(square);
    sx += x, sy += y, sxx += x * x, sxy += x * y, ++count;
  }
  return (count * sxy - sx * sy) / (count * sxx - sx * sx);
}

}  // namespace

TEST_CASE("a fresh iid matrix walks: W x grows like sqrt n", "[laws][contract]") {
  CHECK(slope([](int64_t n, uint64_t seed) { return rms(times(random("W", seed, n * n), random("x", seed, n))); }) ==
        Approx(0.5).margin(0.05));
}

TEST_CASE("a vector made with W comes back aligned with W^T, and not with a fresh matrix", "[laws][contract]") {
  const auto overlap = [](const char* second) {
    return [second](int64_t n, uint64_t seed) {
      const double std = 1 / std::sqrt(double(n));
      const Vector x = random("x", seed, n), y = times(random("W", seed, n * n, std), x);
      return meanProduct(x, times(random(second, seed, n * n, std), y, true));
    };
  };
  CHECK(slope(overlap("W"), 12) == Approx(0).margin(0.05));
  CHECK(slope(overlap("V"), 12) == Approx(-0.5).margin(0.15));
  CHECK(overlap("W")(1024, 1) == Approx(1).margin(0.1));
}

TEST_CASE("W relu(W x) keeps its size although W is read twice", "[laws][contract]") {
  const auto size = [](int64_t n, uint64_t seed) {
    const Vector W = random("W", seed, n * n, 1 / std::sqrt(double(n)));
    return rms(times(W, relu(times(W, random("x", seed, n)))));
  };
  CHECK(slope(size) == Approx(0).margin(0.05));
  CHECK(size(1024, 1) == Approx(std::sqrt(0.5)).margin(0.05));  // half of relu's input
}

TEST_CASE("a matrix that is an outer product adds up along its own vector and walks along a fresh one",
          "[laws][contract]") {
  const auto size = [](const char* along) {
    return [along](int64_t n, uint64_t seed) {
      const Vector g = random("g", seed, n), h = random("h", seed, n);
      Vector M(n * n);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) M[i * n + j] = g[i] * h[j];
      return rms(times(M, random(along, seed, n)));
    };
  };
  CHECK(slope(size("h")) == Approx(1).margin(0.05));
  CHECK(slope(size("x"), 12) == Approx(0.5).margin(0.2));
}

TEST_CASE("a mean of values with a mean of their own does not fall, one without falls like 1 / sqrt n",
          "[laws][reduce]") {
  const auto moment = [](int64_t n, uint64_t seed) { return mean(relu(random("x", seed, n))); };
  const auto noise = [](int64_t n, uint64_t seed) { return mean(random("x", seed, n)); };
  CHECK(slope(moment) == Approx(0).margin(0.05));
  CHECK(slope(noise, 100) == Approx(-0.5).margin(0.1));
}

TEST_CASE("means of the same law cancel to 1 / sqrt n", "[laws][reduce]") {
  const auto difference = [](int64_t n, uint64_t seed) {
    const Vector q = random("q", seed, n), k = random("k", seed, n);
    return meanProduct(q, q) - meanProduct(k, k);
  };
  CHECK(slope(difference, 100) == Approx(-0.5).margin(0.1));
}

TEST_CASE("the moments of A^T A are the Catalan numbers", "[laws][contract]") {
  const int64_t n = 1024;
  const Vector A = random("A", 1, n * n, 1 / std::sqrt(double(n))), v = random("v", 1, n);
  Vector x = v;
  const double norm = meanProduct(v, v);
  for (double catalan : {1.0, 2.0, 5.0, 14.0}) {
    x = times(A, times(A, x), true);
    CHECK(meanProduct(v, x) / norm == Approx(catalan).epsilon(0.1));
  }
}

TEST_CASE("the gradient is not independent of the forward pass", "[laws][gradient]") {
  // h = W x, y = sum h^2, x = (1, .., 1):  dx = 2 W^T h = 2 W^T W x.  A fresh copy of W^T would give the mean 0; the
  // true mean is 2, and the variance 4 is that of the fresh part.
  const int64_t n = 2048;
  const Vector W = random("W", 1, n * n, 1 / std::sqrt(double(n))), V = random("V", 1, n * n, 1 / std::sqrt(double(n)));
  const Vector h = times(W, Vector(n, 1.0));
  Vector dx = times(W, h, true), fresh = times(V, h, true);
  for (double& each : dx) each *= 2;
  for (double& each : fresh) each *= 2;
  const auto variance = [](const Vector& x) { return meanProduct(x, x) - mean(x) * mean(x); };
  CHECK(mean(dx) == Approx(2).margin(0.15));
  CHECK(variance(dx) == Approx(4).margin(0.5));
  CHECK(mean(fresh) == Approx(0).margin(0.15));
  CHECK(variance(fresh) == Approx(4).margin(0.5));
}
