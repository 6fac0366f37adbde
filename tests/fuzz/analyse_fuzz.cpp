// Any bytes as a program: parse, format, import, differentiate, flatten, analyse and report may refuse them, and do
// nothing worse.
//
// Under clang with TPC_FUZZ libFuzzer drives this; everywhere else replay.cpp runs the saved inputs through it in the
// tests.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "compiler/driver/format.h"
#include "compiler/driver/pipeline.h"
#include "compiler/report/document.h"
#include "compiler/report/json.h"
#include "compiler/report/text.h"
#include "dsl/source/render.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tpc;
  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add("fuzz.tp", std::string(reinterpret_cast<const char*>(data), size));
  DiagnosticSink formatting;
  if (!canonicalText(sources, file, formatting) && !formatting.hasErrors()) {
    std::fputs("the canonical text is another program\n", stderr);
    std::abort();
  }
  PipelineOptions options;
  options.read = [](const std::string&, size_t, std::string& reason) -> std::optional<std::string> {
    reason = "nothing is read here";
    return std::nullopt;
  };
  const std::optional<Analysed> analysed = analyseProgram(sources, file, options, diagnostics);
  if (!analysed) {
    if (!diagnostics.hasErrors()) {
      std::fputs("refused without saying why\n", stderr);
      std::abort();
    }
    render(diagnostics, sources);
    errorsJson("fuzz.tp", sources, diagnostics);
    return 0;
  }
  const Document document{.graph = analysed->graph,
                          .analysis = analysed->analysis,
                          .options = analysed->options,
                          .sources = sources,
                          .program = file};
  analysisText(document);
  analysisJson(document, {.full = true});
  return 0;
}
