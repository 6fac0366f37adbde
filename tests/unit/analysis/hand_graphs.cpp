#include "tests/unit/analysis/hand_graphs.h"

#include <algorithm>

namespace tpc::test {

Network::Network() : builder_(graph) {
  graph.symbols = {{"n", true, 64}, {"batch", false, 8}, {"p", false, 16}, {"c", false, 10}, {"m", false, 32}};
}

std::vector<Length> Network::lengths(const std::vector<std::string>& axes) {
  std::vector<Length> result;
  for (const std::string& axis : axes)
    for (SymbolId s = 0; s < graph.symbols.size(); ++s)
      if (graph.symbols[s].name == axis) result.push_back(Length::symbol(s));
  return result;
}

NodeId Network::append(OpKind kind, std::vector<NodeId> operands, std::span<const Length> shape, uint32_t attribute,
                       uint8_t fn) {
  NodeId id = builder_.append(kind, operands, shape, {.fn = fn, .attribute = attribute, .gradient = gradient_});
  if (!gradient_) graph.forwardEnd = id + 1;
  return id;
}

NodeId Network::input(const std::string& name, std::vector<std::string> axes) {
  graph.inputs.push_back({.name = name});
  NodeId id = append(OpKind::input, {}, lengths(axes), uint32_t(graph.inputs.size() - 1));
  graph.inputs.back().node = id;
  return id;
}

NodeId Network::parameter(const std::string& name, std::vector<std::string> axes, Init init) {
  graph.parameters.push_back({.name = name, .init = init});
  NodeId id = append(OpKind::parameter, {}, lengths(axes), uint32_t(graph.parameters.size() - 1));
  graph.parameters.back().node = id;
  return id;
}

NodeId Network::contract(const std::string& spec, NodeId a, NodeId b) {
  size_t comma = spec.find(','), arrow = spec.find("->");
  std::string left = spec.substr(0, comma), right = spec.substr(comma + 1, arrow - comma - 1),
              out = spec.substr(arrow + 2);
  auto labels = [](const std::string& text) { return std::vector<uint8_t>(text.begin(), text.end()); };
  graph.contractions.push_back({labels(left), labels(right), labels(out)});
  std::vector<Length> shape;
  for (char label : out) {
    size_t inLeft = left.find(label);
    shape.push_back(inLeft != std::string::npos ? graph.length(a, int(inLeft))
                                                : graph.length(b, int(right.find(label))));
  }
  return append(OpKind::contract, {a, b}, shape, uint32_t(graph.contractions.size() - 1));
}

namespace {
std::vector<Length> shapeOf(const Graph& graph, NodeId id) {
  std::vector<Length> shape;
  for (int axis = 0; axis < graph.rank(id); ++axis) shape.push_back(graph.length(id, axis));
  return shape;
}
}  // namespace

NodeId Network::map(MapFn fn, NodeId x) { return append(OpKind::map, {x}, shapeOf(graph, x), none, uint8_t(fn)); }
NodeId Network::add(NodeId a, NodeId b) { return append(OpKind::add, {a, b}, shapeOf(graph, a), none); }
NodeId Network::mul(NodeId a, NodeId b) { return append(OpKind::mul, {a, b}, shapeOf(graph, a), none); }

NodeId Network::number(double coefficient, std::vector<std::pair<SymbolId, Rational>> powers) {
  graph.numbers.push_back({coefficient, std::move(powers), Number::Kind::plain});
  return append(OpKind::number, {}, {}, uint32_t(graph.numbers.size() - 1));
}

NodeId Network::broadcast(NodeId x, std::vector<int> axes, const std::vector<std::string>& shape) {
  graph.axes.push_back({std::move(axes)});
  return append(OpKind::broadcast, {x}, lengths(shape), uint32_t(graph.axes.size() - 1));
}

NodeId Network::reduceSum(NodeId x, std::vector<int> axes) {
  std::vector<Length> shape;
  for (int axis = 0; axis < graph.rank(x); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) shape.push_back(graph.length(x, axis));
  graph.axes.push_back({std::move(axes)});
  return append(OpKind::reduce, {x}, shape, uint32_t(graph.axes.size() - 1), uint8_t(ReduceFn::sum));
}

void Network::name(NodeId node, const std::string& name) { graph.nodes[node].name = builder_.name(name); }
void Network::output(const std::string& name, NodeId node) { graph.outputs.push_back({name, node, false}); }
void Network::beginGradient() { gradient_ = true; }
void Network::gradient(const std::string& parameter, NodeId node) {
  for (Parameter& p : graph.parameters)
    if (p.name == parameter) p.gradient = node;
}

namespace {

struct OptimizerBuilder {
  OptimizerProgram program;
  GraphBuilder builder{program.graph};
  NodeId argument(ArgumentRole role, const std::string& name = "") {
    program.graph.arguments.push_back({role, name, 0, false});
    return builder.append(OpKind::argument, {}, {}, {.attribute = uint32_t(program.graph.arguments.size() - 1)});
  }
  NodeId op(OpKind kind, std::vector<NodeId> operands, MapFn fn = MapFn::neg) {
    return builder.append(kind, operands, {}, {.fn = uint8_t(fn)});
  }
};

}  // namespace

OptimizerProgram sgd() {
  OptimizerBuilder b;
  b.program.name = "sgd";
  b.program.update = b.op(OpKind::mul, {b.argument(ArgumentRole::hyper, "lr"), b.argument(ArgumentRole::grad)});
  return std::move(b.program);
}

OptimizerProgram adam() {
  OptimizerBuilder b;
  b.program.name = "adam";
  NodeId g = b.argument(ArgumentRole::grad), m = b.argument(ArgumentRole::state, "m"),
         v = b.argument(ArgumentRole::state, "v");
  NodeId m1 = b.op(OpKind::add, {m, g}), v1 = b.op(OpKind::add, {v, b.op(OpKind::map, {g}, MapFn::square)});
  NodeId denominator =
      b.op(OpKind::add, {b.op(OpKind::map, {v1}, MapFn::sqrt), b.argument(ArgumentRole::hyper, "eps")});
  NodeId ratio = b.op(OpKind::mul, {m1, b.op(OpKind::map, {denominator}, MapFn::reciprocal)});
  b.program.update = b.op(OpKind::mul, {b.argument(ArgumentRole::hyper, "lr"), ratio});
  b.program.states = {{m, m1}, {v, v1}};
  return std::move(b.program);
}

}  // namespace tpc::test
