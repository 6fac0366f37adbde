// A rule of the calculus as a value: what the engine runs, `tpc rules` prints and the tests sample.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tpc {

using RuleId = uint16_t;  // index into allRules()

enum class Basis : uint8_t { theorem, arithmetic, heuristic };

// What a reader sees of any rule, whichever table it stands in.
struct RuleInfo {
  std::string_view id;     // `matmul.fresh`: permanent
  std::string_view table;  // "facts", "sizes", "recurrences", "solver"
  std::string_view form;   // `y = A x`
  std::string_view when;   // the conditions, in the words of facts.h
  std::string_view says;   // the conclusion: `size(A) + size(x) + k/2`
  Basis basis{};
  std::string_view cite;     // places of REFERENCES.md, `KEY place (gloss); ...`; empty for arithmetic and heuristics
  std::string_view assumes;  // in words, for heuristics
};

std::span<const RuleInfo> allRules();
std::string_view toString(Basis basis);

}  // namespace tpc
