// A compiled program written, read and run is the one that was written; what is no such file is refused.
#include "runtime/format/program_file.h"

#include "runtime/compiled_stepper.h"
#include "tests/catch.h"
#include "tests/random/numbers.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {
namespace {

ProgramFile compiled(Program& program) {
  ProgramFile file;
  file.source = "test";
  file.table = tableOf(program.graph, program.bindings.numbers);
  LowerOptions options;
  options.numbers = program.bindings.numbers;
  options.training = false;
  std::string error;
  std::optional<CompiledProgram> made = lower(program.graph, {}, options, file.table, error);
  INFO(error);
  REQUIRE(made);
  file.program = std::move(*made);
  return file;
}

const char* text =
    "size n = 6, vocab = 9, batch = 2\ninput t [batch, 4] in vocab\ntarget y [batch, 4] in vocab\nparam e [vocab, "
    "n]\nh = e[t]\n"
    "repeat 3 as layers {\n  param w [n, n]\n  h = dropout(h + tanh(rmsnorm(h) @ w), 0.1)\n}\n"
    "output logits = linear(h, vocab)\nmetric hits = mean(argmax(logits) == y)\nloss = cross_entropy(logits, y)\n";

std::string reasonOf(const std::string& bytes) {
  std::string reason;
  CHECK(!readProgramFile(bytes, reason));
  return reason;
}

}  // namespace

TEST_CASE("a program that was written and read computes the same bits", "[lower][program-file]") {
  Program program(text, 5);
  const ProgramFile file = compiled(program);
  CHECK(violation(file.program, file.table) == "");
  const std::string bytes = toBytes(file);
  std::string reason;
  const std::optional<ProgramFile> back = readProgramFile(bytes, reason);
  INFO(reason);
  REQUIRE(back);
  CHECK(toBytes(*back) == bytes);
  const Batch batch(program.graph, program.bindings);
  std::vector<float> outputs[2];
  for (const ProgramFile* each : {&file, &*back}) {
    std::string error;
    const auto stepper = compiledStepper(each->program, each->table, 1, error);
    REQUIRE(stepper);
    for (size_t p = 0; p < program.bindings.parameters.size(); ++p)
      for (size_t i = 0; i < program.bindings.parameters[p]->values.size(); ++i)
        static_cast<float*>(stepper->parameters()[p].data)[i] = float(program.bindings.parameters[p]->values[i]);
    outputs[each != &file] = stepper->fetch(batch.pointers, 0, error);
    REQUIRE(error == "");
    CHECK(stepper->evaluate(batch.pointers).loss > 0);
  }
  CHECK(outputs[0].size() == 2 * 4 * 9);
  CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("what is no compiled program is refused with its reason", "[lower][program-file]") {
  Program program(text, 5);
  const std::string bytes = toBytes(compiled(program));
  CHECK(reasonOf("") == "it is no compiled program");
  CHECK(reasonOf("hello, world, this is some text and no program") == "it is no compiled program");
  CHECK(reasonOf(bytes.substr(0, bytes.size() - 1)) == "it ends before it is complete");
  CHECK(reasonOf(bytes + "x") == "something stands behind its end");
  std::string other = bytes;
  other[8] = 9;
  CHECK(reasonOf(other) == "it was written by another version of tpc");
  for (size_t at = 28; at < bytes.size(); at += bytes.size() / 97) {
    std::string damaged = bytes;
    damaged[at] = char(damaged[at] ^ 0x40);
    CHECK(reasonOf(damaged) == "it is damaged: its checksum is another");
  }
}

TEST_CASE("tables that reach outside of the arena are refused", "[lower][program-file]") {
  Program program(text, 5);
  const ProgramFile file = compiled(program);
  const auto wrong = [&](auto change) {
    ProgramFile changed = file;
    change(changed);
    std::string reason;
    CHECK(!readProgramFile(toBytes(changed), reason));
    return reason;
  };
  const auto loopOf = [](CompiledProgram& p) -> Launch& {
    for (Launch& launch : p.evaluation)
      if (launch.kind == LaunchKind::loop) return launch;
    FAIL("there is no loop");
    return p.evaluation[0];
  };
  CHECK(wrong([](ProgramFile& f) { f.program.arena = 10; }) != "");
  CHECK(wrong([](ProgramFile& f) { f.program.parameters[0].at = f.program.arena - 1; }) ==
        "it contradicts itself: a value stands outside of the arena");
  CHECK(wrong([](ProgramFile& f) { f.program.parameters.pop_back(); }) ==
        "it contradicts itself: it has not as many parameters as its table");
  CHECK(wrong([](ProgramFile& f) { f.program.products[0].shape.lda = int64_t(1) << 60; }) ==
        "it contradicts itself: a number is out of all bounds");
  CHECK(wrong([](ProgramFile& f) { f.program.kernels[0].entry = f.program.code.size(); }) ==
        "it contradicts itself: a kernel begins outside of the code");
  CHECK(wrong([&](ProgramFile& f) { loopOf(f.program).body = 1000000; }) ==
        "it contradicts itself: a loop's body ends beyond the loop around it");
  CHECK(wrong([&](ProgramFile& f) { f.program.loops[loopOf(f.program).of].trips = 1 << 30; }) ==
        "it contradicts itself: a value stands outside of the arena");
  CHECK(wrong([](ProgramFile& f) { f.table.parameters[0].shape[0] = -3; }) ==
        "it contradicts itself: a number is out of all bounds");
  CHECK(wrong([](ProgramFile& f) { f.program.evaluation[0].kind = LaunchKind(200); }) ==
        "it contradicts itself: a launch is of no kind");
}

TEST_CASE("no bytes bring the reader down", "[lower][program-file]") {
  Program program(text, 5);
  const std::string bytes = toBytes(compiled(program));
  tests::Numbers numbers(3);
  for (int round = 0; round < 400; ++round) {
    std::string changed = bytes;
    for (int i = numbers.between(1, 6); i > 0; --i)
      changed[size_t(28 + numbers.below(int(changed.size()) - 28))] = char(numbers.below(256));
    // As a forger does: the checksum is that of the changed bytes.
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t at = 28; at < changed.size(); ++at) hash = (hash ^ uint8_t(changed[at])) * 0x100000001b3ull;
    for (int i = 0; i < 8; ++i) changed[size_t(20 + i)] = char(hash >> (8 * i));
    std::string reason;
    if (const auto read = readProgramFile(changed, reason)) CHECK(violation(read->program, read->table) == "");
    else CHECK(reason != "");
  }
}

}  // namespace tpc
