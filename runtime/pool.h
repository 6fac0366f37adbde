// Our own threads: fixed pieces of work, whoever takes them.
//
//     pool.run(blocks, [&](int64_t block, int thread) { ... });
//
// Which thread does a block is left to chance, what the block computes is not: the same bits on one thread or many.
// Threads wait awake for a moment after each call, since a step is many short ones, and then sleep.  Nobody waits for a
// thread that has not come yet: on a machine with other work the caller does all blocks itself rather than wait for one
// that does not get a core.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace tpc {

class Pool {
 public:
  explicit Pool(int threads);  // the caller is one of them
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return int(workers_.size()) + 1; }

  template <typename F>
  void run(int64_t blocks, const F& body) {
    if (workers_.empty() || blocks <= 1) {
      for (int64_t block = 0; block < blocks; ++block) body(block, 0);
      return;
    }
    runOnAll(
        blocks, [](const void* body, int64_t block, int thread) { (*static_cast<const F*>(body))(block, thread); },
        &body);
  }

 private:
  using Body = void (*)(const void*, int64_t block, int thread);
  void runOnAll(int64_t blocks, Body body, const void* data);
  void take(int thread);
  void work(int thread);
  bool enter(uint32_t round);

  std::vector<std::thread> workers_;
  // Written by the caller while nobody is inside, read by those inside.
  Body body_ = nullptr;
  const void* data_ = nullptr;
  int64_t blocks_ = 0;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> round_{0};  // goes up when there is work, or `stop_`
  // The round in the upper half, whether it may still be entered, and how many workers are inside.
  alignas(64) std::atomic<uint64_t> gate_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace tpc
