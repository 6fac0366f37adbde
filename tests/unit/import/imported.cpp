#include "tests/unit/import/imported.h"

#include <algorithm>

#include "compiler/ir/build.h"
#include "compiler/ir/flatten.h"
#include "dsl/syntax/parse.h"

namespace tpc {

Imported imported(const std::string& text, const ImportOptions& options) {
  SourceMap sources;
  DiagnosticSink diagnostics;
  FileId file = sources.add("test.tp", text);
  Imported result;
  std::optional<ast::Program> program = parse(sources, file, diagnostics);
  if (program) {
    auto context = tp::makeContext();
    std::optional<ImportedModule> module = import(*program, options, sources, diagnostics, *context);
    if (module) {
      result.graph = flatten(*module->module).graph;
      if (std::string wrong = violation(*result.graph); !wrong.empty()) result.messages += "violation: " + wrong + "\n";
    }
  }
  for (Severity severity : {Severity::error, Severity::warning})
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (diagnostic.severity != severity) continue;
      result.codes += (result.codes.empty() ? "" : " ") + diagnostic.code;
      result.messages += diagnostic.message + (diagnostic.help.empty() ? "" : " | " + diagnostic.help) + "\n";
    }
  return result;
}

std::string Imported::parameters() const {
  std::string names;
  if (!graph) return messages;
  for (const Parameter& parameter : graph->parameters) names += (names.empty() ? "" : " ") + parameter.name;
  return names;
}

std::string Imported::multipliers() const {
  std::string names;
  if (!graph) return messages;
  for (const FreeMultiplier& multiplier : graph->freeMultipliers) names += (names.empty() ? "" : " ") + multiplier.name;
  return names;
}

std::string Imported::shapeOf(const std::string& name) const {
  if (!graph) return messages;
  NodeId found = none;
  for (const Parameter& parameter : graph->parameters)
    if (parameter.name == name) found = parameter.node;
  for (NodeId id = 0; id < graph->nodes.size(); ++id)
    if (graph->nodes[id].name != none && graph->names[graph->nodes[id].name] == name) found = id;
  if (found == none) return "no value " + name;
  std::string shape = "[";
  for (int axis = 0; axis < graph->rank(found); ++axis)
    shape += (axis ? ", " : "") + toString(graph->length(found, axis), graph->symbols);
  return shape + "]";
}

bool Imported::names(const std::string& value) const {
  if (!graph) return false;
  return std::any_of(graph->nodes.begin(), graph->nodes.end(),
                     [&](const Node& node) { return node.name != none && graph->names[node.name] == value; });
}

int Imported::count(OpKind kind) const {
  if (!graph) return -1;
  return int(
      std::count_if(graph->nodes.begin(), graph->nodes.end(), [&](const Node& node) { return node.kind == kind; }));
}

}  // namespace tpc
