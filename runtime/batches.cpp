#include "runtime/batches.h"

#include <utility>

#include "runtime/data/order.h"

namespace tpc {

Batch::Batch(const ProgramTable& table) {
  for (const ProgramInput& input : table.inputs) {
    perSample_.push_back(elementsPerSample(input));
    storage_.emplace_back(size_t(perSample_.back() * table.batch));
    pointers_.push_back(storage_.back().data());
  }
}

SamplePlaces Batch::places(int64_t sample) {
  SamplePlaces places;
  for (size_t i = 0; i < storage_.size(); ++i) places.push_back(storage_[i].data() + sample * perSample_[i]);
  return places;
}

bool fillInOrder(Batch& batch, const Samples& samples, int64_t first, int64_t count, Mistake& mistake) {
  for (int64_t i = 0; i < count; ++i)
    if (!samples.fill(first + i, 0, batch.places(i), mistake)) return false;
  return true;
}

Batches::Batches(const Samples& samples, const ProgramTable& table, uint64_t seed)
    : samples_(samples), size_(table.batch), seed_(seed), given_(table), made_(table), worker_([this] { work(); }) {}

Batches::~Batches() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

bool Batches::make(int64_t number, Batch& batch, Mistake& mistake) const {
  const int64_t count = samples_.count();
  uint64_t epoch = ~uint64_t(0);
  Order order(seed_, "batches", 0, count);
  for (int64_t i = 0; i < size_; ++i) {
    const int64_t sample = number * size_ + i;
    if (uint64_t(sample / count) != epoch) {
      epoch = uint64_t(sample / count);
      order = Order(seed_, "batches", epoch, count);
    }
    if (!samples_.fill(order[sample % count], epoch, batch.places(i), mistake)) return false;
  }
  return true;
}

void Batches::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || wanted_ != ready_; });
    if (ends_) return;
    const int64_t number = wanted_;
    lock.unlock();
    Mistake mistake;
    const bool good = make(number, made_, mistake);
    lock.lock();
    good_ = good, mistake_ = std::move(mistake);
    ready_ = number;
    changed_.notify_all();
  }
}

std::span<const void* const> Batches::at(int64_t number, Mistake& mistake) {
  {
    std::unique_lock lock(mutex_);
    // What is being made is finished first: nobody else may write there.
    changed_.wait(lock, [&] { return wanted_ == ready_; });
    if (ready_ != number) {
      wanted_ = number;
      changed_.notify_all();
      changed_.wait(lock, [&] { return ready_ == number; });
    }
    if (!good_) return mistake = mistake_, std::span<const void* const>();
    std::swap(given_, made_);
    wanted_ = number + 1;
  }
  changed_.notify_all();
  return given_.inputs();
}

}  // namespace tpc
