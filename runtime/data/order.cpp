#include "runtime/data/order.h"

#include "kernels/random.h"

namespace tpc {

Order::Order(uint64_t seed, std::string_view name, uint64_t epoch, int64_t count)
    : epoch_(epoch), count_(count), half_(1) {
  const uint64_t hash = nameHash(name);
  const std::array<uint32_t, 4> mixed =
      philox({uint32_t(hash), uint32_t(hash >> 32), 0, 0}, {uint32_t(seed), uint32_t(seed >> 32)});
  key_ = {mixed[0], mixed[1]};
  while (half_ < 31 && uint64_t(1) << 2 * half_ < uint64_t(count)) ++half_;
}

int64_t Order::operator[](int64_t at) const {
  constexpr uint32_t rounds = 6;
  const uint32_t mask = uint32_t((uint64_t(1) << half_) - 1);
  uint64_t x = uint64_t(at);
  do {
    uint32_t left = uint32_t(x >> half_) & mask, right = uint32_t(x) & mask;
    for (uint32_t round = 0; round < rounds; ++round) {
      const uint32_t next = left ^ (philox({right, round, uint32_t(epoch_), uint32_t(epoch_ >> 32)}, key_)[0] & mask);
      left = right, right = next;
    }
    x = uint64_t(left) << half_ | right;
  } while (x >= uint64_t(count_));
  return int64_t(x);
}

}  // namespace tpc
