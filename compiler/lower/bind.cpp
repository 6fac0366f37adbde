// Node by node.  A repeat's carried values stand in places that the loop overwrites, what it collects in stacks.
#include "compiler/lower/bind.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/interpret/interpret.h"
#include "compiler/lower/fold.h"

namespace tpc::loops {

OpId Maker::number(double value) {
  Op op{.kind = Kind::number, .number = value, .region = region, .phase = phase, .node = node};
  return program.append(std::move(op));
}

OpId Maker::pointwise(OpKind kind, uint8_t fn, std::vector<OpId> operands, std::vector<int64_t> shape, double power) {
  Op op{.kind = Kind::pointwise, .op = kind, .fn = fn, .number = power, .region = region, .phase = phase, .node = node};
  op.operands = std::move(operands), op.shape = std::move(shape);
  return program.append(std::move(op));
}

OpId Maker::reduce(ReduceFn fn, OpId x, std::vector<int> axes) {
  const std::vector<int64_t> shape = program.ops[x].shape;
  // Axes of length one are a view, not a loop.
  std::vector<int> loops;
  for (int axis : axes)
    if (shape[size_t(axis)] != 1) loops.push_back(axis);
  std::vector<int64_t> kept;
  Map index(shape.size());
  std::vector<int64_t> full;
  Map squeezed;
  for (int axis = 0; axis < int(shape.size()); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
    index[size_t(axis)] = shape[size_t(axis)] == 1 ? Index{} : Index::axis(int(kept.size()));
    kept.push_back(shape[size_t(axis)]);
  }
  if (loops.empty()) return view(x, kept, index);
  Op op{.kind = Kind::reduce, .fn = uint8_t(fn), .region = region, .phase = phase, .node = node};
  op.operands = {x}, op.axes = axes, op.shape = std::move(kept);
  return program.append(std::move(op));
}

OpId Maker::view(OpId x, std::vector<int64_t> shape, Map index) {
  Op op{.kind = Kind::view, .region = region, .phase = phase, .node = node};
  op.operands = {x}, op.shape = std::move(shape), op.index = std::move(index);
  return program.append(std::move(op));
}

OpId Maker::spread(OpId scalar, std::vector<int64_t> shape) {
  return view(scalar, std::move(shape), Map(program.ops[scalar].shape.size()));
}

OpId Maker::memory(Storage storage, std::vector<int64_t> shape, std::vector<OpId> writers) {
  Op op{.kind = Kind::memory, .region = region, .phase = phase, .node = node};
  op.operands = std::move(writers), op.shape = std::move(shape), op.storage = std::move(storage);
  return program.append(std::move(op));
}

OpId Maker::persistent(int64_t at, std::vector<int64_t> shape) {
  // One buffer for one place, however often it is read: whoever overwrites it comes after its readers.
  uint32_t buffer = none;
  for (uint32_t i = 0; i < program.buffers.size(); ++i)
    if (program.buffers[i].persistent && program.buffers[i].at == at) buffer = i;
  if (buffer == none) {
    buffer = uint32_t(program.buffers.size());
    program.buffers.push_back({volume(shape), at, true, none});
  }
  return memory({buffer, 0, rowMajor(shape), {}}, shape);
}

OpId Maker::copy(OpId x, Storage storage) {
  Op op{.kind = Kind::copy, .region = region, .phase = phase, .node = node};
  op.operands = {x}, op.shape = program.ops[x].shape, op.storage = std::move(storage);
  return program.append(std::move(op));
}

OpId Maker::copied(OpId x) {
  const std::vector<int64_t> shape = program.ops[x].shape;
  const Storage storage{program.temporary(volume(shape), region), 0, rowMajor(shape), {}};
  const OpId writer = copy(x, storage);
  return memory(storage, shape, {writer});
}

namespace {

struct Binder {
  const Binding& binding;
  const Graph& graph;
  Arena& arena;
  LoopProgram& program;
  Maker make;
  std::vector<bool> needed{};
  std::vector<OpId> of{};  // per node
  std::map<NodeId, TensorPtr> folded{};
  std::vector<std::vector<Storage>> carried{};  // per repeat
  std::vector<std::vector<OpId>> carriedInitial{};
  std::vector<std::vector<OpId>> results{};  // per repeat: the operation whose layers result k stacks, or none
  std::vector<std::vector<Storage>> resultAt{};

