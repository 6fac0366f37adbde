// Who reads a value: the forward uses of every forward node, in program order.
//
//     Uses uses = usesOf(graph);
//     for (Use use : uses.of(h)) graph.nodes[use.user] ...
//
// What a body yields is read by its repeat.
#pragma once

#include <span>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc {

struct Use {
  NodeId user;
  uint32_t operand;
};

struct Uses {
  std::vector<uint32_t> first;  // per node: into all; one more entry at the end
  std::vector<Use> all;
  std::span<const Use> of(NodeId id) const { return {all.data() + first[id], first[id + 1] - first[id]}; }
};

Uses usesOf(const Graph& graph);

// Not a function of its operands: data, parameters, and what belongs to a repeat.
bool comesFromElsewhere(OpKind kind);

// Coordinates move, and nothing else happens to them.
bool isPlumbing(OpKind kind);

}  // namespace tpc
