// A citation of a rule is a place that REFERENCES.md lists: "TP3 Box 1 (ZHat)" needs a line that begins "* TP3 Box 1:".
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "compiler/rules/rule.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

const std::filesystem::path root = TPC_SOURCE;

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern, int group = 0) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    found.push_back((*at)[size_t(group)]);
  return found;
}

// A key and a numbered place behind it: "TP4b Theorem 2.6.10".
const std::string place =
    "TP[0-9]b? (Box|Condition|Section|Theorem|Proposition|Lemma|Desiderata|Definition|Table|Appendix|Remark|Example)"
    " [A-Z0-9][0-9.]*[0-9]|TP[0-9]b? (Box|Condition|Section|Table|Appendix) [A-Z0-9]";

std::set<std::string> listedPlaces() {
  std::set<std::string> listed;
  for (const std::string& line : matches(textOf(root / "compiler/rules/REFERENCES.md"), "\\* (TP[^:\n]*):", 1))
    listed.insert(line);
  return listed;
}

}  // namespace

TEST_CASE("every place that a rule cites is in REFERENCES.md", "[rules][references]") {
  const std::set<std::string> listed = listedPlaces();
  REQUIRE(listed.size() > 10);
  for (const RuleInfo& rule : allRules()) {
    INFO(rule.id);
    for (std::string_view text : {rule.cite, rule.assumes})
      for (const std::string& cited : matches(std::string(text), place)) {
        INFO(cited);
        CHECK(listed.count(cited));
      }
    // Nothing in a citation but places: what stands between them is "; " and a gloss in parentheses.
    std::string rest = std::regex_replace(std::string(rule.cite), std::regex(place), "");
    while (rest.find('(') != std::string::npos) {
      const std::string inner = std::regex_replace(rest, std::regex("\\([^()]*\\)"), "");
      REQUIRE(inner != rest);
      rest = inner;
    }
    CHECK(rest.find_first_not_of("; ") == std::string::npos);
  }
}

TEST_CASE("a theorem cites, a heuristic says what it assumes, arithmetic needs neither", "[rules][references]") {
  for (const RuleInfo& rule : allRules()) {
    INFO(rule.id);
    CHECK(rule.cite.empty() == (rule.basis != Basis::theorem));
    CHECK(rule.assumes.empty() == (rule.basis != Basis::heuristic));
  }
}

TEST_CASE("places cited by comments and tests are in REFERENCES.md too", "[rules][references]") {
  const std::set<std::string> listed = listedPlaces();
  int seen = 0;
  for (const char* folder : {"compiler", "dsl", "tests"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string suffix = entry.path().extension().string();
      if (suffix != ".h" && suffix != ".cpp" && suffix != ".td" && suffix != ".tp") continue;
      if (entry.path().filename() == "references_test.cpp") continue;
      for (const std::string& cited : matches(textOf(entry.path()), place)) {
        INFO(entry.path() << ": " << cited);
        CHECK(listed.count(cited));
        ++seen;
      }
    }
  CHECK(seen > 10);
}
