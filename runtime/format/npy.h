// The two parts of a `.npy` file: what its header says, and the bytes behind it.
//
// The header is a dictionary in Python's notation: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }. Nothing
// is believed: whether the bytes are as many as the shape asks for is for whoever knows the type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tpc {

struct NpyFile {
  std::string descr{};           // `<f4`
  bool fortran = false;          // the first index runs fastest
  std::vector<int64_t> shape{};  // as it stands there: any numbers
  std::string_view data{};
};

// Empty with a reason in words: "it ends in its header".
std::optional<NpyFile> splitNpy(std::string_view bytes, size_t largestRank, std::string& reason);

}  // namespace tpc
