#include "runtime/sample.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/random.h"

namespace tpc {

int32_t sampleToken(std::span<const float> logits, const Sampling& sampling, int64_t place) {
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  if (sampling.temperature <= 0 || sampling.topK == 1) return int32_t(likeliest - logits.begin());
  std::vector<int32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  // Of equals the first, so that the order of a sort says nothing.
  std::sort(tokens.begin(), tokens.end(), [&](int32_t a, int32_t b) {
    const float first = logits[size_t(a)], second = logits[size_t(b)];
    return first > second || (first == second && a < b);
  });
  if (sampling.topK > 0 && size_t(sampling.topK) < tokens.size()) tokens.resize(size_t(sampling.topK));
  std::vector<double> weights;
  double sum = 0;
  for (int32_t token : tokens) {
    weights.push_back(std::exp((double(logits[size_t(token)]) - double(*likeliest)) / sampling.temperature));
    sum += weights.back();
  }
  double left = RandomStream(sampling.seed, "generate").uniform(uint64_t(place)) * sum;
  for (size_t i = 0; i < tokens.size(); ++i) {
    left -= weights[i];
    if (left <= 0) return tokens[i];
  }
  return tokens.back();
}

}  // namespace tpc
