// What every command on a program does first: read it, and turn what stops there into an answer.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "compiler/driver/catalogue.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/signals.h"
#include "compiler/report/document.h"
#include "compiler/report/json.h"
#include "dsl/source/render.h"

namespace tpc {

inline Document documentOf(const CommandOptions& options, const SourceMap& sources, FileId file,
                           const Analysed& analysed) {
  return {.graph = analysed.graph,
          .analysis = analysed.analysis,
          .options = analysed.options,
          .sources = sources,
          .program = file,
          .gauge = options.gauge,
          .color = options.color};
}

// Reads the program and hands it over; what stops there becomes the answer.  `run` gives nothing after a mistake of the
// program's, which then stands in the sink.
template <typename Run>
Answer withSource(const CommandOptions& options, Run run) {
  std::string reason;
  std::optional<std::string> text = readText(options.file, reason);
  if (!text) return {exit_code::usage, "", "tpc: cannot read " + options.file + ": " + reason + "\n"};

  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add(options.file, std::move(*text));
  std::optional<Answer> answer = run(sources, file, diagnostics);
  if (answer) return std::move(*answer);
  if (!diagnostics.hasErrors()) return {reportDefect("stopped without saying why"), "", ""};
  const bool ofOptions = diagnostics.all().front().code == "TPC0404";
  Answer mistake{ofOptions ? exit_code::usage : exit_code::program, "",
                 render(diagnostics, sources, {.color = options.colorErrors})};
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.code == defectCode) mistake.exitCode = reportDefect(diagnostic.message.c_str());
  }
  if (options.json) mistake.document = errorsJson(options.file, sources, diagnostics);
  return mistake;
}

}  // namespace tpc
