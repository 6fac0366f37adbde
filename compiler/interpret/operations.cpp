// Operations on whole tensors.  Plumbing is one strided copy; reductions and indexing are loops over offsets.
#include "compiler/interpret/operations.h"

#include <algorithm>
#include <cmath>

#include "kernels/contract.h"

namespace tpc {

int64_t elementCount(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t length : shape) count *= length;
  return count;
}

double rootMeanSquare(const Tensor& tensor) {
  // The largest entry first: squares of 1e-200 would vanish.
  double largest = 0, sum = 0;
  for (double x : tensor.values) largest = std::max(largest, std::abs(x));
  for (double x : tensor.values)
    if (x != x) return x;  // std::max hides it
  if (largest == 0 || !std::isfinite(largest)) return largest;
  for (double x : tensor.values) sum += (x / largest) * (x / largest);
  return largest * std::sqrt(sum / double(tensor.values.size()));
}

Tensor zeros(std::vector<int64_t> shape) {
  const int64_t count = elementCount(shape);
  return {std::move(shape), std::vector<double>(count)};
}

Tensor sliceOf(const Tensor& stacked, int64_t index) {
  Tensor result;
  result.shape.assign(stacked.shape.begin() + 1, stacked.shape.end());
  const int64_t count = elementCount(result.shape);
  result.values.assign(stacked.values.begin() + index * count, stacked.values.begin() + (index + 1) * count);
  return result;
}

namespace {

using Shape = std::vector<int64_t>;

Shape stridesOf(const Shape& shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) strides[i] = stride, stride *= shape[i];
  return strides;
}

void copyStrided(const Shape& shape, const double* in, const Shape& inStrides, double* out, const Shape& outStrides,
                 size_t axis = 0) {
  if (axis == shape.size()) {
    *out = *in;
    return;
  }
  for (int64_t i = 0; i < shape[axis]; ++i) {
    if (axis + 1 == shape.size()) out[i * outStrides[axis]] = in[i * inStrides[axis]];
    else copyStrided(shape, in + i * inStrides[axis], inStrides, out + i * outStrides[axis], outStrides, axis + 1);
  }
}

// Where in the operand each combination of the given axes starts, in row-major order of these axes.
std::vector<int64_t> offsets(const Shape& shape, const Shape& strides, const std::vector<int>& axes) {
  std::vector<int64_t> result = {0};
  for (int axis : axes) {
    std::vector<int64_t> next;
    next.reserve(result.size() * shape[axis]);
    for (int64_t start : result)
      for (int64_t i = 0; i < shape[axis]; ++i) next.push_back(start + i * strides[axis]);
    result = std::move(next);
  }
  return result;
}

Tensor reduce(ReduceFn fn, const std::vector<int>& axes, const Tensor& x, Tensor result) {
  std::vector<int> kept;
  for (int axis = 0; axis < int(x.shape.size()); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) kept.push_back(axis);
  const Shape strides = stridesOf(x.shape);
  const std::vector<int64_t> starts = offsets(x.shape, strides, kept), steps = offsets(x.shape, strides, axes);
  for (size_t i = 0; i < starts.size(); ++i) {
    const double* at = x.values.data() + starts[i];
    double value = at[steps[0]];
    size_t best = 0;
    for (size_t j = 1; j < steps.size(); ++j) {
      const double next = at[steps[j]];
      switch (fn) {
        case ReduceFn::sum: value += next; break;
        case ReduceFn::max: value = applyMaximum(value, next); break;
        case ReduceFn::min: value = applyMinimum(value, next); break;
        case ReduceFn::argmax:
          if (next > value || (next != next && value == value)) value = next, best = j;
          break;
      }
    }
    result.values[i] = fn == ReduceFn::argmax ? double(best) : value;
  }
  return result;
}