  [[noreturn]] void fail(NodeId id, const std::string& why) const {
    std::string at = std::string(toString(graph.nodes[id].kind));
    if (graph.nodes[id].name < graph.names.size()) at = "`" + graph.names[graph.nodes[id].name] + "`, " + at;
    throw Failure{at + ": " + why};
  }

  std::vector<int64_t> shapeOf(NodeId id) const {
    std::optional<std::vector<int64_t>> shape = shapeAt(graph, id, binding.numbers);
    if (!shape) fail(id, "at these sizes an axis has no whole length");
    double count = 1;
    for (int64_t length : *shape) count *= double(length);
    if (count > 1e11) fail(id, "at these sizes the tensor is too large");
    return *shape;
  }

  Op& op(OpId id) { return program.ops[id]; }
  OpId operand(NodeId id, int i) const { return of[graph.operands(id)[size_t(i)]]; }

  OpId constant(const std::vector<double>& values, const std::vector<int64_t>& shape) {
    const int64_t at = arena.allocate(int64_t(values.size()));
    const uint32_t buffer = uint32_t(program.buffers.size());
    program.buffers.push_back({int64_t(values.size()), at, true, none});
    ConstantValues constant{buffer, std::vector<float>(values.begin(), values.end())};
    program.constants.push_back(std::move(constant));
    return make.memory({buffer, 0, rowMajor(shape), {}}, shape);
  }

  // In memory as one row-major piece, whatever it is.
  OpId piece(OpId id) {
    const auto [base, map] = behindViews(program, id, identityMap(op(id).shape));
    const std::vector<int64_t> strides = rowMajor(op(id).shape);
    Index wanted;
    for (size_t axis = 0; axis < strides.size(); ++axis)
      if (op(id).shape[axis] != 1) wanted.add(Index::axis(int(axis)), strides[axis]);
    const auto isPiece = [&](Storage storage) {
      Index access = accessOf(storage, map);
      return access.terms == wanted.terms;
    };
    switch (op(base).kind) {
      case Kind::memory:
        if (op(base).stacks != none) {
          Storage plain = *op(base).storage;
          if (!isPiece(plain)) return make.copied(id);
          op(op(base).stacks).rowMajorOnly = true;
          return id;
        }
        return isPiece(*op(base).storage) ? id : make.copied(id);
      case Kind::number:
      case Kind::iota: return make.copied(id);
      default: break;
    }
    if (op(base).free || !isPiece({none, 0, rowMajor(op(base).shape), {}})) return make.copied(id);
    op(base).pinned = true;
    op(base).rowMajorOnly = true;
    return id;
  }

  // Lower-rank memory: each group's axes as one.
  OpId merged(OpId id, const std::vector<int64_t>& shape) {
    const OpId whole = piece(id);
    const auto [base, map] = behindViews(program, whole, identityMap(op(whole).shape));
    const Index access = accessOf(
        op(base).kind == Kind::memory ? *op(base).storage : Storage{none, 0, rowMajor(op(base).shape), {}}, map);
    Storage storage{none, access.constant, rowMajor(shape), access.trips};
    OpId result;
    if (op(base).kind == Kind::memory) storage.buffer = op(base).storage->buffer;
    result = make.memory(storage, shape, {base});
    // Its place is decided later.
    if (op(base).kind != Kind::memory) op(result).aliasOf = base;
    else op(result).aliasOf = op(base).aliasOf;
    return result;
  }

  OpId reshape(NodeId id, OpId x) {
    const std::vector<int64_t> shape = shapeOf(id), from = op(x).shape;
    if (volume(shape) != volume(from)) fail(id, "a reshape changes the number of elements");
    Map index;
    size_t in = 0, out = 0;
    for (auto [count, to] : graph.regroups[graph.nodes[id].attribute].groups) {
      std::vector<size_t> axes;  // those that count
      for (size_t i = 0; i < count; ++i)
        if (from[in + i] != 1) axes.push_back(in + i);
      std::vector<size_t> targets;
      for (size_t i = 0; i < to; ++i)
        if (shape[out + i] != 1) targets.push_back(out + i);
      if (axes.size() > 1) return merged(x, shape);
      for (size_t i = 0; i < count; ++i) {
        Index one;
        if (from[in + i] != 1) {
          int64_t stride = 1;
          for (size_t t = targets.size(); t-- > 0; stride *= shape[targets[t]])
            one.add(Index::axis(int(targets[t])), stride);
        }
        index.push_back(one);
      }
      in += count, out += to;
    }
    return make.view(x, shape, index);
  }

