// The invariants of a graph, each in one sentence, so that a defect of whoever made it shows at its first node.
#include <algorithm>
#include <string>

#include "compiler/graph/graph.h"

namespace tpc {
namespace {

struct Checker {
  const Graph& graph;
  std::string found;

  bool fail(const std::string& what) {
    if (found.empty()) found = what;
    return false;
  }
  bool fail(NodeId id, const std::string& what) {
    return fail("node " + std::to_string(id) + " (" + std::string(toString(graph.nodes[id].kind)) + "): " + what);
  }
  bool require(bool holds, NodeId id, const char* what) { return holds || fail(id, what); }

  bool within(uint32_t region, uint32_t outer) const {
    for (;; region = graph.repeats[region].parent) {
      if (region == outer) return true;
      if (region == none) return false;
    }
  }

  bool repeats() {
    for (uint32_t i = 0; i < graph.repeats.size(); ++i) {
      const Repeat& repeat = graph.repeats[i];
      const std::string at = "repeat " + std::to_string(i) + ": ";
      if (repeat.parent != none && repeat.parent <= i && graph.repeats[repeat.parent].node < repeat.node)
        return fail(at + "its parent ends before it");
      if (repeat.parent != none && (repeat.parent >= graph.repeats.size() || repeat.parent == i))
        return fail(at + "its parent is no repeat");
      if (repeat.node >= graph.nodes.size() || graph.nodes[repeat.node].kind != OpKind::repeat ||
          graph.nodes[repeat.node].attribute != i)
        return fail(at + "its node is not it");
      if (repeat.bodyBegin > repeat.bodyEnd || repeat.bodyEnd != repeat.node)
        return fail(at + "its body does not end at its node");
      if (graph.nodes[repeat.node].region != repeat.parent) return fail(at + "its node does not stand in its parent");
      if (repeat.arguments.size() != repeat.carried || repeat.yields.size() < repeat.carried)
        return fail(at + "its arguments or yields are not as many as it carries");
      if (graph.nodes[repeat.node].operandCount != repeat.carried)
        return fail(at + "its operands are not as many as it carries");
      if (repeat.forward != none && repeat.forward >= graph.repeats.size())
        return fail(at + "it differentiates no repeat");
    }
    // Parents first: `within` walks them, so they must not go round.
    for (uint32_t i = 0; i < graph.repeats.size(); ++i) {
      uint32_t region = i;
      for (size_t steps = 0; region != none; region = graph.repeats[region].parent)
        if (++steps > graph.repeats.size()) return fail("repeat " + std::to_string(i) + ": its parents go round");
    }
    for (uint32_t i = 0; i < graph.repeats.size(); ++i) {
      const Repeat& repeat = graph.repeats[i];
      for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id)
        if (graph.nodes[id].region >= graph.repeats.size() || !within(graph.nodes[id].region, i))
          return fail(id, "it stands in a body but not in its region");
      for (uint32_t k = 0; k < repeat.carried; ++k) {
        const NodeId argument = repeat.arguments[k], operand = graph.operands(repeat.node)[k], next = repeat.yields[k];
        if (argument >= graph.nodes.size() || graph.nodes[argument].kind != OpKind::bodyArgument ||
            graph.nodes[argument].region != i || graph.nodes[argument].attribute != k)
          return fail(repeat.node, "an argument of its body is not its own");
        if (next >= graph.nodes.size()) return fail(repeat.node, "it yields no node");
        if (graph.nodes[argument].shape != graph.nodes[operand].shape ||
            graph.nodes[next].shape != graph.nodes[operand].shape)
          return fail(repeat.node, "a carried value changes its shape");
      }
      for (NodeId yield : repeat.yields)
        if (yield >= repeat.node || !within(i, graph.nodes[yield].region))
          return fail(repeat.node, "it yields a value that its body does not see");
    }
    return true;
  }

  bool sameShapes(NodeId id) {
    for (NodeId operand : graph.operands(id))
      if (graph.nodes[operand].shape != graph.nodes[id].shape) return fail(id, "operands and result differ in shape");
    return true;
  }

  bool oneAxisInRange(NodeId id, int rank) {
    const Node& node = graph.nodes[id];
    if (node.attribute >= graph.axes.size()) return fail(id, "its axes are missing");
    const std::vector<int>& axes = graph.axes[node.attribute].axes;
    return require(axes.size() == 1 && axes[0] >= 0 && axes[0] < rank, id, "it needs one axis, in range");
  }

