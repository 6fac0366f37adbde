// What is made of constants alone and is not free to compute again: evaluated once, in double, by the interpreter.
//
//     rotary positions: cos(iota(t) * exp(..))     [256, 32]     a table in the program
//     causal mask: iota(t) >= iota(s)              [t, t]        stays arithmetic, compared where it is read
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/interpret/interpret.h"

namespace tpc::loops {

// Per node: whether its values are to be tabulated.
std::vector<bool> foldable(const Graph& graph, const std::vector<int64_t>& numbers);

std::map<NodeId, TensorPtr> fold(const Graph& graph, const std::vector<int64_t>& numbers, std::span<const NodeId> nodes,
                                 std::string& error);

}  // namespace tpc::loops
