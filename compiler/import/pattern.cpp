#include "compiler/import/pattern.h"

#include <cctype>

namespace tpc {

namespace {

bool startsName(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool continuesName(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

struct Cursor {
  std::string_view text;
  size_t at = 0;
  bool groups = false;
  PatternProblem& problem;

  void skipBlanks() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  }
  bool fail(std::string message, size_t begin, size_t end) {
    problem = {std::move(message), uint32_t(begin), uint32_t(end)};
    return false;
  }
  std::string name() {
    size_t begin = at;
    while (at < text.size() && continuesName(text[at])) ++at;
    return std::string(text.substr(begin, at - begin));
  }

  // The axes up to `,`, `->` or the end.
  bool axes(std::vector<PatternAxis>& out) {
    bool hasEllipsis = false;
    for (;;) {
      skipBlanks();
      if (at >= text.size() || text[at] == ',' || text.substr(at, 2) == "->") return true;
      size_t begin = at;
      if (text.substr(at, 3) == "...") {
        if (hasEllipsis) return fail("`...` stands twice in one operand", begin, begin + 3);
        hasEllipsis = true;
        at += 3;
        out.push_back({.names = {}, .ellipsis = true, .group = false});
      } else if (startsName(text[at])) {
        out.push_back({.names = {name()}, .ellipsis = false, .group = false});
      } else if (groups && text[at] == '1' && (at + 1 == text.size() || !continuesName(text[at + 1]))) {
        ++at;
        out.push_back({.names = {}, .ellipsis = false, .group = true});
      } else if (text[at] == '(') {
        if (!groups) return fail("parentheses belong to `rearrange`, an einsum has single axes", begin, begin + 1);
        ++at;
        PatternAxis axis{.names = {}, .ellipsis = false, .group = true};
        for (;;) {
          skipBlanks();
          if (at >= text.size()) return fail("`(` is not closed", begin, begin + 1);
          if (text[at] == ')') break;
          if (!startsName(text[at])) return fail("an axis is a name", at, at + 1);
          axis.names.push_back(name());
        }
        ++at;
        out.push_back(std::move(axis));
      } else {
        return fail("an axis is a name", begin, begin + 1);
      }
      if (out.size() > 64) return fail("more than 64 axes", begin, at);
    }
  }
};

}  // namespace

std::optional<Pattern> parsePattern(std::string_view text, bool groups, PatternProblem& problem) {
  Cursor cursor{.text = text, .at = 0, .groups = groups, .problem = problem};
  Pattern pattern;
  for (;;) {
    pattern.operands.emplace_back();
    if (!cursor.axes(pattern.operands.back())) return std::nullopt;
    if (cursor.at < text.size() && text[cursor.at] == ',') {
      ++cursor.at;
      continue;
    }
    break;
  }
  if (text.substr(cursor.at, 2) != "->") {
    cursor.fail("`->` and the axes of the result are missing", cursor.at, text.size());
    return std::nullopt;
  }
  cursor.at += 2;
  if (!cursor.axes(pattern.result)) return std::nullopt;
  if (cursor.at < text.size()) {
    cursor.fail("one result has one list of axes", cursor.at, text.size());
    return std::nullopt;
  }
  return pattern;
}

}  // namespace tpc