  // Parts side by side along an axis, each copied into its box.
  OpId sideBySide(const std::vector<std::pair<OpId, int64_t>>& parts, int axis, const std::vector<int64_t>& shape) {
    Storage whole{program.temporary(volume(shape), make.region), 0, rowMajor(shape), {}};
    std::vector<OpId> writers;
    for (auto [part, begin] : parts) {
      Storage box = whole;
      box.offset = begin * whole.strides[size_t(axis)];
      writers.push_back(make.copy(part, box));
    }
    return make.memory(whole, shape, writers);
  }

  OpId zeros(std::vector<int64_t> shape) { return make.spread(make.number(0), std::move(shape)); }

  OpId contract(NodeId id) {
    const Contraction& labels = graph.contractions[graph.nodes[id].attribute];
    const OpId a = operand(id, 0), b = operand(id, 1);
    const std::vector<int64_t> shape = shapeOf(id);
    std::map<uint8_t, int64_t> length;
    for (size_t i = 0; i < labels.a.size(); ++i) length[labels.a[i]] = op(a).shape[i];
    for (size_t i = 0; i < labels.b.size(); ++i) length[labels.b[i]] = op(b).shape[i];
    const auto has = [](const std::vector<uint8_t>& in, uint8_t label) {
      return std::find(in.begin(), in.end(), label) != in.end();
    };
    bool rows = false, columns = false;
    std::vector<uint8_t> all = labels.result;
    for (auto [label, count] : length) {
      if (!has(labels.result, label)) all.push_back(label);
      if (count == 1 || !has(labels.result, label)) continue;
      rows |= has(labels.a, label) && !has(labels.b, label);
      columns |= has(labels.b, label) && !has(labels.a, label);
    }
    // A product with one row or one column is bound by memory: a product of entries and a sum, which join other loops.
    if (rows && columns && all.size() > labels.result.size()) {
      Op one{.kind = Kind::contract, .region = make.region, .phase = make.phase, .node = id};
      one.operands = {strided(a), strided(b)}, one.shape = shape, one.labels = labels;
      return program.append(std::move(one));
    }
    std::vector<int64_t> whole;
    for (uint8_t label : all) whole.push_back(length[label]);
    const auto over = [&](OpId x, const std::vector<uint8_t>& in) {
      Map index;
      for (uint8_t label : in) {
        const int at = int(std::find(all.begin(), all.end(), label) - all.begin());
        index.push_back(whole[size_t(at)] == 1 ? Index{} : Index::axis(at));
      }
      return make.view(x, whole, index);
    };
    const OpId product = make.pointwise(OpKind::mul, 0, {over(a, labels.a), over(b, labels.b)}, whole);
    std::vector<int> summed;
    for (size_t i = labels.result.size(); i < all.size(); ++i) summed.push_back(int(i));
    return make.reduce(ReduceFn::sum, product, summed);
  }

  // In memory, with strides: no entry is read as two.
  OpId strided(OpId id) {
    const auto [base, map] = behindViews(program, id, identityMap(op(id).shape));
    if (op(base).free) return make.copied(id);
    std::set<int> axes;
    for (const Index& index : map)
      for (auto [axis, coefficient] : index.terms) axes.insert(axis);
    size_t lengths = 0;
    for (int64_t length : op(id).shape) lengths += length != 1;
    if (axes.size() < lengths) return make.copied(id);
    if (op(base).kind != Kind::memory) op(base).pinned = true;
    return id;
  }

  void checkIndex(OpId index, NodeId node, int64_t below) {
    if (below > (int64_t(1) << 24)) fail(node, "an axis is longer than 2^24, which a float cannot count");
    Op check{
        .kind = Kind::checkIndex, .number = double(below), .region = make.region, .phase = make.phase, .node = node};
    check.operands = {piece(index)};
    check.shape = op(index).shape;
    program.append(std::move(check));
  }

  // The input's own check of its numbers covers it.
  bool isChecked(NodeId index, int64_t below) const {
    while (true) {
      const Node& node = graph.nodes[index];
      if (node.kind == OpKind::input) {
        const Input& input = graph.inputs[node.attribute];
        const auto most = input.below.at(binding.numbers);
        return input.integer && most && *most <= below;
      }
      if (node.kind != OpKind::reshape && node.kind != OpKind::broadcast && node.kind != OpKind::transpose &&
          node.kind != OpKind::slice && node.kind != OpKind::layer && node.kind != OpKind::stopGradient)
        return false;
      index = graph.operands(index)[0];
    }
  }