Tensor contraction(const Contraction& labels, const Tensor& a, const Tensor& b, Tensor result) {
  const Shape strideA = stridesOf(a.shape), strideB = stridesOf(b.shape), strideResult = stridesOf(result.shape);
  std::vector<ContractAxis> axes;
  std::vector<int> axisOf(256, -1);
  auto axis = [&](uint8_t label, int64_t length) -> ContractAxis& {
    if (axisOf[label] < 0) {
      axisOf[label] = int(axes.size());
      axes.push_back({.length = length});
    }
    if (axes[axisOf[label]].length != length) throw Failure{"one label stands for two lengths"};
    return axes[axisOf[label]];
  };
  for (size_t i = 0; i < labels.result.size(); ++i)
    axis(labels.result[i], result.shape[i]).strideResult = strideResult[i];
  for (size_t i = 0; i < labels.a.size(); ++i) axis(labels.a[i], a.shape[i]).strideA = strideA[i];
  for (size_t i = 0; i < labels.b.size(); ++i) axis(labels.b[i], b.shape[i]).strideB = strideB[i];
  contractPacked(result.values.data(), a.values.data(), b.values.data(), axes);
  return result;
}

int64_t indexAt(const Tensor& index, int64_t i, int64_t below) {
  const double value = index.values[i];
  if (!(value >= 0 && value < double(below)) || value != std::floor(value))
    throw Failure{"the index " + std::to_string(value) + " is not a whole number in 0 .. " + std::to_string(below - 1)};
  return int64_t(value);
}

// A tensor seen as [before, axis, after].
struct Around {
  int64_t before = 1, after = 1;
  Around(const Shape& shape, int axis) {
    for (int i = 0; i < axis; ++i) before *= shape[i];
    for (int i = axis + 1; i < int(shape.size()); ++i) after *= shape[i];
  }
};

Tensor gather(int axis, const Tensor& table, const Tensor& index, Tensor result) {
  const Around around(table.shape, axis);
  const int64_t length = table.shape[axis], count = int64_t(index.values.size());
  for (int64_t p = 0; p < around.before; ++p)
    for (int64_t i = 0; i < count; ++i) {
      const double* row = table.values.data() + (p * length + indexAt(index, i, length)) * around.after;
      std::copy(row, row + around.after, result.values.data() + (p * count + i) * around.after);
    }
  return result;
}

Tensor scatterAdd(int axis, const Tensor& index, const Tensor& updates, Tensor result) {
  const Around around(result.shape, axis);
  const int64_t length = result.shape[axis], count = int64_t(index.values.size());
  for (int64_t p = 0; p < around.before; ++p)
    for (int64_t i = 0; i < count; ++i) {
      double* row = result.values.data() + (p * length + indexAt(index, i, length)) * around.after;
      const double* update = updates.values.data() + (p * count + i) * around.after;
      for (int64_t j = 0; j < around.after; ++j) row[j] += update[j];
    }
  return result;
}

int64_t beginAt(const Slice& slice, const std::vector<int64_t>& numbers) {
  if (slice.begin.terms().empty()) return 0;
  const std::optional<int64_t> begin = slice.begin.at(numbers);
  if (!begin) throw Failure{"a slice does not begin at a whole number"};
  return *begin;
}

void copyBox(const Tensor& in, const Shape& inBegin, Tensor& out, const Shape& outBegin, const Shape& box) {
  const Shape inStrides = stridesOf(in.shape), outStrides = stridesOf(out.shape);
  int64_t inOffset = 0, outOffset = 0;
  for (size_t i = 0; i < box.size(); ++i) {
    if (inBegin[i] + box[i] > in.shape[i] || outBegin[i] + box[i] > out.shape[i])
      throw Failure{"a slice reaches beyond its axis"};
    inOffset += inBegin[i] * inStrides[i];
    outOffset += outBegin[i] * outStrides[i];
  }
  copyStrided(box, in.values.data() + inOffset, inStrides, out.values.data() + outOffset, outStrides);
}

template <typename F>
Tensor elementwise(Tensor result, const Tensor& a, const Tensor& b, F f) {
  for (size_t i = 0; i < result.values.size(); ++i) result.values[i] = f(a.values[i], b.values[i]);
  return result;
}

}  // namespace

