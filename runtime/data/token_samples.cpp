// Windows of a row of tokens.
//
//     t h e   c a t   s a t        input   the cat, then _sat...      (windows of 7)
//                                  target  he cat_, then sat...       the same, one further
#include <algorithm>

#include "kernels/random.h"
#include "runtime/data/samples.h"

namespace tpc {
namespace {

struct TokenSamples : Samples {
  std::shared_ptr<const Tokens> tokens;
  TokenPlan plan;
  int64_t begin = 0, windows = 0;
  bool moves = false;
  uint64_t seed = 0;

  int64_t count() const override { return windows; }

  bool fill(int64_t index, uint64_t epoch, const SamplePlaces& places, Mistake& mistake) const override {
    const int64_t shift =
        moves ? int64_t(RandomStream(seed, "data/shift").bits(epoch) % uint64_t(plan.length)) : int64_t(0);
    const int64_t first = begin + shift + index * plan.length;
    auto* input = static_cast<int32_t*>(places[plan.input]);
    auto* target = plan.target ? static_cast<int32_t*>(places[*plan.target]) : nullptr;
    return (!input || tokens->read(first, plan.length, input, mistake)) &&
           (!target || tokens->read(first + 1, plan.length, target, mistake));
  }
};

bool readsTokens(const ProgramInput& input) { return input.integer && input.shape.size() == 2 && input.batchAxis == 0; }

}  // namespace

std::optional<TokenPlan> tokenPlan(const ProgramTable& table, bool targets, Mistake& mistake) {
  TokenPlan plan;
  size_t inputs = 0, answers = 0;
  for (size_t i = 0; i < table.inputs.size(); ++i) {
    const ProgramInput& input = table.inputs[i];
    if (input.target) plan.target = i, ++answers;
    else plan.input = i, ++inputs;
  }
  const bool fits = inputs == 1 && readsTokens(table.inputs[plan.input]) &&
                    (!targets || (answers == 1 && readsTokens(table.inputs[*plan.target]) &&
                                  table.inputs[*plan.target].shape == table.inputs[plan.input].shape &&
                                  table.inputs[*plan.target].below == table.inputs[plan.input].below));
  if (!targets) plan.target.reset();
  if (!fits) {
    std::string reads;
    for (const ProgramInput& input : table.inputs)
      reads += (reads.empty() ? "" : ", ") + input.name + " " + shapeText(input.shape, input.batchAxis);
    fails(mistake, Fault::content, "TPC0503",
          "a text feeds one input of whole numbers [batch, length] and one target like it, and `" + table.model +
              "` reads " + reads,
          "arrays are given by name: --data " + (table.inputs.empty() ? "NAME" : table.inputs[0].name) + "=FILE.npy");
    return std::nullopt;
  }
  plan.length = table.inputs[plan.input].shape[1];
  return plan;
}

std::unique_ptr<Samples> tokenSamples(std::shared_ptr<const Tokens> tokens, const TokenPlan& plan, int64_t begin,
                                      int64_t end, std::optional<uint64_t> moving, Mistake& mistake) {
  auto samples = std::make_unique<TokenSamples>();
  samples->tokens = std::move(tokens);
  samples->plan = plan;
  samples->begin = begin;
  const int64_t next = plan.target ? 1 : 0;  // the last window needs the token behind it
  const int64_t all = (end - begin - next) / plan.length;
  constexpr int64_t enoughToMove = 8;
  samples->moves = moving && all > enoughToMove;
  samples->seed = moving.value_or(0);
  samples->windows = samples->moves ? (end - begin - next - (plan.length - 1)) / plan.length : all;
  if (samples->windows >= 1) return samples;
  fails(mistake, Fault::content, "TPC0503",
        "the data has " + std::to_string(end - begin) + " tokens here, and one sample needs " +
            std::to_string(plan.length + next));
  return nullptr;
}

}  // namespace tpc
