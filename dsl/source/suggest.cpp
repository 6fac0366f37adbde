#include "dsl/source/suggest.h"

#include <algorithm>

namespace tpc {
namespace {

constexpr std::size_t longest = 64;  // nobody meant a longer name by a slip

// Optimal string alignment: as Levenshtein, and two neighbours swapped are one slip.
std::size_t slips(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.empty() || name.size() > longest) return std::nullopt;
  std::size_t best = name.size() <= 2 ? 1 : 1 + name.size() / 3;  // the most slips that are still a slip
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate == name || candidate.size() > longest) continue;
    std::size_t distance = slips(name, candidate);
    if (distance > best || (found && distance == best)) continue;
    if (distance >= std::max(name.size(), candidate.size())) continue;  // no letter in common
    best = distance;
    found = &candidate;
  }
  return found ? std::optional(*found) : std::nullopt;
}

std::string didYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  std::optional<std::string> found = nearest(name, candidates);
  return found ? "did you mean `" + *found + "`?" : "";
}

}  // namespace tpc
