#include "compiler/import/functions.h"

#include <cctype>

#include "dsl/library/library.h"
#include "dsl/syntax/parse.h"

namespace tpc {

namespace {

struct Declared {
  size_t file;
  std::string name;
  bool optimizer;
};

// What each library file declares, found in its text, so that only files that are asked for are parsed.
const std::vector<Declared>& declarations() {
  static const std::vector<Declared> all = [] {
    std::vector<Declared> found;
    std::span<const LibraryFile> files = libraryFiles();
    for (size_t file = 0; file < files.size(); ++file) {
      std::string_view text = files[file].text;
      for (size_t line = 0; line < text.size();) {
        size_t end = text.find('\n', line);
        if (end == std::string_view::npos) end = text.size();
        std::string_view words = text.substr(line, end - line);
        line = end + 1;
        for (std::string_view keyword : {std::string_view("fn "), std::string_view("optimizer ")}) {
          if (!words.starts_with(keyword)) continue;
          size_t begin = keyword.size();
          while (begin < words.size() && words[begin] == ' ') ++begin;
          size_t stop = begin;
          while (stop < words.size() && (std::isalnum(static_cast<unsigned char>(words[stop])) || words[stop] == '_'))
            ++stop;
          found.push_back({file, std::string(words.substr(begin, stop - begin)), keyword == "optimizer "});
        }
      }
    }
    return found;
  }();
  return all;
}

}  // namespace

Functions::Functions(const ast::Program* program, SourceMap& sources, DiagnosticSink& diagnostics)
    : program_(program), sources_(sources), diagnostics_(diagnostics) {
  if (!program_) return;
  for (const ast::Statement& statement : program_->body.statements) {
    auto report = [&](const ast::Name& name, const char* what, Span before) {
      Diagnostic diagnostic{
          .code = "TPC0203", .message = std::string(what) + " `" + name.text + "` is defined twice", .span = name.span};
      diagnostic.notes.push_back({"the first one", before});
      diagnostics_.report(std::move(diagnostic));
    };
    if (const ast::Fn* fn = statement.as<ast::Fn>()) {
      auto [at, isNew] = own_.emplace(fn->name.text, fn);
      if (!isNew) report(fn->name, "the function", at->second->name.span);
    } else if (const ast::Optimizer* optimizer = statement.as<ast::Optimizer>()) {
      auto [at, isNew] = ownOptimizers_.emplace(optimizer->name.text, optimizer);
      if (!isNew) report(optimizer->name, "the optimizer", at->second->name.span);
    }
  }
}

const ast::Fn* Functions::own(const std::string& name) const {
  auto at = own_.find(name);
  return at == own_.end() ? nullptr : at->second;
}

const ast::Optimizer* Functions::ownOptimizer(const std::string& name) const {
  auto at = ownOptimizers_.find(name);
  return at == ownOptimizers_.end() ? nullptr : at->second;
}

const ast::Fn* Functions::library(const std::string& name) {
  for (const Declared& declared : declarations())
    if (!declared.optimizer && declared.name == name) load(declared.file);
  auto at = library_.find(name);
  return at == library_.end() ? nullptr : at->second;
}

const ast::Optimizer* Functions::libraryOptimizer(const std::string& name) {
  for (const Declared& declared : declarations())
    if (declared.optimizer && declared.name == name) load(declared.file);
  auto at = libraryOptimizers_.find(name);
  return at == libraryOptimizers_.end() ? nullptr : at->second;
}

void Functions::load(size_t index) {
  if (loaded_.contains(index)) return;
  const LibraryFile& file = libraryFiles()[index];
  FileId id = sources_.add(std::string(file.path), std::string(file.text));
  std::optional<ast::Program> parsed = parse(sources_, id, diagnostics_);
  ast::Program& program = loaded_[index];
  if (!parsed) return;  // reported; the library's own tests keep this from happening
  program = std::move(*parsed);
  for (const ast::Statement& statement : program.body.statements) {
    if (const ast::Fn* fn = statement.as<ast::Fn>()) library_.emplace(fn->name.text, fn);
    if (const ast::Optimizer* optimizer = statement.as<ast::Optimizer>())
      libraryOptimizers_.emplace(optimizer->name.text, optimizer);
  }
}

std::vector<std::string> Functions::ownNames() const {
  std::vector<std::string> names;
  for (const auto& [name, fn] : own_) names.push_back(name);
  return names;
}

std::vector<std::string> Functions::libraryNames() {
  std::vector<std::string> names;
  for (const Declared& declared : declarations())
    if (!declared.optimizer) names.push_back(declared.name);
  return names;
}

std::vector<std::string> Functions::libraryOptimizerNames() {
  std::vector<std::string> names;
  for (const Declared& declared : declarations())
    if (declared.optimizer) names.push_back(declared.name);
  return names;
}

}  // namespace tpc
