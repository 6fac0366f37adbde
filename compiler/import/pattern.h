// The little language inside the strings of einsum and rearrange.
//
//     "b t c, c h e -> b h t e"      two operands, axes by name: c stands on the left alone, so it is summed
//     "b t (h d) -> b h t d"         one operand; parentheses join axes into one or take one apart
//
// `...` stands for any leading axes and is written at most once per operand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tpc {

struct PatternAxis {
  std::vector<std::string> names;  // one name, several where they stand in parentheses, none for `()` and `1`
  bool ellipsis = false;
  bool group = false;  // was written in parentheses
};

struct Pattern {
  std::vector<std::vector<PatternAxis>> operands;
  std::vector<PatternAxis> result;
};

struct PatternProblem {
  std::string message;  // in words, lower case
  uint32_t begin = 0;   // bytes within the string
  uint32_t end = 0;
};

// The pattern, or what is wrong with it.  Groups are allowed for rearrange only.
std::optional<Pattern> parsePattern(std::string_view text, bool groups, PatternProblem& problem);

}  // namespace tpc
