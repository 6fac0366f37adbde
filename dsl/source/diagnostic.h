// Files, positions and diagnostics, as every room reports them.
//
// A diagnostic is a value: whoever finds a mistake says what is wrong, where, how it came about and how to mend it,
// and puts it into a sink.  What it looks like is decided in render.cpp alone:
//
//     error[TPC0301]: `logits` grows with width as n^(1/2), and may be at most n^0
//       --> 03_attention.tp:14:3
//        |
//     14 |   logits = q . k / sqrt(d_head)
//        |   ^^^^^^ n^(1/2) after one step
//        |
//     note: q and k are aligned after one step, so their n products add up [matmul.lln]
//     help: divide by d_head
//
// Functions report once and return an empty optional; nobody throws across folders.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/source/span.h"

namespace tpc {

using FileId = uint32_t;

// Both count from one; a column counts characters (code points), so that it agrees with what an editor shows.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};

// The texts that spans point into.  Texts stay where they are once added, so a string_view into one remains valid.
class SourceMap {
 public:
  FileId add(std::string name, std::string text);

  std::size_t size() const { return files.size(); }
  std::string_view name(FileId file) const;
  std::string_view text(FileId file) const;
  std::string_view slice(Span span) const;

  Position position(Span span) const;                         // of the first character
  Position endPosition(Span span) const;                      // of the character after the last
  std::string_view line(FileId file, uint32_t number) const;  // without its newline
  std::string at(Span span) const;                            // "mlp.tp:10:7", as the JSON documents say it

 private:
  struct File {
    std::string name, text;
    std::vector<uint32_t> lineStarts;
  };
  std::deque<File> files;
  Position positionAt(FileId file, uint32_t offset) const;
};

enum class Severity { error, warning };

struct Note {
  std::string text;
  std::optional<Span> span = std::nullopt;
};

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;                         // "TPC0301": permanent
  std::string message;                      // stands alone: the name, the value, the bound
  std::optional<Span> span = std::nullopt;  // none where the mistake has no place, as a missing loss
  std::string label = {};                   // beside the carets
  std::vector<Note> notes = {};             // how it came about
  std::string help = {};                    // what to do about it; the "mend" of the JSON documents
};

class DiagnosticSink {
 public:
  void report(Diagnostic diagnostic);
  void error(std::string code, std::string message, std::optional<Span> span, std::string label = {},
             std::string help = {});
  void warning(std::string code, std::string message, std::optional<Span> span, std::string label = {},
               std::string help = {});

  const std::vector<Diagnostic>& all() const { return diagnostics; }
  bool hasErrors() const { return errors > 0; }
  std::size_t errorCount() const { return errors; }

 private:
  std::vector<Diagnostic> diagnostics;
  std::size_t errors = 0;
};

// One entry of the catalogue of diagnostics; `tpc explain TPC0104` prints it.  Each room has a table of its own.
//
// `wrong` shows the mistake and `mended` how to mend it.  Each is a whole program, if it declares the size `n`, or a
// part of the one that exampleProgram() of the driver makes of it; or a command after `$ `; or, where the mistake is a
// matter of amount, text with `...` for what is left out.  A test runs all but those last two.
struct DiagnosticCode {
  std::string_view code;
  std::string_view title;
  std::string_view explanation;
  std::string_view wrong = {}, mended = {};
};

}  // namespace tpc
