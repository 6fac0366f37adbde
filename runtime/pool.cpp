#include "runtime/pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tpc {
namespace {

constexpr int spins = 4000;  // some 50 microseconds: longer than the gap between two launches of a step

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
  running_.store(uint32_t(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take(0);
  for (int i = 0; running_.load(std::memory_order_acquire) != 0; ++i) {
    if (i < spins) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

void Pool::work(int thread) {
  for (uint32_t seen = 0;;) {
    for (int i = 0; i < spins && round_.load(std::memory_order_relaxed) == seen; ++i) pause();
    round_.wait(seen, std::memory_order_acquire);
    seen = round_.load(std::memory_order_acquire);
    if (stop_) return;
    take(thread);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace tpc
