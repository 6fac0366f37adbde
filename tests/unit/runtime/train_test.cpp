// A training: that it goes on as if it had not stopped, keeps what is best, and says why it ends.
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/checkpoint.h"
#include "runtime/events.h"
#include "runtime/first_values.h"
#include "runtime/progress.h"
#include "runtime/sample.h"
#include "runtime/train.h"
#include "tests/catch.h"
#include "tests/unit/runtime/folder.h"
#include "tests/unit/runtime/linear_stepper.h"

namespace tpc {
namespace {

struct Run {
  LinearStepper stepper{8};
  BoundData data;
  RunRecord record;
  TrainOptions options;

  explicit Run(const TestFolder& folder, const std::string& name, int64_t steps) {
    Mistake mistake;
    std::optional<BoundData> bound = bindData(stepper.table(), {.data = {"teacher:100"}}, mistake);
    REQUIRE(bound);
    data = std::move(*bound);
    options.folder = folder / name;
    mkdir(options.folder.c_str(), 0777);
    options.steps = steps;
    options.schedule = {.shape = ScheduleShape::cosine, .steps = 40, .warmup = 5};
    options.logEvery = 3, options.evaluateEvery = 10, options.checkpointEvery = 7;
    record.seed = 7;
    setFirstValues(stepper, record.seed);
  }
  TrainResult operator()() { return train(stepper, data, options, record); }
  std::vector<float> weights() {
    const auto* values = static_cast<const float*>(stepper.parameters()[0].data);
    return {values, values + 6};
  }
  void resume() {
    Mistake mistake;
    const auto file = SafetensorsFile::open(options.folder + "/last.safetensors", mistake);
    REQUIRE(file);
    const std::optional<RunRecord> before = readRecord(*file, mistake);
    REQUIRE(before);
    record = *before;
    REQUIRE(loadCheckpoint(*file, stepper, true, mistake));
  }
};

// The log without its times.
std::string logOf(const TestFolder& folder, const std::string& name) {
  std::istringstream lines(folder.read(name + "/log.jsonl"));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(line);
    json.erase("seconds");
    text += json.dump() + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a training that goes on gives the bits of one that was not stopped", "[train][resume]") {
  const TestFolder folder;
  Run whole(folder, "whole", 40);
  CHECK(whole().ending == Ending::done);
  for (int64_t parts : {1, 2}) {
    INFO(parts);
    Run first(folder, "parted" + std::to_string(parts), 40);
    first.options.parts = parts;
    first.options.steps = 23;
    CHECK(first().ending == Ending::done);
    Run second(folder, "parted" + std::to_string(parts), 40);
    second.options.parts = parts;
    second.resume();
    CHECK(second.record.step == 23);
    CHECK(second().ending == Ending::done);
    Run uncut(folder, "uncut" + std::to_string(parts), 40);
    uncut.options.parts = parts;
    uncut();
    CHECK(second.weights() == uncut.weights());
    if (parts == 1) CHECK(uncut.weights() == whole.weights());
    if (parts == 2) CHECK(uncut.weights() != whole.weights());
  }
}

TEST_CASE("after a kill the lines behind the checkpoint are written again", "[train][resume]") {
  const TestFolder folder;
  Run whole(folder, "whole", 40);
  whole();
  // As a kill leaves it: a checkpoint of step 21, a log that went on, a line cut in two.
  Run cut(folder, "cut", 40);
  cut.options.checkpointEvery = 7;
  cut.options.steps = 21;
  cut();
  std::ofstream(folder / "cut/log.jsonl", std::ios::app)
      << "{\"step\":24,\"loss\":1.0,\"seconds\":0}\n{\"step\":27,\"lo";
  Run on(folder, "cut", 40);
  on.resume();
  on();
  CHECK(on.weights() == whole.weights());
  // Evaluated in its last step, 21, besides what the whole one has.
  std::string expected = logOf(folder, "whole"), found = logOf(folder, "cut");
  const size_t extra = found.find("{\"step\":21,\"validation_loss\"");
  REQUIRE(extra != std::string::npos);
  found.erase(extra, found.find('\n', extra) + 1 - extra);
  CHECK(found == expected);
}

TEST_CASE("a signal ends a training after its step, with a checkpoint", "[train][signals]") {
  const TestFolder folder;
  for (const int signal : {SIGINT, SIGTERM}) {
    Run run(folder, "run" + std::to_string(signal), 1000000);
    run.options.say = [&](const std::string& line) {
      if (line.starts_with("step 20:")) raise(signal);
    };
    const TrainResult result = run();
    CHECK(result.ending == Ending::interrupted);
    CHECK(result.signal == signal);
    CHECK(run.record.step == 20);
    Run again(folder, "run" + std::to_string(signal), 1000000);
    again.resume();
    CHECK(again.record.step == 20);
    CHECK(again.weights() == run.weights());
  }
}

TEST_CASE("a loss that is not finite stops, and the last checkpoint stays", "[train]") {
  const TestFolder folder;
  Run run(folder, "run", 40);
  run.stepper.poisonedFrom = 12;
  run.options.whereNotFinite = [](const StepRequest& request) {
    return "`h` has NaN in step " + std::to_string(request.step);
  };
  const TrainResult result = run();
  CHECK(result.ending == Ending::failed);
  CHECK(result.mistake.code == "TPC0505");
  CHECK(result.mistake.message == "the loss is NaN in step 12: `h` has NaN in step 12");
  CHECK_THAT(result.mistake.help,
             Catch::Contains("the last checkpoint is " + run.options.folder + "/last.safetensors"));
  Run again(folder, "run", 40);
  again.resume();
  CHECK(again.record.step == 7);
}

TEST_CASE("the best is kept, and a training that gets no better ends", "[train]") {
  const TestFolder folder;
  Run run(folder, "run", 100000);
  run.options.schedule = {.shape = ScheduleShape::constant, .steps = 100000};
  run.options.patience = 3;
  const TrainResult result = run();
  CHECK(result.ending == Ending::early);
  CHECK(run.record.sinceBest == 3);
  CHECK(run.record.step == run.record.bestStep + 30);
  Mistake mistake;
  const auto best = SafetensorsFile::open(folder / "run/best.safetensors", mistake);
  REQUIRE(best);
  const auto record = readRecord(*best, mistake);
  REQUIRE(record);
  CHECK(record->step == run.record.bestStep);
  CHECK(record->best == run.record.best);
  // The loss that it was kept for is the loss that it has.
  LinearStepper stepper(8);
  REQUIRE(loadCheckpoint(*best, stepper, false, mistake));
  run.options.withBatch = [](int64_t batch) { return std::make_unique<LinearStepper>(batch); };
  const auto held = validate(stepper, *run.data.validation, 8, run.options, mistake);
  REQUIRE(held);
  CHECK(std::isfinite(held->loss));
}

TEST_CASE("the rest of a validation that fills no batch counts too", "[train]") {
  const TestFolder folder;
  Run run(folder, "run", 5);  // ten samples are held back, a batch is eight
  Mistake mistake;
  LinearStepper one(1);
  std::memcpy(one.parameters()[0].data, run.stepper.parameters()[0].data, 24);
  const auto expected = validate(one, *run.data.validation, 1000, run.options, mistake);
  run.options.withBatch = [](int64_t batch) { return std::make_unique<LinearStepper>(batch); };
  const auto found = validate(run.stepper, *run.data.validation, 1000, run.options, mistake);
  REQUIRE((expected && found));
  CHECK(found->loss == Approx(expected->loss));
  run.options.withBatch = {};
  const auto without = validate(run.stepper, *run.data.validation, 1000, run.options, mistake);
  REQUIRE(without);
  CHECK(without->loss != Approx(expected->loss));
}

TEST_CASE("a checkpoint of something else is refused before anything changes", "[checkpoint][hostile]") {
  const TestFolder folder;
  Run run(folder, "run", 7);
  run();
  const std::string good = folder.read("run/last.safetensors");
  const std::vector<float> before = run.weights();
  const auto said = [&](std::string bytes) -> std::string {
    Mistake mistake;
    const auto file = SafetensorsFile::open(folder.write("some", bytes), mistake);
    if (!file) return mistake.message;
    if (!readRecord(*file, mistake) || !loadCheckpoint(*file, run.stepper, true, mistake)) return mistake.message;
    return "";
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    bytes.replace(bytes.find(from), from.size(), to);
    return bytes;
  };
  CHECK(said(good) == "");
  CHECK_THAT(said(good.substr(0, good.size() - 5)), Catch::Contains("it is truncated"));
  CHECK_THAT(said(with("\"W/v\"", "\"W/w\"")), Catch::Contains("has no `W/v`, which the program has"));
  CHECK_THAT(said(with("[3,2]", "[2,3]")), Catch::Contains("`W` is [3, 2] in the program and [2, 3] in"));
  CHECK_THAT(said(with("\"F32\"", "\"I32\"")), Catch::Contains("holds I32"));
  CHECK_THAT(said(with("tpc.checkpoint/1", "tpc.checkpoint/9")), Catch::Contains("its record is of another version"));
  CHECK_THAT(said(with("\\\"step\\\":7", "\\\"step\\\":-")), Catch::Contains("its record cannot be read"));
  CHECK_THAT(said(with("\\\"samples\\\"", "\\\"sample_\\\"")), Catch::Contains("its record cannot be read"));
  CHECK_THAT(said(with("\"tpc\"", "\"cpt\"")), Catch::Contains("it has no record of a training"));
  CHECK(run.weights() == before);
}

TEST_CASE("schedules", "[train][schedule]") {
  const Schedule cosine{.shape = ScheduleShape::cosine, .steps = 100, .warmup = 10, .last = 0.1};
  CHECK(factorAt(cosine, 1) == 0.1);
  CHECK(factorAt(cosine, 10) == 1);
  CHECK(factorAt(cosine, 55) == Approx(0.55));
  CHECK(factorAt(cosine, 100) == Approx(0.1));
  const Schedule linear{.shape = ScheduleShape::linear, .steps = 10};
  CHECK(factorAt(linear, 5) == Approx(0.5));
  CHECK(factorAt(linear, 10) == 0);
  const Schedule wsd{.shape = ScheduleShape::wsd, .steps = 100, .warmup = 10, .decay = 0.2};
  CHECK(factorAt(wsd, 80) == 1);
  CHECK(factorAt(wsd, 90) == Approx(0.5));
  CHECK(factorAt({.shape = ScheduleShape::constant, .steps = 5}, 3) == 1);
}

// The check value of the Castagnoli polynomial, and a record put together by hand.
TEST_CASE("event files are as TensorBoard reads them", "[train][events]") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  const std::string record = eventRecord("abc");
  CHECK(record.size() == 8 + 4 + 3 + 4);
  CHECK(record.substr(0, 8) == std::string("\3\0\0\0\0\0\0\0", 8));
  const std::string event = scalarEvent(1, 300, {{"loss", 0.5}});
  // wall_time 1.0, step 300 as a varint, a summary of one value: its tag and 0.5 as a float.
  const std::string expected = std::string("\x09\0\0\0\0\0\0\xf0\x3f", 9) + std::string("\x10\xac\x02", 3) +
                               std::string("\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f", 19 - 4);
  CHECK(event.substr(0, expected.size()) == expected);
}

TEST_CASE("sampling takes the likeliest, the k likeliest, or all as they are likely", "[generate]") {
  const std::vector<float> logits = {0, 1, 3, 3, -1};
  CHECK(sampleToken(logits, {.temperature = 0}, 5) == 2);
  CHECK(sampleToken(logits, {.topK = 1}, 5) == 2);
  std::array<int, 5> seen{};
  for (int64_t place = 0; place < 20000; ++place) ++seen[size_t(sampleToken(logits, {.seed = 3}, place))];
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit);
  for (size_t i = 0; i < 5; ++i) CHECK(seen[i] / 20000.0 == Approx(std::exp(logits[i]) / sum).margin(0.01));
  std::array<int, 5> top{};
  for (int64_t place = 0; place < 1000; ++place) ++top[size_t(sampleToken(logits, {.topK = 2}, place))];
  CHECK(top[2] + top[3] == 1000);
  CHECK(top[2] > 400);
  CHECK(sampleToken(logits, {.seed = 3}, 9) == sampleToken(logits, {.seed = 3}, 9));
}

TEST_CASE("numbers for people", "[train]") {
  CHECK(shortNumber(7) == "7");
  CHECK(shortNumber(12345) == "12.3k");
  CHECK(shortNumber(1e9) == "1G");
  CHECK(durationText(42) == "0:42");
  CHECK(durationText(3750) == "1:02:30");
  CHECK(bytesText(1000) == "1000 bytes");
  CHECK(bytesText(1536) == "1.5 KiB");
}

}  // namespace tpc
