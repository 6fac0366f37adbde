#include "compiler/analysis/first_use.h"

#include <algorithm>
#include <set>

namespace tpc {
namespace {

bool has(const std::vector<uint8_t>& labels, uint8_t label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

// Made of parameters and constants, at least one parameter among them.
std::vector<uint8_t> madeOfParameters(const Graph& graph) {
  enum : uint8_t { data, constant, parameters };
  std::vector<uint8_t> made(graph.forwardEnd, data);
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    switch (graph.nodes[id].kind) {
      case OpKind::parameter: made[id] = parameters; continue;
      case OpKind::input:
      case OpKind::bodyArgument:
      case OpKind::repeat:
      case OpKind::repeatResult: continue;
      default: break;
    }
    made[id] = constant;
    for (NodeId operand : graph.operands(id)) {
      if (made[operand] == data) made[id] = data;
      else if (made[id] != data) made[id] = std::max(made[id], made[operand]);
    }
  }
  for (uint8_t& one : made) one = one == parameters;
  return made;
}

// Of the two factors of a product of parameters, the one with fewer axes of its own is the gain.
int ownAxes(const Graph& graph, NodeId id) {
  while (graph.nodes[id].kind == OpKind::broadcast || graph.nodes[id].kind == OpKind::map) id = graph.operands(id)[0];
  int axes = 0;
  for (int axis = 0; axis < graph.rank(id); ++axis) axes += !graph.length(id, axis).isOne();
  return axes;
}

bool isScalar(const Graph& graph, NodeId id) {
  const Node& node = graph.nodes[id];
  if (node.kind == OpKind::number || node.kind == OpKind::freeMultiplier) return true;
  if (node.kind != OpKind::mul && node.kind != OpKind::broadcast && node.kind != OpKind::reshape) return false;
  const auto operands = graph.operands(id);
  return std::all_of(operands.begin(), operands.end(), [&](NodeId operand) { return isScalar(graph, operand); });
}

struct Search {
  const Graph& graph;
  const Uses& uses;
  const std::vector<uint8_t>& made;
  std::set<NodeId> seen{};

  // In x @ (W / sqrt(mean(W^2))) the mean reads W first; what W is for is the product.
  FirstUse of(NodeId id) {
    FirstUse first;
    if (!seen.insert(id).second) return first;
    for (const Use& use : uses.of(id)) {
      const FirstUse found = by(id, use);
      if (found.kind == UseKind::contracted || found.kind == UseKind::lookedUp) return found;
      if (first.kind == UseKind::none) first = found;
    }
    return first;
  }

  FirstUse by(NodeId id, const Use& use) {
    const Node& node = graph.nodes[use.user];
    if (isPlumbing(node.kind) || node.kind == OpKind::stopGradient) return of(use.user);
    switch (node.kind) {
      case OpKind::contract: return {UseKind::contracted, use.user, use.operand};
      case OpKind::gather: return {use.operand == 0 ? UseKind::lookedUp : UseKind::other, use.user, use.operand};
      case OpKind::mul: {
        const NodeId other = graph.operands(use.user)[1 - use.operand];
        const bool passes =
            isScalar(graph, other) || (made[use.user] && ownAxes(graph, other) <= ownAxes(graph, id) && other != id);
        return passes ? of(use.user) : FirstUse{UseKind::factor, use.user, use.operand};
      }
      case OpKind::add:
      case OpKind::sub: return made[use.user] ? of(use.user) : FirstUse{UseKind::term, use.user, use.operand};
      case OpKind::map: return made[use.user] ? of(use.user) : FirstUse{UseKind::other, use.user, use.operand};
      default: return {UseKind::other, use.user, use.operand};
    }
  }
};

}  // namespace

std::vector<FirstUse> firstUses(const Graph& graph, const Uses& uses) {
  const std::vector<uint8_t> made = madeOfParameters(graph);
  std::vector<FirstUse> first;
  for (const Parameter& parameter : graph.parameters) first.push_back(Search{graph, uses, made}.of(parameter.node));
  return first;
}

UseGrowth growthOf(const Graph& graph, uint32_t parameter, const FirstUse& use, SymbolId symbol) {
  UseGrowth growth;
  if (use.kind == UseKind::contracted) {
    const Contraction& labels = graph.contractions[graph.nodes[use.node].attribute];
    const auto& own = use.operand == 0 ? labels.a : labels.b;
    const auto& other = use.operand == 0 ? labels.b : labels.a;
    const NodeId operand = graph.operands(use.node)[use.operand];
    for (size_t axis = 0; axis < own.size(); ++axis) {
      const int one = graph.length(operand, int(axis)).growth(symbol);
      if (!has(labels.result, own[axis])) growth.contracted += one;
      else if (!has(other, own[axis])) growth.free += one;
    }
    return growth;
  }
  const NodeId node = graph.parameters[parameter].node;
  const bool stacked = graph.parameters[parameter].stack != none;
  for (int axis = stacked; axis < graph.rank(node); ++axis) growth.free += graph.length(node, axis).growth(symbol);
  if (use.kind == UseKind::lookedUp) {
    const NodeId table = graph.operands(use.node)[0];
    const uint32_t axes = graph.nodes[use.node].attribute;
    growth.free -= graph.length(table, axes == none ? 0 : graph.axes[axes].axes[0]).growth(symbol);
  }
  return growth;
}

Length contractedLength(const Graph& graph, NodeId contraction) {
  const Contraction& labels = graph.contractions[graph.nodes[contraction].attribute];
  const NodeId a = graph.operands(contraction)[0];
  Length length = Length::number(1);
  for (size_t axis = 0; axis < labels.a.size(); ++axis)
    if (!has(labels.result, labels.a[axis])) length = length * graph.length(a, int(axis));
  return length;
}

NodeId scaledContraction(const Graph& graph, const Uses& uses, const std::vector<FirstUse>& first,
                         uint32_t multiplier) {
  NodeId product = none;
  for (NodeId id = 0; id < graph.forwardEnd && product == none; ++id) {
    if (graph.nodes[id].kind != OpKind::freeMultiplier || graph.nodes[id].attribute != multiplier) continue;
    for (NodeId at = id;;) {
      const auto readers = uses.of(at);
      if (readers.empty()) return none;
      const Use use = readers.front();
      if (graph.nodes[use.user].kind == OpKind::mul) {
        const NodeId other = graph.operands(use.user)[1 - use.operand];
        if (!isScalar(graph, other)) {
          product = other;
          break;
        }
      } else if (!isPlumbing(graph.nodes[use.user].kind)) {
        return none;
      }
      at = use.user;
    }
  }
  while (product != none) {
    const Node& node = graph.nodes[product];
    const auto operands = graph.operands(product);
    if (isPlumbing(node.kind)) product = operands[0];
    else if (node.kind == OpKind::mul && isScalar(graph, operands[0])) product = operands[1];
    else if (node.kind == OpKind::mul && isScalar(graph, operands[1])) product = operands[0];
    else break;
  }
  if (product == none || graph.nodes[product].kind != OpKind::contract) return none;
  const bool isFirst =
      std::any_of(first.begin(), first.end(), [&](const FirstUse& use) { return use.node == product; });
  return isFirst ? none : product;
}

}  // namespace tpc
