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
  Functions functions(&program, sources, diagnostics);
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
    result.optimizers.push_back(optimizer->name.text);
    DiagnosticSink found;
    Expander expander(context, functions, sources, found, dissolved);
    expander.runOptimizer(*optimizer, false);
    forward(found, diagnostics);
  }
  if (diagnostics.errorCount() != errorsBefore || !result.module) return std::nullopt;
  return result;
}

std::vector<std::string> optimizerNames(const ast::Program* program) {
  std::vector<std::string> names;
  if (program)
    for (const ast::Statement& statement : program->body.statements)
      if (const ast::Optimizer* optimizer = statement.as<ast::Optimizer>()) names.push_back(optimizer->name.text);
  for (std::string& name : Functions::libraryOptimizerNames()) names.push_back(std::move(name));
  return names;
}

std::optional<ImportedOptimizer> importOptimizer(const std::string& name, const ast::Program* program,
                                                 SourceMap& sources, DiagnosticSink& diagnostics,
                                                 mlir::MLIRContext& context, std::optional<Span> asked) {
  DiagnosticSink found;
  Functions functions(program, sources, found);
  const ast::Optimizer* optimizer = functions.ownOptimizer(name);
  bool library = !optimizer;
  if (library) optimizer = functions.libraryOptimizer(name);
  if (!optimizer) {
    diagnostics.error("TPC0269", fmt::format("unknown optimizer `{}`", name), asked, {},
                      didYouMean(name, optimizerNames(program)));
    return std::nullopt;
  }
  Dissolved dissolved;
  DiagnosticSink own;
  Expander expander(context, functions, sources, own, dissolved);
  expander.runOptimizer(*optimizer, library);
  forward(own, diagnostics);
  if (own.hasErrors() || !verified(expander, diagnostics)) return std::nullopt;
  return ImportedOptimizer{.module = std::move(expander.emitter().impl().module), .name = name};
}

}  // namespace tpc
