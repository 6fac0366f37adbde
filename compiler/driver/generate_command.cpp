// `tpc generate`: a text goes on, token by token.
//
// The program reads a window of fixed length, so the tokens so far stand at its front and zeros behind them; the logits
// at the last of them say what comes next.  That is right where no position sees a later one, which is tried before
// anything is printed.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "compiler/driver/session.h"
#include "runtime/batches.h"
#include "runtime/sample.h"

namespace tpc {

namespace {

struct Generator {
  const GenerateOptions& asked;
  Session& session;
  const OpenWeights& weights;
  Mistake& mistake;

  std::unique_ptr<Stepper> stepper{};
  size_t input = 0, output = 0;
  int64_t window = 0, symbols = 0;
  std::string alphabet{};
  bool isText = false;

  bool no(const std::string& message, const std::string& help = "") {
    return fails(mistake, Fault::content, "TPC0507", message, help);
  }

  // One input of tokens, one output of logits over the same symbols.
  bool findPlaces() {
    const ProgramTable& table = stepper->table();
    const auto cannot = [&](const std::string& why) {
      return no("`" + table.model + "` does not continue a text: " + why,
                "it takes one input [batch, length] of whole numbers and an output [batch, length, symbols]");
    };
    size_t inputs = 0;
    for (size_t i = 0; i < table.inputs.size(); ++i)
      if (!table.inputs[i].target) input = i, ++inputs;
    const ProgramInput& tokens = table.inputs[input];
    if (inputs != 1 || !tokens.integer || tokens.shape.size() != 2 || tokens.batchAxis != 0)
      return cannot("it has no one input of tokens");
    window = tokens.shape[1], symbols = tokens.below;
    for (size_t o = 0; o < table.outputs.size(); ++o)
      if (table.outputs[o].shape == std::vector<int64_t>{1, window, symbols}) return output = o, true;
    return cannot("no output has a number for each position and symbol");
  }

  // A text in, as tokens; where the weights know no text, numbers separated by blanks.
  std::optional<std::vector<int32_t>> tokensOf(const std::string& prompt) {
    std::vector<int32_t> tokens;
    if (!isText) {
      for (size_t begin = 0; begin < prompt.size();) {
        const size_t end = std::min(prompt.find(' ', begin), prompt.size());
        int32_t token = -1;
        const auto [rest, error] = std::from_chars(prompt.data() + begin, prompt.data() + end, token);
        if (end > begin && (error != std::errc() || rest != prompt.data() + end || token < 0 || token >= symbols))
          return no("`" + prompt.substr(begin, end - begin) + "` is no token below " + std::to_string(symbols)),
                 std::nullopt;
        if (end > begin) tokens.push_back(token);
        begin = end + 1;
      }
    } else {
      for (unsigned char byte : prompt) {
        const size_t at = alphabet.empty() ? byte : alphabet.find(char(byte));
        if (at >= size_t(symbols))
          return no("the prompt has a byte that the program was not trained with: " + std::to_string(byte)),
                 std::nullopt;
        tokens.push_back(int32_t(at));
      }
    }
    if (tokens.empty()) {
      const size_t newline = alphabet.empty() ? '\n' : alphabet.find('\n');
      tokens.push_back(isText && newline < size_t(symbols) ? int32_t(newline) : 0);
    }
    return tokens;
  }

  std::string textOf(int32_t token) const {
    if (!isText) return std::to_string(token) + " ";
    return std::string(1, alphabet.empty() ? char(token) : alphabet[size_t(token) % alphabet.size()]);
  }

  // The logits of what follows the last of the tokens, the window filled up with `filler`.
  std::optional<std::vector<float>> next(const std::vector<int32_t>& tokens, int32_t filler) {
    const size_t known = std::min(tokens.size(), size_t(window));
    std::vector<int32_t> values(size_t(window), filler);
    std::copy(tokens.end() - ptrdiff_t(known), tokens.end(), values.begin());
    std::vector<const void*> inputs(stepper->table().inputs.size(), nullptr);
    inputs[input] = values.data();
    std::string error;
    std::vector<float> logits = stepper->fetch(inputs, output, error);
    if (!error.empty())
      return fails(mistake, Fault::content, "TPC0506", "the program cannot be run: " + error), std::nullopt;
    const auto begin = logits.begin() + ptrdiff_t((known - 1) * size_t(symbols));
    std::vector<float> last(begin, begin + ptrdiff_t(symbols));
    for (float logit : last)
      if (std::isnan(logit)) return no("its logits are NaN"), std::nullopt;
    return last;
  }

  std::optional<std::string> run() {
    if (!(stepper = session.stepper(1, Purpose::evaluate, mistake)) || !findPlaces()) return std::nullopt;
    if (weights.record) alphabet = weights.record->alphabet, isText = weights.record->isText;
    else isText = symbols >= 256;
    if (!loadWeights(weights.files, weights.names, *stepper, mistake)) return std::nullopt;
    std::optional<std::vector<int32_t>> tokens = tokensOf(asked.prompt);
    if (!tokens) return std::nullopt;
    if (window > 1 && symbols > 1) {
      const std::vector<int32_t> first(
          tokens->begin(), tokens->begin() + ptrdiff_t(std::min<size_t>(tokens->size(), size_t(window - 1))));
      const auto zeros = next(first, 0), others = zeros ? next(first, int32_t(symbols - 1)) : zeros;
      if (!others) return std::nullopt;
      if (*zeros != *others)
        return no("`" + stepper->table().model + "` looks ahead: what follows a position changes its logits",
                  "attention takes `causal`"),
               std::nullopt;
    }
    std::string text = asked.prompt;
    if (!isText && !text.empty() && text.back() != ' ') text += ' ';
    const Sampling sampling{.temperature = asked.temperature, .topK = asked.topK, .seed = asked.seed};
    for (int64_t place = 0; place < asked.length; ++place) {
      const std::optional<std::vector<float>> logits = next(*tokens, 0);
      if (!logits) return std::nullopt;
      // Symbols above the alphabet's were never seen.
      const size_t known = alphabet.empty() ? logits->size() : std::min(logits->size(), alphabet.size());
      tokens->push_back(sampleToken(std::span(*logits).first(known), sampling, place));
      text += textOf(tokens->back());
    }
    return text + "\n";
  }
};

}  // namespace

Answer generateCommand(const CommandOptions& options, const GenerateOptions& asked) {
  return withTrained(options, asked.plan, asked.run,
                     [&](Session& session, const OpenWeights& weights, Mistake& mistake) {
                       return Generator{asked, session, weights, mistake}.run();
                     });
}

}  // namespace tpc
