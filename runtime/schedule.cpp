#include "runtime/schedule.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tpc {
namespace {

constexpr std::pair<std::string_view, ScheduleShape> shapes[] = {{"constant", ScheduleShape::constant},
                                                                 {"linear", ScheduleShape::linear},
                                                                 {"cosine", ScheduleShape::cosine},
                                                                 {"wsd", ScheduleShape::wsd}};

}  // namespace

std::optional<ScheduleShape> scheduleShape(std::string_view name) {
  for (const auto& [word, shape] : shapes)
    if (word == name) return shape;
  return std::nullopt;
}

std::string_view toString(ScheduleShape shape) {
  for (const auto& [word, each] : shapes)
    if (each == shape) return word;
  return "";
}

double factorAt(const Schedule& schedule, int64_t step) {
  if (step <= schedule.warmup) return double(step) / double(schedule.warmup);
  // The part of the descent that lies behind this step: 0 at its begin, 1 in the last step.
  const double begin = schedule.shape == ScheduleShape::wsd
                           ? std::max(double(schedule.warmup), double(schedule.steps) * (1 - schedule.decay))
                           : double(schedule.warmup);
  const double length = double(schedule.steps) - begin;
  const double part = length > 0 ? std::clamp((double(step) - begin) / length, 0.0, 1.0) : 1.0;
  switch (schedule.shape) {
    case ScheduleShape::constant: return 1;
    case ScheduleShape::linear:
    case ScheduleShape::wsd: return 1 + (schedule.last - 1) * part;
    case ScheduleShape::cosine:
      return schedule.last + (1 - schedule.last) * 0.5 * (1 + std::cos(part * 3.14159265358979323846));
  }
  return 1;
}

}  // namespace tpc
