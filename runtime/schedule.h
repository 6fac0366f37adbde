// How the learning rate goes over the steps, as a factor on the one that the plan gives.
//
//     constant   1
//     linear     1 to `last`
//     cosine     1 to `last` along half a cosine
//     wsd        1, and over the last `decay` part linearly to `last` (warm-up, stable, decay)
//
// with a linear warm-up before: step k of w has k / w.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tpc {

enum class ScheduleShape : uint8_t { constant, linear, cosine, wsd };
std::optional<ScheduleShape> scheduleShape(std::string_view name);
std::string_view toString(ScheduleShape shape);

struct Schedule {
  ScheduleShape shape = ScheduleShape::constant;
  int64_t steps = 1;
  int64_t warmup = 0;
  double last = 0;     // the factor at the end
  double decay = 0.2;  // of wsd: which part of the steps the descent takes
};

// Of step 1 .. steps.
double factorAt(const Schedule& schedule, int64_t step);

}  // namespace tpc
