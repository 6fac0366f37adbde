// The catalogue of diagnostics is true: its examples show what they are examples of, and mended they show nothing.
#include "compiler/driver/catalogue.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "compiler/driver/pipeline.h"
#include "dsl/source/render.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

std::set<std::string> codesOf(const std::string& program, std::string& messages) {
  SourceMap sources;
  DiagnosticSink sink;
  const std::optional<Analysed> analysed = analyseProgram(sources, sources.add("example.tp", program), {}, sink);
  messages = render(sink, sources);
  std::set<std::string> codes;
  for (const Diagnostic& diagnostic : sink.all()) codes.insert(diagnostic.code);
  if (!analysed) return codes;
  std::vector<Warning> warnings = analysed->analysis.warnings;
  for (const SymbolAnalysis& symbol : analysed->analysis.symbols) {
    warnings.insert(warnings.end(), symbol.warnings.begin(), symbol.warnings.end());
  }
  for (const Warning& warning : warnings) codes.insert(warning.code), messages += warning.message + "\n";
  return codes;
}

// A part that is left out, or a command: nothing that can be read as a program.
bool isShownOnly(const DiagnosticCode& code) {
  static const std::regex leftOut(R"((^|\n|\s)\.\.\.(\s|$))");
  return code.wrong.starts_with("$ ") || std::regex_search(std::string(code.wrong), leftOut);
}

const std::string& allTranscripts() {
  static const std::string text = [] {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(TPC_SOURCE_DIR "/tests/golden")) {
      if (entry.path().extension() != ".transcript") continue;
      std::ifstream file(entry.path());
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }();
  return text;
}

}  // namespace

TEST_CASE("the example of a code shows it, and mended shows nothing", "[driver][catalogue]") {
  size_t run = 0;
  for (const DiagnosticCode& code : diagnosticCodes()) {
    if (code.code == defectCode || isShownOnly(code)) continue;
    std::string messages;
    INFO(code.code);
    CHECK(codesOf(exampleProgram(code.wrong), messages) == std::set<std::string>{std::string(code.code)});
    INFO(exampleProgram(code.wrong) << messages);
    CHECK(codesOf(exampleProgram(code.mended), messages) == std::set<std::string>{});
    INFO(exampleProgram(code.mended) << messages);
    CHECK(messages == "");
    ++run;
  }
  CHECK(run > 80);
}

TEST_CASE("every code has an entry that says what it means and how to mend it", "[driver][catalogue]") {
  std::string before;
  for (const DiagnosticCode& code : diagnosticCodes()) {
    INFO(code.code);
    CHECK(before < code.code);
    before = code.code;
    CHECK(std::regex_match(before, std::regex("TPC0[1-5][0-9][0-9]")));
    CHECK(!code.title.empty());
    CHECK(!code.explanation.empty());
    if (code.code == defectCode) continue;
    CHECK(!code.wrong.empty());
    CHECK(!code.mended.empty());
  }
}

TEST_CASE("every code has a golden test", "[driver][catalogue]") {
  for (const DiagnosticCode& code : diagnosticCodes()) {
    // No small program reaches these: a construct of a later version, a limit that others come before, a derivation
    // without end.
    if (code.code == defectCode || code.code == "TPC0240" || code.code == "TPC0289" || code.code == "TPC0307") continue;
    INFO(code.code);
    CHECK(allTranscripts().find("[" + std::string(code.code) + "]") != std::string::npos);
  }
}

TEST_CASE("every code that the sources report is in the catalogue", "[driver][catalogue]") {
  std::set<std::string> known, reported;
  for (const DiagnosticCode& code : diagnosticCodes()) known.emplace(code.code);
  const std::regex pattern("\"(TPC0[0-9]{3})\"");
  for (const char* folder : {TPC_SOURCE_DIR "/compiler", TPC_SOURCE_DIR "/dsl", TPC_SOURCE_DIR "/runtime"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      for (std::sregex_iterator i(text.begin(), text.end(), pattern), end; i != end; ++i) reported.insert((*i)[1]);
    }
  }
  CHECK(reported == known);
}
