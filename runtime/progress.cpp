#include "runtime/progress.h"

#include <cmath>
#include <cstdio>

namespace tpc {
namespace {

std::string printed(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string shortNumber(double value) {
  constexpr const char* units[] = {"", "k", "M", "G", "T"};
  size_t unit = 0;
  for (; std::fabs(value) >= 999.5 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return printed(std::fabs(value) >= 99.95 || (unit == 0 && value == std::floor(value)) ? "%.0f" : "%.3g", value) +
         units[unit];
}

std::string shortLoss(double value) { return printed("%.4g", value); }

std::string durationText(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = int64_t(std::llround(seconds));
  char text[48];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", (long long)(whole / 3600), (long long)(whole / 60 % 60),
                  (long long)(whole % 60));
  else std::snprintf(text, sizeof text, "%lld:%02lld", (long long)(whole / 60), (long long)(whole % 60));
  return text;
}

std::string bytesText(int64_t bytes) {
  constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  size_t unit = 0;
  for (; value >= 1023.5 && unit + 1 < std::size(units); ++unit) value /= 1024;
  return printed(unit == 0 || value >= 99.95 ? "%.0f " : "%.3g ", value) + units[unit];
}

void Pace::tick(double seconds, double steps) {
  const double passed = seconds - last_;
  if (passed <= 0) return;
  // Steps of the last ten seconds or so count.
  const double weight = 1 - std::exp(-passed / 10), now = steps / passed;
  rate_ = rate_ == 0 ? now : rate_ + weight * (now - rate_);
  last_ = seconds;
}

}  // namespace tpc
