// Weights from anybody's safetensors: by the program's names, or by a file that says what they are called there.
//
//     # ours = theirs, and what to do with it
//     E                        = wte.weight
//     layers.{i}.attention.wq  = h.{i}.attn.c_attn.weight  columns 0:768
//     layers.{i}.mlp.w_up      = h.{i}.mlp.up.weight       transposed
//
// `{i}` stands for the number of a layer.  `rows a:b` and `columns a:b` take a part of a matrix, then `transposed`
// turns it; neighbouring axes may be grouped otherwise ([768, 768] for [768, 12, 64]), but never change their order.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/format/mistake.h"
#include "runtime/format/safetensors.h"
#include "runtime/step.h"

namespace tpc {

struct WeightName {
  std::string ours, theirs;
  std::optional<std::pair<int64_t, int64_t>> rows{}, columns{};
  bool transposed = false;
  int line = 0;
};

// TPC0512 with the line where it cannot be read.
std::optional<std::vector<WeightName>> readNames(const std::string& path, const std::string& text, Mistake& mistake);

// All parameters, or nothing is changed.  What the names do not mention has the program's name.  TPC0511, TPC0512.
bool loadWeights(std::span<const std::unique_ptr<SafetensorsFile>> files, const std::vector<WeightName>& names,
                 Stepper& stepper, Mistake& mistake);

}  // namespace tpc
