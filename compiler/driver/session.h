// A program ready to run: analysed, planned, at numbers, with something that takes its steps.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/commands.h"
#include "compiler/driver/train_commands.h"
#include "runtime/checkpoint.h"
#include "runtime/format/mistake.h"
#include "runtime/step.h"
#include "runtime/weights.h"

namespace tpc {

// To answer only, to train, or to train on gradients summed over several batches.
enum class Purpose { evaluate, train, accumulate };

struct Session {
  Analysed analysed;
  Plan plan;
  std::vector<double> multipliers;  // free ones
  std::vector<std::string> nodeNames;
  RunOptions run;

  // The table at this batch size; empty with the mistake.
  std::optional<ProgramTable> table(int64_t batch, Mistake& mistake) const;
  // With parameters of zero.  The session must live as long as it.
  std::unique_ptr<Stepper> stepper(int64_t batch, Purpose purpose, Mistake& mistake) const;
  // By the interpreter, whatever the backend is.
  std::unique_ptr<Stepper> reference(int64_t batch, Mistake& mistake) const;
};

// What stops there: a mistake of the program's in the sink, or one of the options in `mistake`.
std::unique_ptr<Session> openSession(SourceMap& sources, FileId file, const CommandOptions& options,
                                     const PlanOptions& plan, const RunOptions& run, DiagnosticSink& diagnostics,
                                     Mistake& mistake);

// The same program as a checkpoint has it: at its sizes where the command line gives none, with its multipliers always,
// so that what was trained can be run without saying them again.
std::unique_ptr<Session> sessionOf(const RunRecord& record, const std::string& path, std::unique_ptr<Session> session,
                                   SourceMap& sources, FileId file, const CommandOptions& options,
                                   const PlanOptions& plan, DiagnosticSink& diagnostics, Mistake& mistake);

// What a checkpoint says of the program it was trained with.
void describe(const Session& session, const ProgramTable& table, RunRecord& record);

struct OpenWeights {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  std::vector<WeightName> names;
  std::optional<RunRecord> record;  // where there is one file, and it is a checkpoint
};
std::optional<OpenWeights> openWeights(const RunOptions& run, Mistake& mistake);

// Opens the weights, then the program as they have it, and hands both over; what stops there becomes the answer.
Answer withTrained(const CommandOptions& options, const PlanOptions& plan, const RunOptions& run,
                   const std::function<std::optional<std::string>(Session&, const OpenWeights&, Mistake&)>& answer);

// The exit code that goes with it, and the sentence.
Answer answerOf(const Mistake& mistake, bool color);

}  // namespace tpc
