#include "compiler/driver/train_commands.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "compiler/driver/session.h"
#include "compiler/driver/with_source.h"
#include "compiler/report/verdict.h"
#include "dsl/source/files.h"
#include "runtime/first_values.h"
#include "runtime/format/whole_file.h"
#include "runtime/progress.h"
#include "runtime/train.h"

namespace tpc {

namespace {

void say(const std::string& line) { std::cerr << line << std::endl; }

// The last line of a terminal, written over.
std::function<void(const std::string&)> terminalProgress() {
  const char* kind = std::getenv("TERM");
  if (!isatty(STDERR_FILENO) || (kind && std::strcmp(kind, "dumb") == 0)) return {};
  return [](const std::string& text) { std::cerr << "\r\x1b[K" << text << std::flush; };
}

std::string textOf(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

// The folder of a training: one process at a time writes there.
struct Folder {
  std::string path;
  int held = -1;
  bool made = false;

  bool open(const std::string& name, Mistake& mistake) {
    path = name;
    const auto failed = [&] {
      return fails(mistake, Fault::machine, "", "cannot write the folder " + path + ": " + std::strerror(errno));
    };
    made = mkdir(path.c_str(), 0777) == 0;
    if (!made && errno != EEXIST) return failed();
    held = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (held < 0) return failed();
    if (flock(held, LOCK_EX | LOCK_NB) != 0)
      return fails(mistake, Fault::machine, "", "another training writes the folder " + path);
    removeStaleParts(path);
    return true;
  }
  ~Folder() {
    if (held >= 0) close(held);
    if (made) rmdir(path.c_str());  // where nothing came of it, and it is empty
  }
  std::string file(const char* name) const { return path + "/" + name; }
  bool has(const char* name) const { return access(file(name).c_str(), F_OK) == 0; }
};

struct TrainRun {
  const CommandOptions& options;
  const TrainCommandOptions& asked;
  Session& session;
  Folder& folder;
  std::optional<RunRecord> before;  // of the checkpoint from which it goes on
  const std::unique_ptr<SafetensorsFile>& checkpoint;
  Mistake mistake{};

  RunRecord record{};
  TrainOptions train{};

  int64_t wholeOf(const std::optional<int64_t>& given, const std::optional<double>& block, int64_t otherwise) const {
    if (given) return *given;
    return block && *block >= 1 ? int64_t(*block) : otherwise;
  }

  bool setOptions() {
    const TrainBlock& block = session.analysed.train;
    train.folder = folder.path;
    train.steps = wholeOf(asked.steps, block.steps, 1000);
    train.parts = asked.accumulate;
    const std::string shape = asked.schedule ? *asked.schedule : block.schedule.empty() ? "constant" : block.schedule;
    const std::optional<ScheduleShape> known = scheduleShape(shape);
    if (!known)
      return fails(mistake, Fault::usage, "", "there is no schedule `" + shape + "`: constant, linear, cosine or wsd");
    train.schedule = {.shape = *known,
                      .steps = train.steps,
                      .warmup = asked.warmup   ? *asked.warmup
                                : block.warmup ? int64_t(*block.warmup)
                                               : 0,
                      .last = asked.lastFactor,
                      .decay = asked.decayPart};
    if (train.schedule.warmup > train.steps)
      return fails(mistake, Fault::usage, "",
                   "the warm-up has " + std::to_string(train.schedule.warmup) + " steps, and all of the training " +
                       std::to_string(train.steps));
    train.clip = asked.clip ? *asked.clip : block.clip.value_or(0);
    train.logEvery = asked.logEvery;
    train.evaluateEvery = asked.evaluateEvery.value_or(std::max<int64_t>(1, train.steps / 10));
    train.checkpointEvery = asked.checkpointEvery.value_or(train.evaluateEvery);
    train.patience = asked.patience;
    train.validationSamples = asked.validationSamples;
    train.say = say;
    train.progress = terminalProgress();
    return true;
  }

  std::optional<BoundData> bindTheData(const ProgramTable& table) {
    DataRequest request{.data = asked.data,
                        .validation = asked.validationData,
                        .validationPart = asked.validation,
                        .standardize = asked.standardize,
                        .seed = record.seed};
    // A path in the file is meant from where the file lies.
    if (request.data.empty() && !session.analysed.train.data.empty()) {
      const std::string& said = session.analysed.train.data;
      request.data = {said.starts_with("teacher") ? said : pathBeside(options.file, said)};
    }
    if (before) {
      request.alphabet = before->alphabet;
      if (!before->scaling.empty()) {
        request.scaling.resize(table.inputs.size());
        for (size_t i = 0; i < table.inputs.size(); ++i)
          for (const auto& [name, scaling] : before->scaling)
            if (name == table.inputs[i].name) request.scaling[i] = scaling;
      }
    }
    std::optional<BoundData> data = bindData(table, request, mistake);
    if (!data) return std::nullopt;
    record.alphabet = data->alphabet;
    record.isText = data->isText;
    for (size_t i = 0; i < data->scaling.size(); ++i)
      record.scaling.emplace_back(table.inputs[i].name, data->scaling[i]);
    if (before) record.scaling = before->scaling;
    record.samples = data->training->count();
    if (before && before->samples != record.samples) {
      fails(mistake, Fault::content, "TPC0511",
            "the data has " + std::to_string(record.samples) +
                " samples for training, and the checkpoint was trained on " + std::to_string(before->samples));
      return std::nullopt;
    }
    return data;
  }

  // What the training is asked for, for whoever goes on with it.
  void noteOptions(const ProgramTable& table) {
    const auto note = [&](const char* name, const std::string& text) { record.options.emplace_back(name, text); };
    note("backend", nameOfBackend());
    note("optimizer", session.plan.optimizer);
    note("parametrization", session.plan.parametrization);
    note("lr", textOf(session.plan.lr.value_or(0)));
    note("batch", std::to_string(table.batch));
    note("accumulate", std::to_string(train.parts));
    note("steps", std::to_string(train.steps));
    note("schedule", std::string(toString(train.schedule.shape)));
    note("warmup", std::to_string(train.schedule.warmup));
    note("clip", textOf(train.clip));
    if (!before) return;
    for (const auto& [name, text] : before->options)
      for (const auto& [now, value] : record.options)
        if (now == name && value != text) say("note: " + name + " was " + text + " and is " + value);
  }

  bool setWeights(Stepper& stepper) {
    if (before) return loadCheckpoint(*checkpoint, stepper, true, mistake);
    setFirstValues(stepper, record.seed);
    if (asked.run.weights.empty()) return true;
    std::optional<OpenWeights> weights = openWeights(asked.run, mistake);
    if (!weights || !loadWeights(weights->files, weights->names, stepper, mistake)) return false;
    setFirstStates(stepper);
    return true;
  }

  void announce(Stepper& stepper, const BoundData& data) const {
    const ProgramTable& table = stepper.table();
    int64_t count = 0;
    for (const ProgramParameter& parameter : table.parameters) {
      int64_t elements = 1;
      for (int64_t length : parameter.shape) elements *= length;
      count += elements;
    }
    std::string sizes;
    for (const auto& [name, number] : table.sizes) sizes += " " + name + "=" + std::to_string(number);
    say(table.model + ": " + shortNumber(double(count)) + " parameters at" + sizes);
    say("plan: " + session.plan.optimizer + ", parametrization " + session.plan.parametrization + ", lr " +
        textOf(*session.plan.lr) + " tuned at the base; seed " + std::to_string(record.seed));
    for (const std::string& note : data.notes) say("data: " + note);
    say("data: " + std::to_string(data.training->count()) + " samples" +
        (data.perSample > 1 ? " of " + std::to_string(data.perSample) + " " + data.unit : std::string()) +
        " for training, " +
        (data.validation ? std::to_string(data.validation->count()) + " for validation"
                         : std::string("none for validation")));
    const StepMemory memory = stepper.memory();
    say("memory: parameters " + bytesText(memory.parameters) + ", optimizer " + bytesText(memory.states) +
        ", gradients " + bytesText(memory.gradients) +
        (memory.values ? ", values " + bytesText(memory.values) : std::string()));
    if (before) say("going on from step " + std::to_string(record.step) + " of " + folder.file("last.safetensors"));
    say("steps: " + std::to_string(train.steps) + " of " + std::to_string(table.batch * train.parts) + " samples, " +
        std::string(toString(train.schedule.shape)) +
        (train.schedule.warmup ? " after " + std::to_string(train.schedule.warmup) + " of warm-up" : std::string()) +
        ", by the " + nameOfBackend() + "; into " + folder.path);
  }

  std::string nameOfBackend() const { return session.run.backend == "compiled" ? "compiled code" : "interpreter"; }

  // The interpreter does the step again, in double precision, and looks at every value.
  std::string whereNotFinite(Stepper& stepper, const StepRequest& request) const {
    if (session.run.backend == "interpreter") return {};
    Mistake ignored;
    const std::unique_ptr<Stepper> reference = session.reference(stepper.table().batch, ignored);
    if (!reference) return {};
    for (size_t p = 0; p < stepper.parameters().size(); ++p) {
      const StepBuffer& single = stepper.parameters()[p];
      std::copy_n(static_cast<const float*>(single.data), single.count,
                  static_cast<double*>(reference->parameters()[p].data));
    }
    const std::string where = reference->firstNotFinite(request);
    return where.empty() ? "in double precision every value of this step is finite" : where;
  }

  bool exportWeights(Stepper& stepper) {
    if (asked.exportFile.empty()) return true;
    // The best by the validation, where there is one.
    if (folder.has("best.safetensors")) {
      const std::unique_ptr<SafetensorsFile> best = SafetensorsFile::open(folder.file("best.safetensors"), mistake);
      if (!best || !loadCheckpoint(*best, stepper, false, mistake)) return false;
    }
    const StoredType type = asked.exportType == "f16"    ? StoredType::f16
                            : asked.exportType == "bf16" ? StoredType::bf16
                                                         : StoredType::f32;
    return saveWeights(asked.exportFile, stepper, type, mistake);
  }

  Answer run() {
    const auto stopped = [&] { return answerOf(mistake, options.colorErrors); };
    record.seed = before ? before->seed : asked.seed.value_or(0);
    if (!session.plan.lr)
      return answerOf({Fault::usage, "", "no learning rate is given: --lr, or `train { lr = ... }` in the program"},
                      false);
    if (!setOptions()) return stopped();
    const int64_t batch = wholeOf(asked.batch, session.analysed.train.batch, 32);
    const std::optional<ProgramTable> table = session.table(batch, mistake);
    if (!table) return stopped();
    const std::optional<BoundData> data = bindTheData(*table);
    if (!data) return stopped();
    const std::unique_ptr<Stepper> stepper =
        session.stepper(batch, train.parts > 1 ? Purpose::accumulate : Purpose::train, mistake);
    if (!stepper) return stopped();
    if (train.parts > 1 && !stepper->accumulates())
      return answerOf(
          {Fault::usage, "",
           "the " + nameOfBackend() + " does not accumulate gradients: --accumulate 1, or --backend interpreter"},
          false);
    describe(session, *table, record);
    noteOptions(*table);
    if (before) {
      record.step = before->step, record.best = before->best;
      record.bestStep = before->bestStep, record.sinceBest = before->sinceBest;
    }
    if (!setWeights(*stepper)) return stopped();
    announce(*stepper, *data);
    train.withBatch = [this](int64_t rest) {
      Mistake ignored;
      return session.stepper(rest, Purpose::evaluate, ignored);
    };
    train.whereNotFinite = [&](const StepRequest& request) { return whereNotFinite(*stepper, request); };
    const TrainResult result = tpc::train(*stepper, *data, train, record);
    if (result.ending == Ending::failed) return answerOf(result.mistake, options.colorErrors);
    if (result.ending == Ending::interrupted) {
      say("stopped in step " + std::to_string(record.step) + "; --resume goes on from " +
          folder.file("last.safetensors"));
      return {128 + result.signal, "", ""};
    }
    std::string line = result.ending == Ending::early ? "ended early in step " : "done: step ";
    line += std::to_string(record.step);
    if (std::isfinite(record.best))
      line += ", best validation loss " + shortLoss(record.best) + " in step " + std::to_string(record.bestStep);
    say(line);
    return exportWeights(*stepper) ? Answer{exit_code::done, "", ""} : stopped();
  }
};

}  // namespace

Answer trainCommand(const CommandOptions& options, const TrainCommandOptions& asked) {
  Mistake mistake;
  Folder folder;
  std::unique_ptr<SafetensorsFile> checkpoint;
  std::optional<RunRecord> before;
  const auto enter = [&](const std::string& model) {
    if (!folder.open(asked.folder.empty() ? model + ".run" : asked.folder, mistake)) return false;
    if (!folder.has("last.safetensors")) {
      if (asked.resume) say("no checkpoint in " + folder.path + " yet: beginning");
      return true;
    }
    if (asked.overwrite) return unlink(folder.file("best.safetensors").c_str()), true;
    if (!asked.resume)
      return fails(
          mistake, Fault::usage, "",
          folder.path + " holds a training: --resume goes on, --overwrite begins anew, -o names another folder");
    checkpoint = SafetensorsFile::open(folder.file("last.safetensors"), mistake);
    if (!checkpoint || !(before = readRecord(*checkpoint, mistake))) return false;
    if (asked.seed && *asked.seed != before->seed)
      return fails(mistake, Fault::usage, "",
                   "the training that goes on has the seed " + std::to_string(before->seed) + ", not " +
                       std::to_string(*asked.seed));
    return true;
  };
  return withSource(
      options, [&](SourceMap& sources, FileId file, DiagnosticSink& diagnostics) -> std::optional<Answer> {
        std::unique_ptr<Session> session =
            openSession(sources, file, options, asked.plan, asked.run, diagnostics, mistake);
        if (session && !enter(session->analysed.graph.model)) session = nullptr;
        if (session && before)
          session = sessionOf(*before, folder.file("last.safetensors"), std::move(session), sources, file, options,
                              asked.plan, diagnostics, mistake);
        if (!session && diagnostics.hasErrors()) return std::nullopt;
        if (!session) return answerOf(mistake, options.colorErrors);
        if (isNegative(session->analysed)) {
          const bool infeasible = session->analysed.options.parametrization == "auto";
          const std::string tell = "     tpc analyze " + options.file + " tells how it came about\n";
          if (infeasible)
            return Answer{exit_code::negative, "", "tpc: no stable plan exists for this program\n" + tell};
          say("warning: the parametrization is unstable; tpc analyze " + options.file + " tells how");
        }
        TrainRun run{options, asked, *session, folder, before, checkpoint};
        return run.run();
      });
}

}  // namespace tpc
