// Where temporary values stand: who is not alive at the same time may have the same place.
#pragma once

#include <vector>

#include "compiler/lower/bind.h"

namespace tpc::loops {

// When, counted in launches, a buffer is first written and last read.
struct Lifetime {
  uint32_t buffer = none;
  int64_t first = 0, last = 0;
};

// Gives each buffer its place from `begin` on; the end of the last one in floats.
int64_t placed(std::vector<Buffer>& buffers, const std::vector<Lifetime>& lifetimes, int64_t begin);

}  // namespace tpc::loops
