#include "dsl/source/render.h"

#include <algorithm>

namespace tpc {
namespace {

constexpr std::size_t longestLine = 200;  // characters of source that are shown

struct Paint {
  bool color;
  std::string operator()(const char* code, const std::string& text) const {
    return color && !text.empty() ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
  }
};

// The length of the code point that starts here, or 0 where the bytes are not one.
std::size_t codePoint(std::string_view text, std::size_t at) {
  auto byte = static_cast<unsigned char>(text[at]);
  std::size_t length = byte < 0x80 ? 1 : byte < 0xC2 ? 0 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  return length;
}

// What comes from a file may hold anything; a terminal gets neither control characters nor broken UTF-8.
std::string printable(std::string_view text, bool keepNewlines = false) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = codePoint(text, i);
    auto byte = static_cast<unsigned char>(text[i]);
    if (length == 1 && (byte < 0x20 || byte == 0x7F))
      result += byte == '\t' ? ' ' : keepNewlines && byte == '\n' ? '\n' : '?';
    else if (length == 0) result += '?';
    else result.append(text.substr(i, length));
    i += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string firstCharacters(const std::string& text, std::size_t count) {
  std::size_t i = 0;
  while (i < text.size() && count > 0) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
    --count;
  }
  return text.substr(0, i);
}

// "  --> file:line:column", the line, and carets under the span with the label behind them.
std::string excerpt(Span span, const std::string& label, bool isNote, const SourceMap& sources, const char* caretColor,
                    const Paint& paint) {
  Position begin = sources.position(span);
  Position end = sources.endPosition(span);
  std::string number = std::to_string(begin.line);
  std::string margin(number.size(), ' ');
  std::string whole = printable(sources.line(span.file, begin.line));
  std::string text = firstCharacters(whole, longestLine);
  if (text.size() < whole.size()) text += " ...";

  std::size_t indent = begin.column - 1;
  std::size_t carets =
      end.line == begin.line ? end.column - begin.column : width(whole) - std::min(indent, width(whole));
  std::size_t room = width(text) > indent ? width(text) - indent : 1;
  carets = std::clamp<std::size_t>(carets, 1, std::max<std::size_t>(room, 1));

  std::string result = margin + paint("34", "-->") + " " + printable(sources.at(span)) + "\n";
  result += margin + paint("34", " |") + "\n";
  result += paint("34", number + " |") + (text.empty() ? "" : " " + text) + "\n";
  if (indent < longestLine) {
    std::string marks = std::string(carets, '^') + (label.empty() ? "" : " " + printable(label));
    result += margin + paint("34", " |") + " " + std::string(indent, ' ') + paint(caretColor, marks) + "\n";
  }
  if (!isNote) result += margin + paint("34", " |") + "\n";
  return result;
}

// Further lines of a help stand under the first.
std::string indented(const std::string& text, std::size_t by) {
  std::string result;
  for (char c : text) {
    result += c;
    if (c == '\n') result += std::string(by, ' ');
  }
  return result;
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const SourceMap& sources, RenderOptions options) {
  Paint paint{options.color};
  bool isError = diagnostic.severity == Severity::error;
  const char* color = isError ? "1;31" : "1;33";
  std::string result = paint(color, std::string(isError ? "error" : "warning") + "[" + diagnostic.code + "]") +
                       paint("1", ": " + printable(diagnostic.message)) + "\n";
  if (diagnostic.span) result += excerpt(*diagnostic.span, diagnostic.label, false, sources, color, paint);
  for (const Note& note : diagnostic.notes) {
    result += paint("1;36", "note") + ": " + indented(printable(note.text, true), 6) + "\n";
    if (note.span) result += excerpt(*note.span, "", true, sources, "1;36", paint);
  }
  if (!diagnostic.help.empty())
    result += paint("1;32", "help") + ": " + indented(printable(diagnostic.help, true), 6) + "\n";
  return result;
}

std::string render(const DiagnosticSink& sink, const SourceMap& sources, RenderOptions options) {
  std::string result;
  for (const Diagnostic& diagnostic : sink.all()) {
    if (!result.empty()) result += "\n";
    result += render(diagnostic, sources, options);
  }
  return result;
}

}  // namespace tpc
