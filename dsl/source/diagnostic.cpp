#include "dsl/source/diagnostic.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tpc {

FileId SourceMap::add(std::string name, std::string text) {
  std::vector<uint32_t> lineStarts = {0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') lineStarts.push_back(static_cast<uint32_t>(i + 1));
  files.push_back({std::move(name), std::move(text), std::move(lineStarts)});
  return static_cast<FileId>(files.size() - 1);
}

std::string_view SourceMap::name(FileId file) const {
  assert(file < files.size() && "a span points into a file of its map");
  return files[file].name;
}

std::string_view SourceMap::text(FileId file) const {
  assert(file < files.size() && "a span points into a file of its map");
  return files[file].text;
}

std::string_view SourceMap::slice(Span span) const {
  std::string_view all = text(span.file);
  std::size_t begin = std::min<std::size_t>(span.begin, all.size());
  std::size_t end = std::clamp<std::size_t>(span.end, begin, all.size());
  return all.substr(begin, end - begin);
}

Position SourceMap::positionAt(FileId file, uint32_t offset) const {
  assert(file < files.size() && "a span points into a file of its map");
  const File& f = files[file];
  offset = std::min<uint32_t>(offset, static_cast<uint32_t>(f.text.size()));
  auto next = std::upper_bound(f.lineStarts.begin(), f.lineStarts.end(), offset);
  uint32_t start = *(next - 1);
  Position result;
  result.line = static_cast<uint32_t>(next - f.lineStarts.begin());
  for (uint32_t i = start; i < offset; ++i)
    if ((static_cast<unsigned char>(f.text[i]) & 0xC0) != 0x80) ++result.column;  // continuation bytes do not count
  return result;
}

Position SourceMap::position(Span span) const { return positionAt(span.file, span.begin); }

Position SourceMap::endPosition(Span span) const { return positionAt(span.file, std::max(span.begin, span.end)); }

std::string_view SourceMap::line(FileId file, uint32_t number) const {
  assert(file < files.size() && "a span points into a file of its map");
  const File& f = files[file];
  if (number == 0 || number > f.lineStarts.size()) return {};
  std::size_t begin = f.lineStarts[number - 1];
  std::size_t end = number < f.lineStarts.size() ? f.lineStarts[number] - 1 : f.text.size();
  std::string_view line = std::string_view(f.text).substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string SourceMap::at(Span span) const {
  Position p = position(span);
  return std::string(name(span.file)) + ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
}

void DiagnosticSink::report(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) ++errors;
  diagnostics.push_back(std::move(diagnostic));
}

void DiagnosticSink::error(std::string code, std::string message, std::optional<Span> span, std::string label,
                           std::string help) {
  report({.severity = Severity::error,
          .code = std::move(code),
          .message = std::move(message),
          .span = span,
          .label = std::move(label),
          .help = std::move(help)});
}

void DiagnosticSink::warning(std::string code, std::string message, std::optional<Span> span, std::string label,
                             std::string help) {
  report({.severity = Severity::warning,
          .code = std::move(code),
          .message = std::move(message),
          .span = span,
          .label = std::move(label),
          .help = std::move(help)});
}

}  // namespace tpc
