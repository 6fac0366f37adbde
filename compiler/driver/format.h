// `tpc fmt`: the canonical text of programs.
//
//     tpc fmt mlp.tp                       to standard output
//     tpc fmt --in-place *.tp              each file takes its canonical text
//     tpc fmt --check *.tp                 names those that differ, and answers 1 where there is one
//
// Whoever lets a program rewrite her files trusts it with them.  So the text is read again before it is written: it is
// the same program with the same comments, or nothing is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/commands.h"
#include "dsl/source/diagnostic.h"

namespace tpc {

struct FormatOptions {
  std::vector<std::string> files;
  bool check = false, inPlace = false;
  bool colorErrors = false;
};

Answer formatCommand(const FormatOptions& options);

// The canonical text of a file; empty after an error, which then has been reported.
std::optional<std::string> canonicalText(SourceMap& sources, FileId file, DiagnosticSink& diagnostics);

}  // namespace tpc
