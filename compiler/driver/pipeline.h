// The way of a program through the compiler, as a library: the command line, the fuzzers and the tests link the same.
//
//     SourceMap sources;
//     DiagnosticSink diagnostics;
//     FileId file = sources.add("mlp.tp", text);
//     std::optional<Analysed> analysed = analyseProgram(sources, file, {}, diagnostics);
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/graph/graph.h"
#include "dsl/source/diagnostic.h"
#include "dsl/source/files.h"

namespace tpc {

struct PipelineOptions {
  std::vector<std::pair<std::string, int64_t>> defines;  // -D name=value
  std::vector<std::string> grow, fix;                    // --grow, --fix
  std::string optimizer;  // `adamw; layers.*=sgd`; empty: what the program's train block says, else adamw
  Alignment alignment = Alignment::full;
  Criterion criterion = Criterion::automatic;
  std::string parametrization = "auto";  // sp, ntp, mfp, or a file
  FileReader read = readFile;            // what `import` and `from` of the program name
};

// What else the file's train block says: defaults of `tpc train`.
struct TrainBlock {
  std::optional<double> steps, batch, warmup, clip;
  std::string schedule, data;  // empty: not said
};

struct Analysed {
  Graph graph;
  std::vector<OptimizerProgram> optimizers;
  AnalysisOptions options;
  Analysis analysis;
  std::vector<int64_t> declared;                        // per symbol: the number in the file, whatever -D says
  std::optional<double> trainLr, trainEps, trainDecay;  // of the file's train block
  TrainBlock train;
};

// The same program under several parametrizations, in their order; one analysis each.  Empty after an error.
std::optional<std::vector<Analysed>> compareProgram(SourceMap& sources, FileId file, const PipelineOptions& options,
                                                    const std::vector<std::string>& parametrizations,
                                                    DiagnosticSink& diagnostics);

// Empty after an error, which then has been reported.  Warnings of every room stand in Analysis::warnings.
std::optional<Analysed> analyseProgram(SourceMap& sources, FileId file, const PipelineOptions& options,
                                       DiagnosticSink& diagnostics);

// True where the answer to the question is no: the program is infeasible, or what was given is unstable.
bool isNegative(const Analysed& analysed);

}  // namespace tpc
