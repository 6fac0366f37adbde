// Data without a file: random inputs, and the answers of a random teacher.
//
// Real inputs are standard normal, whole ones uniform.  The teacher takes a fixed random projection of all inputs of a
// sample to 16 features, x / (1 + |x|) of each (no library function: the same bits everywhere), and a random matrix: a
// real target is what comes out, a whole one the index of the largest.  Where a target continues a row of whole numbers
// (a language model), the row is a Markov chain: each symbol is followed by one of four, chosen once, with
// probabilities 1/2 1/4 1/8 1/8, so that no model does better than 1.75 log 2 = 1.213 nats.
//
// A sample is a function of (seed, its number).
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/random.h"
#include "runtime/data/samples.h"

namespace tpc {
namespace {

constexpr int64_t features = 16;

struct TeacherSamples : Samples {
  const ProgramTable table;
  uint64_t seed;
  int64_t begin, end;
  std::optional<TokenPlan> chain{};
  std::vector<std::vector<float>> project;  // per input: [features, elements], or of a whole one [below, features]
  std::vector<std::vector<float>> answer;   // per target: [outcomes, features]

  TeacherSamples(const ProgramTable& program, uint64_t seed, int64_t begin, int64_t end)
      : table(program), seed(seed), begin(begin), end(end) {}

  std::vector<float> drawn(const std::string& name, int64_t count, double std) const {
    const RandomStream stream(seed, "teacher/" + name);
    std::vector<float> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) values[size_t(i)] = float(std * stream.normal(uint64_t(i)));
    return values;
  }

  void prepare() {
    project.resize(table.inputs.size()), answer.resize(table.inputs.size());
    for (size_t i = 0; i < table.inputs.size(); ++i) {
      const ProgramInput& input = table.inputs[i];
      const int64_t elements = elementsPerSample(input);
      if (input.target)
        answer[i] =
            drawn(input.name, (input.integer ? input.below : elements) * features, 1 / std::sqrt(double(features)));
      else if (input.integer) project[i] = drawn(input.name, input.below * features, 2 / std::sqrt(double(elements)));
      else project[i] = drawn(input.name, elements * features, 1 / std::sqrt(double(elements)));
    }
  }

  int64_t count() const override { return end - begin; }

  int32_t follower(int64_t symbol, uint32_t bits, int64_t below) const {
    static constexpr std::array<int, 8> choice = {0, 0, 0, 0, 1, 1, 2, 3};
    const RandomStream stream(seed, "teacher/follows");
    return int32_t(stream.bits(uint64_t(symbol) * 4 + uint64_t(choice[bits >> 29])) % uint64_t(below));
  }

  void fillChain(int64_t number, const SamplePlaces& places) const {
    const int64_t below = table.inputs[chain->input].below;
    const RandomStream stream(seed, "teacher/chain", 0);
    const uint64_t first = uint64_t(number) * uint64_t(chain->length + 1);
    auto* input = static_cast<int32_t*>(places[chain->input]);
    auto* target = static_cast<int32_t*>(places[*chain->target]);
    int32_t symbol = int32_t(stream.bits(first) % uint64_t(below));
    for (int64_t t = 0; t < chain->length; ++t) {
      if (input) input[t] = symbol;
      symbol = follower(symbol, stream.bits(first + uint64_t(t) + 1), below);
      if (target) target[t] = symbol;
    }
  }

  bool fill(int64_t index, uint64_t, const SamplePlaces& places, Mistake&) const override {
    const int64_t number = begin + index;
    if (chain) return fillChain(number, places), true;
    std::array<float, features> hidden{};
    for (size_t i = 0; i < table.inputs.size(); ++i) {
      const ProgramInput& input = table.inputs[i];
      if (input.target) continue;
      const int64_t elements = elementsPerSample(input);
      const RandomStream stream(seed, "teacher/samples/" + input.name);
      const uint64_t first = uint64_t(number) * uint64_t(elements);
      std::vector<double> normals(input.integer ? 0 : size_t(elements));
      if (!input.integer) stream.normals(normals.data(), first, uint64_t(elements));
      for (int64_t e = 0; e < elements; ++e) {
        if (input.integer) {
          const int32_t symbol = int32_t(stream.bits(first + uint64_t(e)) % uint64_t(input.below));
          if (places[i]) static_cast<int32_t*>(places[i])[e] = symbol;
          for (int64_t f = 0; f < features; ++f) hidden[size_t(f)] += project[i][size_t(symbol * features + f)];
        } else {
          const float value = float(normals[size_t(e)]);
          if (places[i]) static_cast<float*>(places[i])[e] = value;
          for (int64_t f = 0; f < features; ++f) hidden[size_t(f)] += value * project[i][size_t(f * elements + e)];
        }
      }
    }
    for (float& value : hidden) value /= 1 + std::fabs(value);
    for (size_t i = 0; i < table.inputs.size(); ++i) {
      const ProgramInput& input = table.inputs[i];
      if (!input.target || !places[i]) continue;
      const int64_t outcomes = int64_t(answer[i].size()) / features;
      std::vector<float> said(static_cast<size_t>(outcomes));
      for (int64_t o = 0; o < outcomes; ++o)
        for (int64_t f = 0; f < features; ++f)
          said[size_t(o)] += answer[i][size_t(o * features + f)] * hidden[size_t(f)];
      if (input.integer)
        *static_cast<int32_t*>(places[i]) = int32_t(std::max_element(said.begin(), said.end()) - said.begin());
      else std::copy(said.begin(), said.end(), static_cast<float*>(places[i]));
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Samples> teacherSamples(const ProgramTable& table, uint64_t seed, int64_t begin, int64_t end,
                                        Mistake& mistake) {
  auto samples = std::make_unique<TeacherSamples>(table, seed, begin, end);
  Mistake none;
  for (const ProgramInput& input : table.inputs) {
    if (!input.target || !input.integer || elementsPerSample(input) == 1) continue;
    samples->chain = tokenPlan(table, true, none);
    if (samples->chain) break;
    fails(mistake, Fault::content, "TPC0503",
          "no teacher answers `" + input.name + "` " + shapeText(input.shape, input.batchAxis) +
              ": a row of whole numbers is answered where it continues the one input");
    return nullptr;
  }
  if (!samples->chain) samples->prepare();
  return samples;
}

}  // namespace tpc
