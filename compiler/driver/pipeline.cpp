#include "compiler/driver/pipeline.h"

#include <set>

#include "compiler/analysis/given.h"
#include "compiler/driver/files.h"
#include "compiler/driver/optimizers.h"
#include "compiler/driver/parametrization.h"
#include "compiler/import/import.h"
#include "compiler/interpret/scalars.h"
#include "compiler/interpret/sparsity.h"
#include "compiler/ir/build.h"
#include "compiler/ir/flatten.h"
#include "compiler/transform/differentiate.h"
#include "dsl/source/suggest.h"
#include "dsl/syntax/parse.h"
#include "mlir/IR/Diagnostics.h"

namespace tpc {

namespace {

// The optimizers that this program is trained by, each as a program of its own.
bool chooseOptimizers(const PipelineOptions& options, const ast::Program& program, SourceMap& sources,
                      DiagnosticSink& diagnostics, mlir::MLIRContext& context, Analysed& analysed) {
  std::string asked = options.optimizer.empty() ? wordOfTrainBlock(program, "optimizer") : options.optimizer;
  if (asked.empty()) asked = "adamw";
  const std::optional<OptimizerChoice> choice = readOptimizerChoice(asked);
  if (!choice) {
    diagnostics.error("TPC0401", "`" + asked + "` names no optimizer", std::nullopt, {},
                      "write a name, or `adamw; layers.*=sgd` for parameters of their own");
    return false;
  }
  analysed.options.optimizer = choice->everywhere.empty() ? "adamw" : choice->everywhere;

  std::set<std::string> needed = {analysed.options.optimizer};
  for (const auto& [pattern, optimizer] : choice->matching) {
    bool any = false;
    for (const Parameter& parameter : analysed.graph.parameters) {
      if (!matches(pattern, parameter.name)) continue;
      analysed.options.optimizerOf[parameter.name] = optimizer;
      any = true;
    }
    if (!any) {
      diagnostics.error("TPC0402", "no parameter is called `" + pattern + "`", std::nullopt);
      return false;
    }
    needed.insert(optimizer);
  }
  for (const Parameter& parameter : analysed.graph.parameters) {
    if (!parameter.optimizer.empty()) needed.insert(parameter.optimizer);
  }
  for (const std::string& name : needed) {
    const auto optimizer = importOptimizer(name, &program, sources, diagnostics, context, std::nullopt, options.read);
    if (!optimizer) return false;
    for (OptimizerProgram& one : flatten(*optimizer->module).optimizers) analysed.optimizers.push_back(std::move(one));
  }
  return true;
}

// Every operation of a program that import lets pass has a derivative, or a derivative of zero, so what MLIR reports to
// the handlers of its context is a defect.
bool differentiated(mlir::ModuleOp module, DiagnosticSink& diagnostics) {
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic& diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error) {
      diagnostics.error("TPC0281", "a defect of tpc: " + diagnostic.str(), tp::spanOf(diagnostic.getLocation()));
    }
    return mlir::success();
  });
  return differentiate(module);
}

// The reader sees one list: what import warned of comes first, since it comes first in the program's way.
void takeWarnings(const DiagnosticSink& diagnostics, Analysis& analysis) {
  std::vector<Warning> warnings;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != Severity::warning) continue;
    Warning warning{.code = diagnostic.code,
                    .span = diagnostic.span.value_or(Span{}),
                    .message = diagnostic.message,
                    .mend = diagnostic.help,
                    .notes = {}};
    for (const Note& note : diagnostic.notes) warning.notes.emplace_back(note.text, note.span.value_or(Span{}));
    warnings.push_back(std::move(warning));
  }
  analysis.warnings.insert(analysis.warnings.begin(), warnings.begin(), warnings.end());
}

// auto solves; a name or a file gives exponents that are judged.
bool chooseParametrization(const std::string& asked, Analysed& analysed, DiagnosticSink& diagnostics) {
  if (asked == "auto") return true;
  if (isNamedParametrization(asked)) {
    giveByName(asked, analysed.graph, analysed.options);
    return true;
  }
  const std::vector<std::string> names = {"auto", "sp", "ntp", "mfp"};
  if (asked.find('.') == std::string::npos && asked.find('/') == std::string::npos && asked != "-") {
    diagnostics.error("TPC0404", "there is no parametrization `" + asked + "`", std::nullopt, {},
                      asked == "mup" || asked == "muP" || asked == "mu"
                          ? "muP is what `auto` finds; give `auto`, sp, ntp, mfp or a file FILE.json"
                          : "give auto, sp, ntp, mfp or a file FILE.json; " + didYouMean(asked, names));
    return false;
  }
  std::string reason;
  const std::optional<std::string> text = readText(asked, reason);
  if (!text) {
    diagnostics.error("TPC0404", "cannot read " + asked + ": " + reason, std::nullopt);
    return false;
  }
  return giveFromJson(*text, asked, analysed.graph, analysed.options, diagnostics);
}

