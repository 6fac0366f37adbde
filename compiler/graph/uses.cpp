#include "compiler/graph/uses.h"

namespace tpc {

Uses usesOf(const Graph& graph) {
  // Counting sort by the value that is read: reads are visited in program order, so each list is in program order too.
  Uses uses;
  uses.first.assign(graph.nodes.size() + 1, 0);
  const auto eachRead = [&](auto visit) {
    for (NodeId id = 0; id < graph.forwardEnd; ++id) {
      const auto operands = graph.operands(id);
      for (uint32_t i = 0; i < operands.size(); ++i) visit(operands[i], Use{id, i});
      if (graph.nodes[id].kind != OpKind::repeat) continue;
      const Repeat& repeat = graph.repeats[graph.nodes[id].attribute];
      for (uint32_t i = 0; i < repeat.carried; ++i) visit(repeat.yields[i], Use{id, uint32_t(operands.size()) + i});
    }
  };
  eachRead([&](NodeId read, Use) { ++uses.first[read + 1]; });
  for (size_t i = 0; i + 1 < uses.first.size(); ++i) uses.first[i + 1] += uses.first[i];
  uses.all.resize(uses.first.back());
  std::vector<uint32_t> next(uses.first.begin(), uses.first.end() - 1);
  eachRead([&](NodeId read, Use use) { uses.all[next[read]++] = use; });
  return uses;
}

bool comesFromElsewhere(OpKind kind) {
  switch (kind) {
    case OpKind::parameter:
    case OpKind::input:
    case OpKind::freeMultiplier:
    case OpKind::layerIndex:
    case OpKind::argument:
    case OpKind::dropoutMask:
    case OpKind::repeat:
    case OpKind::repeatResult:
    case OpKind::bodyArgument:
    case OpKind::layer: return true;
    default: return false;
  }
}

bool isPlumbing(OpKind kind) {
  switch (kind) {
    case OpKind::reshape:
    case OpKind::transpose:
    case OpKind::broadcast:
    case OpKind::slice:
    case OpKind::layer: return true;
    default: return false;
  }
}

}  // namespace tpc
