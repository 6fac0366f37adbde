#include "compiler/driver/plan_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/driver/with_source.h"
#include "compiler/evidence/precision.h"
#include "compiler/plan/numbers.h"
#include "compiler/plan/torch.h"
#include "compiler/report/plan.h"
#include "compiler/report/precision.h"
#include "compiler/report/verdict.h"
#include "compiler/report/version.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

// Writes the numbers over those that stand; the mistake in words, or empty.
std::string place(const char* option, const std::vector<std::pair<std::string, int64_t>>& given,
                  const std::vector<Symbol>& symbols, std::vector<int64_t>& numbers) {
  std::vector<std::string> names;
  for (const Symbol& symbol : symbols)
    if (symbol.name != "batch") names.push_back(symbol.name);
  for (const auto& [name, number] : given) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string hint = didYouMean(name, names);
      return std::string(option) + ": the program has no size `" + name + "`" + (hint.empty() ? "" : "; " + hint);
    }
    for (size_t i = 0; i < symbols.size(); ++i)
      if (symbols[i].name == name) numbers[i] = number;
  }
  return "";
}

std::string mistakeInLengths(const Plan& plan) {
  for (const PlanParameter& parameter : plan.parameters)
    for (const auto& [numbers, where] : {std::pair{&parameter.base, "base"}, {&parameter.target, "target"}})
      if (std::find(numbers->shape.begin(), numbers->shape.end(), 0) != numbers->shape.end())
        return "`" + parameter.name + "` has an axis of no whole length at the sizes of the " + where;
  return "";
}

// Under `exponents` stands what `tpc analyze --format=json` says, in the same keys.
std::string withAnalysis(const Plan& plan, const Document& document, const std::optional<RangeReport>& range) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(toJson(plan));
  nlohmann::ordered_json analysis = nlohmann::ordered_json::parse(analysisJson(document, {}));
  json["assumptions"] = analysis["assumptions"];
  json["exponents"] = {{"verdict", analysis["verdict"]},
                       {"parameters", analysis["parameters"]},
                       {"multipliers", analysis["multipliers"]}};
  if (range) json["precision"] = rangeJson(document, *range);
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Answer usage(const std::string& mistake) { return {exit_code::usage, "", "tpc: " + mistake + "\n"}; }

}  // namespace

Answer planCommand(const CommandOptions& options, const PlanOptions& asked) {
  return withSource(
      options, [&](SourceMap& sources, FileId file, DiagnosticSink& diagnostics) -> std::optional<Answer> {
        const std::optional<Analysed> analysed = analyseProgram(sources, file, options.pipeline, diagnostics);
        if (!analysed) return std::nullopt;
        const std::vector<Symbol>& symbols = analysed->graph.symbols;
        PlanRequest request{.gauge = options.gauge,
                            .base = analysed->declared,
                            .target = {},
                            .lr = asked.lr ? asked.lr : analysed->trainLr,
                            .eps = asked.eps ? asked.eps : analysed->trainEps,
                            .weightDecay = asked.weightDecay ? asked.weightDecay : analysed->trainDecay};
        for (const Symbol& symbol : symbols) request.target.push_back(symbol.number);
        for (const std::string& mistake : {place("--base", asked.base, symbols, request.base),
                                           place("--target", asked.target, symbols, request.target)})
          if (!mistake.empty()) return usage(mistake);
        if (options.format == "torch" && !request.lr)
          return usage("parameter groups have learning rates: give --lr, the one that was tuned at the base");

        const Document document = documentOf(options, sources, file, *analysed);
        const Verdict verdict = verdictOf(document);
        Plan plan = planOf(analysed->graph, analysed->analysis, analysed->options, analysed->optimizers, request);
        if (const std::string mistake = mistakeInLengths(plan); !mistake.empty()) return usage(mistake);
        plan.tpc = version;
        plan.file = options.file;
        if (!isGiven(document)) plan.gauge = std::string(toString(options.gauge));
        for (const Warning& warning : allWarnings(document))
          plan.warnings.push_back({warning.code, warning.span.end > warning.span.begin ? sources.at(warning.span) : "",
                                   warning.message, warning.mend});
        std::optional<RangeReport> range;
        if (!asked.precision.empty() && !isNegative(*analysed)) {
          range = outOfRange(analysed->graph, analysed->analysis, analysed->optimizers, plan, asked.precision);
          if (!range->error.empty())
            return Answer{exit_code::program, "",
                          "tpc: the program does not run at the base sizes: " + range->error + "\n"};
        }
        if (isNegative(*analysed)) {
          const std::string why = verdict.infeasible ? "" : "what was given is unstable: ";
          return Answer{exit_code::negative, options.format == "json" ? withAnalysis(plan, document, range) : "",
                        "tpc: " + why + (plan.warnings.empty() ? "see tpc analyze" : plan.warnings.front().message) +
                            "\n     tpc analyze " + options.file + " tells how it came about\n"};
        }
        Answer answer;
        if (options.format == "json") answer.document = withAnalysis(plan, document, range);
        else if (options.format == "markdown") answer.document = planMarkdown(plan);
        else if (options.format == "torch") answer.document = torchText(plan);
        else answer.document = planText(plan);
        if (range && options.format != "json") {
          const std::string text = rangeText(document, *range, asked.precision);
          if (options.format == "torch") answer.messages = text;  // the document is Python and nothing else
          else answer.document += "\n" + text;
        }
        return answer;
      });
}

Answer diffCommand(const std::string& before, const std::string& after, bool json) {
  std::optional<Plan> plans[2];
  const std::string* paths[2] = {&before, &after};
  for (int i = 0; i < 2; ++i) {
    std::string reason;
    const std::optional<std::string> text = readText(*paths[i], reason);
    if (!text) return usage("cannot read " + *paths[i] + ": " + reason);
    plans[i] = readPlan(*text, reason);
    if (!plans[i])
      return {exit_code::program, "",
              "tpc: " + *paths[i] + " is no plan: " + reason + "\n     tpc plan FILE --format json writes one\n"};
  }
  return {exit_code::done, json ? planDifferenceJson(*plans[0], *plans[1]) : planDifference(*plans[0], *plans[1]), ""};
}

}  // namespace tpc
