// The numbers that every machine must draw.
#include "kernels/random.h"

#include <bit>
#include <cmath>
#include <vector>

#include "tests/catch.h"

using namespace tpc;
using Four = std::array<uint32_t, 4>;

TEST_CASE("philox gives the published answers", "[kernels][random]") {
  // Random123, kat_vectors, philox4x32 10.
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) == Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("the quantile inverts the normal distribution", "[kernels][random]") {
  CHECK(normalQuantile(0.5) == 0);
  for (double x = -6.2; x < 6.2; x += 0.01) {
    const double p = 0.5 * std::erfc(-x / std::sqrt(2.0));
    // Above the middle p itself has lost digits: 1 - p is what it can resolve.
    CHECK(std::abs(normalQuantile(p) - x) < 1e-13 + 4e-16 * std::exp(std::max(0.0, x) * x / 2));
  }
}

TEST_CASE("deviates have the moments of the normal distribution", "[kernels][random]") {
  std::vector<double> values(1 << 20);
  RandomStream(7, "layers.attention.wq", 3).normals(values.data(), 0, values.size());
  double moment[5] = {};
  for (double x : values)
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k) / double(values.size());
  CHECK(std::abs(moment[1]) < 0.004);
  CHECK(std::abs(moment[2] - 1) < 0.006);
  CHECK(std::abs(moment[3]) < 0.02);
  CHECK(std::abs(moment[4] - 3) < 0.05);
}

TEST_CASE("a number depends on seed, name, layer and element, not on the way it is drawn", "[kernels][random]") {
  const RandomStream stream(7, "W", 0);
  std::vector<double> part(11);
  stream.normals(part.data(), 5, part.size());
  for (int i = 0; i < 11; ++i) CHECK(part[i] == stream.normal(5 + i));
  CHECK(RandomStream(8, "W", 0).bits(0) != stream.bits(0));
  CHECK(RandomStream(7, "V", 0).bits(0) != stream.bits(0));
  CHECK(RandomStream(7, "W", 1).bits(0) != stream.bits(0));
}

TEST_CASE("the bits of a normal deviate are fixed", "[kernels][random]") {
  CHECK(std::bit_cast<uint64_t>(RandomStream(1, "W").normal(0)) == 0x3fc108e6f5bd5874u);
}
