// Philox and normal deviates by the inverse of the distribution function.
#include "kernels/random.h"

#include <bit>
#include <cmath>

namespace tpc {
namespace {

double uniformOf(uint32_t bits) { return (double(bits) + 0.5) * 0x1p-32; }

// log x for normal x > 0: x = m 2^e with m in [1/sqrt 2, sqrt 2), and log m = 2 artanh z with z = (m - 1) / (m + 1),
// |z| < 0.172, so that twelve terms of the series reach the last bit.
double logarithm(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
  if (m > 1.4142135623730951) m *= 0.5, ++exponent;
  const double z = (m - 1) / (m + 1), square = z * z;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return 2 * z * sum + exponent * 0.6931471805599453;
}

template <size_t n>
double polynomial(const double (&coefficients)[n], double x) {
  double sum = 0;
  for (size_t i = n; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// Wichura's coefficients, lowest power first.
constexpr double middleNum[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr double middleDen[] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
constexpr double tailNum[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                              3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                              2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double tailDen[] = {1.0,
                              2.05319162663775882187e0,
                              1.67638483018380384940e0,
                              6.89767334985100004550e-1,
                              1.48103976427480074590e-1,
                              1.51986665636164571966e-2,
                              5.47593808499534494600e-4,
                              1.05075007164441684324e-9};
constexpr double farNum[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                             2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                             2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double farDen[] = {1.0,
                             5.99832206555887937690e-1,
                             1.36929880922735805310e-1,
                             1.48753612908506148525e-2,
                             7.86869131145613259100e-4,
                             1.84631831751005468180e-5,
                             1.42151175831644588870e-7,
                             2.04426310338993978564e-15};

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t(0xD2511F53u) * counter[0], b = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(b >> 32) ^ counter[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ counter[3] ^ key[1],
               uint32_t(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

uint64_t nameHash(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ uint8_t(c)) * 0x100000001B3u;
  return hash;
}

double normalQuantile(double p) {
  const double q = p - 0.5;
  if (q <= 0.425 && q >= -0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(middleNum, r) / polynomial(middleDen, r);
  }
  const double r = std::sqrt(-logarithm(q < 0 ? p : 1 - p));
  const double x = r <= 5 ? polynomial(tailNum, r - 1.6) / polynomial(tailDen, r - 1.6)
                          : polynomial(farNum, r - 5) / polynomial(farDen, r - 5);
  return q < 0 ? -x : x;
}

// Seed and name are 128 bits and the key has 64: a philox of its own mixes them, so that no seed shifts into a name.
RandomStream::RandomStream(uint64_t seed, std::string_view name, uint32_t layer) : layer_(layer) {
  const uint64_t hash = nameHash(name);
  const std::array<uint32_t, 4> mixed =
      philox({uint32_t(hash), uint32_t(hash >> 32), 0, 0}, {uint32_t(seed), uint32_t(seed >> 32)});
  key_ = {mixed[0], mixed[1]};
}

std::array<uint32_t, 4> RandomStream::block(uint64_t index) const {
  return philox({uint32_t(index), uint32_t(index >> 32), layer_, 0}, key_);
}

uint32_t RandomStream::bits(uint64_t element) const { return block(element / 4)[element % 4]; }
double RandomStream::uniform(uint64_t element) const { return uniformOf(bits(element)); }

void RandomStream::normals(double* out, uint64_t first, uint64_t count) const {
  std::array<uint32_t, 4> four{};
  uint64_t held = ~uint64_t(0);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t element = first + i;
    if (element / 4 != held) four = block(held = element / 4);
    out[i] = normalQuantile(uniformOf(four[element % 4]));
  }
}

}  // namespace tpc