  OpId oneHot(NodeId id) {
    const std::vector<int64_t> shape = shapeOf(id);
    const OpId index = operand(id, 0);
    if (!isChecked(graph.operands(id)[0], shape.back())) checkIndex(index, id, shape.back());
    Op iota{.kind = Kind::iota, .region = make.region, .phase = make.phase, .node = id};
    iota.shape = {shape.back()};
    const OpId along = program.append(std::move(iota));
    Map last{shape.back() == 1 ? Index{} : Index::axis(int(shape.size()) - 1)};
    Map first;
    for (size_t axis = 0; axis + 1 < shape.size(); ++axis)
      first.push_back(shape[axis] == 1 ? Index{} : Index::axis(int(axis)));
    return make.pointwise(OpKind::compare, uint8_t(CompareFn::eq),
                          {make.view(index, shape, first), make.view(along, shape, last)}, shape);
  }

  OpId eye(NodeId id) {
    const std::vector<int64_t> shape = shapeOf(id);
    std::vector<OpId> indices;
    for (int axis = 0; axis < 2; ++axis) {
      Op iota{.kind = Kind::iota, .region = make.region, .phase = make.phase, .node = id};
      iota.shape = {shape[size_t(axis)]};
      indices.push_back(
          make.view(program.append(std::move(iota)), shape, {shape[size_t(axis)] == 1 ? Index{} : Index::axis(axis)}));
    }
    return make.pointwise(OpKind::compare, uint8_t(CompareFn::eq), indices, shape);
  }

  int64_t beginOf(const Slice& slice) const {
    if (slice.begin.terms().empty()) return 0;
    const std::optional<int64_t> begin = slice.begin.at(binding.numbers);
    if (!begin) throw Failure{"a slice does not begin at a whole number"};
    return *begin;
  }

  OpId parameter(NodeId id) {
    const uint32_t p = graph.nodes[id].attribute;
    const std::vector<int64_t> shape = shapeOf(id);
    OpId value = make.persistent(binding.parameterAt[p], shape);
    if (p < binding.parameterMultipliers.size() && binding.parameterMultipliers[p] != 1)
      value = make.pointwise(OpKind::mul, 0, {value, make.spread(make.number(binding.parameterMultipliers[p]), shape)},
                             shape);
    return value;
  }

