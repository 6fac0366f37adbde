// Samples into batches, the next one made while a step runs.
//
//     Batches batches(*data.training, stepper.table(), {.seed = 7});
//     for (int64_t number = 0; ...; ++number)
//       stepper.step({.inputs = batches.at(number, mistake), ...});
//
// Batch number k is the samples k * batch .. (k + 1) * batch - 1 of an endless row: epoch after epoch, each in an order
// of its own, a function of seed and epoch.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "runtime/data/dataset.h"
#include "runtime/format/program.h"

namespace tpc {

// The places of one batch, per ProgramTable::inputs.
class Batch {
 public:
  explicit Batch(const ProgramTable& table);
  SamplePlaces places(int64_t sample);  // where the sample goes
  std::span<const void* const> inputs() const { return pointers_; }

 private:
  std::vector<std::vector<int32_t>> storage_;  // float and int32_t are as wide
  std::vector<int64_t> perSample_;
  std::vector<const void*> pointers_;
};

// Samples first .. first + count - 1 in the order that they have: of a validation.
bool fillInOrder(Batch& batch, const Samples& samples, int64_t first, int64_t count, Mistake& mistake);

class Batches {
 public:
  Batches(const Samples& samples, const ProgramTable& table, uint64_t seed);
  ~Batches();
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  // Valid until the next call; empty with the mistake.  Numbers in ascending order are ready when they are asked for.
  std::span<const void* const> at(int64_t number, Mistake& mistake);

 private:
  bool make(int64_t number, Batch& batch, Mistake& mistake) const;
  void work();

  const Samples& samples_;
  const int64_t size_;
  const uint64_t seed_;
  Batch given_, made_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t wanted_ = -1, ready_ = -1;  // of made_; under the mutex
  bool good_ = true, ends_ = false;
  Mistake mistake_;
  std::thread worker_;
};

}  // namespace tpc
