// Numbers for people: `12.3k`, `1:02:30`, `1.4 GiB`, and the line that a terminal shows while training.
#pragma once

#include <cstdint>
#include <string>

namespace tpc {

std::string shortNumber(double value);     // 12345 as `12.3k`
std::string shortLoss(double value);       // four significant digits
std::string durationText(double seconds);  // `0:42`, `1:02:30`
std::string bytesText(int64_t bytes);      // `1.4 GiB`

// How fast it goes, over the last few seconds, and how long it still takes.
class Pace {
 public:
  explicit Pace(double seconds) : last_(seconds) {}
  void tick(double seconds, double steps);  // now, and the steps since the last call
  double stepsPerSecond() const { return rate_; }

 private:
  double last_, rate_ = 0;
};

}  // namespace tpc
