// What a training leaves to read: `log.jsonl`, one line an entry, and TensorBoard's events beside it.
//
//     {"step": 100, "loss": 2.31, "lr_factor": 0.98, "gradient_norm": 0.7, "seconds": 12.4}
//     {"step": 100, "validation_loss": 2.28, "validation_accuracy": 0.41, "seconds": 12.9}
//
// Lines are written whole, so whoever follows the file sees no halves.  A training that goes on cuts the lines behind
// the step from which it goes on: they are written again.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/format/mistake.h"

namespace tpc {

using LogEntry = std::vector<std::pair<std::string, double>>;

class Log {
 public:
  // In the folder.  Lines of steps above `keep` are cut.
  bool open(const std::string& folder, int64_t keep, Mistake& mistake);
  ~Log();

  // A disk that is full here does not stop a training; it is told once, by `reason`.
  void write(int64_t step, const LogEntry& entry, double seconds);
  const std::string& reason() const { return reason_; }

 private:
  void append(int file, const std::string& bytes);
  int lines_ = -1, events_ = -1;
  std::string reason_;
};

}  // namespace tpc
