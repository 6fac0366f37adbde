// What a training needs to go on where it stopped, in one safetensors file: parameters, the optimizer's states,
// counters.
//
//     W1          the parameter                  any reader of safetensors finds it under the program's name
//     W1/m W1/v   states of its optimizer        no parameter has a slash in its name
//     metadata    "tpc": a document, schema tpc.checkpoint/1: the step, the seed, the best loss, sizes, multipliers
//
// Everything else that a step depends on (the order of samples, dropout, the schedule) is a function of seed and step.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/data/dataset.h"
#include "runtime/format/mistake.h"
#include "runtime/format/safetensors.h"
#include "runtime/step.h"

namespace tpc {

struct RunRecord {
  std::string tpc{}, model{};
  std::vector<std::pair<std::string, int64_t>> sizes{};        // but `batch`
  std::vector<std::pair<std::string, double>> multipliers{};   // free ones and parameters', those that are not 1
  std::vector<std::pair<std::string, std::string>> options{};  // what the training was asked for, for comparing
  uint64_t seed = 0;
  int64_t step = 0;
  double best = std::numeric_limits<double>::quiet_NaN();  // validation loss; NaN: none yet
  int64_t bestStep = 0, sinceBest = 0;                     // evaluations since then
  int64_t samples = 0;                                     // of the training data
  std::string alphabet{};
  bool isText = false;
  std::vector<std::pair<std::string, Scaling>> scaling{};  // by input
};

bool saveCheckpoint(const std::string& path, Stepper& stepper, const RunRecord& record, Mistake& mistake);

// Weights alone, in the type that is asked for.
bool saveWeights(const std::string& path, Stepper& stepper, StoredType type, Mistake& mistake);

// The record of a checkpoint; empty with TPC0510 where the file is none of tpc's.
std::optional<RunRecord> readRecord(const SafetensorsFile& file, Mistake& mistake);

// Parameters, and with `states` the optimizer's.  Everything is held against the program before anything is changed.
// TPC0511.
bool loadCheckpoint(const SafetensorsFile& file, Stepper& stepper, bool states, Mistake& mistake);

}  // namespace tpc