  bool contraction(NodeId id) {
    const Node& node = graph.nodes[id];
    if (node.attribute >= graph.contractions.size()) return fail(id, "its contraction is missing");
    const Contraction& labels = graph.contractions[node.attribute];
    const NodeId operands[2] = {graph.operands(id)[0], graph.operands(id)[1]};
    const std::vector<uint8_t>* lists[3] = {&labels.a, &labels.b, &labels.result};
    const NodeId nodes[3] = {operands[0], operands[1], id};
    uint32_t lengthOf[256];
    std::fill(std::begin(lengthOf), std::end(lengthOf), none);
    for (int k = 0; k < 3; ++k) {
      if (int(lists[k]->size()) != graph.rank(nodes[k])) return fail(id, "labels and axes differ in number");
      bool seen[256] = {};
      for (size_t i = 0; i < lists[k]->size(); ++i) {
        const uint8_t label = (*lists[k])[i];
        const uint32_t length = graph.shape(nodes[k])[i];
        if (seen[label]) return fail(id, "a label is repeated");
        seen[label] = true;
        if (k == 2 && lengthOf[label] == none) return fail(id, "the result has a label that no operand has");
        if (lengthOf[label] == none) lengthOf[label] = length;
        if (lengthOf[label] != length) return fail(id, "one label stands for two lengths");
      }
    }
    auto has = [](const std::vector<uint8_t>& list, uint8_t label) {
      return std::find(list.begin(), list.end(), label) != list.end();
    };
    for (uint8_t label : labels.a)
      if (!has(labels.b, label) && !has(labels.result, label))
        return fail(id, "a label of one operand alone is summed");
    for (uint8_t label : labels.b)
      if (!has(labels.a, label) && !has(labels.result, label))
        return fail(id, "a label of one operand alone is summed");
    return true;
  }

