// Random numbers for tests: the same seed gives the same numbers with every compiler and standard library, which the
// distributions of <random> do not promise.
#pragma once

#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

namespace tpc::tests {

class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull) {}

  // splitmix64.
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  // 0 .. count - 1.  The bias of the remainder is of no account at these counts.
  int below(int count) {
    assert(count > 0 && "something to choose from");
    return int(next() >> 33) % count;
  }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool percent(int chance) { return below(100) < chance; }

  template <typename T>
  const T& of(const std::vector<T>& choices) {
    return choices[size_t(below(int(choices.size())))];
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[size_t(below(int(i)))]);
  }

 private:
  uint64_t state_;
};

}  // namespace tpc::tests
