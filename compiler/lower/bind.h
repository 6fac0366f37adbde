// A graph at numbers, as operations on memory: lengths bound, constants folded, layers stacked.  Private to the room.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/lower/loops.h"

namespace tpc::loops {

// What outlives a step, in floats from the arena's beginning; each on a cache line of its own.
struct Arena {
  int64_t floats = 0;
  int64_t allocate(int64_t count) {
    const int64_t at = floats;
    floats += (count + 15) / 16 * 16;
    return at;
  }
};

struct Binding {
  const Graph& graph;
  std::vector<int64_t> numbers{};
  std::vector<double> parameterMultipliers{};                     // per parameter
  std::vector<int64_t> parameterAt{}, inputAt{}, multiplierAt{};  // places in the arena
};

// Appends what the wanted nodes need; per wanted node its operation.
std::vector<OpId> bindGraph(const Binding& binding, std::span<const NodeId> wanted, Arena& arena, LoopProgram& program);

// Operations as other files of the room make them.
struct Maker {
  LoopProgram& program;
  uint32_t region = none;
  int phase = 0;
  NodeId node = none;

  OpId number(double value);
  OpId pointwise(OpKind op, uint8_t fn, std::vector<OpId> operands, std::vector<int64_t> shape, double power = 0);
  OpId reduce(ReduceFn fn, OpId x, std::vector<int> axes);
  OpId view(OpId x, std::vector<int64_t> shape, Map index);
  OpId spread(OpId scalar, std::vector<int64_t> shape);  // a rank-0 value over a shape
  OpId memory(Storage storage, std::vector<int64_t> shape, std::vector<OpId> writers = {});
  OpId persistent(int64_t at, std::vector<int64_t> shape);
  OpId copy(OpId x, Storage storage);
  OpId copied(OpId x);  // in a row-major place of its own
};

}  // namespace tpc::loops
