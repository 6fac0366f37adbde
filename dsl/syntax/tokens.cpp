#include "dsl/syntax/tokens.h"

#include <array>

namespace tpc::syntax {
namespace {

// Longer ones first.
constexpr std::array symbols = {"...", "->", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "+", "-", "*", "/", "^",
                                "@",   "=",  "<",  ">",  "(",  ")",  "[",  "]",  "{",  "}",  ",", ";", ":", "."};

std::size_t numberEnd(std::string_view text, std::size_t at) {
  auto digits = [&] {
    while (at < text.size() && isDigit(text[at])) ++at;
  };
  digits();
  if (at < text.size() && text[at] == '.' && !text.substr(at).starts_with("...")) ++at, digits();
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    if (exponent < text.size() && isDigit(text[exponent])) at = exponent, digits();
  }
  return at;
}

}  // namespace

Tokens tokenize(std::string_view text) {
  Tokens result;
  bool firstOnLine = true;
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  auto push = [&](Token::Kind kind, std::size_t end) {
    result.tokens.push_back({kind, firstOnLine, static_cast<uint32_t>(at), static_cast<uint32_t>(end)});
    firstOnLine = false;
    at = end;
  };
  while (at < text.size()) {
    char c = text[at];
    if (c == '\n') firstOnLine = true;
    if (isBlank(c)) {
      ++at;
    } else if (c == '#') {
      std::size_t end = std::min(text.find('\n', at), text.size());
      std::size_t trimmed = end;
      while (trimmed > at && isBlank(text[trimmed - 1])) --trimmed;
      result.comments.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(trimmed)});
      at = end;
    } else if (isWordStart(c)) {
      std::size_t end = at;
      while (end < text.size() && isWordPart(text[end])) ++end;
      push(Token::Kind::word, end);
    } else if (isDigit(c) || (c == '.' && at + 1 < text.size() && isDigit(text[at + 1]))) {
      push(Token::Kind::number, numberEnd(text, at));
    } else if (c == '"') {
      std::size_t end = text.find_first_of("\"\n", at + 1);
      if (end == std::string_view::npos || text[end] == '\n') push(Token::Kind::openString, std::min(end, text.size()));
      else push(Token::Kind::string, end + 1);
    } else {
      std::string_view found;
      for (std::string_view symbol : symbols)
        if (text.substr(at).starts_with(symbol)) {
          found = symbol;
          break;
        }
      std::size_t end = at + 1;
      if (found.empty())
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      push(found.empty() ? Token::Kind::unknown : Token::Kind::symbol, found.empty() ? end : at + found.size());
    }
  }
  firstOnLine = true;
  push(Token::Kind::end, at);
  return result;
}

std::size_t firstBadByte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      if ((byte < 0x20 && !isBlank(text[i])) || byte == 0x7F) return i;
      ++i;
      continue;
    }
    std::size_t length = byte < 0xC2 ? 0 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
    auto second = static_cast<unsigned char>(text[i + 1]);
    // Overlong forms, surrogates and what lies beyond U+10FFFF.
    if ((byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) || (byte == 0xF0 && second < 0x90) ||
        (byte == 0xF4 && second > 0x8F))
      return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace tpc::syntax
