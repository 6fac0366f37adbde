// Where functions and optimizers are found: in the program's own file and in those that it imports, then in the
// library, whose files are parsed when first asked for.
//
//     import "blocks.tp"        takes every function and optimizer of blocks.tp, and those that it imports itself
//
// A name means one function in a file, whoever defines it; the library's alone may be hidden.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dsl/source/diagnostic.h"
#include "dsl/source/files.h"
#include "dsl/syntax/ast.h"
#include "runtime/format/arrays.h"

namespace tpc {

// One file: what its text sees by name.
struct Unit {
  struct Fn {
    const ast::Fn* fn = nullptr;
    const Unit* home = nullptr;  // the file that defines it: what its body sees
  };
  FileId file = 0;
  std::map<std::string, Fn> functions;
  struct Optimizer {
    const ast::Optimizer* optimizer = nullptr;
    const Unit* home = nullptr;
  };
  std::map<std::string, Optimizer> optimizers;
};

class Functions {
 public:
  // The program may be null; it outlives this.
  Functions(const ast::Program* program, SourceMap& sources, DiagnosticSink& diagnostics, const FileReader& read);
  Functions(const Functions&) = delete;
  Functions& operator=(const Functions&) = delete;

  const Unit& program() const { return *program_; }
  const ast::Fn* library(const std::string& name);
  const ast::Optimizer* libraryOptimizer(const std::string& name);

  // The numbers of a file that the text of `from` names, read once; null with a reason.
  const NumberArray* numbers(FileId from, const std::string& path, std::string& reason);

  // True where an import has failed: a name that is missing then is no mistake of its own.
  bool incomplete() const { return incomplete_; }

  static std::vector<std::string> libraryNames();  // functions
  static std::vector<std::string> libraryOptimizerNames();

 private:
  void load(size_t file);
  void define(Unit& unit, const ast::Program& program);
  void take(Unit& unit, const ast::Import& import);
  const Unit* imported(const ast::Import& import, FileId from);

  SourceMap& sources_;
  DiagnosticSink& diagnostics_;
  const FileReader& read_;
  std::deque<Unit> units_;
  std::deque<ast::Program> texts_;  // of imported files
  Unit* program_ = nullptr;
  bool incomplete_ = false;
  std::map<std::string, const Unit*> files_;  // by path; null where it could not be read
  std::vector<std::string> open_;             // paths whose imports are being taken, outermost first

  std::map<std::string, const ast::Fn*> library_;
  std::map<std::string, const ast::Optimizer*> libraryOptimizers_;
  std::map<size_t, ast::Program> loaded_;                                              // by index of the library's file
  std::map<std::string, std::pair<std::optional<NumberArray>, std::string>> numbers_;  // by path, with the reason
  int64_t numberCount_ = 0;
};

}  // namespace tpc
