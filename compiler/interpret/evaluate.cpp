// Walking a graph: what is needed, in which order, and for how long it is kept.
#include <algorithm>
#include <limits>
#include <new>

#include "compiler/interpret/operations.h"
#include "kernels/random.h"

namespace tpc {
namespace {

constexpr int64_t largestTensor = int64_t(1) << 31;  // elements; 16 GB

std::string shapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

struct Machine {
  const Graph& graph;
  const Bindings& bindings;

  std::vector<std::optional<std::vector<int64_t>>> shapes;  // per interned shape
  std::vector<bool> needed, wanted;
  std::vector<NodeId> lastUse;                  // per node, in its own region; none: to the end
  std::vector<std::vector<NodeId>> freeAfter;   // per node
  std::vector<TensorPtr> values;                // per node, while somebody reads it
  std::vector<std::vector<TensorPtr>> results;  // per repeat: what its last run yields
  std::vector<int64_t> trip, trips;             // per repeat: the running layer's index
  std::vector<std::shared_ptr<Tensor>> kept;    // per wanted node

  [[noreturn]] void fail(NodeId id, const std::string& message) const {
    std::string at = "node " + std::to_string(id) + " (" + std::string(toString(graph.nodes[id].kind)) + ")";
    if (graph.nodes[id].name < graph.names.size()) at = "`" + graph.names[graph.nodes[id].name] + "`, " + at;
    throw Failure{at + ": " + message};
  }

  void resolveShapes() {
    std::vector<std::optional<int64_t>> lengths;
    for (const Length& length : graph.lengths) lengths.push_back(length.at(bindings.numbers));
    for (const std::vector<uint32_t>& shape : graph.shapes) {
      std::optional<std::vector<int64_t>> resolved(std::in_place);
      int64_t count = 1;
      for (uint32_t length : shape) {
        if (resolved && lengths[length] && *lengths[length] <= largestTensor / count) {
          count *= *lengths[length];
          resolved->push_back(*lengths[length]);
        } else {
          resolved.reset();
        }
      }
      shapes.push_back(std::move(resolved));
    }
  }

  const std::vector<int64_t>& shapeOf(NodeId id) const {
    const auto& shape = shapes[graph.nodes[id].shape];
    if (!shape) fail(id, "at these sizes an axis has no whole length, or the tensor is too large");
    return *shape;
  }

  void markNeeded(std::span<const NodeId> roots) {
    needed.assign(graph.nodes.size(), false);
    wanted.assign(graph.nodes.size(), false);
    std::vector<NodeId> work;
    auto need = [&](NodeId id) {
      if (!needed[id]) needed[id] = true, work.push_back(id);
    };
    for (NodeId id : roots) {
      if (id >= graph.nodes.size()) throw Failure{"a wanted node does not exist"};
      wanted[id] = true;
      need(id);
    }
    while (!work.empty()) {
      const NodeId id = work.back();
      work.pop_back();
      const Node& node = graph.nodes[id];
      for (NodeId operand : graph.operands(id)) need(operand);
      if (node.region != none) need(graph.repeats[node.region].node);
      if (node.kind == OpKind::repeat)
        for (NodeId yield : graph.repeats[node.attribute].yields) need(yield);
    }
  }

  // The node in the given region in whose run `user` runs: itself, or the repeat around it.
  NodeId lifted(NodeId user, uint32_t region) const {
    while (graph.nodes[user].region != region) user = graph.repeats[graph.nodes[user].region].node;
    return user;
  }

  void planLifetimes() {
    lastUse.assign(graph.nodes.size(), none);
    freeAfter.resize(graph.nodes.size());
    auto use = [&](NodeId id, NodeId user) {
      const NodeId at = lifted(user, graph.nodes[id].region);
      if (lastUse[id] == none || lastUse[id] < at) lastUse[id] = at;
    };
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      if (!needed[id]) continue;
      for (NodeId operand : graph.operands(id)) use(operand, id);
      if (graph.nodes[id].kind == OpKind::repeat)
        for (NodeId yield : graph.repeats[graph.nodes[id].attribute].yields)
          // A yield of the body itself is taken by the repeat after each trip, which frees the whole body.
          if (graph.nodes[yield].region != graph.nodes[id].attribute) use(yield, id);
    }
    for (const Repeat& repeat : graph.repeats)
      for (NodeId yield : repeat.yields)
        if (yield < lastUse.size() && graph.nodes[yield].region == uint32_t(&repeat - graph.repeats.data()))
          lastUse[yield] = none;
    for (NodeId id = 0; id < graph.nodes.size(); ++id)
      if (lastUse[id] != none) freeAfter[lastUse[id]].push_back(id);
  }

