#include "compiler/lower/layout.h"

#include <algorithm>
#include <map>

namespace tpc::loops {
namespace {

// Labels as one axis, outermost first: each stride is the next one's times its length, in both tensors.
using Run = std::vector<int>;

void extend(const std::vector<LabelStrides>& labels, const std::vector<int>& among, int64_t LabelStrides::*x,
            int64_t LabelStrides::*y, Run run, std::vector<Run>& all) {
  all.push_back(run);
  for (int label : among) {
    if (std::find(run.begin(), run.end(), label) != run.end()) continue;
    const LabelStrides& outer = labels[size_t(label)];
    if (!run.empty()) {
      const LabelStrides& inner = labels[size_t(run.front())];
      if (outer.*x != inner.*x * inner.length || outer.*y != inner.*y * inner.length) continue;
    }
    Run longer = run;
    longer.insert(longer.begin(), label);
    extend(labels, among, x, y, std::move(longer), all);
  }
}

struct Dimension {
  int64_t length = 1, x = 1, y = 1;  // strides in the two tensors that have it
};

Dimension dimensionOf(const std::vector<LabelStrides>& labels, const Run& run, int64_t LabelStrides::*x,
                      int64_t LabelStrides::*y) {
  Dimension result;
  for (int label : run) result.length *= labels[size_t(label)].length;
  if (!run.empty()) result.x = labels[size_t(run.back())].*x, result.y = labels[size_t(run.back())].*y;
  return result;
}

// A row-major matrix [rows, columns] by its two strides: transposed, leading length; false where neither is one.
bool leading(int64_t rows, int64_t rowStride, int64_t columns, int64_t columnStride, bool& transposed, int64_t& lead) {
  if (columns == 1) columnStride = 1;
  if (rows == 1) rowStride = std::max<int64_t>(rowStride, 1);
  if (columnStride == 1 && (rows == 1 || rowStride >= columns)) {
    transposed = false, lead = rows == 1 ? std::max(columns, rowStride) : rowStride;
    return true;
  }
  if (rows == 1) rowStride = 1;
  if (rowStride == 1 && (columns == 1 || columnStride >= rows)) {
    transposed = true, lead = columns == 1 ? std::max(rows, columnStride) : columnStride;
    return true;
  }
  return false;
}

std::optional<Planned> planned(const std::vector<LabelStrides>& labels) {
  std::vector<int> rows, columns, sums, batch;
  for (int i = 0; i < int(labels.size()); ++i) {
    const LabelStrides& label = labels[size_t(i)];
    if (label.length == 1) continue;
    if (!label.inResult) sums.push_back(i);
    else if (label.inA && label.inB) batch.push_back(i);
    else if (label.inA) rows.push_back(i);
    else columns.push_back(i);
  }
  std::vector<Run> rowRuns, columnRuns, sumRuns;
  extend(labels, rows, &LabelStrides::a, &LabelStrides::result, {}, rowRuns);
  extend(labels, columns, &LabelStrides::b, &LabelStrides::result, {}, columnRuns);
  extend(labels, sums, &LabelStrides::a, &LabelStrides::b, {}, sumRuns);
  std::optional<Planned> best;
  for (const Run& rowRun : rowRuns)
    for (const Run& columnRun : columnRuns)
      for (const Run& sumRun : sumRuns) {
        const Dimension m = dimensionOf(labels, rowRun, &LabelStrides::a, &LabelStrides::result);
        const Dimension n = dimensionOf(labels, columnRun, &LabelStrides::b, &LabelStrides::result);
        const Dimension k = dimensionOf(labels, sumRun, &LabelStrides::a, &LabelStrides::b);
        Planned plan;
        ProductShape& shape = plan.product.shape;
        shape.m = m.length, shape.n = n.length, shape.k = k.length;
        bool transposed = false;
        if (!leading(m.length, m.x, k.length, k.x, shape.transposedA, shape.lda)) continue;
        if (!leading(k.length, k.y, n.length, n.x, shape.transposedB, shape.ldb)) continue;
        if (!leading(m.length, m.y, n.length, n.y, transposed, shape.ldc) || transposed) continue;
        double calls = 1;
        const auto rest = [&](const std::vector<int>& among, const Run& run, std::vector<StridedAxis>& axes) {
          for (int label : among)
            if (std::find(run.begin(), run.end(), label) == run.end()) {
              const LabelStrides& each = labels[size_t(label)];
              axes.push_back({each.length, each.a, each.b, each.result});
              calls *= double(each.length);
            }
        };
        rest(batch, {}, plan.product.outer);
        rest(rows, rowRun, plan.product.outer);
        rest(columns, columnRun, plan.product.outer);
        rest(sums, sumRun, plan.product.summed);
        const double flops = 2.0 * double(shape.m) * double(shape.n) * double(shape.k);
        plan.seconds =
            calls *
            (1e-6 + flops / 6e10 * (1 + 12.0 / double(shape.m) + 12.0 / double(shape.n) + 12.0 / double(shape.k)));
        if (!best || plan.seconds < best->seconds) best = std::move(plan);
      }
  return best;
}

// Blocks for threads: as few as keep several busy, the longer side cut.
void cutIntoBlocks(CompiledProduct& product) {
  const ProductShape& shape = product.shape;
  product.rows = shape.m, product.columns = shape.n;
  double outer = 1, summed = 1;
  for (const StridedAxis& axis : product.outer) outer *= double(axis.length);
  for (const StridedAxis& axis : product.summed) summed *= double(axis.length);
  const double flops = 2 * outer * summed * double(shape.m) * double(shape.n) * double(shape.k);
  const double wanted = flops < 5e5 ? 1 : flops < 4e6 ? 2 : flops < 5e7 ? 4 : 8;
  const auto cut = [](int64_t length, int64_t parts) {
    const int64_t part = (length + parts - 1) / parts;
    return std::min(length, (part + 15) / 16 * 16);
  };
  if (outer >= wanted) return;
  const int64_t parts = int64_t(wanted / outer + 0.5);
  if (shape.m >= shape.n) product.rows = cut(shape.m, parts);
  else product.columns = cut(shape.n, parts);
}

}  // namespace

std::optional<Planned> plannedProduct(const std::vector<LabelStrides>& labels) {
  std::optional<Planned> best = planned(labels);
  std::vector<LabelStrides> other = labels;
  for (LabelStrides& label : other) std::swap(label.a, label.b), std::swap(label.inA, label.inB);
  std::optional<Planned> swapped = planned(other);
  if (swapped && (!best || swapped->seconds < best->seconds)) {
    best = std::move(swapped);
    best->swapped = true;
  }
  if (best) cutIntoBlocks(best->product);
  return best;
}

std::vector<LabelStrides> labelsOf(const Op& op, const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                                   const std::vector<int64_t>& result) {
  std::map<uint8_t, LabelStrides> labels;
  for (size_t i = 0; i < op.labels.a.size(); ++i) labels[op.labels.a[i]].inA = true, labels[op.labels.a[i]].a = a[i];
  for (size_t i = 0; i < op.labels.b.size(); ++i) labels[op.labels.b[i]].inB = true, labels[op.labels.b[i]].b = b[i];
  for (size_t i = 0; i < op.labels.result.size(); ++i)
    labels[op.labels.result[i]].inResult = true, labels[op.labels.result[i]].result = result[i];
  std::vector<LabelStrides> all;
  for (auto& [label, each] : labels) all.push_back(each);
  return all;
}

std::vector<int64_t> stridesOf(const LoopProgram& program, OpId id) {
  const std::vector<int64_t>& shape = program.ops[id].shape;
  const auto [base, map] = behindViews(program, id, identityMap(shape));
  const Op& op = program.ops[base];
  const Index access = accessOf(op.storage ? *op.storage : Storage{none, 0, rowMajor(op.shape), {}}, map);
  std::vector<int64_t> strides(shape.size());
  for (auto [axis, stride] : access.terms) strides[size_t(axis)] = stride;
  return strides;
}

namespace {

struct Layouter {
  LoopProgram& program;
  std::map<OpId, std::vector<OpId>> readers{};  // of contractions: contractions that read it, through views and stacks

