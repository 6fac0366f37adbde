// One step of training, whoever computes it: the seam between what surrounds a step (data, schedules, checkpoints) and
// the code that runs it (compiled, or the interpreter as the reference).
//
//     stepper.parameters()[p].data   first values are written here, checkpoints read from here
//     StepResult result = stepper.step({.inputs = batch, .hyper = numbers, .seed = 7, .step = 1});
//
// A stepper owns its parameters and the optimizer's states, bound to one batch size.  It draws nothing by itself: what
// a step drops is a function of (seed, step), so that a step can be repeated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/format/program.h"

namespace tpc {

enum class ElementType : uint8_t { f32, f64 };

// What a stepper keeps between steps.  The pointer stays the same as long as the stepper lives; between two calls
// whoever drives it may read and write there.
struct StepBuffer {
  ElementType type = ElementType::f32;
  int64_t count = 0;
  void* data = nullptr;
};

struct StepRequest {
  std::span<const void* const> inputs;           // per ProgramTable::inputs: float or int32_t, row-major, of its shape
  std::span<const std::vector<double>> hyper{};  // per parameter, in the order of its `hyper`; of frozen ones empty
  uint64_t seed = 0;                             // of what the step drops
  int64_t step = 1;                              // from 1; also the optimizer's `step`
  double clip = 0;                               // the gradients' global norm is at most this; 0: as it is
  bool measure = false;                          // gradientNorm is wanted (with `clip` it is there anyway)
  // Gradient accumulation: `parts` calls with one step number make one update, by the mean of their gradients, in the
  // last.  What part `part` drops is drawn under seed + part.
  int part = 0, parts = 1;
};

struct StepResult {
  double loss = 0;  // of this call's batch, before the update
  std::vector<double>
      metrics{};            // per metric of ProgramTable::outputs, in their order; one that is no single number: NaN
  double gradientNorm = 0;  // before clipping
  bool updated = false;     // false: a loss or a norm that is not finite (nothing was changed), or not the last part
  std::string error{};      // not empty: it could not be computed (an index beyond its axis), nothing was changed
};

struct EvaluateResult {
  double loss = 0;
  std::vector<double> metrics{};
  std::string error{};
};

struct StepMemory {
  int64_t parameters = 0, states = 0, gradients = 0, values = 0;  // bytes; `values`: the largest at any time in a step
};

class Stepper {
 public:
  virtual ~Stepper() = default;

  virtual const ProgramTable& table() const = 0;
  virtual std::span<const StepBuffer> parameters() = 0;      // per ProgramTable::parameters
  virtual std::span<const StepBuffer> states(size_t p) = 0;  // of parameter p, per its `states`; empty for frozen ones

  virtual StepResult step(const StepRequest& request) = 0;
  virtual bool accumulates() const { return false; }  // whether `parts` may be above 1

  // Nothing is dropped, nothing changes.
  virtual EvaluateResult evaluate(std::span<const void* const> inputs) = 0;

  // An output, as floats.  A target that it does not read may be null.  Empty with the error in words.
  virtual std::vector<float> fetch(std::span<const void* const> inputs, size_t output, std::string& error) = 0;

  virtual StepMemory memory() const = 0;
  virtual double flops() const { return 0; }  // of one step's contractions; 0: not known

  // After a step that was not finite, with the same request: which value of the program was the first, in words
  // ("`h#2` is inf at 17:10"); empty where this stepper cannot say.
  virtual std::string firstNotFinite(const StepRequest&) { return {}; }
};

}  // namespace tpc