  bool axesOf(NodeId id) {
    const Node& node = graph.nodes[id];
    const NodeId operand = graph.operands(id)[0];
    if (node.attribute >= graph.axes.size()) return fail(id, "its axes are missing");
    const std::vector<int>& axes = graph.axes[node.attribute].axes;
    std::vector<bool> used(graph.rank(operand));
    if (node.kind == OpKind::reduce) {
      for (int axis : axes) {
        if (axis < 0 || axis >= graph.rank(operand) || used[axis])
          return fail(id, "an axis is out of range or repeated");
        used[axis] = true;
      }
      if (ReduceFn(node.fn) == ReduceFn::argmax && axes.size() != 1) return fail(id, "argmax takes one axis");
      std::vector<uint32_t> left;
      for (int axis = 0; axis < graph.rank(operand); ++axis)
        if (!used[axis]) left.push_back(graph.shape(operand)[axis]);
      return require(std::equal(left.begin(), left.end(), graph.shape(id).begin(), graph.shape(id).end()), id,
                     "the axes left are not its shape");
    }
    if (int(axes.size()) != graph.rank(id)) return fail(id, "its axes are not as many as its rank");
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] == -1 && node.kind == OpKind::broadcast) continue;
      if (axes[i] < 0 || axes[i] >= graph.rank(operand) || used[axes[i]])
        return fail(id, "an axis is out of range or repeated");
      used[axes[i]] = true;
      if (graph.shape(operand)[axes[i]] != graph.shape(id)[i]) return fail(id, "an axis changes its length");
    }
    return require(std::find(used.begin(), used.end(), false) == used.end(), id, "an axis of the operand is lost");
  }

  bool regroup(NodeId id) {
    const Node& node = graph.nodes[id];
    const NodeId operand = graph.operands(id)[0];
    if (node.attribute >= graph.regroups.size()) return fail(id, "its groups are missing");
    int from = 0, to = 0;
    for (auto [a, b] : graph.regroups[node.attribute].groups) {
      if (a > 1 && b > 1) return fail(id, "a group takes several axes to several");
      Length before = Length::number(1), after = Length::number(1);
      for (int i = 0; i < a && from < graph.rank(operand); ++i) before = before * graph.length(operand, from++);
      for (int i = 0; i < b && to < graph.rank(id); ++i) after = after * graph.length(id, to++);
      if (!(before == after)) return fail(id, "a group changes its number of elements");
    }
    return require(from == graph.rank(operand) && to == graph.rank(id), id, "its groups do not cover all axes");
  }

  // How many operands each kind takes; -1: any number.
  static int arity(OpKind kind) {
    switch (kind) {
      case OpKind::parameter:
      case OpKind::input:
      case OpKind::number:
      case OpKind::freeMultiplier:
      case OpKind::iota:
      case OpKind::constant:
      case OpKind::dropoutMask:
      case OpKind::eye:
      case OpKind::layerIndex:
      case OpKind::argument:
      case OpKind::bodyArgument: return 0;
      case OpKind::map:
      case OpKind::reduce:
      case OpKind::oneHot:
      case OpKind::reshape:
      case OpKind::transpose:
      case OpKind::broadcast:
      case OpKind::slice:
      case OpKind::pad:
      case OpKind::stopGradient:
      case OpKind::repeatResult:
      case OpKind::layer: return 1;
      case OpKind::add:
      case OpKind::sub:
      case OpKind::mul:
      case OpKind::maximum:
      case OpKind::minimum:
      case OpKind::compare:
      case OpKind::contract:
      case OpKind::gather:
      case OpKind::scatterAdd: return 2;
      case OpKind::select: return 3;
      case OpKind::concat:
      case OpKind::repeat: return -1;
    }
    return -1;
  }

  bool node(NodeId id) {
    const Node& node = graph.nodes[id];
    if (int(node.kind) >= opKindCount) return fail("node " + std::to_string(id) + ": no such kind");
    if (node.shape >= graph.shapes.size()) return fail(id, "it has no shape");
    for (uint32_t length : graph.shape(id))
      if (length >= graph.lengths.size()) return fail(id, "an axis has no length");
    if (size_t(node.firstOperand) + node.operandCount > graph.operandPool.size())
      return fail(id, "its operands are outside the pool");
    if (node.region != none && node.region >= graph.repeats.size()) return fail(id, "its region is no repeat");
    if (node.region != none && (id < graph.repeats[node.region].bodyBegin || id >= graph.repeats[node.region].bodyEnd))
      return fail(id, "it stands outside the body of its region");
    if (node.name != none && node.name >= graph.names.size()) return fail(id, "its name is missing");
    const int wanted = arity(node.kind);
    if (wanted >= 0 && int(node.operandCount) != wanted) return fail(id, "wrong number of operands");
    for (NodeId operand : graph.operands(id)) {
      if (operand >= id) return fail(id, "an operand does not come before it");
      if (!within(node.region, graph.nodes[operand].region))
        return fail(id, "it reads a value inside a body from outside");
      if (graph.nodes[operand].kind == OpKind::repeat && node.kind != OpKind::repeatResult)
        return fail(id, "a repeat has no value of its own");
    }
    return kind(id);
  }

  bool kind(NodeId id) {
    const Node& node = graph.nodes[id];
    const std::span<const NodeId> operands = graph.operands(id);
    const int rank = graph.rank(id);
    auto table = [&](size_t size, int rankWanted) {
      return require(node.attribute < size, id, "its attribute is missing") &&
             require(rankWanted < 0 || rank == rankWanted, id, "wrong rank");
    };
    switch (node.kind) {
      case OpKind::parameter:
        return table(graph.parameters.size(), -1) &&
               require(graph.parameters[node.attribute].node == id, id, "the parameter is at another node");
      case OpKind::input:
        return table(graph.inputs.size(), -1) &&
               require(graph.inputs[node.attribute].node == id, id, "the input is at another node");
      case OpKind::number: return table(graph.numbers.size(), 0);
      case OpKind::freeMultiplier: return table(graph.freeMultipliers.size(), 0);
      case OpKind::argument: return table(graph.arguments.size(), -1);
      case OpKind::iota: return require(rank == 1, id, "wrong rank");
      case OpKind::constant: {
        if (!table(graph.constants.size(), -1)) return false;
        const Constant& constant = graph.constants[node.attribute];
        int64_t count = 1;
        for (int64_t length : constant.shape) count *= length;
        return require(int(constant.shape.size()) == rank && count == int64_t(constant.values.size()), id,
                       "its values have another shape");
      }
      case OpKind::dropoutMask: return table(graph.dropouts.size(), -1);
      case OpKind::eye: return require(rank == 2, id, "wrong rank");
      case OpKind::layerIndex:
        return table(graph.repeats.size(), 0) &&
               require(within(node.region, node.attribute), id, "it stands outside its repeat");
      case OpKind::add:
      case OpKind::sub:
      case OpKind::mul:
      case OpKind::maximum:
      case OpKind::minimum:
      case OpKind::compare:
      case OpKind::select:
      case OpKind::stopGradient: return sameShapes(id);
      case OpKind::map:
        return require(node.fn < mapFnCount, id, "no such function") &&
               require(MapFn(node.fn) != MapFn::pow || node.attribute < graph.rationals.size(), id,
                       "its power is missing") &&
               sameShapes(id);
      case OpKind::contract: return contraction(id);
      case OpKind::reduce:
      case OpKind::transpose:
      case OpKind::broadcast: return axesOf(id);
      case OpKind::gather:
        return oneAxisInRange(id, graph.rank(operands[0])) &&
               require(rank == graph.rank(operands[0]) - 1 + graph.rank(operands[1]), id, "wrong rank");
      case OpKind::scatterAdd: {
        if (!table(graph.scatters.size(), -1)) return false;
        const Scatter& scatter = graph.scatters[node.attribute];
        return require(scatter.indexRank == graph.rank(operands[0]) && scatter.axis >= 0 && scatter.axis < rank, id,
                       "its axis or index rank is wrong") &&
               require(graph.rank(operands[1]) == rank - 1 + scatter.indexRank, id, "wrong rank of its updates");
      }
      case OpKind::oneHot: return require(rank == graph.rank(operands[0]) + 1, id, "wrong rank");
      case OpKind::reshape: return regroup(id);
      case OpKind::slice:
      case OpKind::pad:
        return table(graph.slices.size(), graph.rank(operands[0])) &&
               require(graph.slices[node.attribute].axis >= 0 && graph.slices[node.attribute].axis < rank, id,
                       "its axis is out of range");
      case OpKind::concat: {
        if (!require(operands.size() >= 2, id, "it needs two operands") || !oneAxisInRange(id, rank)) return false;
        for (NodeId operand : operands)
          if (graph.rank(operand) != rank) return fail(id, "its operands differ in rank");
        return true;
      }
      case OpKind::repeat: return table(graph.repeats.size(), -1);
      case OpKind::repeatResult: {
        if (graph.nodes[operands[0]].kind != OpKind::repeat) return fail(id, "it reads no repeat");
        const Repeat& repeat = graph.repeats[graph.nodes[operands[0]].attribute];
        if (node.attribute >= repeat.yields.size()) return fail(id, "it reads what is not yielded");
        const int stacked = node.attribute >= repeat.carried;
        return require(rank == graph.rank(repeat.yields[node.attribute]) + stacked, id, "wrong rank");
      }
      case OpKind::bodyArgument: return table(none, -1) && require(node.region != none, id, "it stands in no body");
      case OpKind::layer:
        return require(node.region != none, id, "it stands in no body") &&
               require(rank + 1 == graph.rank(operands[0]), id, "wrong rank");
    }
    return true;
  }

  bool references() {
    auto node = [&](NodeId id) { return id < graph.nodes.size(); };
    auto optional = [&](NodeId id) { return id == none || node(id); };
    for (const Parameter& parameter : graph.parameters) {
      if (!node(parameter.node) || graph.nodes[parameter.node].kind != OpKind::parameter)
        return fail("parameter " + parameter.name + ": its node is not it");
      if (!optional(parameter.gradient)) return fail("parameter " + parameter.name + ": its gradient is no node");
      if (parameter.gradient != none && graph.nodes[parameter.gradient].shape != graph.nodes[parameter.node].shape)
        return fail("parameter " + parameter.name + ": its gradient has another shape");
      if (parameter.stack != none && parameter.stack >= graph.repeats.size())
        return fail("parameter " + parameter.name + ": its repeat is missing");
      for (uint32_t inner : parameter.innerStacks)
        if (parameter.stack == none || inner >= graph.repeats.size())
          return fail("parameter " + parameter.name + ": its inner repeat is missing");
      if (parameter.innerStacks.size() + (parameter.stack != none) > size_t(graph.rank(parameter.node)))
        return fail("parameter " + parameter.name + ": it has more repeats than axes");
      if (parameter.init.kind == Init::Kind::values && !node(parameter.init.node))
        return fail("parameter " + parameter.name + ": its first values are no node");
    }
    for (const Input& input : graph.inputs)
      if (!node(input.node) || graph.nodes[input.node].kind != OpKind::input)
        return fail("input " + input.name + ": its node is not it");
    for (const Output& output : graph.outputs)
      if (!node(output.node)) return fail("output " + output.name + ": it is no node");
    if (!optional(graph.loss)) return fail("the loss is no node");
    if (graph.forwardEnd > graph.nodes.size()) return fail("the forward program is longer than the graph");
    for (NodeId gradient : graph.gradientOf)
      if (!optional(gradient)) return fail("a gradient is no node");
    return true;
  }
};

}  // namespace

std::string violation(const Graph& graph) {
  Checker checker{graph, {}};
  // Shapes and attributes first need the tables: nodes are only read through indices that were checked.
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (node.shape >= graph.shapes.size() || size_t(node.firstOperand) + node.operandCount > graph.operandPool.size()) {
      checker.fail(id, "its shape or its operands are outside the tables");
      return checker.found;
    }
    for (NodeId operand : graph.operands(id))
      if (operand >= id) return checker.fail(id, "an operand does not come before it"), checker.found;
  }
  if (!checker.repeats()) return checker.found;
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    if (!checker.node(id)) return checker.found;
  checker.references();
  return checker.found;
}

}  // namespace tpc
