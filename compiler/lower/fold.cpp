#include "compiler/lower/fold.h"

#include <algorithm>

#include "compiler/graph/uses.h"

namespace tpc::loops {
namespace {

bool isView(OpKind kind) {
  return kind == OpKind::reshape || kind == OpKind::transpose || kind == OpKind::broadcast || kind == OpKind::slice ||
         kind == OpKind::stopGradient;
}

bool isCheap(const Node& node) {
  switch (node.kind) {
    case OpKind::number:
    case OpKind::iota:
    case OpKind::eye:
    case OpKind::add:
    case OpKind::sub:
    case OpKind::mul:
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::compare:
    case OpKind::select: return true;
    case OpKind::map:
      switch (MapFn(node.fn)) {
        case MapFn::neg:
        case MapFn::square:
        case MapFn::abs:
        case MapFn::sign:
        case MapFn::relu:
        case MapFn::step: return true;
        default: return false;
      }
    default: return isView(node.kind);
  }
}

// Who reads whole pieces of memory: what they read of constants is a table.
bool readsMemory(OpKind kind) {
  return kind == OpKind::gather || kind == OpKind::scatterAdd || kind == OpKind::contract || kind == OpKind::oneHot;
}

}  // namespace

std::vector<bool> foldable(const Graph& graph, const std::vector<int64_t>& numbers) {
  const size_t count = graph.nodes.size();
  std::vector<bool> constant(count), heavy(count), result(count);
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = graph.nodes[id];
    const auto operands = graph.operands(id);
    const auto all = [&](const std::vector<bool>& of) {
      return std::all_of(operands.begin(), operands.end(), [&](NodeId each) { return of[each]; });
    };
    const auto any = [&](const std::vector<bool>& of) {
      return std::any_of(operands.begin(), operands.end(), [&](NodeId each) { return of[each]; });
    };
    constant[id] = !comesFromElsewhere(node.kind) && all(constant);
    if (!constant[id]) continue;
    heavy[id] = !isCheap(node) || any(heavy);
    const std::optional<std::vector<int64_t>> shape = shapeAt(graph, id, numbers);
    const bool single = shape && std::all_of(shape->begin(), shape->end(), [](int64_t length) { return length == 1; });
    // A view of a table is a view; one number is a number, whatever it took.
    result[id] = shape && ((heavy[id] && !isView(node.kind)) || (single && !isView(node.kind)));
  }
  for (NodeId id = 0; id < count; ++id) {
    if (!readsMemory(graph.nodes[id].kind) || constant[id]) continue;
    for (NodeId operand : graph.operands(id)) {
      while (constant[operand] && isView(graph.nodes[operand].kind)) operand = graph.operands(operand)[0];
      if (constant[operand]) result[operand] = true;
    }
  }
  return result;
}

std::map<NodeId, TensorPtr> fold(const Graph& graph, const std::vector<int64_t>& numbers, std::span<const NodeId> nodes,
                                 std::string& error) {
  std::map<NodeId, TensorPtr> values;
  if (nodes.empty()) return values;
  // Outside of every repeat: what is constant does not depend on the round.
  Graph alone = graph;
  for (Node& node : alone.nodes) node.region = none;
  alone.repeats.clear();
  Evaluation run = evaluate(alone, {.numbers = numbers}, nodes);
  error = run.error;
  if (error.empty())
    for (NodeId id : nodes) values[id] = run.values[id];
  return values;
}

}  // namespace tpc::loops
