#include "runtime/pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tpc {
namespace {

constexpr int spins = 4000;  // some 50 microseconds: longer than the gap between two launches of a step
constexpr uint64_t open = uint64_t(1) << 31, inside = open - 1;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

Pool::Pool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
}

Pool::~Pool() {
  stop_ = true;
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::take(int thread) {
  for (int64_t block; (block = next_.fetch_add(1, std::memory_order_relaxed)) < blocks_;) body_(data_, block, thread);
}

void Pool::runOnAll(int64_t blocks, Body body, const void* data) {
  body_ = body, data_ = data, blocks_ = blocks;
  next_.store(0, std::memory_order_relaxed);
  const uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  gate_.store(uint64_t(round) << 32 | open, std::memory_order_release);
  round_.store(round, std::memory_order_release);
  round_.notify_all();
  take(0);
  // No more may enter; those inside finish their block.
  gate_.fetch_and(~open, std::memory_order_acq_rel);
  for (int i = 0; (gate_.load(std::memory_order_acquire) & inside) != 0; ++i) {
    if (i < spins) pause();
    else std::this_thread::yield();
  }
}

bool Pool::enter(uint32_t round) {
  uint64_t seen = gate_.load(std::memory_order_acquire);
  while ((seen & open) != 0 && uint32_t(seen >> 32) == round)
    if (gate_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
  return false;
}

void Pool::work(int thread) {
  for (uint32_t seen = 0;;) {
    for (int i = 0; i < spins && round_.load(std::memory_order_relaxed) == seen; ++i) pause();
    round_.wait(seen, std::memory_order_acquire);
    seen = round_.load(std::memory_order_acquire);
    if (stop_) return;
    if (!enter(seen)) continue;
    take(thread);
    gate_.fetch_sub(1, std::memory_order_acq_rel);
  }
}

}  // namespace tpc