  OpId compute(NodeId id) {
    const Node& node = graph.nodes[id];
    switch (node.kind) {
      case OpKind::parameter: return parameter(id);
      case OpKind::input: return make.persistent(binding.inputAt[node.attribute], shapeOf(id));
      case OpKind::number: return make.number(valueAt(graph.numbers[node.attribute], binding.numbers));
      case OpKind::freeMultiplier: return make.persistent(binding.multiplierAt[node.attribute], {});
      case OpKind::layerIndex: {
        Loop& loop = program.loops[node.attribute];
        if (loop.index < 0) loop.index = arena.allocate(1);
        return make.persistent(loop.index, {});
      }
      case OpKind::iota: {
        if (shapeOf(id)[0] > (int64_t(1) << 24)) fail(id, "it is longer than 2^24, which a float cannot count");
        Op iota{.kind = Kind::iota, .region = make.region, .phase = make.phase, .node = id};
        iota.shape = shapeOf(id);
        return program.append(std::move(iota));
      }
      case OpKind::eye: return eye(id);
      case OpKind::argument: fail(id, "an optimizer's argument has no value in a program");
      case OpKind::constant: fail(id, "it is not folded");  // a constant is always folded
      case OpKind::dropoutMask: {
        const Dropout& dropout = graph.dropouts[node.attribute];
        program.dropouts.push_back({dropout.name, dropout.rate});
        Op mask{.kind = Kind::dropout, .region = make.region, .phase = make.phase, .node = id};
        mask.shape = shapeOf(id), mask.of = uint32_t(program.dropouts.size() - 1), mask.rowMajorOnly = true;
        return program.append(std::move(mask));
      }
      case OpKind::add:
      case OpKind::sub:
      case OpKind::mul:
      case OpKind::maximum:
      case OpKind::minimum:
      case OpKind::compare: return make.pointwise(node.kind, node.fn, {operand(id, 0), operand(id, 1)}, shapeOf(id));
      case OpKind::select:
        return make.pointwise(node.kind, 0, {operand(id, 0), operand(id, 1), operand(id, 2)}, shapeOf(id));
      case OpKind::map: {
        const double power = MapFn(node.fn) == MapFn::pow ? graph.rationals[node.attribute].toDouble() : 1;
        return make.pointwise(node.kind, node.fn, {operand(id, 0)}, shapeOf(id), power);
      }
      case OpKind::contract: return contract(id);
      case OpKind::reduce: {
        if (ReduceFn(node.fn) != ReduceFn::argmax)
          return make.reduce(ReduceFn(node.fn), operand(id, 0), graph.axes[node.attribute].axes);
        Op argmax{.kind = Kind::argmax, .region = make.region, .phase = make.phase, .node = id};
        argmax.operands = {strided(operand(id, 0))}, argmax.shape = shapeOf(id);
        argmax.axes = graph.axes[node.attribute].axes, argmax.rowMajorOnly = true;
        return program.append(std::move(argmax));
      }
      case OpKind::gather:
      case OpKind::scatterAdd: {
        const bool gather = node.kind == OpKind::gather;
        Op one{
            .kind = gather ? Kind::gather : Kind::scatterAdd, .region = make.region, .phase = make.phase, .node = id};
        one.operands = {piece(operand(id, 0)), piece(operand(id, 1))}, one.shape = shapeOf(id), one.rowMajorOnly = true;
        one.axis = gather ? graph.axes[node.attribute].axes[0] : graph.scatters[node.attribute].axis;
        const int64_t length = gather ? op(operand(id, 0)).shape[size_t(one.axis)] : one.shape[size_t(one.axis)];
        if (length > (int64_t(1) << 24)) fail(id, "an axis is longer than 2^24, which a float cannot count");
        return program.append(std::move(one));
      }
      case OpKind::oneHot: return oneHot(id);
      case OpKind::reshape: return reshape(id, operand(id, 0));
      case OpKind::stopGradient: return operand(id, 0);
      case OpKind::transpose:
      case OpKind::broadcast: {
        const std::vector<int64_t> shape = shapeOf(id);
        const OpId x = operand(id, 0);
        Map index(op(x).shape.size());
        for (size_t axis = 0; axis < shape.size(); ++axis) {
          const int from = graph.axes[node.attribute].axes[axis];
          if (from >= 0 && op(x).shape[size_t(from)] != shape[axis]) fail(id, "an axis changes its length");
          if (from >= 0 && shape[axis] != 1) index[size_t(from)] = Index::axis(int(axis));
        }
        return make.view(x, shape, index);
      }
      case OpKind::slice: {
        const std::vector<int64_t> shape = shapeOf(id);
        const Slice& slice = graph.slices[node.attribute];
        Map index = identityMap(shape);
        index[size_t(slice.axis)].constant = beginOf(slice);
        if (beginOf(slice) + shape[size_t(slice.axis)] > op(operand(id, 0)).shape[size_t(slice.axis)])
          fail(id, "a slice reaches beyond its axis");
        return make.view(operand(id, 0), shape, index);
      }
      case OpKind::pad: {
        const std::vector<int64_t> shape = shapeOf(id);
        const Slice& slice = graph.slices[node.attribute];
        const OpId x = operand(id, 0);
        const int64_t begin = beginOf(slice), length = op(x).shape[size_t(slice.axis)],
                      rest = shape[size_t(slice.axis)] - begin - length;
        if (rest < 0) fail(id, "a slice reaches beyond its axis");
        std::vector<std::pair<OpId, int64_t>> parts;
        std::vector<int64_t> box = shape;
        if (begin > 0) box[size_t(slice.axis)] = begin, parts.emplace_back(zeros(box), 0);
        parts.emplace_back(x, begin);
        if (rest > 0) box[size_t(slice.axis)] = rest, parts.emplace_back(zeros(box), begin + length);
        return sideBySide(parts, slice.axis, shape);
      }
      case OpKind::concat: {
        std::vector<std::pair<OpId, int64_t>> parts;
        const int axis = graph.axes[node.attribute].axes[0];
        int64_t begin = 0;
        for (NodeId part : graph.operands(id)) {
          parts.emplace_back(of[part], begin);
          begin += op(of[part]).shape[size_t(axis)];
        }
        if (begin != shapeOf(id)[size_t(axis)]) fail(id, "the parts of a concat do not fill it");
        return sideBySide(parts, axis, shapeOf(id));
      }
      case OpKind::bodyArgument: return make.memory(carried[node.region][node.attribute], shapeOf(id));
      case OpKind::repeatResult: {
        const uint32_t repeat = graph.nodes[graph.operands(id)[0]].attribute;
        const OpId result = make.memory(resultAt[repeat][node.attribute], shapeOf(id), {of[graph.operands(id)[0]]});
        op(result).stacks = results[repeat][node.attribute];
        return result;
      }
      case OpKind::layer: {
        OpId stacked = operand(id, 0);
        const auto [base, map] = behindViews(program, stacked, identityMap(op(stacked).shape));
        if (op(base).free) {
          Maker outside = make;
          outside.region = op(stacked).region;
          stacked = outside.copied(stacked);
        } else if (op(base).kind != Kind::memory) {
          op(base).pinned = true;
        }
        const std::vector<int64_t> shape = shapeOf(id);
        Map index{Index{0, {}, {{node.region, 1}}}};
        for (const Index& axis : identityMap(shape)) index.push_back(axis);
        return make.view(stacked, shape, index);
      }
      case OpKind::repeat: return repeat(id);
    }
    fail(id, "it has no lowering");
  }

