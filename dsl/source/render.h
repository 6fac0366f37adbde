// Diagnostics as text.  The form is shown at the top of diagnostic.h; nothing else prints a diagnostic for a reader.
#pragma once

#include <string>

#include "dsl/source/diagnostic.h"

namespace tpc {

struct RenderOptions {
  bool color = false;  // the caller knows whether this goes to a terminal
};

std::string render(const Diagnostic& diagnostic, const SourceMap& sources, RenderOptions options = {});

// All of a sink in the order of reporting, with an empty line between.
std::string render(const DiagnosticSink& sink, const SourceMap& sources, RenderOptions options = {});

}  // namespace tpc
