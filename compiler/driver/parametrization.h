// A parametrization as a user writes it down, in the forms in which `tpc analyze --format=json` prints one.
//
//     {"parameters": {"W1": {"init_std": {}, "lr": {"n": "-1"}},
//                     "*":  {"multiplier": {"n": "-1/2"}, "eps": {}}},
//      "multipliers": {"attention.auto": {"d": "-1/2"}}}
//
// `*` stands for all that are not named.  What is left out is solved.  The document of an analysis, or of a plan, is
// such a file too: what it tells besides (shapes, roles, derivations) is passed over.
#pragma once

#include <string>

#include "compiler/analysis/analysis.h"
#include "dsl/source/diagnostic.h"

namespace tpc {

// Writes what the text gives into `options`, and into the parameters of `graph` how they start where the text gives a
// constant.  False after an error (TPC0405), which then has been reported.
bool giveFromJson(const std::string& text, const std::string& path, Graph& graph, AnalysisOptions& options,
                  DiagnosticSink& diagnostics);

}  // namespace tpc
