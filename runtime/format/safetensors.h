// Named tensors in a file, as the safetensors format has them: a length, a header in JSON, the bytes behind it.
//
//     8 bytes   the header's length, little endian
//     header    {"__metadata__": {"step": "200"}, "W1": {"dtype": "F32", "shape": [64, 256], "data_offsets": [0,
//     65536]}} the rest  the tensors' bytes, row-major, little endian, one after the other without holes
//
// A file is whoever's.  The header is read without building a tree of it, every number in it is checked against the
// file's size before anything is taken, and what overlaps, leaves holes or repeats a name is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/format/mistake.h"

namespace tpc {

enum class StoredType : uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };
std::string_view toString(StoredType type);  // `F32`
size_t sizeOf(StoredType type);

struct StoredTensor {
  std::string name{};
  StoredType type = StoredType::f32;
  std::vector<int64_t> shape{};
  int64_t count = 0;       // elements
  uint64_t begin = 0;      // bytes from the begin of the file
  uint64_t byteCount = 0;  // sizeOf(type) * count
};

class SafetensorsFile {
 public:
  // Codes TPC0510: it cannot be read, or is none.
  static std::unique_ptr<SafetensorsFile> open(const std::string& path, Mistake& mistake);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::string& path() const { return path_; }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in the order of their bytes
  const StoredTensor* find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const std::string* metadata(std::string_view key) const;

  // All elements of a tensor of real numbers; integers are refused, since nobody trains them.
  bool read(const StoredTensor& tensor, float* out, Mistake& mistake) const;
  bool read(const StoredTensor& tensor, double* out, Mistake& mistake) const;

 private:
  SafetensorsFile() = default;
  bool readHeader(Mistake& mistake);
  template <typename Real>
  bool readAs(const StoredTensor& tensor, Real* out, Mistake& mistake) const;

  std::string path_;
  int file_ = -1;
  uint64_t size_ = 0;
  std::vector<StoredTensor> tensors_;
  std::vector<size_t> byName_;  // invariant: sorted by name
  std::vector<std::pair<std::string, std::string>> metadata_;
};

// A tensor to be written.  Where `type` is not that of the data, each number is rounded to it, halves to even.
struct TensorToStore {
  std::string name{};
  std::vector<int64_t> shape{};
  StoredType type = StoredType::f32;  // f64, f32, f16 or bf16
  bool isDouble = false;              // what `data` points to: double or float
  const void* data = nullptr;
  int64_t count = 0;
};

// Whole or not at all.  Of the same arguments the same bytes.
bool writeSafetensors(const std::string& path, std::span<const TensorToStore> tensors,
                      std::span<const std::pair<std::string, std::string>> metadata, Mistake& mistake);

// IEEE binary16 and bfloat16 as their 16 bits; to them halves round to even, NaN stays NaN.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bfloatToFloat(uint16_t bits);
uint16_t floatToBfloat(float value);

}  // namespace tpc
