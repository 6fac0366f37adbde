// The random first values of a whole parameter, layers and all: one definition for the interpreter and for training.
//
// Each layer has a stream of its own.  The innermost repeat's index is the stream's layer, those around it stand behind
// the name (`a.b.w/2` is layer 2 of `a`), so that no layer's numbers depend on how many there are of any.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tpc {

struct RandomParameter {
  std::string_view name;
  std::span<const int64_t> shape;
  int stackedAxes = 0;   // how many of the first axes count layers
  double std = 1;        // mean zero
  bool uniform = false;  // on [-a, a] with a = std sqrt 3; else normal
};

// out[every element, row-major].  A float is the double, rounded.
void drawParameter(double* out, const RandomParameter& parameter, uint64_t seed);
void drawParameter(float* out, const RandomParameter& parameter, uint64_t seed);

}  // namespace tpc
