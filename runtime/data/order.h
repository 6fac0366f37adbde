// The order in which samples come, as a function of where one is: nothing is shuffled and nothing is kept, so that a
// training that goes on after a stop sees the samples it would have seen.
//
//     sample number 0, 1, 2, ...   epoch = number / count,  index = Order(seed, "batches", epoch, count)[number %
//     count]
//
// A permutation of 0 .. count - 1 by a Feistel network over the smallest even number of bits that hold count, its round
// function Philox; what falls outside goes through again until it is inside, which keeps it a permutation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tpc {

class Order {
 public:
  Order(uint64_t seed, std::string_view name, uint64_t epoch, int64_t count);
  int64_t operator[](int64_t at) const;

 private:
  std::array<uint32_t, 2> key_;
  uint64_t epoch_;
  int64_t count_;
  int half_;  // bits of each half
};

}  // namespace tpc