// What the file says in numbers and the graph does not keep.
void readNumbers(const ast::Program& program, Analysed& analysed) {
  for (const Symbol& symbol : analysed.graph.symbols) analysed.declared.push_back(symbol.number);
  for (const ast::Statement& statement : program.body.statements) {
    const auto* size = statement.as<ast::Size>();
    if (!size) continue;
    for (const ast::SizeEntry& entry : size->entries)
      for (size_t i = 0; i < analysed.graph.symbols.size(); ++i)
        if (analysed.graph.symbols[i].name == entry.name.text) analysed.declared[i] = int64_t(entry.value.value);
  }
  analysed.trainLr = numberOfTrainBlock(program, "lr");
  analysed.trainEps = numberOfTrainBlock(program, "eps");
  analysed.trainDecay = numberOfTrainBlock(program, "decay");
  analysed.train = {.steps = numberOfTrainBlock(program, "steps"),
                    .batch = numberOfTrainBlock(program, "batch"),
                    .warmup = numberOfTrainBlock(program, "warmup"),
                    .clip = numberOfTrainBlock(program, "clip"),
                    .schedule = wordOfTrainBlock(program, "schedule"),
                    .data = wordOfTrainBlock(program, "data")};
}

// Everything but the parametrization and the sizes.
std::optional<Analysed> prepareProgram(SourceMap& sources, FileId file, const PipelineOptions& options,
                                       DiagnosticSink& diagnostics) {
  // What was written, statement by statement.  From here on no diagnostic of the TPC01 family can appear.
  std::optional<ast::Program> program = parse(sources, file, diagnostics);
  if (!program) return std::nullopt;

  // Every name, axis and shape is known.  From here on no diagnostic of the TPC02 family can appear.
  const auto context = tp::makeContext();
  const ImportOptions importOptions{
      .defines = options.defines, .grow = options.grow, .fix = options.fix, .read = options.read};
  std::optional<ImportedModule> imported = import(*program, importOptions, sources, diagnostics, *context);
  if (!imported) return std::nullopt;

  // The backward pass becomes ordinary operations, so the analysis needs no special case for it.
  if (!differentiated(*imported->module, diagnostics)) return std::nullopt;

  // The same program without MLIR.  From here on nobody adds an operation.
  Analysed analysed;
  analysed.graph = flatten(*imported->module).graph;
  countNonzeros(analysed.graph);
  measureScalarFunctions(analysed.graph);
  analysed.options.alignment = options.alignment;
  analysed.options.criterion = options.criterion;
  readNumbers(*program, analysed);
  if (!chooseOptimizers(options, *program, sources, diagnostics, *context, analysed)) return std::nullopt;

  return analysed;
}

bool finishProgram(const std::string& parametrization, Analysed& analysed, DiagnosticSink& diagnostics) {
  // What is given stands in the options.  From here on no diagnostic of the TPC04 family can appear.
  if (!chooseParametrization(parametrization, analysed, diagnostics)) return false;

  // One judgment per value and growing symbol.  From here on nobody adds a size, they only read them.
  analysed.analysis = analyse(analysed.graph, analysed.optimizers, analysed.options);
  if (analysed.analysis.tooLarge) {
    diagnostics.error(
        "TPC0307",
        "the derivation of this program has more than " + std::to_string(analysed.options.mostSteps) + " steps",
        std::nullopt, {}, "write layers that are alike as a `repeat`, or fix sizes with --fix");
    return false;
  }
  takeWarnings(diagnostics, analysed.analysis);
  return true;
}

}  // namespace

std::optional<Analysed> analyseProgram(SourceMap& sources, FileId file, const PipelineOptions& options,
                                       DiagnosticSink& diagnostics) {
  std::optional<Analysed> analysed = prepareProgram(sources, file, options, diagnostics);
  if (!analysed || !finishProgram(options.parametrization, *analysed, diagnostics)) return std::nullopt;
  return analysed;
}

std::optional<std::vector<Analysed>> compareProgram(SourceMap& sources, FileId file, const PipelineOptions& options,
                                                    const std::vector<std::string>& parametrizations,
                                                    DiagnosticSink& diagnostics) {
  const std::optional<Analysed> prepared = prepareProgram(sources, file, options, diagnostics);
  if (!prepared) return std::nullopt;
  std::vector<Analysed> all;
  for (const std::string& parametrization : parametrizations) {
    all.push_back(*prepared);
    if (!finishProgram(parametrization, all.back(), diagnostics)) return std::nullopt;
  }
  return all;
}

bool isNegative(const Analysed& analysed) {
  for (const SymbolAnalysis& symbol : analysed.analysis.symbols) {
    if (!symbol.analysed) continue;
    if (symbol.verdict.infeasible) return true;
    const bool given = analysed.options.parametrization != "auto";
    if (given && !(symbol.verdict.stableInit && symbol.verdict.stableTraining)) return true;
  }
  return false;
}

}  // namespace tpc
