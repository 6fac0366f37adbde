// A syntax tree into the `tp` dialect: every name, axis and shape decided.
//
//     h = relu(image @ W1 + b1)          %3 = tp.contract %image, %W1          batch n
//                                        %5 = tp.add %3, (broadcast of %b1)    batch n
//                                        %6 = tp.map relu %5                   batch n   tp.name = "h"
//
// A function is a template over shapes, static arguments and functions: every call is expanded here, with its names
// kept as paths (`layers.attention.wq`).  A repeat stays one operation.  After a successful import no diagnostic of the
// TPC02 family can appear, and the module verifies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "dsl/source/diagnostic.h"
#include "dsl/source/files.h"
#include "dsl/syntax/ast.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace tpc {

struct ImportOptions {
  std::vector<std::pair<std::string, int64_t>> defines;  // -D name=value
  std::vector<std::string> grow, fix;                    // --grow, --fix
  FileReader read = readFile;                            // what `import` and `from` name
};

// Where expansion stops, so that no text can exhaust memory.
struct ImportLimits {
  static constexpr int64_t operations = 1'000'000;
  static constexpr int64_t evaluations = 5'000'000;  // of expressions, calls expanded
  static constexpr int callDepth = 64;
  static constexpr int nesting = 1500;  // of expressions, through calls; one alone may have SyntaxLimits::height
  static constexpr int axes = 32;
  static constexpr int errors = 50;
  static constexpr int importDepth = 16;                        // files that import files
  static constexpr int importedFiles = 64;                      // in one program
  static constexpr int64_t constantNumbers = int64_t(1) << 24;  // of all files together
};

struct ImportedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;  // one tp.program
  std::vector<Symbol> symbols;               // as tp::symbolsOf(module)
  std::string model;                         // empty where the program has no `model`
  std::vector<std::string> optimizers;       // those that the program itself defines or imports
};

// Empty after an error, which then has been reported.
std::optional<ImportedModule> import(const ast::Program& program, const ImportOptions& options, SourceMap& sources,
                                     DiagnosticSink& diagnostics, mlir::MLIRContext& context);

struct ImportedOptimizer {
  mlir::OwningOpRef<mlir::ModuleOp> module;  // one tp.optimizer
  std::string name;
};

// An optimizer by its name: the program's own (the program may be null), else the library's.  `asked` is where the name
// was written, if it was.
std::optional<ImportedOptimizer> importOptimizer(const std::string& name, const ast::Program* program,
                                                 SourceMap& sources, DiagnosticSink& diagnostics,
                                                 mlir::MLIRContext& context, std::optional<Span> asked = std::nullopt,
                                                 const FileReader& read = readFile);

// The catalogue of TPC02xx.
std::span<const DiagnosticCode> importCodes();

}  // namespace tpc
