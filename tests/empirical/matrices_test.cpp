// An initial matrix times a vector: what was made without it, what was made with its transpose, and what has changed.
#include <cmath>

#include "tests/catch.h"
#include "tests/empirical/measure.h"

using namespace tpc;
using namespace tpc::empirical;

namespace {

// u = W x with x = phi(W^T y, v): W has n columns and `rows` rows, y one entry for each row.
struct Back {
  Matrix W;
  Vector y, h, v;
  Back(int64_t n, int64_t rows, uint64_t seed)
      : W(gaussian("W", seed, rows, n)),
        y(normals("y", seed, rows)),
        h(timesTransposed(W, y)),
        v(normals("v", seed, n)) {}
};

}  // namespace

TEST_CASE("what was made without a matrix walks through it", "[empirical][matmul.fresh]") {
  const auto square = [](int64_t n, uint64_t seed) {
    return rms(times(gaussian("W", seed, n, n), normals("x", seed, n)));
  };
  const auto withMean = [](int64_t n, uint64_t seed) { return rms(times(gaussian("W", seed, n, n), Vector(n, 1.0))); };
  const auto readout = [](int64_t n, uint64_t seed) {
    return rms(times(gaussian("W", seed, 8, n), mapped(normals("x", seed, n), relu)));
  };
  CHECK(slope(square) == Approx(said("matmul.fresh", {.k = 1, .m = 1})).margin(tight));
  CHECK(slope(withMean) == Approx(said("matmul.fresh", {.k = 1, .m = 1})).margin(tight));
  CHECK(slope(readout, {.seeds = 40}) == Approx(said("matmul.fresh", {.k = 1})).margin(tight));
}

TEST_CASE("what was made with a matrix in the same orientation walks through it", "[empirical][matmul.fresh]") {
  const auto twice = [](int64_t n, uint64_t seed) {
    const Matrix W = gaussian("W", seed, n, n, 1 / std::sqrt(double(n)));
    return rms(times(W, mapped(times(W, normals("x", seed, n)), relu)));
  };
  CHECK(slope(twice) == Approx(said("matmul.fresh", {.a = -half, .k = 1, .m = 1})).margin(tight));
}

TEST_CASE("an initial matrix stays one under factors of its rows", "[empirical][matmul.fresh]") {
  const auto rowsNormed = [](int64_t n, uint64_t seed) {
    Matrix W = gaussian("W", seed, n, n);
    for (int64_t i = 0; i < n; ++i) {
      double square = 0;
      for (int64_t j = 0; j < n; ++j) square += std::pow(W.entries[i * n + j], 2);
      for (int64_t j = 0; j < n; ++j) W.entries[i * n + j] /= std::sqrt(square);
    }
    return rms(times(W, Vector(n, 1.0)));
  };
  CHECK(slope(rowsNormed) == Approx(said("matmul.fresh", {.a = -half, .k = 1, .m = 1})).margin(tight));
}

TEST_CASE("back through a matrix there is a part along what it was given", "[empirical][matmul.z-dot]") {
  const auto square = [](int64_t n, uint64_t seed) {
    const Back b(n, n, seed);
    return along(times(b.W, mapped(b.h, relu)), b.y);
  };
  // W^T y : n^(1/2), a sum over n terms.
  CHECK(slope(square, {.largest = 1024, .seeds = 8}) ==
        Approx(said("matmul.z-dot", {.b = half, .k = 1, .m = 1, .e = 1})).margin(tight));

  const auto fromFour = [](int64_t n, uint64_t seed) {
    const Back b(n, 4, seed);
    return along(times(b.W, mapped(b.h, relu)), b.y);
  };
  CHECK(slope(fromFour, {.seeds = 20}) == Approx(said("matmul.z-dot", {.k = 1})).margin(tight));
}

TEST_CASE("the part is there where the derivative has a mean, though the value has none", "[empirical][matmul.z-dot]") {
  const auto odd = [](int64_t n, uint64_t seed) {
    const Back b(n, n, seed);
    return along(times(b.W, mapped(b.h, [](double x) { return std::tanh(x); })), b.y);
  };
  // tanh is bounded: x : n^0, its derivative by W^T y : n^(1/2) is of order n^(-1/2) in the mean.
  CHECK(slope(odd, {.largest = 1024, .seeds = 8}) ==
        Approx(said("matmul.z-dot", {.k = 1, .m = 1, .e = 1})).margin(tight));
}

