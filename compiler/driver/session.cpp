#include "compiler/driver/session.h"

#include <algorithm>
#include <thread>

#include "compiler/bind/table.h"
#include "compiler/driver/files.h"
#include "compiler/driver/signals.h"
#include "compiler/driver/with_source.h"
#include "compiler/evidence/reference_stepper.h"
#include "compiler/lower/lower.h"
#include "compiler/report/version.h"
#include "dsl/source/render.h"
#include "runtime/compiled_stepper.h"

namespace tpc {

std::optional<ProgramTable> Session::table(int64_t batch, Mistake& mistake) const {
  std::string error;
  std::optional<ProgramTable> table =
      programTable(analysed.graph, analysed.optimizers, plan, targetNumbers(analysed, plan, batch), error);
  if (!table) fails(mistake, Fault::content, "TPC0506", "the program cannot be run at these sizes: " + error);
  return table;
}

std::unique_ptr<Stepper> Session::reference(int64_t batch, Mistake& mistake) const {
  std::optional<ProgramTable> bound = table(batch, mistake);
  if (!bound) return nullptr;
  try {
    return referenceStepper(analysed.graph, analysed.optimizers, multipliers, targetNumbers(analysed, plan, batch),
                            std::move(*bound), [this](NodeId node) { return "`" + nodeNames[node] + "`"; });
  } catch (const std::bad_alloc&) {
    fails(mistake, Fault::machine, "", "there is not enough memory for these sizes");
    return nullptr;
  }
}

std::unique_ptr<Stepper> Session::stepper(int64_t batch, Purpose purpose, Mistake& mistake) const {
  if (run.backend == "interpreter") return reference(batch, mistake);
  std::optional<ProgramTable> bound = table(batch, mistake);
  if (!bound) return nullptr;
  std::string error;
  std::optional<CompiledProgram> compiled = lower(analysed.graph, analysed.optimizers,
                                                  {.numbers = targetNumbers(analysed, plan, batch),
                                                   .multipliers = multipliers,
                                                   .training = purpose != Purpose::evaluate,
                                                   .accumulate = purpose == Purpose::accumulate},
                                                  *bound, error);
  if (!compiled) {
    fails(mistake, Fault::content, "TPC0506", "the program cannot be compiled: " + error,
          "--backend interpreter runs it, slowly");
    return nullptr;
  }
  const int threads = run.threads > 0 ? run.threads : std::max(1, int(std::thread::hardware_concurrency()));
  std::unique_ptr<Stepper> stepper = compiledStepper(std::move(*compiled), std::move(*bound), threads, error);
  if (!stepper) fails(mistake, Fault::machine, "", "the compiled program cannot be run here: " + error);
  return stepper;
}

std::unique_ptr<Session> openSession(SourceMap& sources, FileId file, const CommandOptions& options,
                                     const PlanOptions& plan, const RunOptions& run, DiagnosticSink& diagnostics,
                                     Mistake& mistake) {
  std::optional<Analysed> analysed = analyseProgram(sources, file, options.pipeline, diagnostics);
  if (!analysed) return nullptr;
  auto session = std::make_unique<Session>();
  session->analysed = std::move(*analysed);
  session->run = run;
  std::string wrong;
  std::optional<Plan> planned = planFor(session->analysed, options.gauge, plan, wrong);
  if (!planned) return fails(mistake, Fault::usage, "", wrong), nullptr;
  session->plan = std::move(*planned);
  session->multipliers = multipliersOf(session->plan);
  const Document document = documentOf(options, sources, file, session->analysed);
  session->nodeNames = subjectNames(document);
  return session;
}

void describe(const Session& session, const ProgramTable& table, RunRecord& record) {
  record.tpc = version;
  record.model = table.model;
  for (const auto& size : table.sizes)
    if (size.first != "batch") record.sizes.push_back(size);
  for (const PlanMultiplier& multiplier : session.plan.multipliers)
    record.multipliers.emplace_back(multiplier.name, multiplier.target);
  for (const ProgramParameter& parameter : table.parameters)
    if (parameter.multiplier != 1) record.multipliers.emplace_back(parameter.name, parameter.multiplier);
}

namespace {

bool takeMultipliers(const RunRecord& record, Session& session, Mistake& mistake) {
  const auto recorded = [&](const std::string& name) -> const double* {
    for (const auto& [each, number] : record.multipliers)
      if (each == name) return &number;
    return nullptr;
  };
  for (size_t m = 0; m < session.plan.multipliers.size(); ++m) {
    const double* number = recorded(session.plan.multipliers[m].name);
    if (!number)
      return fails(
          mistake, Fault::content, "TPC0511",
          "the checkpoint knows no multiplier `" + session.plan.multipliers[m].name + "`, which the program has");
    session.plan.multipliers[m].target = session.multipliers[m] = *number;
  }
  for (PlanParameter& parameter : session.plan.parameters) {
    const double* number = recorded(parameter.name);
    parameter.target.multiplier = number ? *number : 1;
  }
  return true;
}

}  // namespace

std::unique_ptr<Session> sessionOf(const RunRecord& record, const std::string& path, std::unique_ptr<Session> session,
                                   SourceMap& sources, FileId file, const CommandOptions& options,
                                   const PlanOptions& plan, DiagnosticSink& diagnostics, Mistake& mistake) {
  const std::string& model = session->analysed.graph.model;
  if (record.model != model) {
    fails(mistake, Fault::content, "TPC0511", path + " is of the model `" + record.model + "`, not of `" + model + "`");
    return nullptr;
  }
  CommandOptions asRecorded = options;
  for (const auto& [name, number] : record.sizes) {
    const auto given = std::find_if(options.pipeline.defines.begin(), options.pipeline.defines.end(),
                                    [&, &size = name](const auto& each) { return each.first == size; });
    const auto symbol = std::find_if(session->analysed.graph.symbols.begin(), session->analysed.graph.symbols.end(),
                                     [&, &size = name](const Symbol& each) { return each.name == size; });
    if (symbol == session->analysed.graph.symbols.end()) {
      fails(mistake, Fault::content, "TPC0511", path + " knows a size `" + name + "`, which the program has not");
      return nullptr;
    }
    if (given == options.pipeline.defines.end() && symbol->number != number)
      asRecorded.pipeline.defines.emplace_back(name, number);
  }
  if (asRecorded.pipeline.defines != options.pipeline.defines) {
    session = openSession(sources, file, asRecorded, plan, session->run, diagnostics, mistake);
    if (!session) return nullptr;
  }
  return takeMultipliers(record, *session, mistake) ? std::move(session) : nullptr;
}

Answer withTrained(const CommandOptions& options, const PlanOptions& plan, const RunOptions& run,
                   const std::function<std::optional<std::string>(Session&, const OpenWeights&, Mistake&)>& answer) {
  Mistake mistake;
  const std::optional<OpenWeights> weights = openWeights(run, mistake);
  if (!weights) return answerOf(mistake, options.colorErrors);
  return withSource(
      options, [&](SourceMap& sources, FileId file, DiagnosticSink& diagnostics) -> std::optional<Answer> {
        std::unique_ptr<Session> session = openSession(sources, file, options, plan, run, diagnostics, mistake);
        if (session && weights->record)
          session = sessionOf(*weights->record, run.weights[0], std::move(session), sources, file, options, plan,
                              diagnostics, mistake);
        if (!session && diagnostics.hasErrors()) return std::nullopt;
        const std::optional<std::string> text = session ? answer(*session, *weights, mistake) : std::nullopt;
        return text ? Answer{exit_code::done, *text, ""} : answerOf(mistake, options.colorErrors);
      });
}

std::optional<OpenWeights> openWeights(const RunOptions& run, Mistake& mistake) {
  OpenWeights weights;
  for (const std::string& path : run.weights) {
    std::unique_ptr<SafetensorsFile> file = SafetensorsFile::open(path, mistake);
    if (!file) return std::nullopt;
    weights.files.push_back(std::move(file));
  }
  if (!run.names.empty()) {
    std::string reason;
    const std::optional<std::string> text = readText(run.names, reason);
    if (!text) return fails(mistake, Fault::usage, "", "cannot read " + run.names + ": " + reason), std::nullopt;
    std::optional<std::vector<WeightName>> names = readNames(run.names, *text, mistake);
    if (!names) return std::nullopt;
    weights.names = std::move(*names);
  }
  if (weights.files.size() == 1 && weights.files[0]->metadata("tpc")) {
    weights.record = readRecord(*weights.files[0], mistake);
    if (!weights.record) return std::nullopt;
  }
  return weights;
}

Answer answerOf(const Mistake& mistake, bool color) {
  const int code = mistake.fault == Fault::usage     ? exit_code::usage
                   : mistake.fault == Fault::machine ? exit_code::machine
                                                     : exit_code::program;
  if (mistake.code.empty())
    return {code, "", "tpc: " + mistake.message + "\n" + (mistake.help.empty() ? "" : "     " + mistake.help + "\n")};
  Diagnostic diagnostic;
  diagnostic.code = mistake.code;
  diagnostic.message = mistake.message;
  diagnostic.help = mistake.help;
  return {code, "", render(diagnostic, SourceMap(), {.color = color})};
}

}  // namespace tpc