Tensor applyOperation(const Graph& graph, NodeId id, Shape shape, const std::vector<const Tensor*>& operands,
                      const std::vector<int64_t>& numbers) {
  const Node& node = graph.nodes[id];
  auto x = [&](int i) -> const Tensor& { return *operands[i]; };
  Tensor result = zeros(std::move(shape));
  const int rank = int(result.shape.size());
  switch (node.kind) {
    case OpKind::iota:
      for (size_t i = 0; i < result.values.size(); ++i) result.values[i] = double(i);
      return result;
    case OpKind::eye:
      for (int64_t i = 0; i < std::min(result.shape[0], result.shape[1]); ++i)
        result.values[i * result.shape[1] + i] = 1;
      return result;
    case OpKind::add: return elementwise(std::move(result), x(0), x(1), [](double a, double b) { return a + b; });
    case OpKind::sub: return elementwise(std::move(result), x(0), x(1), [](double a, double b) { return a - b; });
    case OpKind::mul: return elementwise(std::move(result), x(0), x(1), [](double a, double b) { return a * b; });
    case OpKind::maximum: return elementwise(std::move(result), x(0), x(1), applyMaximum);
    case OpKind::minimum: return elementwise(std::move(result), x(0), x(1), applyMinimum);
    case OpKind::compare:
      return elementwise(std::move(result), x(0), x(1),
                         [&](double a, double b) { return applyCompare(CompareFn(node.fn), a, b); });
    case OpKind::select:
      for (size_t i = 0; i < result.values.size(); ++i)
        result.values[i] = x(0).values[i] != 0 ? x(1).values[i] : x(2).values[i];
      return result;
    case OpKind::map: {
      const double power = MapFn(node.fn) == MapFn::pow ? graph.rationals[node.attribute].toDouble() : 1;
      for (size_t i = 0; i < result.values.size(); ++i)
        result.values[i] = applyMap(MapFn(node.fn), x(0).values[i], power);
      return result;
    }
    case OpKind::contract: return contraction(graph.contractions[node.attribute], x(0), x(1), std::move(result));
    case OpKind::reduce: return reduce(ReduceFn(node.fn), graph.axes[node.attribute].axes, x(0), std::move(result));
    case OpKind::gather: return gather(graph.axes[node.attribute].axes[0], x(0), x(1), std::move(result));
    case OpKind::scatterAdd: return scatterAdd(graph.scatters[node.attribute].axis, x(0), x(1), std::move(result));
    case OpKind::oneHot: {
      const int64_t length = result.shape.back();
      for (size_t i = 0; i < x(0).values.size(); ++i)
        result.values[int64_t(i) * length + indexAt(x(0), int64_t(i), length)] = 1;
      return result;
    }
    case OpKind::reshape:
    case OpKind::stopGradient:
      if (x(0).values.size() != result.values.size()) throw Failure{"a reshape changes the number of elements"};
      result.values = x(0).values;
      return result;
    case OpKind::transpose:
    case OpKind::broadcast: {
      const Shape operandStrides = stridesOf(x(0).shape);
      Shape strides(rank, 0);
      for (int i = 0; i < rank; ++i) {
        const int axis = graph.axes[node.attribute].axes[i];
        if (axis >= 0 && x(0).shape[axis] != result.shape[i]) throw Failure{"an axis changes its length"};
        if (axis >= 0) strides[i] = operandStrides[axis];
      }
      copyStrided(result.shape, x(0).values.data(), strides, result.values.data(), stridesOf(result.shape));
      return result;
    }
    case OpKind::slice: {
      Shape begin(rank, 0);
      begin[graph.slices[node.attribute].axis] = beginAt(graph.slices[node.attribute], numbers);
      const Shape box = result.shape;
      copyBox(x(0), begin, result, Shape(rank, 0), box);
      return result;
    }
    case OpKind::pad: {
      Shape begin(rank, 0);
      begin[graph.slices[node.attribute].axis] = beginAt(graph.slices[node.attribute], numbers);
      copyBox(x(0), Shape(rank, 0), result, begin, x(0).shape);
      return result;
    }
    case OpKind::concat: {
      Shape begin(rank, 0);
      const int axis = graph.axes[node.attribute].axes[0];
      for (const Tensor* part : operands) {
        copyBox(*part, Shape(rank, 0), result, begin, part->shape);
        begin[axis] += part->shape[axis];
      }
      if (begin[axis] != result.shape[axis]) throw Failure{"the parts of a concat do not fill it"};
      return result;
    }
    default: throw Failure{"it is no operation on tensors"};
  }
}

}  // namespace tpc
