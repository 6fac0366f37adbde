#include "compiler/import/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "compiler/import/import.h"
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

Functions::Functions(const ast::Program* program, SourceMap& sources, DiagnosticSink& diagnostics,
                     const FileReader& read)
    : sources_(sources), diagnostics_(diagnostics), read_(read) {
  program_ = &units_.emplace_back();
  if (!program) return;
  program_->file = program->body.span.file;
  const std::string path = pathBeside("", std::string(sources_.name(program_->file)));
  files_[path] = program_;
  open_.push_back(path);
  define(*program_, *program);
  open_.pop_back();
}

// Its own functions first, so that what an import brings twice is reported at the import.
void Functions::define(Unit& unit, const ast::Program& program) {
  auto report = [&](const ast::Name& name, const char* what, Span before) {
    Diagnostic diagnostic{
        .code = "TPC0203", .message = std::string(what) + " `" + name.text + "` is defined twice", .span = name.span};
    diagnostic.notes.push_back({"the first one", before});
    diagnostics_.report(std::move(diagnostic));
  };
  for (const ast::Statement& statement : program.body.statements) {
    if (const ast::Fn* fn = statement.as<ast::Fn>()) {
      auto [at, isNew] = unit.functions.emplace(fn->name.text, Unit::Fn{fn, &unit});
      if (!isNew) report(fn->name, "the function", at->second.fn->name.span);
    } else if (const ast::Optimizer* optimizer = statement.as<ast::Optimizer>()) {
      auto [at, isNew] = unit.optimizers.emplace(optimizer->name.text, Unit::Optimizer{optimizer, &unit});
      if (!isNew) report(optimizer->name, "the optimizer", at->second.optimizer->name.span);
    }
  }
  for (const ast::Statement& statement : program.body.statements)
    if (const ast::Import* import = statement.as<ast::Import>()) take(unit, *import);
}

void Functions::take(Unit& unit, const ast::Import& import) {
  const Unit* other = imported(import, unit.file);
  if (!other) {
    incomplete_ = true;
    return;
  }
  auto clash = [&](const char* what, const std::string& name, Span here, Span there) {
    Diagnostic diagnostic{
        .code = "TPC0203",
        .message = fmt::format("{} `{}` of {} is defined already", what, name, sources_.name(other->file)),
        .span = import.pathSpan};
    diagnostic.notes.push_back({"the first one", here});
    diagnostic.notes.push_back({"the one that is imported", there});
    diagnostic.help = "give one of the two another name";
    diagnostics_.report(std::move(diagnostic));
  };
  for (const auto& [name, fn] : other->functions) {
    auto [at, isNew] = unit.functions.emplace(name, fn);
    if (!isNew && at->second.fn != fn.fn) clash("the function", name, at->second.fn->name.span, fn.fn->name.span);
  }
  for (const auto& [name, optimizer] : other->optimizers) {
    auto [at, isNew] = unit.optimizers.emplace(name, optimizer);
    if (!isNew && at->second.optimizer != optimizer.optimizer)
      clash("the optimizer", name, at->second.optimizer->name.span, optimizer.optimizer->name.span);
  }
}

const Unit* Functions::imported(const ast::Import& import, FileId from) {
  const std::string path = pathBeside(sources_.name(from), import.path.text);
  if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
    std::string circle;
    for (auto at = std::find(open_.begin(), open_.end(), path); at != open_.end(); ++at) circle += *at + " -> ";
    diagnostics_.error("TPC0284", fmt::format("the files import each other: {}{}", circle, path), import.pathSpan, {},
                       "move what both need into a file of its own");
    return nullptr;
  }
  if (auto known = files_.find(path); known != files_.end()) return known->second;
  files_[path] = nullptr;
  if (open_.size() > size_t(ImportLimits::importDepth) || units_.size() > size_t(ImportLimits::importedFiles)) {
    diagnostics_.error("TPC0284",
                       open_.size() > size_t(ImportLimits::importDepth)
                           ? fmt::format("imports are nested deeper than {}", ImportLimits::importDepth)
                           : fmt::format("a program imports more than {} files", ImportLimits::importedFiles),
                       import.pathSpan);
    return nullptr;
  }
  std::string reason;
  std::optional<std::string> text = read_(path, SyntaxLimits::fileBytes, reason);
  if (!text) {
    diagnostics_.error("TPC0283", fmt::format("`{}` cannot be read: {}", path, reason), import.pathSpan, {},
                       import.path.text == path ? "" : "the path is taken from the folder of the file that imports");
    return nullptr;
  }
  const FileId file = sources_.add(path, std::move(*text));
  // What is wrong in the file is told at its place, with the import that led there.
  DiagnosticSink found;
  std::optional<ast::Program> parsed = parse(sources_, file, found);
  for (Diagnostic diagnostic : found.all()) {
    diagnostic.notes.push_back({"imported here", import.pathSpan});
    diagnostics_.report(std::move(diagnostic));
  }
  if (!parsed) return nullptr;
  Unit& unit = units_.emplace_back();
  unit.file = file;
  open_.push_back(path);
  define(unit, texts_.emplace_back(std::move(*parsed)));
  open_.pop_back();
  files_[path] = &unit;
  return &unit;
}

const NumberArray* Functions::numbers(FileId from, const std::string& path, std::string& reason) {
  const std::string whole = pathBeside(sources_.name(from), path);
  auto [known, isNew] = numbers_.try_emplace(whole);
  auto& [array, why] = known->second;
  if (isNew) {
    std::optional<std::string> bytes = read_(whole, ArrayLimits::bytes, why);
    if (bytes) array = readArray(whole, *bytes, why);
    if (array) numberCount_ += int64_t(array->values.size());
    if (numberCount_ > ImportLimits::constantNumbers) {
      array.reset();
      why = fmt::format("the constants of the program hold more than {} numbers", ImportLimits::constantNumbers);
    }
  }
  reason = why;
  return array ? &*array : nullptr;
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
