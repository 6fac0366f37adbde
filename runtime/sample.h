// The next token of a text: from logits, by a temperature, among the likeliest.
#pragma once

#include <cstdint>
#include <span>

namespace tpc {

struct Sampling {
  double temperature = 1;  // 0: always the likeliest, the first of equals
  int64_t topK = 0;        // among so many; 0: all
  uint64_t seed = 0;
};

// A function of the logits and (seed, place), whatever was drawn before.
int32_t sampleToken(std::span<const float> logits, const Sampling& sampling, int64_t place);

}  // namespace tpc
