// TensorBoard's event files: records of scalars, written as they come.
//
//     length (8 bytes), masked crc32c of it, the event, masked crc32c of that
//
// The event is a protocol buffer of four fields; they are put together here, so that nothing else is needed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tpc {

uint32_t crc32c(std::string_view bytes);

// One record as it stands in the file.
std::string eventRecord(std::string_view event);

// The first event of a file.
std::string versionEvent(double wallTime);

std::string scalarEvent(double wallTime, int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

}  // namespace tpc
