// Which operations run in one loop.
//
//     e = exp(x - max(x)),  s = sum(e),  p = e / s        one group over [rows, columns]: three passes over each row
//     m = b1 m + (1 - b1) g,  v = ..,  W = W + ..         one group over the entries of W, three places written
//
// Operations are taken from the last to the first, so that all who read a value have their place when the value gets
// its own: in the loop of a reader if it can be computed there, else in one of its own.  What several loops read goes
// to memory, or is computed in each where that is cheaper.  No join may close a circle of loops that wait for each
// other.
#pragma once

#include <map>
#include <vector>

#include "compiler/lower/loops.h"

namespace tpc::loops {

struct Group {
  std::vector<int64_t> domain{};               // lengths of its axes, none of them one
  std::vector<bool> reduced{};                 // which of them its reductions run over; all reductions over the same
  std::map<OpId, std::vector<Map>> members{};  // where in the domain each is computed: its axes as axes of the domain
  std::vector<OpId> outputs{};                 // those that go to memory, copies among them
};

// In the order in which they run: a group, or a single operation that is no loop of ours.
struct Unit {
  OpId op = none;  // none: the group
  Group group{};
  uint32_t region = none;
  int phase = 0;
};

// Every operation of the program in its unit, except what nobody reads.
std::vector<Unit> grouped(const LoopProgram& program);

}  // namespace tpc::loops
