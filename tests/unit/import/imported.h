// A program's text, imported: its graph, or what was reported.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/import/import.h"

namespace tpc {

struct Imported {
  std::optional<Graph> graph;
  std::string codes;     // of the errors, "TPC0201 TPC0203", then of the warnings
  std::string messages;  // one a line, with the mends after " | "

  std::string parameters() const;  // "W1 layers.attention.wq": by their paths, in order
  std::string multipliers() const;
  std::string shapeOf(const std::string& name) const;  // of a parameter or a named value: "[batch, n]"
  bool names(const std::string& value) const;
  int count(OpKind kind) const;
};

Imported imported(const std::string& text, const ImportOptions& options = {});

}  // namespace tpc
