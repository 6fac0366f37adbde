// The text as words, numbers, strings and symbols: as much as is needed to see where statements end.
//
// The grammar reads characters, not these tokens; both agree on what a comment, a string and a word is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tpc::syntax {

struct Token {
  enum class Kind : uint8_t { word, number, string, symbol, openString, unknown, end };
  Kind kind = Kind::end;
  bool firstOnLine = false;
  uint32_t begin = 0, end = 0;
};

struct Comment {
  uint32_t begin = 0, end = 0;  // from `#` to the end of the line, without trailing blanks
};

struct Tokens {
  std::vector<Token> tokens;  // the last is of kind end
  std::vector<Comment> comments;
};

Tokens tokenize(std::string_view text);

// The offset of the first byte that no text has (a control character, or not UTF-8); npos if there is none.
std::size_t firstBadByte(std::string_view text);

inline bool isWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline bool isWordPart(char c) { return isWordStart(c) || isDigit(c); }
inline bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace tpc::syntax
