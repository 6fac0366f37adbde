#include "runtime/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/batches.h"
#include "runtime/interrupt.h"
#include "runtime/log.h"
#include "runtime/progress.h"

namespace tpc {
namespace {

double secondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void copyParameters(Stepper& from, Stepper& to) {
  for (size_t p = 0; p < from.parameters().size(); ++p) {
    const StepBuffer &source = from.parameters()[p], &target = to.parameters()[p];
    std::memcpy(target.data, source.data, size_t(source.count) * (source.type == ElementType::f64 ? 8 : 4));
  }
}

// The optimizer's numbers in a step: those of the table, the learning rates times the schedule's factor.
struct Hyper {
  std::vector<std::vector<double>> numbers;
  std::vector<size_t> lr;  // its place; past the end where there is none
  std::vector<double> base;

  explicit Hyper(const ProgramTable& table) {
    for (const ProgramParameter& parameter : table.parameters) {
      numbers.emplace_back();
      lr.push_back(parameter.hyper.size());
      base.push_back(0);
      for (const auto& [name, value] : parameter.hyper) {
        if (name == "lr") lr.back() = numbers.back().size(), base.back() = value;
        numbers.back().push_back(value);
      }
    }
  }

  const std::vector<std::vector<double>>& at(double factor) {
    for (size_t p = 0; p < numbers.size(); ++p)
      if (lr[p] < numbers[p].size()) numbers[p][lr[p]] = base[p] * factor;
    return numbers;
  }
};

std::vector<std::string> metricNames(const ProgramTable& table) {
  std::vector<std::string> names;
  for (const ProgramOutput& output : table.outputs)
    if (output.metric) names.push_back(output.name);
  return names;
}

struct Training {
  Stepper& stepper;
  const BoundData& data;
  const TrainOptions& options;
  RunRecord& record;
  Log log{};
  TrainResult result{};
  double begin = secondsNow();
  bool saved = false;  // the checkpoint of this step

  std::string path(const char* name) const { return options.folder + "/" + name; }

  bool say(const std::string& line) const {
    if (options.progress) options.progress("");
    if (options.say) options.say(line);
    return true;
  }

  LogEntry withMetrics(LogEntry entry, const std::string& prefix, const std::vector<double>& metrics) const {
    const std::vector<std::string> names = metricNames(stepper.table());
    for (size_t m = 0; m < metrics.size(); ++m) entry.emplace_back(prefix + names[m], metrics[m]);
    return entry;
  }

  bool save(Mistake& mistake) {
    return saved = saved || saveCheckpoint(path("last.safetensors"), stepper, record, mistake);
  }

  // The loss on the validation data; a better one than ever before is kept.  False: something failed.
  bool evaluate() {
    const std::optional<EvaluateResult> held =
        validate(stepper, *data.validation, options.validationSamples, options, result.mistake);
    if (!held) return false;
    result.validation = held->loss;
    result.metrics = held->metrics;
    log.write(record.step, withMetrics({{"validation_loss", held->loss}}, "validation_", held->metrics),
              secondsNow() - begin);
    const bool better = std::isfinite(held->loss) && !(held->loss >= record.best);
    if (better) record.best = held->loss, record.bestStep = record.step, record.sinceBest = 0;
    else ++record.sinceBest;
    say("step " + std::to_string(record.step) + ": loss " + shortLoss(result.loss) + ", " +
        resultText(stepper.table(), "validation ", held->loss, held->metrics));
    return !better || saveCheckpoint(path("best.safetensors"), stepper, record, result.mistake);
  }

  std::optional<StepResult> step(Batches& batches, Hyper& hyper, bool measure) {
    StepResult last;
    double loss = 0;
    const int64_t number = record.step + 1;
    for (int part = 0; part < int(options.parts); ++part) {
      const auto inputs = batches.at((number - 1) * options.parts + part, result.mistake);
      if (inputs.empty()) return std::nullopt;
      const StepRequest request{.inputs = inputs,
                                .hyper = hyper.at(factorAt(options.schedule, number)),
                                .seed = record.seed,
                                .step = number,
                                .clip = options.clip,
                                .measure = measure,
                                .part = part,
                                .parts = int(options.parts)};
      last = stepper.step(request);
      if (!last.error.empty()) {
        fails(result.mistake, Fault::content, "TPC0506",
              "step " + std::to_string(number) + " cannot be computed: " + last.error);
        return std::nullopt;
      }
      loss += last.loss / double(options.parts);
      const bool finite = std::isfinite(last.loss) && (part + 1 < options.parts || last.updated);
      if (!finite) return stopAt(request, last), std::nullopt;
    }
    last.loss = loss;
    return last;
  }

  void stopAt(const StepRequest& request, const StepResult& step) {
    std::string where = stepper.firstNotFinite(request);
    if (where.empty() && options.whereNotFinite) where = options.whereNotFinite(request);
    const std::string what = std::isfinite(step.loss) ? "the gradient's norm" : "the loss";
    const double value = std::isfinite(step.loss) ? step.gradientNorm : step.loss;
    std::string help = "a smaller --lr, a longer --warmup or --clip 1";
    if (access(path("last.safetensors"))) help += "; the last checkpoint is " + path("last.safetensors");
    fails(result.mistake, Fault::content, "TPC0505",
          what + " is " + (std::isnan(value) ? "NaN" : "infinite") + " in step " + std::to_string(request.step) +
              (where.empty() ? "" : ": " + where),
          help);
  }