TEST_CASE("beside it there is a Gaussian part as of an independent matrix", "[empirical][matmul.z-hat]") {
  const auto rest = [](int64_t n, uint64_t seed) {
    const Back b(n, n, seed);
    return rms(without(times(b.W, mapped(b.h, relu)), b.y));
  };
  CHECK(slope(rest) == Approx(said("matmul.z-hat", {.b = half, .k = 1, .m = 1})).margin(tight));
  const auto restOfFour = [](int64_t n, uint64_t seed) {
    const Back b(n, 4, seed);
    return rms(without(times(b.W, mapped(b.h, relu)), b.y));
  };
  CHECK(slope(restOfFour, {.seeds = 60}) == Approx(said("matmul.z-hat", {.k = 1})).margin(loose));
}

TEST_CASE("the part along y is absent where the derivative changes sign with another parameter",
          "[empirical][matmul.z-dot-odd]") {
  // What is left along y is the Gaussian part's own share, 1 / sqrt n of it; with v^2 in place of v the part is back.
  const auto size = [](double power) {
    return [power](int64_t n, uint64_t seed) {
      const Back b(n, n, seed);
      const auto gated = [power](double h, double v) { return relu(h) * std::pow(v, power); };
      return along(times(b.W, mapped(b.h, b.v, gated)), b.y);
    };
  };
  const Fit fit{.largest = 1024, .seeds = 16};
  const double gaussianShare = said("matmul.z-hat", {.b = half, .k = 1, .m = 1}) - 0.5;
  CHECK(slope(size(1), fit) == Approx(gaussianShare).margin(loose));
  CHECK(slope(size(2), fit) == Approx(said("matmul.z-dot", {.b = half, .k = 1, .m = 1, .e = 1})).margin(loose));
}

TEST_CASE("what a matrix makes is independent of what it was made of", "[empirical][fresh.matrix]") {
  // sum (W x)_i x_i walks although W x was made of x: W x changes sign with W alone.
  const auto overlap = [](int64_t n, uint64_t seed) {
    const Vector x = mapped(normals("x", seed, n), relu);
    return dot(times(gaussian("W", seed, n, n, 1 / std::sqrt(double(n))), x), x);
  };
  CHECK(slope(overlap, {.largest = 1024, .seeds = 40}) == Approx(said("contract.walks", {.k = 1})).margin(loose));
}

TEST_CASE("a vector made with W comes back aligned with W^T, and not with a fresh matrix",
          "[empirical][matmul.z-dot]") {
  const auto overlap = [](const char* second) {
    return [second](int64_t n, uint64_t seed) {
      const double std = 1 / std::sqrt(double(n));
      const Vector x = normals("x", seed, n), y = times(gaussian("W", seed, n, n, std), x);
      return dot(x, timesTransposed(gaussian(second, seed, n, n, std), y)) / double(n);
    };
  };
  const Fit fit{.largest = 1024, .seeds = 12};
  CHECK(slope(overlap("W"), fit) == Approx(0).margin(tight));
  CHECK(slope(overlap("V"), fit) == Approx(-0.5).margin(loose));
  CHECK(overlap("W")(1024, 1) == Approx(1).margin(0.1));
}

TEST_CASE("the moments of A^T A are the Catalan numbers", "[empirical][matmul.z-dot]") {
  const int64_t n = 1024;
  const Matrix A = gaussian("A", 1, n, n, 1 / std::sqrt(double(n)));
  const Vector v = normals("v", 1, n);
  Vector x = v;
  for (double catalan : {1.0, 2.0, 5.0, 14.0}) {
    x = timesTransposed(A, times(A, x));
    CHECK(dot(v, x) / dot(v, v) == Approx(catalan).epsilon(0.1));
  }
}

TEST_CASE("a gradient is not independent of the forward pass", "[empirical][matmul.z-dot]") {
  // TP2 Section 6.3.  h = W x, y = sum h^2, x = (1, .., 1):  dx = 2 W^T h = 2 W^T W x.  A fresh copy of W^T would give
  // the mean 0; the true mean is 2, and the variance 4 is that of the fresh part.
  const int64_t n = 2048;
  const double std = 1 / std::sqrt(double(n));
  const Matrix W = gaussian("W", 1, n, n, std), V = gaussian("V", 1, n, n, std);
  const Vector h = times(W, Vector(n, 1.0));
  const Vector dx = scaled(timesTransposed(W, h), 2), fresh = scaled(timesTransposed(V, h), 2);
  const auto variance = [](const Vector& x) { return dot(x, x) / double(x.size()) - mean(x) * mean(x); };
  CHECK(mean(dx) == Approx(2).margin(0.15));
  CHECK(variance(dx) == Approx(4).margin(0.5));
  CHECK(mean(fresh) == Approx(0).margin(0.15));
  CHECK(variance(fresh) == Approx(4).margin(0.5));
}
