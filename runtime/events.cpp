#include "runtime/events.h"

#include <array>
#include <bit>

namespace tpc {
namespace {

constexpr std::array<uint32_t, 256> crcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

template <typename Integer>
std::string littleEndian(Integer value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes += char(value >> 8 * i & 255);
  return bytes;
}

std::string masked(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return littleEndian(uint32_t((crc >> 15 | crc << 17) + 0xA282EAD8u));
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += char((value & 127) | 128);
  return bytes + char(value);
}

// Fields of a protocol buffer: the number and how it is encoded, then the value.
std::string fixed64(int field, double value) {
  return varint(uint64_t(field) << 3 | 1) + littleEndian(std::bit_cast<uint64_t>(value));
}
std::string fixed32(int field, float value) {
  return varint(uint64_t(field) << 3 | 5) + littleEndian(std::bit_cast<uint32_t>(value));
}
std::string whole(int field, int64_t value) { return varint(uint64_t(field) << 3) + varint(uint64_t(value)); }
std::string bytes(int field, std::string_view value) {
  return varint(uint64_t(field) << 3 | 2) + varint(value.size()) + std::string(value);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t(0);
  for (unsigned char byte : bytes) crc = crc >> 8 ^ crcTable[(crc ^ byte) & 255];
  return ~crc;
}

std::string eventRecord(std::string_view event) {
  const std::string length = littleEndian(uint64_t(event.size()));
  return length + masked(length) + std::string(event) + masked(event);
}

// Event: 1 wall_time, 2 step, 3 file_version, 5 summary.  Summary: 1 value.  Value: 1 tag, 2 simple_value.
std::string versionEvent(double wallTime) { return fixed64(1, wallTime) + bytes(3, "brain.Event:2"); }

std::string scalarEvent(double wallTime, int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) summary += bytes(1, bytes(1, tag) + fixed32(2, float(value)));
  return fixed64(1, wallTime) + whole(2, step) + bytes(5, summary);
}

}  // namespace tpc
