#include "compiler/driver/format.h"

#include <algorithm>
#include <string_view>

#include "compiler/driver/files.h"
#include "compiler/driver/signals.h"
#include "dsl/source/render.h"
#include "dsl/syntax/parse.h"
#include "dsl/syntax/print.h"
#include "dsl/syntax/tokens.h"

namespace tpc {

namespace {

std::vector<std::string_view> commentsOf(std::string_view text) {
  std::vector<std::string_view> comments;
  for (const syntax::Comment& comment : syntax::tokenize(text).comments) {
    comments.push_back(text.substr(comment.begin, comment.end - comment.begin));
  }
  // A comment inside of an expression moves before its statement, perhaps past another.
  std::sort(comments.begin(), comments.end());
  return comments;
}

// One file read, formatted and answered for; the worst code of several is the command's.
void formatOne(const FormatOptions& options, const std::string& path, Answer& answer) {
  const auto fail = [&](int exitCode, const std::string& message) {
    answer.messages += message;
    answer.exitCode = std::max(answer.exitCode, exitCode);
  };
  std::string reason;
  std::optional<std::string> text = readText(path, reason);
  if (!text) return fail(exit_code::usage, "tpc: cannot read " + path + ": " + reason + "\n");

  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add(path, std::move(*text));
  const std::optional<std::string> canonical = canonicalText(sources, file, diagnostics);
  if (!canonical && !diagnostics.hasErrors()) {
    answer.exitCode =
        reportDefect(("the canonical text of " + path + " is another program; nothing is written").c_str());
    return;
  }
  if (!canonical) return fail(exit_code::program, render(diagnostics, sources, {.color = options.colorErrors}));

  if (!options.check && !options.inPlace) {
    answer.document = *canonical;
    return;
  }
  if (*canonical == sources.text(file)) return;
  if (options.check) {
    answer.document += path + "\n";
    answer.exitCode = std::max(answer.exitCode, exit_code::negative);
  } else if (!writeWhole(path, *canonical, reason)) {
    fail(exit_code::machine, "tpc: cannot write " + path + ": " + reason + "\n");
  }
}

}  // namespace

std::optional<std::string> canonicalText(SourceMap& sources, FileId file, DiagnosticSink& diagnostics) {
  const std::optional<ast::Program> program = parse(sources, file, diagnostics);
  if (!program) return std::nullopt;
  std::string text = print(*program);
  if (text.size() > SyntaxLimits::fileBytes) {
    diagnostics.error("TPC0101",
                      "the canonical text is larger than " + std::to_string(SyntaxLimits::fileBytes) + " bytes",
                      std::nullopt);
    return std::nullopt;
  }
  DiagnosticSink unexpected;
  const FileId again = sources.add(std::string(sources.name(file)), text);
  const std::optional<ast::Program> reread = parse(sources, again, unexpected);
  if (!reread || !same(*program, *reread) || commentsOf(sources.text(file)) != commentsOf(text)) return std::nullopt;
  return text;
}

Answer formatCommand(const FormatOptions& options) {
  Answer answer;
  const bool oneOnly = !options.check && !options.inPlace;
  if (oneOnly && options.files.size() > 1) {
    return {exit_code::usage, "", "tpc: fmt prints one file; several take --in-place or --check\n"};
  }
  if (options.inPlace && std::find(options.files.begin(), options.files.end(), "-") != options.files.end()) {
    return {exit_code::usage, "", "tpc: standard input has no place to be written to; leave --in-place out\n"};
  }
  for (const std::string& path : options.files) {
    formatOne(options, path, answer);
    if (answer.exitCode == exit_code::defect) break;
  }
  return answer;
}

}  // namespace tpc
