#include "compiler/graph/varies.h"

namespace tpc {
namespace {

uint32_t bitsOf(const Graph& graph, const std::vector<uint32_t>& varies, NodeId id) {
  const Node& node = graph.nodes[id];
  const uint32_t full = (1u << graph.rank(id)) - 1;
  auto operands = graph.operands(id);
  switch (node.kind) {
    case OpKind::broadcast: {
      uint32_t bits = 0;
      const std::vector<int>& axes = graph.axes[node.attribute].axes;
      for (size_t axis = 0; axis < axes.size(); ++axis)
        if (axes[axis] >= 0 && (varies[operands[0]] >> axes[axis] & 1)) bits |= 1u << axis;
      return bits;
    }
    case OpKind::transpose: {
      uint32_t bits = 0;
      const std::vector<int>& axes = graph.axes[node.attribute].axes;
      for (size_t axis = 0; axis < axes.size(); ++axis)
        if (varies[operands[0]] >> axes[axis] & 1) bits |= 1u << axis;
      return bits;
    }
    case OpKind::add:
    case OpKind::sub:
    case OpKind::mul:
    case OpKind::map:
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::compare:
    case OpKind::select:
    case OpKind::stopGradient: {
      uint32_t bits = 0;
      for (NodeId operand : operands) bits |= varies[operand];
      return bits;
    }
    default: return full;
  }
}

}  // namespace

std::vector<uint32_t> variesOf(const Graph& graph) {
  std::vector<uint32_t> varies(graph.nodes.size(), 0);
  for (NodeId id = 0; id < graph.nodes.size(); ++id) varies[id] = bitsOf(graph, varies, id);
  return varies;
}

}  // namespace tpc
