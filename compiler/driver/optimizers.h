// Which optimizer trains which parameter: `adamw; layers.*=sgd`, read from the left, the last match wins.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/source/diagnostic.h"
#include "dsl/syntax/ast.h"

namespace tpc {

struct OptimizerChoice {
  std::string everywhere;                                     // empty: not said
  std::vector<std::pair<std::string, std::string>> matching;  // (pattern of parameter names, optimizer)
};

// Empty where the text is no such choice.
std::optional<OptimizerChoice> readOptimizerChoice(std::string_view text);

// A name or a text of the train block, such as its `optimizer`; empty where it says nothing.
std::string wordOfTrainBlock(const ast::Program& program, std::string_view name);

// A plain number of the train block, such as its `lr`.
std::optional<double> numberOfTrainBlock(const ast::Program& program, std::string_view name);

// `*` stands for any characters, dots too.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace tpc
