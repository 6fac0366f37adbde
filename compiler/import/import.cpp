#include "compiler/import/import.h"

#include <fmt/format.h>

#include "compiler/import/emit_impl.h"
#include "compiler/import/expander.h"
#include "compiler/import/functions.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

void forward(const DiagnosticSink& from, DiagnosticSink& to) {
  for (const Diagnostic& diagnostic : from.all()) to.report(diagnostic);
}

bool verified(Expander& expander, DiagnosticSink& diagnostics) {
  if (expander.emitter().verifies()) return true;
  diagnostics.error("TPC0281", "a defect of tpc: the imported program does not verify", std::nullopt, {},
                    "please report it with the program");
  return false;
}

}  // namespace

std::optional<ImportedModule> import(const ast::Program& program, const ImportOptions& options, SourceMap& sources,
                                     DiagnosticSink& diagnostics, mlir::MLIRContext& context) {
  const size_t errorsBefore = diagnostics.errorCount();
  Functions functions(&program, sources, diagnostics, options.read);
  ImportedModule result;
  if (program.model) result.model = program.model->text;

  Dissolved dissolved;
  for (;;) {
    DiagnosticSink found;
    Expander expander(context, functions, sources, found, dissolved);
    expander.runProgram(program, {.defines = options.defines, .grow = options.grow, .fix = options.fix});
    size_t before = dissolved.names.size();
    dissolved.names.insert(expander.toDissolve().begin(), expander.toDissolve().end());
    // Each round dissolves a size more, so there are at most as many rounds as sizes.
    if (dissolved.names.size() > before) continue;
    forward(found, diagnostics);
    if (expander.failed() && diagnostics.errorCount() == errorsBefore)
      diagnostics.error("TPC0281", "a defect of tpc: the import failed without a reason", std::nullopt, {},
                        "please report it with the program");
    if (!found.hasErrors() && diagnostics.errorCount() == errorsBefore) {
      if (!verified(expander, diagnostics)) return std::nullopt;
      result.module = std::move(expander.emitter().impl().module);
      result.symbols = expander.symbols();
    }
    break;
  }
  // The program's own optimizers are read whether or not one is asked for.
  for (const ast::Statement& statement : program.body.statements) {
    const ast::Optimizer* optimizer = statement.as<ast::Optimizer>();
    if (!optimizer) continue;
    DiagnosticSink found;
    Expander expander(context, functions, sources, found, dissolved);
    expander.runOptimizer(*optimizer, &functions.program());
    forward(found, diagnostics);
  }
  for (const auto& [name, optimizer] : functions.program().optimizers) result.optimizers.push_back(name);
  if (diagnostics.errorCount() != errorsBefore || !result.module) return std::nullopt;
  return result;
}

std::optional<ImportedOptimizer> importOptimizer(const std::string& name, const ast::Program* program,
                                                 SourceMap& sources, DiagnosticSink& diagnostics,
                                                 mlir::MLIRContext& context, std::optional<Span> asked,
                                                 const FileReader& read) {
  DiagnosticSink found;  // what is wrong with the program is told by `import`
  Functions functions(program, sources, found, read);
  const auto own = functions.program().optimizers.find(name);
  const bool library = own == functions.program().optimizers.end();
  const ast::Optimizer* optimizer = library ? functions.libraryOptimizer(name) : own->second.optimizer;
  if (!optimizer) {
    std::vector<std::string> names;
    for (const auto& [known, node] : functions.program().optimizers) names.push_back(known);
    for (std::string& known : Functions::libraryOptimizerNames()) names.push_back(std::move(known));
    diagnostics.error("TPC0269", fmt::format("unknown optimizer `{}`", name), asked, {}, didYouMean(name, names));
    return std::nullopt;
  }
  Dissolved dissolved;
  DiagnosticSink reported;
  Expander expander(context, functions, sources, reported, dissolved);
  expander.runOptimizer(*optimizer, library ? nullptr : own->second.home);
  forward(reported, diagnostics);
  if (reported.hasErrors() || !verified(expander, diagnostics)) return std::nullopt;
  return ImportedOptimizer{.module = std::move(expander.emitter().impl().module), .name = name};
}

}  // namespace tpc
