#include "compiler/analysis/cuts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace tpc {
namespace {

// Where an axis of a value comes from: the operands' axes whose entries its entries are made of, one by one.
class Origins {
 public:
  Origins(const Graph& graph, std::vector<std::pair<NodeId, int>>& found) : graph_(graph), found_(found) {}

  void of(NodeId id, int axis) {
    const Node& node = graph_.nodes[id];
    const auto operands = graph_.operands(id);
    auto push = [&](NodeId operand, int from) {
      if (from >= 0 && from < graph_.rank(operand)) found_.push_back({operand, from});
    };
    switch (node.kind) {
      case OpKind::broadcast:
      case OpKind::transpose: return push(operands[0], graph_.axes[node.attribute].axes[size_t(axis)]);
      case OpKind::reshape: return regrouped(node, operands[0], axis);
      case OpKind::contract: {
        const Contraction& labels = graph_.contractions[node.attribute];
        push(operands[0], indexOf(labels.a, labels.result[size_t(axis)]));
        return push(operands[1], indexOf(labels.b, labels.result[size_t(axis)]));
      }
      case OpKind::reduce: {
        int from = -1;
        const std::vector<int>& axes = graph_.axes[node.attribute].axes;
        for (int left = axis; left >= 0; --left) do
            ++from;
          while (std::find(axes.begin(), axes.end(), from) != axes.end());
        return push(operands[0], from);
      }
      case OpKind::gather: {
        const int at = node.attribute == none ? 0 : graph_.axes[node.attribute].axes[0];
        const int indices = graph_.rank(operands[1]);
        if (axis < at) push(operands[0], axis);
        if (axis >= at + indices) push(operands[0], axis - indices + 1);
        return;
      }
      case OpKind::scatterAdd: {
        const Scatter& scatter = graph_.scatters[node.attribute];
        if (axis < scatter.axis) push(operands[1], axis);
        if (axis > scatter.axis) push(operands[1], axis + scatter.indexRank - 1);
        return;
      }
      case OpKind::layer: return push(operands[0], axis + 1);
      case OpKind::repeatResult: {
        const Repeat& repeat = graph_.repeats[graph_.nodes[operands[0]].attribute];
        const bool isCarried = node.attribute < repeat.carried;
        push(repeat.yields[node.attribute], isCarried ? axis : axis - 1);
        if (isCarried) push(graph_.operands(repeat.node)[node.attribute], axis);
        return;
      }
      case OpKind::bodyArgument: {
        const Repeat& repeat = graph_.repeats[node.region];
        const auto at = std::find(repeat.arguments.begin(), repeat.arguments.end(), id) - repeat.arguments.begin();
        if (size_t(at) >= repeat.carried) return;
        push(repeat.yields[size_t(at)], axis);
        return push(graph_.operands(repeat.node)[size_t(at)], axis);
      }
      default:
        for (NodeId operand : operands)
          if (graph_.rank(operand) == graph_.rank(id)) push(operand, axis);
    }
  }

 private:
  static int indexOf(const std::vector<uint8_t>& labels, uint8_t label) {
    const auto found = std::find(labels.begin(), labels.end(), label);
    return found == labels.end() ? -1 : int(found - labels.begin());
  }

  void regrouped(const Node& node, NodeId operand, int axis) {
    int from = 0, to = 0;
    for (auto [count, made] : graph_.regroups[node.attribute].groups) {
      if (axis >= to && axis < to + made)
        for (int i = from; i < from + count; ++i) found_.push_back({operand, i});
      from += count, to += made;
    }
  }

