#include "compiler/interpret/sparsity.h"

#include <algorithm>

#include "compiler/graph/uses.h"
#include "compiler/graph/varies.h"
#include "compiler/interpret/interpret.h"

namespace tpc {
namespace {

constexpr int64_t mostElements = int64_t(1) << 22;  // of one value; larger ones are taken to be dense
constexpr int64_t mostTogether = int64_t(1) << 26;  // of all values of a program
constexpr int64_t smallest = 8;                     // where counting begins, if the lengths are whole there

// Outside of repeats, made of numbers alone.
std::vector<bool> constantNodes(const Graph& graph) {
  std::vector<bool> constant(graph.forwardEnd, false);
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    const Node& node = graph.nodes[id];
    if (node.region != none || comesFromElsewhere(node.kind)) continue;
    auto operands = graph.operands(id);
    constant[id] = std::all_of(operands.begin(), operands.end(), [&](NodeId operand) { return constant[operand]; });
  }
  return constant;
}

// Whether the value has an axis that grows, and is no broadcast along any such axis: what is the same in every entry of
// it is dense, and need not be counted.
bool mayBeSparse(const Graph& graph, NodeId id, SymbolId symbol, uint32_t varies) {
  bool grows = false;
  for (int axis = 0; axis < graph.rank(id); ++axis) {
    if (graph.length(id, axis).growth(symbol) == 0) continue;
    if ((varies >> axis & 1) == 0) return false;
    grows = true;
  }
  return grows;
}

// Along an axis, the largest number of entries other than zero with the other indices fixed.
int64_t fullest(const Tensor& tensor, size_t axis) {
  int64_t inner = 1;
  for (size_t i = axis + 1; i < tensor.shape.size(); ++i) inner *= tensor.shape[i];
  const int64_t length = tensor.shape[axis], outer = int64_t(tensor.values.size()) / (inner * length);
  int64_t most = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      int64_t count = 0;
      for (int64_t k = 0; k < length; ++k) count += tensor.values[size_t((o * length + k) * inner + i)] != 0;
      most = std::max(most, count);
    }
  return most;
}

// Of a value at these numbers; empty where a length is not whole, or the value too large to be counted.
std::optional<int64_t> elementsAt(const Graph& graph, NodeId id, const std::vector<int64_t>& numbers) {
  const std::optional<std::vector<int64_t>> shape = shapeAt(graph, id, numbers);
  if (!shape) return std::nullopt;
  int64_t count = 1;
  for (int64_t length : *shape) {
    if (length > mostElements / count) return std::nullopt;
    count *= length;
  }
  return count;
}

bool canBeCounted(const Graph& graph, const std::vector<NodeId>& wanted, const std::vector<int64_t>& numbers) {
  int64_t together = 0;
  for (NodeId id : wanted) {
    const std::optional<int64_t> count = elementsAt(graph, id, numbers);
    if (!count || (together += *count) > mostTogether) return false;
  }
  return true;
}

// Values are evaluated a few at a time, so that memory holds about the largest of them.
size_t endOfChunk(const Graph& graph, const std::vector<NodeId>& wanted, const std::vector<int64_t>& numbers,
                  size_t begin) {
  int64_t together = 0;
  size_t end = begin;
  do together += *elementsAt(graph, wanted[end++], numbers);
  while (end < wanted.size() && together < mostElements);
  return end;
}

}  // namespace

void countNonzeros(Graph& graph) {
  graph.sparse.clear();
  const std::vector<bool> constant = constantNodes(graph);
  const std::vector<uint32_t> varies = variesOf(graph);
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    if (!graph.symbols[symbol].grows) continue;
    // Those that something else than a constant reads.
    std::vector<NodeId> wanted;
    for (NodeId id = 0; id < graph.nodes.size(); ++id)
      for (NodeId operand : graph.operands(id))
        if (operand < graph.forwardEnd && constant[operand] && (id >= graph.forwardEnd || !constant[id]) &&
            mayBeSparse(graph, operand, symbol, varies[operand]))
          wanted.push_back(operand);
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    if (wanted.empty()) continue;

    std::vector<int64_t> numbers;
    for (const Symbol& each : graph.symbols) numbers.push_back(each.number);
    while (numbers[symbol] % 2 == 0 && numbers[symbol] / 2 >= smallest) {
      numbers[symbol] /= 2;
      if (canBeCounted(graph, wanted, numbers)) continue;
      numbers[symbol] *= 2;
      break;
    }
    std::vector<std::vector<int64_t>> counts(wanted.size());
    bool known = true;
    for (int size = 0; known && size < 3; ++size, numbers[symbol] *= 2) {
      known = canBeCounted(graph, wanted, numbers);
      if (!known) break;
      for (size_t begin = 0, end; known && begin < wanted.size(); begin = end) {
        end = endOfChunk(graph, wanted, numbers, begin);
        const std::span chunk(&wanted[begin], end - begin);
        const Evaluation run = evaluate(graph, {.numbers = numbers}, chunk);
        known = run.error.empty();
        for (size_t i = begin; known && i < end; ++i)
          for (int axis = 0; axis < graph.rank(wanted[i]); ++axis)
            if (graph.length(wanted[i], axis).growth(symbol) > 0)
              counts[i].push_back(fullest(*run.values[wanted[i]], size_t(axis)));
      }
    }
    if (!known) continue;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const size_t axes = counts[i].size() / 3;
      bool bounded = true;
      for (size_t axis = 0; axis < axes; ++axis)
        bounded = bounded && counts[i][axis] == counts[i][axes + axis] && counts[i][axis] == counts[i][2 * axes + axis];
      if (bounded) graph.sparse.emplace_back(wanted[i], symbol);
    }
  }
  std::sort(graph.sparse.begin(), graph.sparse.end());
}

}  // namespace tpc
