// Graphs by hand, short enough to read:  hand.contract("bi,ij->bj", x, W).
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "compiler/graph/graph.h"
#include "compiler/interpret/interpret.h"

namespace tpc {

struct Hand {
  using Shape = std::vector<Length>;
  using Nodes = std::vector<NodeId>;

  Graph graph;
  uint32_t region = none;  // where the next node stands

  explicit Hand(std::vector<Symbol> symbols = {{"n", true, 64}}) { graph.symbols = std::move(symbols); }
  Hand(const Hand&) = delete;

  static Length fixed(int64_t value) { return Length::number(Rational(value)); }
  static Length n() { return Length::symbol(0); }

  NodeId append(OpKind kind, const Nodes& operands, const Shape& shape, uint32_t attribute = none, uint8_t fn = 0) {
    GraphBuilder::Extra extra;
    extra.fn = fn;
    extra.attribute = attribute;
    extra.region = region;
    return GraphBuilder(graph).append(kind, operands, shape, extra);
  }
  Shape shapeOf(NodeId id) const {
    Shape shape;
    for (uint32_t length : graph.shape(id)) shape.push_back(graph.lengths[length]);
    return shape;
  }
  NodeId named(const std::string& name, NodeId id) {
    graph.nodes[id].name = GraphBuilder(graph).name(name);
    return id;
  }

  NodeId input(const std::string& name, const Shape& shape, std::optional<Length> below = std::nullopt) {
    const NodeId id = append(OpKind::input, {}, shape, uint32_t(graph.inputs.size()));
    Input input;
    input.name = name;
    input.node = id;
    if (below) input.integer = true, input.below = *below;
    graph.inputs.push_back(input);
    return named(name, id);
  }
  NodeId parameter(const std::string& name, const Shape& shape, Init init = {}, uint32_t stack = none) {
    const NodeId id = append(OpKind::parameter, {}, shape, uint32_t(graph.parameters.size()));
    Parameter parameter;
    parameter.name = name;
    parameter.node = id;
    parameter.init = init;
    parameter.stack = stack;
    graph.parameters.push_back(parameter);
    return named(name, id);
  }
  NodeId number(double coefficient, std::vector<std::pair<SymbolId, Rational>> powers = {}) {
    graph.numbers.push_back({coefficient, std::move(powers), Number::Kind::plain});
    return append(OpKind::number, {}, {}, uint32_t(graph.numbers.size() - 1));
  }
  NodeId binary(OpKind kind, NodeId a, NodeId b) { return append(kind, {a, b}, shapeOf(a)); }
  NodeId add(NodeId a, NodeId b) { return binary(OpKind::add, a, b); }
  NodeId mul(NodeId a, NodeId b) { return binary(OpKind::mul, a, b); }
  NodeId map(MapFn fn, NodeId x) { return append(OpKind::map, {x}, shapeOf(x), none, uint8_t(fn)); }
  NodeId contract(const std::string& labels, NodeId a, NodeId b) {
    const size_t comma = labels.find(','), arrow = labels.find("->");
    const std::string first = labels.substr(0, comma), second = labels.substr(comma + 1, arrow - comma - 1),
                      result = labels.substr(arrow + 2);
    std::map<char, Length> lengths;
    for (size_t i = 0; i < first.size(); ++i) lengths[first[i]] = shapeOf(a)[i];
    for (size_t i = 0; i < second.size(); ++i) lengths[second[i]] = shapeOf(b)[i];
    Shape shape;
    for (char label : result) shape.push_back(lengths[label]);
    graph.contractions.push_back(
        {{first.begin(), first.end()}, {second.begin(), second.end()}, {result.begin(), result.end()}});
    return append(OpKind::contract, {a, b}, shape, uint32_t(graph.contractions.size() - 1));
  }
  uint32_t axes(std::vector<int> list) {
    graph.axes.push_back({std::move(list)});
    return uint32_t(graph.axes.size() - 1);
  }
  NodeId reduce(ReduceFn fn, NodeId x, const std::vector<int>& over) {
    Shape shape;
    for (int i = 0; i < graph.rank(x); ++i)
      if (std::find(over.begin(), over.end(), i) == over.end()) shape.push_back(shapeOf(x)[i]);
    return append(OpKind::reduce, {x}, shape, axes(over), uint8_t(fn));
  }
  NodeId broadcast(NodeId x, const Shape& shape, const std::vector<int>& from) {
    return append(OpKind::broadcast, {x}, shape, axes(from));
  }

  // repeat trips { body }: the body is given the carried values' arguments and returns the yields.
  template <typename Body>
  NodeId repeat(const std::string& name, Length trips, const Nodes& carried, Body body, bool reversed = false) {
    const uint32_t self = uint32_t(graph.repeats.size());
    Repeat repeat;
    repeat.name = name;
    repeat.trips = trips;
    repeat.reversed = reversed;
    repeat.parent = region;
    repeat.carried = uint32_t(carried.size());
    repeat.bodyBegin = NodeId(graph.nodes.size());
    graph.repeats.push_back(repeat);
    region = self;
    for (uint32_t k = 0; k < carried.size(); ++k)
      repeat.arguments.push_back(append(OpKind::bodyArgument, {}, shapeOf(carried[k]), k));
    repeat.yields = body(repeat.arguments);
    region = repeat.parent;
    repeat.node = append(OpKind::repeat, carried, {}, self);
    repeat.bodyEnd = repeat.node;
    graph.repeats[self] = repeat;
    return repeat.node;
  }
  NodeId result(NodeId repeat, uint32_t index) {
    const Repeat& of = graph.repeats[graph.nodes[repeat].attribute];
    Shape shape = shapeOf(of.yields[index]);
    if (index >= of.carried) shape.insert(shape.begin(), of.trips);
    return append(OpKind::repeatResult, {repeat}, shape, index);
  }
  NodeId layer(NodeId stacked) {
    Shape shape = shapeOf(stacked);
    shape.erase(shape.begin());
    return append(OpKind::layer, {stacked}, shape);
  }
};

inline TensorPtr tensor(std::vector<int64_t> shape, std::vector<double> values) {
  return std::make_shared<Tensor>(Tensor{std::move(shape), std::move(values)});
}

}  // namespace tpc
