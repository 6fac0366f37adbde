// Along which axes a value was made to vary; along the others it was broadcast, and its entries are the same.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc {

// Per node: a bit for each axis along which the value may vary.
std::vector<uint32_t> variesOf(const Graph& graph);

}  // namespace tpc
