// Arrays of numbers in files: `.npy`, IDX as MNIST is distributed, CSV; each of them also as `.gz`.
//
//     NumberFile images = read("train-images-idx3-ubyte.gz")     shape [60000, 28, 28], bytes
//     images.copy(28 * 28 * 7, 28 * 28, out)                     the eighth image as floats, as they stand
//
// Numbers stay in the type of the file until they are asked for.  The bytes are whoever's: shapes and ends are checked
// before anything is taken, what is no number is refused with its line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/mistake.h"

namespace tpc {

enum class NumberKind : uint8_t { boolean, u8, i8, u16, i16, u32, i32, i64, f16, f32, f64 };
size_t sizeOf(NumberKind kind);

struct NumberFile {
  std::string path{};
  std::vector<int64_t> shape{};  // every axis at least 1, at least one axis
  NumberKind kind = NumberKind::f64;
  bool bigEndian = false;
  std::vector<std::string> columns{};  // of a CSV file that names them
  std::string bytes{};
  size_t begin = 0;  // of the numbers in `bytes`

  int64_t count() const;
  double at(int64_t element) const;
  void copy(int64_t first, int64_t count, float* out) const;
};

// Whether the name, or the first bytes, are those of such a file; `.gz` behind the name does not count.
enum class NumberFormat : uint8_t { none, npy, idx, csv };
NumberFormat numberFormatOf(std::string_view name, std::string_view firstBytes);

// TPC0501 where it cannot be read, TPC0502 where it says something wrong.
std::optional<NumberFile> readNumberFile(const std::string& path, uint64_t limit, Mistake& mistake);

// The same from bytes at hand; the reason in words.
std::optional<NumberFile> numberFileOf(NumberFormat format, std::string bytes, std::string& reason);

}  // namespace tpc
