// Where functions and optimizers are found: the program's own first, then the library's, parsed when first asked for.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "dsl/source/diagnostic.h"
#include "dsl/syntax/ast.h"

namespace tpc {

class Functions {
 public:
  // The program may be null; it outlives this.
  Functions(const ast::Program* program, SourceMap& sources, DiagnosticSink& diagnostics);

  const ast::Fn* own(const std::string& name) const;
  const ast::Fn* library(const std::string& name);
  const ast::Optimizer* ownOptimizer(const std::string& name) const;
  const ast::Optimizer* libraryOptimizer(const std::string& name);

  std::vector<std::string> ownNames() const;
  static std::vector<std::string> libraryNames();  // functions
  static std::vector<std::string> libraryOptimizerNames();

 private:
  void load(size_t file);
  const ast::Program* program_;
  SourceMap& sources_;
  DiagnosticSink& diagnostics_;
  std::map<std::string, const ast::Fn*> own_, library_;
  std::map<std::string, const ast::Optimizer*> ownOptimizers_, libraryOptimizers_;
  std::map<size_t, ast::Program> loaded_;  // by index of the library's file
};

}  // namespace tpc
