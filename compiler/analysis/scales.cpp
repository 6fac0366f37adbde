// Multipliers and scales; see scales.h.
#include "compiler/analysis/scales.h"

#include <algorithm>
#include <map>

namespace tpc {

Scaling scalingOf(const Run& run, NodeId id) {
  const Node& node = run.graph.nodes[id];
  auto operands = run.graph.operands(id);
  switch (node.kind) {
    case OpKind::number: {
      Size size = sizeOfNumber(run, run.graph.numbers[node.attribute]);
      return {size.isPower(), size.exponent, none, none};
    }
    case OpKind::freeMultiplier:
      if (run.multiplierIsGiven[node.attribute]) return {true, run.multiplier[node.attribute], none, none};
      return {true, 0, node.attribute, id};
    case OpKind::broadcast:
    case OpKind::reshape: return scalingOf(run, operands[0]);
    case OpKind::mul: {
      Scaling a = scalingOf(run, operands[0]);
      if (!a.is) return a;
      Scaling b = scalingOf(run, operands[1]);
      if (!b.is) return b;
      return {true, a.number + b.number, a.free != none ? a.free : b.free, a.free != none ? a.freeNode : b.freeNode};
    }
    default: return {};
  }
}

NodeId unscaled(const Run& run, NodeId id) {
  for (;;) {
    const Node& node = run.graph.nodes[id];
    auto operands = run.graph.operands(id);
    if (isPlumbing(node.kind)) id = operands[0];
    else if (node.kind == OpKind::mul && scalingOf(run, operands[0]).is) id = operands[1];
    else if (node.kind == OpKind::mul && scalingOf(run, operands[1]).is) id = operands[0];
    else if (node.kind == OpKind::map && MapFn(node.fn) == MapFn::neg) id = operands[0];
    else return id;
  }
}

Behind behind(const Run& run, NodeId id) {
  Behind result;
  for (const BranchMultiplier& branch : run.implicit)
    if (branch.product == id) return {-branch.value, none};
  while (run.firstUse[id + 1] - run.firstUse[id] == 1) {
    NodeId user = run.uses[run.firstUse[id]].user;
    const Node& node = run.graph.nodes[user];
    if (node.kind == OpKind::mul) {
      auto operands = run.graph.operands(user);
      Scaling scaling = scalingOf(run, operands[0] == id ? operands[1] : operands[0]);
      if (!scaling.is) return result;
      result.numbers += scaling.number;
      if (scaling.free != none) result.free = scaling.free;
    } else if (!isPlumbing(node.kind)) {
      return result;
    }
    id = user;
    // The multiplier of a branch of a growing repeat does not count: before it the product is of order one.
    if (!run.termGrowth[id].isZero()) return {};
  }
  return result;
}

bool usesSymbol(const Run& run, uint32_t free) {
  const auto& symbols = run.graph.freeMultipliers[free].symbols;
  return symbols.empty() || std::find(symbols.begin(), symbols.end(), run.symbol) != symbols.end();
}

std::vector<NodeId> usersBehind(const Run& run, NodeId value) {
  std::vector<NodeId> users, pending{value};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    for (uint32_t u = run.firstUse[id]; u < run.firstUse[id + 1]; ++u) {
      const NodeId user = run.uses[u].user;
      (unscaled(run, user) == unscaled(run, id) ? pending : users).push_back(user);
    }
  }
  return users;
}

bool isScaleFree(const Run& run, NodeId value) {
  const Graph& graph = run.graph;
  std::map<NodeId, Rational> degree{{value, 1}};
  std::map<NodeId, bool> pending{{value, true}};
  int budget = 400;
  auto degreeOf = [&](NodeId id) {
    auto found = degree.find(id);
    return found == degree.end() ? Rational(0) : found->second;
  };
  while (!pending.empty()) {
    if (--budget == 0) return false;
    NodeId id = pending.begin()->first;
    pending.erase(pending.begin());
    if (degreeOf(id).isZero()) continue;
    if (id == graph.loss) return false;
    for (const Output& output : graph.outputs)
      if (!output.metric && output.node == id) return false;
    for (uint32_t u = run.firstUse[id]; u < run.firstUse[id + 1]; ++u) {
      NodeId user = run.uses[u].user;
      if (!run.reachesLoss[user]) continue;
      const Node& node = graph.nodes[user];
      auto operands = graph.operands(user);
      Rational next = 0;
      switch (node.kind) {
        case OpKind::contract:
        case OpKind::mul:
          for (NodeId operand : operands) next += degreeOf(operand);
          break;
        case OpKind::map: {
          MapFacts facts = factsOf(MapFn(node.fn), powerOf(run, user));
          if (!facts.homogeneous) return false;
          next = facts.small * degreeOf(operands[0]);
          break;
        }
        case OpKind::add:
        case OpKind::sub:
        case OpKind::concat:
        case OpKind::maximum:
        case OpKind::minimum:
        case OpKind::select: {
          bool same = true;
          for (size_t i = node.kind == OpKind::select ? 1 : 0; i < operands.size(); ++i) {
            NodeId bare = operands[i];
            while (isPlumbing(graph.nodes[bare].kind)) bare = graph.operands(bare)[0];
            const bool nothing = graph.nodes[bare].kind == OpKind::number &&
                                 sizeOfNumber(run, graph.numbers[graph.nodes[bare].attribute]).isZero();
            same &= nothing || degreeOf(operands[i]) == degreeOf(id);
          }
          if (!same) return false;
          next = degreeOf(id);
          break;
        }
        case OpKind::repeat:
        case OpKind::compare: return false;
        default: next = degreeOf(id);
      }
      if (degree.count(user) && degree[user] == next) continue;
      degree[user] = next;
      pending[user] = true;
    }
  }
  return true;
}

}  // namespace tpc