  TensorPtr bound(NodeId id, const std::vector<TensorPtr>& table, const std::string& name) {
    const uint32_t at = graph.nodes[id].attribute;
    if (at >= table.size() || !table[at]) throw Failure{"`" + name + "` is given no values"};
    if (table[at]->shape != shapeOf(id))
      throw Failure{"`" + name + "` has the shape " + shapeText(shapeOf(id)) + " and is given " +
                    shapeText(table[at]->shape)};
    return table[at];
  }

  static TensorPtr scalar(double value) { return std::make_shared<Tensor>(Tensor{{}, {value}}); }

  TensorPtr input(NodeId id) {
    const Input& input = graph.inputs[graph.nodes[id].attribute];
    TensorPtr value = bound(id, bindings.inputs, input.name);
    if (!input.integer) return value;
    const std::optional<int64_t> below = input.below.at(bindings.numbers);
    if (!below) throw Failure{"`" + input.name + "`: its bound is no whole number"};
    for (double x : value->values)
      if (!(x >= 0 && x < double(*below)) || x != double(int64_t(x)))
        throw Failure{"`" + input.name + "` holds " + std::to_string(x) + ", not a whole number in 0 .. " +
                      std::to_string(*below - 1)};
    return value;
  }

  TensorPtr constant(NodeId id) {
    const Constant& constant = graph.constants[graph.nodes[id].attribute];
    if (constant.shape != shapeOf(id))
      fail(id, "`" + constant.file + "` holds " + shapeText(constant.shape) + ", and at these sizes it should be " +
                   shapeText(shapeOf(id)));
    return std::make_shared<Tensor>(Tensor{constant.shape, constant.values});
  }

  // Keyed by (seed, the place's name with the step and the outer layers' indices, layer, element).
  TensorPtr dropoutMask(NodeId id) {
    const Dropout& dropout = graph.dropouts[graph.nodes[id].attribute];
    Tensor mask = zeros(shapeOf(id));
    if (!bindings.training) {
      for (double& value : mask.values) value = 1;
      return std::make_shared<Tensor>(std::move(mask));
    }
    std::string outer;
    const uint32_t innermost = graph.nodes[id].region;
    if (innermost != none)
      for (uint32_t region = graph.repeats[innermost].parent; region != none; region = graph.repeats[region].parent)
        outer = "/" + std::to_string(trip[region]) + outer;
    const RandomStream stream(bindings.training->seed,
                              dropout.name + "@" + std::to_string(bindings.training->step) + outer,
                              innermost == none ? 0 : uint32_t(trip[innermost]));
    for (size_t i = 0; i < mask.values.size(); ++i)
      mask.values[i] = stream.uniform(i) >= dropout.rate ? 1 / (1 - dropout.rate) : 0;
    return std::make_shared<Tensor>(std::move(mask));
  }

  TensorPtr compute(NodeId id) {
    const Node& node = graph.nodes[id];
    switch (node.kind) {
      case OpKind::parameter: return bound(id, bindings.parameters, graph.parameters[node.attribute].name);
      case OpKind::input: return input(id);
      case OpKind::number: return scalar(valueAt(graph.numbers[node.attribute], bindings.numbers));
      case OpKind::freeMultiplier:
        if (bindings.multipliers.empty()) return scalar(1);
        if (node.attribute >= bindings.multipliers.size()) fail(id, "it is given no number");
        return scalar(bindings.multipliers[node.attribute]);
      case OpKind::layerIndex: return scalar(double(trip[node.attribute]));
      case OpKind::constant: return constant(id);
      case OpKind::dropoutMask: return dropoutMask(id);
      case OpKind::argument: fail(id, "an optimizer's argument has no value in a program");
      case OpKind::bodyArgument: return values[id];  // set by its repeat
      case OpKind::repeatResult: return results[graph.nodes[graph.operands(id)[0]].attribute][node.attribute];
      case OpKind::layer: {
        const TensorPtr& stacked = values[graph.operands(id)[0]];
        if (stacked->shape.empty() || trip[node.region] >= stacked->shape[0])
          fail(id, "it has fewer layers than its repeat");
        return std::make_shared<Tensor>(sliceOf(*stacked, trip[node.region]));
      }
      default: break;
    }
    std::vector<const Tensor*> operands;
    for (NodeId operand : graph.operands(id)) operands.push_back(values[operand].get());
    try {
      return std::make_shared<Tensor>(applyOperation(graph, id, shapeOf(id), operands, bindings.numbers));
    } catch (const Failure& failure) {
      fail(id, failure.message);
    }
  }

