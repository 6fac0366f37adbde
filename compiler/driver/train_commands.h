// The commands that run a program: `tpc train`, `tpc generate` and `tpc predict`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/commands.h"
#include "compiler/driver/planning.h"

namespace tpc {

// Which code takes the steps.
struct RunOptions {
  std::string backend = "compiled";  // machine code, in single precision; interpreter: the definition, in double
  int threads = 0;                   // of the compiled code; 0: as many as the machine has
  std::vector<std::string> weights;  // safetensors
  std::string names;                 // a file of names for them
};

struct TrainCommandOptions {
  PlanOptions plan;
  RunOptions run;
  std::vector<std::string> data, validationData;
  double validation = 0.1;
  bool standardize = false;
  std::optional<int64_t> steps, batch, warmup, evaluateEvery, checkpointEvery;
  int64_t accumulate = 1, logEvery = 10, patience = 0, validationSamples = 1024;
  std::optional<std::string> schedule;
  double lastFactor = 0, decayPart = 0.2;
  std::optional<double> clip;
  std::optional<uint64_t> seed;  // 0, or that of the checkpoint
  std::string folder;            // empty: `<model>.run`
  bool resume = false, overwrite = false;
  std::string exportFile, exportType = "f32";
};
Answer trainCommand(const CommandOptions& options, const TrainCommandOptions& asked);

struct GenerateOptions {
  PlanOptions plan;
  RunOptions run;
  std::string prompt;
  int64_t length = 200, topK = 0;  // 0: all
  double temperature = 1;          // 0: always the likeliest
  uint64_t seed = 0;
};
Answer generateCommand(const CommandOptions& options, const GenerateOptions& asked);

struct PredictOptions {
  PlanOptions plan;
  RunOptions run;
  std::vector<std::string> data;
  std::string output;  // empty: the program's first
  bool argmax = false;
  std::optional<int64_t> batch;
  bool npy = false;  // else a line for each sample
};
Answer predictCommand(const CommandOptions& options, const PredictOptions& asked);

}  // namespace tpc
