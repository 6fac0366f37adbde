#include "compiler/driver/commands.h"

#include <algorithm>

#include "compiler/driver/catalogue.h"
#include "compiler/driver/examples.h"
#include "compiler/driver/files.h"
#include "compiler/driver/signals.h"
#include "compiler/driver/why_not.h"
#include "compiler/driver/with_source.h"
#include "compiler/import/import.h"
#include "compiler/report/compare.h"
#include "compiler/report/explain.h"
#include "compiler/report/json.h"
#include "compiler/report/text.h"
#include "dsl/library/library.h"
#include "dsl/source/render.h"
#include "dsl/source/suggest.h"
#include "dsl/syntax/parse.h"

namespace tpc {

namespace {

template <typename OnSuccess>
Answer withProgram(const CommandOptions& options, OnSuccess onSuccess) {
  return withSource(options, [&](SourceMap& sources, FileId file, DiagnosticSink& diagnostics) {
    const std::optional<Analysed> analysed = analyseProgram(sources, file, options.pipeline, diagnostics);
    return analysed ? std::optional<Answer>(onSuccess(documentOf(options, sources, file, *analysed), *analysed))
                    : std::nullopt;
  });
}

Answer compareParametrizations(const CommandOptions& options) {
  return withSource(
      options, [&](SourceMap& sources, FileId file, DiagnosticSink& diagnostics) -> std::optional<Answer> {
        const auto all = compareProgram(sources, file, options.pipeline, options.compare, diagnostics);
        if (!all) return std::nullopt;
        std::vector<Document> documents;
        for (const Analysed& one : *all) documents.push_back(documentOf(options, sources, file, one));
        return Answer{exit_code::done, options.json ? comparisonJson(documents) : comparisonText(documents), ""};
      });
}

}  // namespace

Answer analyzeCommand(const CommandOptions& options) {
  if (!options.compare.empty()) return compareParametrizations(options);
  return withProgram(options, [&](const Document& document, const Analysed& analysed) {
    Answer answer;
    answer.document = options.json ? analysisJson(document, {.full = options.full}) : analysisText(document);
    answer.exitCode = isNegative(analysed) ? exit_code::negative : exit_code::done;
    return answer;
  });
}

Answer explainCommand(const CommandOptions& options, const std::string& name) {
  return withProgram(options, [&](const Document& document, const Analysed& analysed) -> Answer {
    const std::optional<std::string> text = options.format == "dot"
                                                ? derivationGraph(document, name)
                                                : explanation(document, name, whyNotLarger(analysed, name));
    if (text) return {exit_code::done, *text, ""};
    const std::vector<std::string> names = namesToExplain(document);
    const std::string hint = didYouMean(name, names);
    return {exit_code::usage, "",
            "tpc: " + options.file + " has no value or parameter `" + name + "`" + (hint.empty() ? "" : "; " + hint) +
                "\n"};
  });
}

Answer explainWordCommand(const std::string& word) {
  if (std::optional<std::string> text = ruleExplanation(word)) return {exit_code::done, *text, ""};
  if (std::optional<std::string> text = codeExplanation(word)) return {exit_code::done, *text, ""};
  std::vector<std::string> known;
  for (const DiagnosticCode& code : diagnosticCodes()) known.emplace_back(code.code);
  for (const RuleInfo& rule : allRules()) known.emplace_back(rule.id);
  const std::string hint = didYouMean(word, known);
  return {exit_code::usage, "",
          "tpc: `" + word + "` is neither a rule nor the code of a diagnostic" + (hint.empty() ? "" : "; " + hint) +
              "\n     to explain a value or parameter: tpc explain FILE NAME\n"};
}

Answer rulesCommand() { return {exit_code::done, rulesMarkdown(), ""}; }

Answer libraryCommand(const std::string& name) {
  std::string text;
  std::vector<std::string> names;
  for (const LibraryFile& file : libraryFiles()) {
    names.emplace_back(file.name);
    if (!name.empty() && file.name != name) continue;
    if (!text.empty()) text += "\n";
    text += file.text;
  }
  if (!text.empty()) return {exit_code::done, text, ""};
  const std::string hint = didYouMean(name, names);
  return {exit_code::usage, "", "tpc: the library has no `" + name + "`" + (hint.empty() ? "" : "; " + hint) + "\n"};
}

Answer examplesCommand(const std::string& name) {
  std::vector<std::string> names;
  size_t width = 0;
  for (const ExampleFile& example : exampleFiles()) {
    if (example.name == name) return {exit_code::done, std::string(example.text), ""};
    names.emplace_back(example.name);
    width = std::max(width, example.name.size());
  }
  if (!name.empty()) {
    const std::string hint = didYouMean(name, names);
    return {exit_code::usage, "", "tpc: no example `" + name + "`" + (hint.empty() ? "" : "; " + hint) + "\n"};
  }
  std::string text;
  for (const ExampleFile& example : exampleFiles()) {
    text += std::string(example.name) + std::string(width + 2 - example.name.size(), ' ') +
            std::string(aboutExample(example)) + "\n";
  }
  return {exit_code::done, text, ""};
}

}  // namespace tpc
