#include "runtime/format/npy.h"

#include <charconv>

namespace tpc {
namespace {

std::nullopt_t no(std::string& reason, std::string why) {
  reason = std::move(why);
  return std::nullopt;
}

struct Header {
  std::string descr;
  bool hasDescr = false, hasOrder = false, hasShape = false, fortran = false;
  std::vector<int64_t> shape;
};

struct Scanner {
  std::string_view text;
  size_t at = 0;

  void blanks() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  }
  bool take(char c) {
    blanks();
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool word(std::string_view expected) {
    blanks();
    if (text.substr(at, expected.size()) != expected) return false;
    at += expected.size();
    return true;
  }
  std::optional<std::string> quoted() {
    blanks();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"')) return std::nullopt;
    const size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string result(text.substr(at + 1, end - at - 1));
    at = end + 1;
    return result;
  }
  std::optional<int64_t> number() {
    blanks();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    at = size_t(end - text.data());
    word("L");  // as Python 2 wrote them
    return value;
  }
};

std::optional<Header> readHeader(std::string_view text, size_t largestRank, std::string& reason) {
  Header header;
  Scanner scan{text};
  auto broken = [&] { return no(reason, "its header cannot be read"); };
  if (!scan.take('{')) return broken();
  while (!scan.take('}')) {
    const std::optional<std::string> key = scan.quoted();
    if (!key || !scan.take(':')) return broken();
    if (*key == "descr" && !header.hasDescr) {
      scan.blanks();
      if (scan.at < text.size() && text[scan.at] == '[') return no(reason, "it holds structures, not plain numbers");
      const std::optional<std::string> descr = scan.quoted();
      if (!descr) return broken();
      header.descr = *descr;
      header.hasDescr = true;
    } else if (*key == "fortran_order" && !header.hasOrder) {
      header.fortran = scan.word("True");
      if (!header.fortran && !scan.word("False")) return broken();
      header.hasOrder = true;
    } else if (*key == "shape" && !header.hasShape) {
      if (!scan.take('(')) return broken();
      while (!scan.take(')')) {
        const std::optional<int64_t> length = scan.number();
        if (!length) return broken();
        header.shape.push_back(*length);
        if (header.shape.size() > largestRank)
          return no(reason, "it has more than " + std::to_string(largestRank) + " axes");
        if (scan.take(',')) continue;
        if (!scan.take(')')) return broken();
        break;
      }
      header.hasShape = true;
    } else {
      return broken();
    }
    if (scan.take(',')) continue;
    if (!scan.take('}')) return broken();
    break;
  }
  scan.blanks();
  if (scan.at != text.size() || !header.hasDescr || !header.hasOrder || !header.hasShape) return broken();
  return header;
}

uint32_t littleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | uint8_t(bytes[i]);
  return value;
}

}  // namespace

std::optional<NpyFile> splitNpy(std::string_view bytes, size_t largestRank, std::string& reason) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (bytes.substr(0, magic.size()) != magic || bytes.size() < 10) return no(reason, "it is no .npy file");
  const int version = uint8_t(bytes[6]);
  if (version < 1 || version > 3) return no(reason, "its .npy version " + std::to_string(version) + " is not known");
  const size_t lengthBytes = version == 1 ? 2 : 4, begin = 8 + lengthBytes;
  if (bytes.size() < begin) return no(reason, "it ends in its header");
  const size_t length = littleEndian(bytes.substr(8, lengthBytes));
  if (length > 65536 || bytes.size() - begin < length) return no(reason, "it ends in its header");
  std::optional<Header> header = readHeader(bytes.substr(begin, length), largestRank, reason);
  if (!header) return std::nullopt;
  return NpyFile{std::move(header->descr), header->fortran, std::move(header->shape), bytes.substr(begin + length)};
}

}  // namespace tpc
