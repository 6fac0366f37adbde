#include "compiler/driver/optimizers.h"

namespace tpc {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool isName(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!letter) return false;
  }
  return true;
}

}  // namespace

std::optional<OptimizerChoice> readOptimizerChoice(std::string_view text) {
  OptimizerChoice choice;
  while (true) {
    const size_t end = text.find(';');
    const std::string_view clause = trimmed(text.substr(0, end));
    const size_t equals = clause.find('=');
    if (equals == std::string_view::npos) {
      if (!isName(clause) || !choice.everywhere.empty()) return std::nullopt;
      choice.everywhere = std::string(clause);
    } else {
      const std::string_view pattern = trimmed(clause.substr(0, equals)), name = trimmed(clause.substr(equals + 1));
      if (pattern.empty() || !isName(name)) return std::nullopt;
      choice.matching.emplace_back(pattern, name);
    }
    if (end == std::string_view::npos) return choice;
    text.remove_prefix(end + 1);
  }
}

namespace {

// The value that the program's train block gives to a name; null where it gives none.
const ast::Expr* entryOfTrainBlock(const ast::Program& program, std::string_view name) {
  for (const ast::Statement& statement : program.body.statements) {
    const auto* train = statement.as<ast::Train>();
    if (!train) continue;
    for (const ast::TrainEntry& entry : train->entries)
      if (entry.name.text == name && entry.value) return &*entry.value;
  }
  return nullptr;
}

}  // namespace

std::string wordOfTrainBlock(const ast::Program& program, std::string_view name) {
  const ast::Expr* value = entryOfTrainBlock(program, name);
  if (!value) return {};
  if (const auto* word = value->as<ast::NameRef>()) return word->name;
  if (const auto* text = value->as<ast::String>()) return text->text;
  return {};
}

std::optional<double> numberOfTrainBlock(const ast::Program& program, std::string_view name) {
  const ast::Expr* value = entryOfTrainBlock(program, name);
  const auto* number = value ? value->as<ast::Number>() : nullptr;
  return number ? std::optional(number->value) : std::nullopt;
}

bool matches(std::string_view pattern, std::string_view name) {
  // Only the last star ever needs to take more characters: the ones before it have matched as early as they can.
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace tpc