  static bool access(const std::string& path) {
    Mistake ignored;
    return SafetensorsFile::open(path, ignored) != nullptr;
  }

  void show(Pace& pace, int64_t& shown, double& shownAt, double loss) {
    if (!options.progress) return;
    const double now = secondsNow();
    if (now - shownAt < 0.2 && record.step < options.steps) return;
    pace.tick(now, double(record.step - shown));
    shown = record.step, shownAt = now;
    const double rate = pace.stepsPerSecond();
    std::string text =
        "step " + std::to_string(record.step) + "/" + std::to_string(options.steps) + "  loss " + shortLoss(loss);
    if (std::isfinite(result.validation)) text += "  validation " + shortLoss(result.validation);
    if (rate > 0) {
      const double perStep = double(stepper.table().batch * options.parts * data.perSample);
      text += "  " + shortNumber(rate * perStep) + " " + data.unit + "/s";
      if (stepper.flops() > 0) text += "  " + shortNumber(rate * double(options.parts) * stepper.flops()) + "FLOP/s";
      text += "  eta " + durationText(double(options.steps - record.step) / rate);
    }
    options.progress(text);
  }

  bool due(int64_t every) const { return every > 0 && record.step % every == 0; }

  void run() {
    result.validation = std::numeric_limits<double>::quiet_NaN();
    result.ending = Ending::failed;
    const Interrupts interrupts;
    if (!log.open(options.folder, record.step, result.mistake)) return;
    Batches batches(*data.training, stepper.table(), record.seed);
    Hyper hyper(stepper.table());
    Pace pace(begin);
    int64_t shown = record.step;
    double shownAt = begin;
    const int64_t first = record.step;
    bool early = false;
    while (record.step < options.steps && !early && !Interrupts::signal()) {
      const bool last = record.step + 1 == options.steps;
      const bool logged = last || (options.logEvery > 0 && (record.step + 1) % options.logEvery == 0);
      const std::optional<StepResult> step = this->step(batches, hyper, logged);
      if (!step) return;
      ++record.step, saved = false;
      result.loss = step->loss;
      if (logged)
        log.write(record.step,
                  withMetrics({{"loss", step->loss},
                               {"lr_factor", factorAt(options.schedule, record.step)},
                               {"gradient_norm", step->gradientNorm}},
                              "", step->metrics),
                  secondsNow() - begin);
      show(pace, shown, shownAt, step->loss);
      if (data.validation && (last || due(options.evaluateEvery))) {
        if (!evaluate()) return;
        early = options.patience > 0 && record.sinceBest >= options.patience;
      } else if (!data.validation && due(options.evaluateEvery)) {
        say("step " + std::to_string(record.step) + ": " + resultText(stepper.table(), "", step->loss, step->metrics));
      }
      if (due(options.checkpointEvery) && !save(result.mistake)) return;
    }
    // Where nothing was done the checkpoint is the one that was read.
    if ((record.step > first || first == 0) && !save(result.mistake)) return;
    if (options.progress) options.progress("");
    if (!log.reason().empty()) say("the log is not complete: " + log.reason());
    result.signal = Interrupts::signal();
    result.ending = result.signal && record.step < options.steps && !early ? Ending::interrupted
                    : early                                                ? Ending::early
                                                                           : Ending::done;
  }
};

}  // namespace

std::string resultText(const ProgramTable& table, const std::string& prefix, double loss,
                       const std::vector<double>& metrics) {
  std::string text = prefix + "loss " + shortLoss(loss);
  const std::vector<std::string> names = metricNames(table);
  for (size_t m = 0; m < metrics.size(); ++m)
    if (std::isfinite(metrics[m])) text += ", " + prefix + names[m] + " " + shortLoss(metrics[m]);
  return text;
}

std::optional<EvaluateResult> validate(Stepper& stepper, const Samples& samples, int64_t limit,
                                       const TrainOptions& options, Mistake& mistake) {
  const int64_t count = std::min(samples.count(), limit), batch = stepper.table().batch;
  EvaluateResult mean;
  int64_t done = 0;
  const auto add = [&](Stepper& by, int64_t first, int64_t size) {
    Batch held(by.table());
    if (!fillInOrder(held, samples, first, size, mistake)) return false;
    const EvaluateResult result = by.evaluate(held.inputs());
    if (!result.error.empty())
      return fails(mistake, Fault::content, "TPC0506", "the validation cannot be computed: " + result.error);
    mean.metrics.resize(result.metrics.size());
    mean.loss += result.loss * double(size);
    for (size_t m = 0; m < result.metrics.size(); ++m) mean.metrics[m] += result.metrics[m] * double(size);
    done += size;
    return true;
  };
  for (int64_t first = 0; first + batch <= count; first += batch)
    if (!add(stepper, first, batch)) return std::nullopt;
  if (const int64_t rest = count % batch; rest != 0) {
    const std::unique_ptr<Stepper> smaller = options.withBatch ? options.withBatch(rest) : nullptr;
    if (smaller) copyParameters(stepper, *smaller);
    if (smaller && !add(*smaller, count - rest, rest)) return std::nullopt;
  }
  if (done == 0) return mean.loss = std::numeric_limits<double>::quiet_NaN(), mean;
  mean.loss /= double(done);
  for (double& metric : mean.metrics) metric /= double(done);
  return mean;
}

TrainResult train(Stepper& stepper, const BoundData& data, const TrainOptions& options, RunRecord& record) {
  Training training{stepper, data, options, record};
  training.run();
  if (options.progress) options.progress("");
  return std::move(training.result);
}

}  // namespace tpc
