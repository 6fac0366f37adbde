// dsl/editor/tpc.tmLanguage.json colours what the parser reads: the same words, and on real programs the same tokens.
//
// The grammar has flat patterns only, so an editor's matching is short to write down: at each place the pattern that
// matches first, among equals the one that is listed first, and then on behind it.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "dsl/library/library.h"
#include "dsl/syntax/statements.h"
#include "dsl/syntax/tokens.h"
#include "tests/unit/dsl/reading.h"

using namespace tpc;
using nlohmann::json;

namespace {

struct Pattern {
  std::string scope;
  std::vector<std::string> captures;  // by group, from 1
  std::string source;
  std::regex regex;
};

const json& grammar() {
  static const json read = json::parse(readFile("dsl/editor/tpc.tmLanguage.json"));
  return read;
}

std::vector<Pattern> patterns() {
  std::vector<Pattern> all;
  for (const json& reference : grammar()["patterns"]) {
    const json& entry = grammar()["repository"].at(reference["include"].get<std::string>().substr(1));
    Pattern& pattern = all.emplace_back();
    pattern.scope = entry.value("name", "");
    pattern.source = entry.at("match");
    pattern.regex = std::regex(pattern.source);
    if (entry.contains("captures")) {
      pattern.captures.resize(pattern.regex.mark_count() + 1);
      for (const auto& [group, capture] : entry["captures"].items())
        pattern.captures[std::stoul(group)] = capture["name"];
    }
  }
  return all;
}

// The scope of every character of a line; empty where there is none.
std::vector<std::string> colours(const std::string& line, const std::vector<Pattern>& all) {
  std::vector<std::string> result(line.size());
  for (std::size_t at = 0; at < line.size();) {
    std::smatch best;
    const Pattern* chosen = nullptr;
    for (const Pattern& pattern : all) {
      std::smatch match;
      auto flags = at == 0 ? std::regex_constants::match_default : std::regex_constants::match_prev_avail;
      if (!std::regex_search(line.begin() + static_cast<long>(at), line.end(), match, pattern.regex, flags)) continue;
      if (match.length() == 0 || (chosen && match.position() >= best.position())) continue;
      best = match, chosen = &pattern;
    }
    if (!chosen) break;
    auto paint = [&](std::size_t group, const std::string& scope) {
      if (!best[group].matched || scope.empty()) return;
      for (auto c = best[group].first; c != best[group].second; ++c)
        result[static_cast<std::size_t>(c - line.begin())] = scope;
    };
    paint(0, chosen->scope);
    for (std::size_t group = 1; group < chosen->captures.size(); ++group) paint(group, chosen->captures[group]);
    at += static_cast<std::size_t>(best.position() + best.length());
  }
  return result;
}

std::string kind(const std::string& scope) { return scope.substr(0, scope.find('.')); }

// Whether a word at the beginning of a statement is coloured as one, and comments, texts and numbers as what they are.
void checkColours(const std::string& text, const std::vector<Pattern>& all) {
  std::vector<std::string> scopes;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    for (std::string& scope : colours(text.substr(begin, end - begin), all)) scopes.push_back(scope);
    scopes.emplace_back();  // of the newline
    begin = end + 1;
  }
  syntax::Tokens tokens = syntax::tokenize(text);
  for (const syntax::Comment& comment : tokens.comments) CHECK(kind(scopes[comment.begin]) == "comment");
  for (const syntax::Token& token : tokens.tokens) {
    std::string spelling = text.substr(token.begin, token.end - token.begin);
    INFO(spelling << " at " << token.begin << ": " << scopes[token.begin]);
    if (token.kind == syntax::Token::Kind::string) CHECK(kind(scopes[token.begin]) == "string");
    if (token.kind == syntax::Token::Kind::number) CHECK(scopes[token.begin] == "constant.numeric.tpc");
  }
  DiagnosticSink sink;
  std::optional<syntax::RawBlock> raw = syntax::splitStatements(text, 0, sink);
  REQUIRE(raw);
  std::vector<const syntax::RawBlock*> open = {&*raw};
  while (!open.empty()) {
    const syntax::RawBlock& block = *open.back();
    open.pop_back();
    for (const syntax::RawStatement& statement : block.statements) {
      if (statement.block) open.push_back(&*statement.block);
      if (statement.otherwise) open.push_back(&*statement.otherwise);
      std::size_t end = statement.begin;
      while (end < text.size() && syntax::isWordPart(text[end])) ++end;
      std::string word = text.substr(statement.begin, end - statement.begin);
      INFO(word << " at " << statement.begin << " of\n" << text);
      CHECK((kind(scopes[statement.begin]) == "keyword") == syntax::isReserved(word));
    }
  }
}

std::set<std::string> wordsIn(const Pattern& pattern) {
  static const std::regex word("[A-Za-z_]+");
  // Classes, escapes and what only looks ahead name no words of their own.
  std::string source = std::regex_replace(pattern.source, std::regex(R"(\[[^\]]*\]|\\.)"), " ");
  source = std::regex_replace(source, std::regex(R"(\(\?[=!](?:[^()]|\([^()]*\))*\))"), " ");
  std::set<std::string> words;
  for (std::sregex_iterator i(source.begin(), source.end(), word), end; i != end; ++i) words.insert(i->str());
  return words;
}

}  // namespace

TEST_CASE("an editor's words are the language's", "[dsl][editor]") {
  std::set<std::string> coloured, known;
  for (const Pattern& pattern : patterns()) {
    if (pattern.scope.rfind("comment", 0) == 0 || pattern.scope.rfind("string", 0) == 0) continue;
    if (pattern.scope == "constant.numeric.tpc") continue;
    coloured.merge(wordsIn(pattern));
  }
  for (const auto* words : {&syntax::reservedWords(), &syntax::connectingWords(), &syntax::takenNames()})
    known.insert(words->begin(), words->end());
  CHECK(coloured == known);
}

TEST_CASE("an editor colours programs as the parser reads them", "[dsl][editor]") {
  std::vector<Pattern> all = patterns();
  for (const LibraryFile& file : libraryFiles()) checkColours(std::string(file.text), all);
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TPC_SOURCE_DIR) + "/examples"))
    if (entry.path().extension() == ".tp") checkColours(readFile("examples/" + entry.path().filename().string()), all);
  checkColours(
      "param input [n, n]\nh = input @ state   # \"no text\"\ny = x[0:.5e3, ...]\nshared(layers) frozen param w "
      "[1.5]\n",
      all);
  checkColours("if (a) { return -b } else { frozen param q [n] init fixed -1 from \"a # b\" }; train { lr = 3e-3 }",
               all);
}

TEST_CASE("words are only words where they stand as such", "[dsl][editor]") {
  std::vector<Pattern> all = patterns();
  auto scopeOf = [&](const std::string& line, const std::string& word) { return colours(line, all)[line.find(word)]; };
  CHECK(scopeOf("h = input @ w", "input").empty());
  CHECK(scopeOf("h = x + loss", "loss").empty());
  CHECK(scopeOf("h = update * in", "in").empty());
  CHECK(scopeOf("loss = mse(f, y)", "loss") == "keyword.control.tpc");
  CHECK(scopeOf("loss == 1", "loss").empty());
  CHECK(scopeOf("input x [n] in vocab", "in vocab") == "keyword.other.tpc");
  CHECK(scopeOf("h = 2 * auto(L)", "auto") == "constant.language.tpc");
  CHECK(scopeOf("h = attention(h)", "attention") == "entity.name.function.tpc");
}
