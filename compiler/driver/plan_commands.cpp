#include "compiler/driver/plan_commands.h"

#include <nlohmann/json.hpp>

#include "compiler/driver/with_source.h"
#include "compiler/evidence/precision.h"
#include "compiler/plan/torch.h"
#include "compiler/report/plan.h"
#include "compiler/report/precision.h"
#include "compiler/report/verdict.h"
#include "compiler/report/version.h"

namespace tpc {

namespace {

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
        std::string mistake;
        std::optional<Plan> planned = planFor(*analysed, options.gauge, asked, mistake);
        if (!planned) return usage(mistake);
        Plan& plan = *planned;
        if (options.format == "torch" && !plan.lr)
          return usage("parameter groups have learning rates: give --lr, the one that was tuned at the base");

        const Document document = documentOf(options, sources, file, *analysed);
        const Verdict verdict = verdictOf(document);
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
