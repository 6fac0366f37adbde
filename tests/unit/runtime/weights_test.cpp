// Weights of others: names, layers one by one, turned and cut.
#include "runtime/weights.h"
#include "tests/catch.h"
#include "tests/unit/runtime/folder.h"

namespace tpc {
namespace {

// E [2, 3] and layers.w [2, 2, 2]: two layers.
class Holder : public Stepper {
 public:
  Holder() {
    table_.parameters = {{.name = "E", .shape = {2, 3}}, {.name = "layers.w", .shape = {2, 2, 2}, .stackedAxes = 1}};
    buffers_ = {{ElementType::f32, 6, e.data()}, {ElementType::f32, 8, w.data()}};
  }
  std::vector<float> e = std::vector<float>(6), w = std::vector<float>(8);
  const ProgramTable& table() const override { return table_; }
  std::span<const StepBuffer> parameters() override { return buffers_; }
  std::span<const StepBuffer> states(size_t) override { return {}; }
  StepResult step(const StepRequest&) override { return {}; }
  EvaluateResult evaluate(std::span<const void* const>) override { return {}; }
  std::vector<float> fetch(std::span<const void* const>, size_t, std::string&) override { return {}; }
  StepMemory memory() const override { return {}; }

 private:
  ProgramTable table_;
  std::vector<StepBuffer> buffers_;
};

const std::vector<float> numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

std::unique_ptr<SafetensorsFile> fileOf(const TestFolder& folder, const std::string& name,
                                        const std::vector<std::pair<std::string, std::vector<int64_t>>>& tensors) {
  std::vector<TensorToStore> store;
  for (const auto& [tensor, shape] : tensors) {
    int64_t count = 1;
    for (int64_t length : shape) count *= length;
    store.push_back({tensor, shape, StoredType::f32, false, numbers.data(), count});
  }
  Mistake mistake;
  REQUIRE(writeSafetensors(folder / name, store, {}, mistake));
  return SafetensorsFile::open(folder / name, mistake);
}

std::string load(std::vector<std::unique_ptr<SafetensorsFile>>& files, const std::string& names, Holder& holder) {
  Mistake mistake;
  const auto read = readNames("names", names, mistake);
  if (!read || !loadWeights(files, *read, holder, mistake)) return mistake.code + ": " + mistake.message;
  return "";
}

}  // namespace

TEST_CASE("weights by the program's names, stacked or layer by layer", "[weights]") {
  const TestFolder folder;
  Holder stacked, single;
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  files.push_back(fileOf(folder, "a", {{"E", {2, 3}}, {"layers.w", {2, 2, 2}}}));
  CHECK(load(files, "", stacked) == "");
  CHECK(stacked.w == std::vector<float>(numbers.begin(), numbers.begin() + 8));
  files.clear();
  files.push_back(fileOf(folder, "b", {{"E", {6}}, {"layers.1.w", {2, 2}}}));  // in two files, E not grouped
  files.push_back(fileOf(folder, "c", {{"layers.0.w", {4}}}));
  CHECK(load(files, "", single) == "");
  CHECK(single.w == std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4});
}

TEST_CASE("a file of names turns and cuts", "[weights]") {
  const TestFolder folder;
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  files.push_back(fileOf(folder, "a", {{"wte", {3, 2}}, {"h.0.c", {2, 6}}, {"h.1.c", {2, 6}}}));
  Holder holder;
  CHECK(load(files, "# from elsewhere\nE = wte transposed\nlayers.{i}.w = h.{i}.c columns 2:4\n", holder) == "");
  CHECK(holder.e == std::vector<float>{1, 3, 5, 2, 4, 6});
  CHECK(holder.w == std::vector<float>{3, 4, 9, 10, 3, 4, 9, 10});
}

TEST_CASE("names that are wrong are told with their line, and nothing changes", "[weights]") {
  const TestFolder folder;
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  files.push_back(fileOf(folder, "a", {{"E", {2, 3}}, {"F", {3, 2}}, {"layers.w", {2, 2, 2}}, {"v", {5}}}));
  const std::pair<std::string, std::string> cases[] = {
      {"E wte", "TPC0512: names:1: a line says `ours = theirs`"},
      {"\nE = E turned", "TPC0512: names:2: `turned` is not understood"},
      {"E = E rows 2", "TPC0512: names:1: `rows` is not understood"},
      {"E = E rows 3:2", "TPC0512: names:1: `rows` is not understood"},
      {"E = E\nE = F", "TPC0512: names:2: `E` stands in line 1 too"},
      {"E = G", "TPC0511: no file of weights has `G`, which is to be `E`"},
      {"E = F", "TPC0511: `E` is [2, 3] in the program and [3, 2] in the weights"},
      {"E = E columns 1:9", "TPC0512: `E` is [2, 3], and line 1 of the names asks for what it has not"},
      {"E = v transposed", "TPC0512: `v` is [5], and line 1 of the names asks for what it has not"},
      {"Q = E", "TPC0512: line 1 of the names speaks of `Q`, which the program has not"},
  };
  for (const auto& [names, said] : cases) {
    Holder holder;
    CHECK(load(files, names, holder) == said);
    CHECK(holder.e == std::vector<float>(6));
  }
}

}  // namespace tpc