  const Graph& graph_;
  std::vector<std::pair<NodeId, int>>& found_;
};

// a < b, or empty where that depends on the symbols' numbers.
std::optional<bool> isLess(const Length& a, const Length& b) {
  if (a == b) return false;
  if (difference(b, a)) return true;
  if (difference(a, b)) return false;
  return std::nullopt;
}

// Sorts the points; false where two of them cannot be compared.
bool sortPoints(std::vector<Length>& points) {
  for (const Length& a : points)
    for (const Length& b : points)
      if (!isLess(a, b)) return false;
  std::sort(points.begin(), points.end(), [](const Length& a, const Length& b) { return *isLess(a, b); });
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return true;
}

struct Sliced {
  std::vector<NodeId> slices;
  std::vector<Length> points;  // begins and ends, once sorted with 0 and the length itself
};

// The parameters that have made, entry by entry, what one of the slices cuts.
std::set<uint32_t> parametersBehind(const Graph& graph, const std::vector<NodeId>& slices) {
  std::set<uint32_t> result;
  std::set<std::pair<NodeId, int>> seen;
  std::vector<std::pair<NodeId, int>> pending;
  for (NodeId slice : slices)
    pending.push_back({graph.operands(slice)[0], graph.slices[graph.nodes[slice].attribute].axis});
  while (!pending.empty()) {
    const auto [id, axis] = pending.back();
    pending.pop_back();
    if (!seen.insert({id, axis}).second) continue;
    if (graph.nodes[id].kind == OpKind::parameter) result.insert(graph.nodes[id].attribute);
    else Origins(graph, pending).of(id, axis);
  }
  return result;
}

}  // namespace

Cuts::Cuts(const Graph& graph) : keptBy_(graph.slices.empty() ? 0 : graph.nodes.size(), none) {
  std::map<uint32_t, Sliced> byLength;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    if (graph.nodes[id].kind != OpKind::slice) continue;
    const Slice& slice = graph.slices[graph.nodes[id].attribute];
    const uint32_t whole = graph.shape(graph.operands(id)[0])[size_t(slice.axis)];
    if (graph.shape(id)[size_t(slice.axis)] == whole) continue;
    Sliced& sliced = byLength[whole];
    if (sliced.slices.empty()) sliced.points = {Length(), graph.lengths[whole]};
    sliced.slices.push_back(id);
    for (const Length& point : {slice.begin, slice.begin + graph.length(id, slice.axis)})
      if (std::find(sliced.points.begin(), sliced.points.end(), point) == sliced.points.end())
        sliced.points.push_back(point);
  }
  if (byLength.empty()) return;
  cutAlong_.resize(graph.parameters.size());
  for (auto& [length, sliced] : byLength) {
    if (sliced.points.size() > mostPieces || !sortPoints(sliced.points)) continue;
    const uint32_t pieces = uint32_t(sliced.points.size()) - 1;
    for (uint32_t parameter : parametersBehind(graph, sliced.slices)) {
      Grid& grid = cutAlong_[parameter];
      if (grid.pieces * pieces > mostPieces) continue;
      grid.pieces *= pieces;
      grid.along.push_back({length, pieces});
    }
    auto pieceAt = [&](const Length& point) {
      return uint32_t(std::find(sliced.points.begin(), sliced.points.end(), point) - sliced.points.begin());
    };
    for (NodeId id : sliced.slices) {
      const Slice& slice = graph.slices[graph.nodes[id].attribute];
      const Kept kept{length, pieceAt(slice.begin), pieceAt(slice.begin + graph.length(id, slice.axis))};
      auto same = [&](const Kept& other) {
        return other.length == kept.length && other.begin == kept.begin && other.end == kept.end;
      };
      keptBy_[id] = uint32_t(std::find_if(kept_.begin(), kept_.end(), same) - kept_.begin());
      if (keptBy_[id] == kept_.size()) kept_.push_back(kept);
    }
  }
}

uint32_t Cuts::standIn(const Kept& kept, uint32_t parameter, uint32_t piece) const {
  uint32_t stride = 1;
  const auto& along = cutAlong_[parameter].along;
  for (auto cut = along.rbegin(); cut != along.rend(); ++cut) {
    const auto [length, pieces] = *cut;
    if (length == kept.length) {
      const uint32_t at = piece / stride % pieces;
      return at >= kept.begin && at < kept.end ? piece : piece + (kept.begin - at) * stride;  // modulo 2^32
    }
    stride *= pieces;
  }
  return piece;
}

}  // namespace tpc
