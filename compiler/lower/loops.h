// A bound program on its way to loops: every length a number, every view an index, every copy explicit.  Private to the
// room.
//
//     memory     W1 [64, 128]                      stands at a place of its own
//     contract   x W1          [32, 128]
//     view       b1            [32, 128]           operand axis 0 is result axis 1
//     pointwise  add           [32, 128]
//     pointwise  map relu      [32, 128]           group.cpp joins these three into one loop
//
// Operations stand in an order in which operands come first; the body of a loop stands before its `repeat`.  What moves
// no number is a view: its index says where in the operand each of its entries stands.  What cannot be a view (a merge
// of axes, padding, what a loop carries) is copies into memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc::loops {

using OpId = uint32_t;

// constant + sum of coefficient * axis + sum of coefficient * index of a running loop
struct Index {
  int64_t constant = 0;
  std::vector<std::pair<int, int64_t>> terms{};       // sorted by axis, coefficients not 0
  std::vector<std::pair<uint32_t, int64_t>> trips{};  // sorted by loop, likewise
  friend bool operator==(const Index&, const Index&) = default;
  friend auto operator<=>(const Index&, const Index&) = default;

  static Index axis(int axis, int64_t coefficient = 1) { return {0, {{axis, coefficient}}, {}}; }
  void add(const Index& other, int64_t factor);
};
using Map = std::vector<Index>;  // one per axis

// The map of a view's operand, where `outer` is that of the view.
Map composed(const Map& view, const Map& outer);

struct Buffer {
  int64_t floats = 0;
  int64_t at = -1;  // persistent ones have their place from the start
  bool persistent = false;
  uint32_t region = none;  // of temporary ones: the loop outside of which nobody needs it
};

// Where a value stands: entry i of axis a is strides[a] further on.
struct Storage {
  uint32_t buffer = none;
  int64_t offset = 0;
  std::vector<int64_t> strides{};
  std::vector<std::pair<uint32_t, int64_t>> trips{};
};

// constant and terms are floats from the buffer's beginning.
Index accessOf(const Storage& storage, const Map& map);
std::vector<int64_t> rowMajor(const std::vector<int64_t>& shape);
int64_t volume(const std::vector<int64_t>& shape);

enum class Kind : uint8_t {
  memory,      // operands: who writes it before it is read
  number,      // `number`; rank 0
  iota,        // rank 1
  pointwise,   // `op`, `fn`; operands of one shape
  reduce,      // `fn`; `axes`
  view,        // `index`: per operand axis, of result axes
  contract,    // `labels`
  gather,      // (table, index): `axis`
  scatterAdd,  // (index, updates): `axis`
  argmax,      // `axes`, of one
  checkIndex,  // (index): every entry is below `number`; has no value
  dropout,     // `of`: LoopProgram::dropouts
  copy,        // its operand into `storage`
  repeat,      // `of`: LoopProgram::loops; operands: what must have been computed before it
};

struct Op {
  Kind kind{};
  OpKind op{};  // of pointwise
  uint8_t fn = 0;
  double number = 0;  // of number; the power of map pow
  std::vector<OpId> operands{};
  std::vector<int64_t> shape{};
  uint32_t region = none;
  int phase = 0;  // 0 values and gradients, 1 norms, 2 updates: one after the other
  Map index{};
  std::vector<int> axes{};
  Contraction labels{};
  int axis = 0;
  uint32_t of = none;
  bool free = false;                 // numbers, iotas and cheap arithmetic of them alone: computed where it is read
  bool pinned = false;               // somebody outside needs it in memory
  bool rowMajorOnly = false;         // somebody reads it as one piece
  OpId aliasOf = none;               // of memory: the same place as that operation's, axes merged
  OpId stacks = none;                // of memory: the layers of what that operation computes
  std::optional<Storage> storage{};  // where it stands; given for memory and copies, and for what a loop collects
  NodeId node = none;                // for messages
};

struct Loop {
  int64_t trips = 1;
  bool reversed = false;
  uint32_t parent = none;
  int64_t index = -1;  // buffer of the layer's index as a number
  OpId op = none;
};

struct DropoutSite {
  std::string name{};
  double rate = 0;
};

struct ConstantValues {
  uint32_t buffer = none;
  std::vector<float> values{};
};

struct LoopProgram {
  std::vector<Op> ops{};
  std::vector<Loop> loops{};
  std::vector<Buffer> buffers{};
  std::vector<DropoutSite> dropouts{};
  std::vector<ConstantValues> constants{};

  OpId append(Op op);
  uint32_t temporary(int64_t floats, uint32_t region) {
    buffers.push_back({floats, -1, false, region});
    return uint32_t(buffers.size() - 1);
  }
};

// What cannot be lowered, in words.  Thrown inside the room, caught by `lower`.
struct Failure {
  std::string message;
};

// A function that takes more than a few instructions.
bool takesLong(OpKind kind, uint8_t fn);

// What stands behind views, and where in it an entry of `id` is that itself stands at `map`.
std::pair<OpId, Map> behindViews(const LoopProgram& program, OpId id, Map map);
Map identityMap(const std::vector<int64_t>& shape);  // axes of length one stay at 0

}  // namespace tpc::loops
