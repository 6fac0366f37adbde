// Numbers in files that a program names: `.npy` as numpy writes it, and text, `.csv` or `.txt`.
//
//     0.5, 1, 0        a row a line; numbers are separated by commas, semicolons or blanks; `#` begins a comment
//     0.0, 1, 1
//
// The bytes are whoever's: sizes, shapes and ends are checked before anything is read or taken, and what is not plain
// numbers (structures, objects, text, dates) is refused by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tpc {

struct NumberArray {
  std::vector<int64_t> shape{};  // every axis at least 1
  std::vector<double> values{};  // row-major; no NaN
};

struct ArrayLimits {
  static constexpr int64_t elements = int64_t(1) << 22;
  static constexpr size_t rank = 16;
  static constexpr size_t bytes = size_t(1) << 26;  // of a file
};

// By the ending of its name.  Empty with a reason in words: "it holds objects, which are not numbers".
std::optional<NumberArray> readArray(std::string_view name, std::string_view bytes, std::string& reason);

std::optional<NumberArray> readNpy(std::string_view bytes, std::string& reason);
std::optional<NumberArray> readNumbers(std::string_view text, std::string& reason);

}  // namespace tpc
