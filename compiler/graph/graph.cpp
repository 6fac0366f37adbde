// Interning and appending in constant time a node, and the listing.
#include "compiler/graph/graph.h"

#include <cassert>
#include <sstream>

namespace tpc {
namespace {

size_t mix(size_t seed, size_t value) { return (seed ^ value) * 0x9E3779B97F4A7C15u + (seed >> 29); }

// The key's index in the table, appended where it is new.
template <typename Table, typename Map, typename Key>
uint32_t intern(Table& table, Map& map, const Key& key) {
  auto [at, isNew] = map.try_emplace(key, uint32_t(table.size()));
  if (isNew) table.push_back(key);
  return at->second;
}

}  // namespace

size_t GraphBuilder::LengthHash::operator()(const Length& length) const {
  size_t hash = length.terms().size();
  for (const Monomial& term : length.terms()) {
    hash = mix(mix(hash, size_t(term.coefficient.num())), size_t(term.coefficient.den()));
    for (auto [symbol, power] : term.powers) hash = mix(mix(hash, symbol), size_t(power));
  }
  return hash;
}

size_t GraphBuilder::ShapeHash::operator()(const std::vector<uint32_t>& shape) const {
  size_t hash = shape.size();
  for (uint32_t length : shape) hash = mix(hash, length);
  return hash;
}

GraphBuilder::GraphBuilder(Graph& graph) : graph_(graph) {
  for (uint32_t i = 0; i < graph.lengths.size(); ++i) lengths_.try_emplace(graph.lengths[i], i);
  for (uint32_t i = 0; i < graph.shapes.size(); ++i) shapes_.try_emplace(graph.shapes[i], i);
  for (uint32_t i = 0; i < graph.names.size(); ++i) names_.try_emplace(graph.names[i], i);
}

uint32_t GraphBuilder::length(const Length& length) { return intern(graph_.lengths, lengths_, length); }
uint32_t GraphBuilder::name(const std::string& name) { return intern(graph_.names, names_, name); }

uint32_t GraphBuilder::shape(std::span<const Length> lengths) {
  std::vector<uint32_t> shape;
  shape.reserve(lengths.size());
  for (const Length& each : lengths) shape.push_back(length(each));
  return intern(graph_.shapes, shapes_, shape);
}

NodeId GraphBuilder::append(OpKind kind, std::span<const NodeId> operands, std::span<const Length> lengths,
                            Extra extra) {
  return append(kind, operands, shape(lengths), extra);
}

NodeId GraphBuilder::append(OpKind kind, std::span<const NodeId> operands, uint32_t shape, Extra extra) {
  const NodeId id = NodeId(graph_.nodes.size());
  Node node;
  node.kind = kind;
  node.fn = extra.fn;
  node.gradient = extra.gradient;
  node.firstOperand = uint32_t(graph_.operandPool.size());
  node.operandCount = uint32_t(operands.size());
  node.shape = shape;
  node.attribute = extra.attribute;
  node.region = extra.region;
  node.span = extra.span;
  // Operands may be a span into the pool itself (those of an earlier node): read each before the pool moves.
  const std::vector<NodeId> copy(operands.begin(), operands.end());
  for (NodeId operand : copy) {
    assert(operand < id && "operands come first");
    graph_.operandPool.push_back(operand);
  }
  graph_.nodes.push_back(node);
  return id;
}

std::string toString(const Graph& graph) {
  std::ostringstream out;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    out << id;
    for (uint32_t region = node.region; region < graph.repeats.size(); region = graph.repeats[region].parent)
      out << "  ";
    out << "  " << toString(node.kind);
    if (node.kind == OpKind::map) out << ' ' << toString(MapFn(node.fn));
    if (node.kind == OpKind::compare) out << ' ' << toString(CompareFn(node.fn));
    if (node.kind == OpKind::reduce) out << ' ' << toString(ReduceFn(node.fn));
    for (NodeId operand : graph.operands(id)) out << ' ' << operand;
    out << " :";
    for (uint32_t length : graph.shape(id)) {
      const std::string text = toString(graph.lengths[length], graph.symbols);
      out << ' ' << (text.find(' ') == std::string::npos ? text : "(" + text + ")");
    }
    if (node.name < graph.names.size()) out << " = " << graph.names[node.name];
    if (node.gradient) out << " '";
    out << '\n';
  }
  return out.str();
}

}  // namespace tpc