  Op& op(OpId id) { return program.ops[id]; }

  void setStrides(OpId id, const std::vector<int64_t>& strides) {
    op(id).storage->strides = strides;
    for (Op& each : program.ops)
      if (each.kind == Kind::memory && each.stacks == id)
        std::copy(strides.begin(), strides.end(), each.storage->strides.begin() + 1);
  }

  double costOf(OpId id) {
    const Op& one = op(id);
    std::vector<LabelStrides> labels =
        labelsOf(one, stridesOf(program, one.operands[0]), stridesOf(program, one.operands[1]), one.storage->strides);
    for (const auto& [axis, length] : lengthsOf(one)) labels[axis].length = length;
    const std::optional<Planned> plan = plannedProduct(labels);
    double volumeOf = 1;
    for (const LabelStrides& label : labels) volumeOf *= double(label.length);
    return plan ? plan->seconds : volumeOf * 1e-8;
  }

  std::vector<std::pair<size_t, int64_t>> lengthsOf(const Op& one) {
    std::map<uint8_t, int64_t> lengths;
    for (size_t i = 0; i < one.labels.a.size(); ++i) lengths[one.labels.a[i]] = op(one.operands[0]).shape[i];
    for (size_t i = 0; i < one.labels.b.size(); ++i) lengths[one.labels.b[i]] = op(one.operands[1]).shape[i];
    std::vector<std::pair<size_t, int64_t>> result;
    for (const auto& [label, length] : lengths) result.emplace_back(result.size(), length);
    return result;
  }

