// The largest first, each at the lowest place that is free all its life.
#include "compiler/lower/place.h"

#include <algorithm>

namespace tpc::loops {

int64_t placed(std::vector<Buffer>& buffers, const std::vector<Lifetime>& lifetimes, int64_t begin) {
  constexpr int64_t line = 16;
  std::vector<size_t> order(lifetimes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto sizeOf = [&](size_t i) { return (buffers[lifetimes[i].buffer].floats + line - 1) / line * line; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizeOf(a) > sizeOf(b); });
  struct Taken {
    int64_t begin, end;
  };
  std::vector<size_t> done;
  int64_t end = begin;
  for (size_t i : order) {
    std::vector<Taken> taken;
    for (size_t other : done)
      if (lifetimes[other].first <= lifetimes[i].last && lifetimes[i].first <= lifetimes[other].last)
        taken.push_back({buffers[lifetimes[other].buffer].at, buffers[lifetimes[other].buffer].at + sizeOf(other)});
    std::sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) { return a.begin < b.begin; });
    int64_t at = begin;
    for (const Taken& each : taken) {
      if (each.begin - at >= sizeOf(i)) break;
      at = std::max(at, each.end);
    }
    buffers[lifetimes[i].buffer].at = at;
    end = std::max(end, at + sizeOf(i));
    done.push_back(i);
  }
  return end;
}

}  // namespace tpc::loops
