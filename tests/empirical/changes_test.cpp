// What training adds: changes through an initial matrix, updates through an activation, changes through a map.
#include <cmath>

#include "tests/catch.h"
#include "tests/empirical/measure.h"

using namespace tpc;
using namespace tpc::empirical;

namespace {

// W of m rows and n columns times a change made through it, dx = W^T g, as large as W^T can make it.
double amplification(const Matrix& W, uint64_t seed) {
  Vector dx = timesTransposed(W, normals("g", seed, W.rows));
  for (int round = 0; round < 2; ++round) dx = timesTransposed(W, times(W, dx));
  return rms(times(W, dx)) / rms(dx);
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

}  // namespace

TEST_CASE("a change aligned with a matrix grows with the matrix' operator norm", "[empirical][matmul.change]") {
  const auto square = [](int64_t n, uint64_t seed) { return amplification(gaussian("W", seed, n, n), seed); };
  CHECK(slope(square, {.largest = 1024}) == Approx(said("matmul.change", {.k = 1, .m = 1})).margin(tight));
  // Eight rows: the n terms of each add up.
  const auto wide = [](int64_t n, uint64_t seed) { return amplification(gaussian("W", seed, 8, n), seed); };
  CHECK(slope(wide, {.seeds = 8}) == Approx(said("matmul.change", {.k = 1})).margin(tight));
  // More rows than columns: nothing is left of the alignment.
  const auto tall = [](int64_t n, uint64_t seed) { return amplification(gaussian("W", seed, n * n, n), seed); };
  CHECK(slope(tall, {.smallest = 8, .largest = 128}) == Approx(said("matmul.change", {.k = 1, .m = 2})).margin(loose));
}

TEST_CASE("a change that is independent of a matrix walks",
          "[empirical][matmul.change-unaligned][matmul.change-readout]") {
  const auto walk = [](int64_t n, uint64_t seed) {
    return rms(times(gaussian("W", seed, 8, n), normals("dx", seed, n)));
  };
  CHECK(slope(walk, {.seeds = 40}) == Approx(said("matmul.change-unaligned", {.k = 1})).margin(tight));
  CHECK(said("matmul.change-readout", {.k = 1}) == said("matmul.change-unaligned", {.k = 1}));
}

TEST_CASE("an update adds up along what it was made of", "[empirical][contract.change]") {
  // (g x^T) x = g (x . x)
  const auto linear = [](int64_t n, uint64_t seed) {
    const Vector x = normals("x", seed, n);
    return rms(scaled(normals("g", seed, n), dot(x, x)));
  };
  CHECK(slope(linear, {.seeds = 200}) == Approx(said("contract.change", {.k = 1})).margin(tight));

  // Several steps, and an activation that has moved on since.
  const auto steps = [](int64_t n, uint64_t seed) {
    Vector y(n, 0.0);
    const Vector now = normals("x", seed, n);
    for (uint64_t step = 0; step < 4; ++step) {
      const Vector past = mapped(now, normals("moved" + std::to_string(step), seed, n), std::plus<>());
      const Vector part = times(outer(normals("g" + std::to_string(step), seed, n), past), now);
      y = mapped(y, part, std::plus<>());
    }
    return rms(y);
  };
  CHECK(slope(steps, {.smallest = 32, .largest = 512, .seeds = 16}) ==
        Approx(said("contract.change", {.k = 1})).margin(tight));

  // Adam's first step: the sign of a batch of outer products.
  const auto adam = [](int64_t n, uint64_t seed) {
    Matrix update{n, n, Vector(size_t(n * n), 0.0)};
    Vector x;
    for (int64_t b = 0; b < 4; ++b) {
      const std::string suffix = std::to_string(b);
      x = mapped(normals("x" + suffix, seed, n), relu);
      const Matrix part = outer(normals("g" + suffix, seed, n), x);
      for (size_t i = 0; i < part.entries.size(); ++i) update.entries[i] += part.entries[i];
    }
    update.entries = mapped(std::move(update.entries), sign);
    return rms(times(update, x));
  };
  CHECK(slope(adam, {.smallest = 32, .largest = 512, .seeds = 16}) ==
        Approx(said("contract.change", {.k = 1})).margin(tight));
}

TEST_CASE("an update walks along what is independent of it", "[empirical][contract.change-unaligned]") {
  const auto fresh = [](int64_t n, uint64_t seed) {
    const Vector g = normals("g", seed, n), x = normals("x", seed, n);
    return rms(scaled(g, dot(x, normals("other", seed, n))));
  };
  CHECK(slope(fresh, {.seeds = 100}) == Approx(said("contract.change-unaligned", {.k = 1})).margin(loose));
}

TEST_CASE("queries and keys that were updated along each other add up", "[empirical][contract.change]") {
  // q0 . dk with dk made of q0.
  const auto aligned = [](int64_t n, uint64_t seed) {
    const Vector q = normals("q", seed, n);
    return dot(q, mapped(q, normals("noise", seed, n), std::plus<>()));
  };
  CHECK(slope(aligned, {.seeds = 20}) == Approx(said("contract.change", {.k = 1})).margin(tight));
}