  static std::vector<int64_t> stridesIn(const std::vector<int64_t>& shape, const std::vector<int>& order) {
    std::vector<int64_t> strides(shape.size());
    int64_t stride = 1;
    for (size_t i = order.size(); i-- > 0; stride *= shape[size_t(order[i])]) strides[size_t(order[i])] = stride;
    return strides;
  }

  double costAround(OpId id) {
    double cost = costOf(id);
    for (OpId reader : readers[id]) cost += costOf(reader);
    // Loops read along the last axis.
    const Op& one = op(id);
    for (size_t axis = one.shape.size(); axis-- > 0;) {
      if (one.shape[axis] == 1) continue;
      if (one.storage->strides[axis] != 1) cost += double(volume(one.shape)) * 1e-9;
      break;
    }
    return cost;
  }

  void choose(OpId id) {
    const Op& one = op(id);
    std::vector<int> order;
    for (int axis = 0; axis < int(one.shape.size()); ++axis) order.push_back(axis);
    std::vector<int64_t> best = one.storage->strides;
    double least = costAround(id);
    // Up to five axes every order; beyond that the given one.
    if (order.size() > 5) return;
    const std::vector<int64_t> given = best;
    do {
      setStrides(id, stridesIn(op(id).shape, order));
      const double cost = costAround(id);
      if (cost < least * 0.98) least = cost, best = op(id).storage->strides;
    } while (std::next_permutation(order.begin(), order.end()));
    setStrides(id, best);
  }

  void run() {
    for (OpId id = 0; id < program.ops.size(); ++id) {
      Op& one = op(id);
      if (one.kind == Kind::memory || one.kind == Kind::copy || one.kind == Kind::view || one.kind == Kind::repeat ||
          one.kind == Kind::checkIndex || one.kind == Kind::number || one.kind == Kind::iota)
        continue;
      // A place of its own for whatever may be asked for in memory; what joins a loop entirely never gets one.
      if (!one.storage) one.storage = Storage{none, 0, rowMajor(one.shape), {}};
    }
    for (OpId id = 0; id < program.ops.size(); ++id) {
      if (op(id).kind != Kind::contract) continue;
      for (OpId operand : op(id).operands) {
        OpId base = behindViews(program, operand, identityMap(op(operand).shape)).first;
        if (op(base).stacks != none) base = op(base).stacks;
        if (op(base).kind == Kind::contract) readers[base].push_back(id);
      }
    }
    for (int sweep = 0; sweep < 2; ++sweep)
      for (OpId id = 0; id < program.ops.size(); ++id)
        if (op(id).kind == Kind::contract && !op(id).rowMajorOnly) choose(id);
  }
};

}  // namespace

void layOut(LoopProgram& program) { Layouter{program}.run(); }

}  // namespace tpc::loops
