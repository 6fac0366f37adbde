// A training: steps, and what surrounds them.
//
//     TrainResult result = train(stepper, data, {.folder = "gpt.run", .steps = 1000, .schedule = schedule}, record);
//
// The folder holds `last.safetensors`, `best.safetensors` by the validation loss, `log.jsonl` and TensorBoard's events.
// Every state between two steps is a function of the checkpoint, so a training that is stopped in any way and goes on
// gives the bits of one that was not stopped.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/checkpoint.h"
#include "runtime/data/dataset.h"
#include "runtime/format/mistake.h"
#include "runtime/schedule.h"
#include "runtime/step.h"

namespace tpc {

struct TrainOptions {
  std::string folder{};
  int64_t steps = 1000;
  int64_t parts = 1;  // batches whose gradients make one update
  Schedule schedule{};
  double clip = 0;  // global norm of the gradients; 0: none
  int64_t logEvery = 10, evaluateEvery = 100, checkpointEvery = 100;
  int64_t patience = 0;                           // evaluations without a better loss after which it ends; 0: never
  int64_t validationSamples = 1024;               // at most so many in each evaluation
  std::function<void(const std::string&)> say{};  // a line for the user
  std::function<void(const std::string&)> progress{};  // what stands on the terminal's last line now; "": nothing
  // The same program with another batch size, for the rest of a validation that fills no batch; may give null.
  std::function<std::unique_ptr<Stepper>(int64_t batch)> withBatch{};
  std::function<std::string(const StepRequest&)> whereNotFinite{};  // where the stepper itself cannot say
};

enum class Ending : uint8_t {
  done,
  early,        // no better validation loss for so long
  interrupted,  // by `signal`; the checkpoint is written
  failed,       // see `mistake`: a loss that is not finite (TPC0505), data, disk
};

struct TrainResult {
  Ending ending = Ending::done;
  int signal = 0;
  Mistake mistake{};
  double loss = 0;                // of the last step
  double validation = 0;          // of the last evaluation; NaN without one
  std::vector<double> metrics{};  // likewise
};

// From record.step on, which a checkpoint may have set; the stepper holds what belongs to it.
TrainResult train(Stepper& stepper, const BoundData& data, const TrainOptions& options, RunRecord& record);

// Mean loss and metrics over the first samples, at most `limit`.  Empty with the mistake.
std::optional<EvaluateResult> validate(Stepper& stepper, const Samples& samples, int64_t limit,
                                       const TrainOptions& options, Mistake& mistake);

// `loss 2.31, accuracy 0.41`
std::string resultText(const ProgramTable& table, const std::string& prefix, double loss,
                       const std::vector<double>& metrics);

}  // namespace tpc
