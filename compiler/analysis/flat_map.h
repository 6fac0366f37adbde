// Numbers by number, for tables that are asked millions of times and never shrink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tpc {

inline uint64_t mixed(uint64_t key) {
  key ^= key >> 32;
  key *= 0xd6e8feb86659fd93ull;
  key ^= key >> 32;
  return key;
}

// invariant: a power of two of slots, at most half of them used; key ~0 marks an empty one
class FlatMap {
 public:
  static constexpr uint64_t noKey = ~uint64_t(0);

  // The value of a key, or null.  Valid until the next insertion.
  const uint32_t* find(uint64_t key) const {
    if (slots_.empty()) return nullptr;
    for (size_t at = mixed(key) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].first == key) return &slots_[at].second;
      if (slots_[at].first == noKey) return nullptr;
    }
  }

  void insert(uint64_t key, uint32_t value) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    place(key, value);
    ++used_;
  }

 private:
  void place(uint64_t key, uint32_t value) {
    size_t at = mixed(key) & (slots_.size() - 1);
    while (slots_[at].first != noKey) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {key, value};
  }

  void grow() {
    std::vector<std::pair<uint64_t, uint32_t>> old(slots_.empty() ? 64 : 2 * slots_.size(), {noKey, 0});
    old.swap(slots_);
    for (const auto& [key, value] : old)
      if (key != noKey) place(key, value);
  }

  std::vector<std::pair<uint64_t, uint32_t>> slots_;
  size_t used_ = 0;
};

}  // namespace tpc