  void beginRepeat(uint32_t r) {
    const Repeat& repeat = graph.repeats[r];
    const uint32_t region = make.region;
    make.region = repeat.parent;
    const auto operands = graph.operands(repeat.node);
    for (uint32_t k = 0; k < repeat.carried; ++k) {
      const OpId initial = of[operands[k]];
      const std::vector<int64_t> shape = op(initial).shape;
      const Storage storage{program.temporary(volume(shape), repeat.parent), 0, rowMajor(shape), {}};
      carried[r].push_back(storage);
      carriedInitial[r].push_back(make.copy(initial, storage));
    }
    make.region = region;
  }

  // Carried values change at the end of a round, all at once; what is collected goes to its layer of a stack.
  OpId repeat(NodeId id) {
    const uint32_t r = graph.nodes[id].attribute;
    const Repeat& repeat = graph.repeats[r];
    const uint32_t outside = make.region;
    make.region = r;
    std::vector<OpId> next;
    for (uint32_t k = 0; k < repeat.carried; ++k) {
      OpId value = of[repeat.yields[k]];
      const OpId base = behindViews(program, value, identityMap(op(value).shape)).first;
      const bool isArgument = op(base).kind == Kind::memory && op(base).storage &&
                              std::any_of(carried[r].begin(), carried[r].end(),
                                          [&](const Storage& each) { return each.buffer == op(base).storage->buffer; });
      if (value == of[repeat.arguments[k]]) {
        next.push_back(none);
        continue;
      }
      next.push_back(isArgument ? make.copied(value) : value);
    }
    for (uint32_t k = 0; k < repeat.carried; ++k) {
      resultAt[r].push_back(carried[r][k]);
      results[r].push_back(none);
    }
    for (size_t k = repeat.carried; k < repeat.yields.size(); ++k) {
      const OpId value = of[repeat.yields[k]];
      const std::vector<int64_t> shape = op(value).shape;
      const int64_t count = volume(shape);
      const uint32_t buffer = program.temporary(count * program.loops[r].trips, repeat.parent);
      Storage slot{buffer, 0, rowMajor(shape), {{r, count}}};
      std::vector<int64_t> strides{count};
      strides.insert(strides.end(), slot.strides.begin(), slot.strides.end());
      resultAt[r].push_back({buffer, 0, strides, {}});
      Op& made = op(value);
      const bool own = !made.storage && !made.free && made.region == r && made.kind != Kind::view;
      results[r].push_back(own ? value : none);
      if (own) {
        made.storage = slot;
        made.pinned = true;
      } else {
        make.copy(value, slot);
      }
    }
    // Last, so that whatever reads the values of this round stands before the copies that overwrite them.
    for (uint32_t k = 0; k < repeat.carried; ++k)
      if (next[k] != none) make.copy(next[k], carried[r][k]);
    make.region = outside;
    make.node = id;
    Op one{.kind = Kind::repeat, .region = make.region, .phase = make.phase, .node = id};
    one.operands = carriedInitial[r], one.of = r;
    // What the body reads of outside, itself or in bodies inside of it, stands in memory before the loop runs.
    std::set<OpId> outsideReads;
    for (OpId each = 0; each < program.ops.size(); ++each) {
      uint32_t inside = program.ops[each].region;
      while (inside != none && inside != r) inside = program.loops[inside].parent;
      if (inside != r || program.ops[each].phase != make.phase) continue;
      for (OpId read : program.ops[each].operands) {
        uint32_t where = program.ops[read].region;
        while (where != none && where != r) where = program.loops[where].parent;
        if (where != r) outsideReads.insert(read);
      }
    }
    for (OpId read : outsideReads) {
      one.operands.push_back(read);
      const OpId base = behindViews(program, read, identityMap(op(read).shape)).first;
      if (op(base).kind != Kind::memory && !op(base).free) op(base).pinned = true;
    }
    const OpId result = program.append(std::move(one));
    program.loops[r].op = result;
    return result;
  }

