// Where statements begin and end, found before any of them is parsed.
//
//     param wq [c, heads]   param wk [c, heads]        two statements: before a word of declaration a new one begins
//     h = a +                                          goes on: the line ends in an operator
//         b
//     if bias { y += b }                               a head, and a block of one statement
//
// Doing this by hand, ahead of the grammar, is what lets one run report the first mistake of every statement: a
// statement with a mistake still has an end.  It also bounds the nesting before anything recursive sees the text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/source/diagnostic.h"

namespace tpc::syntax {

struct RawStatement;

struct RawBlock {
  std::vector<RawStatement> statements;
  std::vector<std::string> commentsAtEnd;
  uint32_t begin = 0, end = 0;  // with its braces
};

struct RawStatement {
  uint32_t begin = 0;
  uint32_t headEnd = 0;  // of the last token of the head
  uint32_t end = 0;      // of the last token of all
  std::optional<RawBlock> block;
  std::optional<RawBlock> otherwise;    // `else`
  std::unique_ptr<Diagnostic> problem;  // its first mistake, if it shows already here
  std::vector<std::string> commentsBefore;
  std::string commentAfter;
  bool blankLineBefore = false;
};

// Empty where the text as a whole is refused: too large, not text, nested too deep.
std::optional<RawBlock> splitStatements(std::string_view text, FileId file, DiagnosticSink& diagnostics);

// The words that are reserved where a statement begins.
bool isReserved(std::string_view word);
const std::vector<std::string>& reservedWords();

// The words that connect the parts of a statement: `in vocab`, `as layers`, `init fixed 1`, `from "file"`.
const std::vector<std::string>& connectingWords();

// The words that mean something inside of expressions, so that nothing else can be called by them.
const std::vector<std::string>& takenNames();

}  // namespace tpc::syntax
