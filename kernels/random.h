// Random numbers that are a function of what they are for, not of the order in which they are drawn.
//
// An entry of a parameter is drawn by (seed, the parameter's name, layer, element): the same on one thread or many, on
// CPU and GPU, in the interpreter and in training, whatever else the program contains.  Renaming a parameter redraws
// it, adding another one or a layer does not.
//
// Philox4x32-10 (Salmon et al., SC 2011) turns a counter and a key into 128 random bits by ten rounds of
// multiplication; nothing is carried from one number to the next.  Deviates use + - * / and sqrt only, all correctly
// rounded by IEEE 754, never a library's log or cos: the bits are the same everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tpc {

// Ten rounds.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// FNV-1a, 64 bits: how a name enters the key.
uint64_t nameHash(std::string_view name);

// The x with Phi(x) = p, for 0 < p < 1 (Wichura, AS 241; relative error about 1e-15).
double normalQuantile(double p);

// All numbers of one tensor (or of one layer of a stacked one).
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view name, uint32_t layer = 0);

  uint32_t bits(uint64_t element) const;
  double uniform(uint64_t element) const;  // strictly between 0 and 1, in steps of 2^-32
  double normal(uint64_t element) const { return normalQuantile(uniform(element)); }

  // The elements first .. first + count - 1; the same numbers as one by one, four to a counter.
  void normals(double* out, uint64_t first, uint64_t count) const;

 private:
  std::array<uint32_t, 4> block(uint64_t index) const;
  std::array<uint32_t, 2> key_;
  uint32_t layer_;
};

}  // namespace tpc