  void keep(NodeId id, const TensorPtr& value) {
    std::vector<uint32_t> around;
    for (uint32_t region = graph.nodes[id].region; region != none; region = graph.repeats[region].parent)
      around.insert(around.begin(), region);
    if (around.empty()) {
      kept[id] = std::const_pointer_cast<Tensor>(value);
      return;
    }
    int64_t index = 0;
    std::vector<int64_t> shape;
    for (uint32_t region : around) index = index * trips[region] + trip[region], shape.push_back(trips[region]);
    shape.insert(shape.end(), value->shape.begin(), value->shape.end());
    if (!kept[id]) kept[id] = std::make_shared<Tensor>(zeros(shape));
    std::copy(value->values.begin(), value->values.end(),
              kept[id]->values.begin() + index * int64_t(value->values.size()));
  }

  void run(uint32_t region, NodeId begin, NodeId end) {
    for (NodeId id = begin; id < end; ++id) {
      // A body inside: its repeat node runs it.
      uint32_t inner = graph.nodes[id].region;
      if (inner != region) {
        while (graph.repeats[inner].parent != region) inner = graph.repeats[inner].parent;
        id = graph.repeats[inner].node;
      }
      if (!needed[id]) continue;
      if (graph.nodes[id].kind == OpKind::repeat) {
        runRepeat(id);
      } else {
        values[id] = compute(id);
        if (values[id]->shape != shapeOf(id)) fail(id, "its value has the shape " + shapeText(values[id]->shape));
        if (wanted[id]) keep(id, values[id]);
      }
      for (NodeId done : freeAfter[id]) values[done].reset();
    }
  }

  void runRepeat(NodeId id) {
    const uint32_t self = graph.nodes[id].attribute;
    const Repeat& repeat = graph.repeats[self];
    const std::optional<int64_t> count = repeat.trips.at(bindings.numbers);
    if (!count) fail(id, "its number of rounds is no whole number");
    trips[self] = *count;
    std::vector<TensorPtr> carried;
    for (NodeId operand : graph.operands(id)) carried.push_back(values[operand]);
    std::vector<std::shared_ptr<Tensor>> collected(repeat.yields.size() - repeat.carried);
    for (int64_t round = 0; round < *count; ++round) {
      const int64_t layer = repeat.reversed ? *count - 1 - round : round;
      trip[self] = layer;
      for (uint32_t k = 0; k < repeat.carried; ++k) values[repeat.arguments[k]] = carried[k];
      run(self, repeat.bodyBegin, repeat.bodyEnd);
      std::vector<TensorPtr> next;
      for (uint32_t k = 0; k < repeat.carried; ++k) next.push_back(values[repeat.yields[k]]);
      for (size_t k = 0; k < collected.size(); ++k) {
        const TensorPtr& value = values[repeat.yields[repeat.carried + k]];
        std::vector<int64_t> shape = {*count};
        shape.insert(shape.end(), value->shape.begin(), value->shape.end());
        if (!collected[k]) collected[k] = std::make_shared<Tensor>(zeros(std::move(shape)));
        std::copy(value->values.begin(), value->values.end(),
                  collected[k]->values.begin() + layer * int64_t(value->values.size()));
      }
      carried = std::move(next);
      for (NodeId inner = repeat.bodyBegin; inner < repeat.bodyEnd; ++inner) values[inner].reset();
    }
    results[self] = std::move(carried);
    results[self].insert(results[self].end(), collected.begin(), collected.end());
  }
};

}  // namespace

std::optional<std::vector<int64_t>> shapeAt(const Graph& graph, NodeId node, const std::vector<int64_t>& numbers) {
  std::vector<int64_t> shape;
  for (uint32_t length : graph.shape(node)) {
    const std::optional<int64_t> value = graph.lengths[length].at(numbers);
    if (!value) return std::nullopt;
    shape.push_back(*value);
  }
  return shape;
}

Evaluation evaluate(const Graph& graph, const Bindings& bindings, std::span<const NodeId> wanted) {
  Evaluation evaluation;
  try {
    Machine machine{graph, bindings, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    machine.resolveShapes();
    machine.markNeeded(wanted);
    machine.planLifetimes();
    machine.values.resize(graph.nodes.size());
    machine.kept.resize(graph.nodes.size());
    machine.results.resize(graph.repeats.size());
    machine.trip.resize(graph.repeats.size());
    machine.trips.resize(graph.repeats.size());
    machine.run(none, 0, NodeId(graph.nodes.size()));
    evaluation.values.assign(machine.kept.begin(), machine.kept.end());
  } catch (const Failure& failure) {
    evaluation.error = failure.message;
  } catch (const std::bad_alloc&) {
    evaluation.error = "there is not enough memory for these sizes";
  }
  if (!evaluation.error.empty()) evaluation.values.assign(graph.nodes.size(), nullptr);
  return evaluation;
}

}  // namespace tpc
