// "unknown name `atention`; did you mean `attention`?"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tpc {

// The candidate that is the fewest slips away (an insertion, a deletion, a replacement, two neighbours swapped), if
// that is few enough for the length of the name; among equals the first.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates);

// "did you mean `attention`?", or nothing.
std::string didYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace tpc