  void markNeeded(std::span<const NodeId> wanted, const std::vector<bool>& folds) {
    needed.assign(graph.nodes.size(), false);
    std::vector<NodeId> work;
    const auto need = [&](NodeId id) {
      if (!needed[id]) needed[id] = true, work.push_back(id);
    };
    for (NodeId id : wanted) need(id);
    while (!work.empty()) {
      const NodeId id = work.back();
      work.pop_back();
      const Node& node = graph.nodes[id];
      if (folds[id]) continue;
      for (NodeId operand : graph.operands(id)) need(operand);
      if (node.region != none) need(graph.repeats[node.region].node);
      if (node.kind == OpKind::repeat)
        for (NodeId yield : graph.repeats[node.attribute].yields) need(yield);
    }
  }

  std::vector<OpId> run(std::span<const NodeId> wanted) {
    const std::vector<bool> folds = foldable(graph, binding.numbers);
    markNeeded(wanted, folds);
    std::vector<NodeId> asked;
    for (NodeId id = 0; id < graph.nodes.size(); ++id)
      if (needed[id] && folds[id]) asked.push_back(id);
    std::string error;
    folded = fold(graph, binding.numbers, asked, error);
    if (!error.empty()) throw Failure{error};

    of.assign(graph.nodes.size(), none);
    carried.resize(graph.repeats.size()), carriedInitial.resize(graph.repeats.size());
    results.resize(graph.repeats.size()), resultAt.resize(graph.repeats.size());
    for (const Repeat& repeat : graph.repeats) {
      Loop loop{.reversed = repeat.reversed, .parent = repeat.parent};
      if (needed[repeat.node]) {
        const std::optional<int64_t> trips = repeat.trips.at(binding.numbers);
        if (!trips) fail(repeat.node, "its number of rounds is no whole number");
        loop.trips = *trips;
      }
      program.loops.push_back(loop);
    }
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      // Outer repeats that begin here come first.
      std::vector<uint32_t> begins;
      for (uint32_t r = 0; r < graph.repeats.size(); ++r)
        if (graph.repeats[r].bodyBegin == id && graph.repeats[r].bodyEnd > id && needed[graph.repeats[r].node])
          begins.push_back(r);
      std::sort(begins.begin(), begins.end(),
                [&](uint32_t a, uint32_t b) { return graph.repeats[a].bodyEnd > graph.repeats[b].bodyEnd; });
      for (uint32_t r : begins) beginRepeat(r);
      if (!needed[id]) continue;
      make.region = graph.nodes[id].region;
      make.node = id;
      if (folds[id]) {
        const Tensor& value = *folded[id];
        if (value.values.size() == 1) {
          of[id] = make.spread(make.number(value.values[0]), value.shape);
          if (value.shape.empty()) of[id] = op(of[id]).operands[0];
        } else {
          of[id] = constant(value.values, value.shape);
        }
        continue;
      }
      of[id] = compute(id);
    }
    std::vector<OpId> result;
    for (NodeId id : wanted) {
      OpId value = of[id];
      const OpId base = behindViews(program, value, identityMap(op(value).shape)).first;
      make.region = none;
      if (op(base).free) {
        value = make.copied(value);
      } else if (op(base).kind != Kind::memory) {
        op(base).pinned = true;
      }
      result.push_back(value);
    }
    return result;
  }
};

}  // namespace

std::vector<OpId> bindGraph(const Binding& binding, std::span<const NodeId> wanted, Arena& arena,
                            LoopProgram& program) {
  Binder binder{binding, binding.graph, arena, program, Maker{program}};
  return binder.run(wanted);
}

}  // namespace tpc::loops
