// The two formats of 16 bits.
#include <bit>
#include <cmath>

#include "runtime/format/safetensors.h"

namespace tpc {

float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

uint16_t floatToBfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// 1 sign, 5 exponent, 10 fraction; exponent 0 counts in steps of 2^-24.
float halfToFloat(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 0) {
    const float size = float(fraction) * 0x1p-24f;
    return sign ? -size : size;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | fraction << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t floatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = uint16_t(bits >> 16 & 0x8000);
  const float size = std::fabs(value);
  if (std::isnan(value)) return uint16_t(sign | 0x7E00);
  if (size >= 65520) return uint16_t(sign | 0x7C00);
  if (size < 0x1p-14f)
    return uint16_t(sign | uint16_t(std::nearbyint(size * 0x1p24f)));  // a carry is the next exponent
  const uint32_t magnitude = bits & 0x7FFFFFFF, rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return uint16_t(sign | ((rounded >> 13) - (112 << 10)));
}

}  // namespace tpc
