// Contractions: an initial matrix times a value, with the second part that Z-dot is, and two computed values.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

struct Labelled {
  NodeId node;
  const std::vector<uint8_t>* labels;
};

int axisOf(const std::vector<uint8_t>& labels, uint8_t label) {
  auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? -1 : int(found - labels.begin());
}

// The part that an initial matrix adds along what its transpose has been given before; false where no earlier product
// explains what u has read of the matrix.
bool zdot(Run& run, NodeId id, const Labelled& matrix, const Part& w, const Labelled& other, const Part& u,
          const std::vector<uint8_t>& resultLabels, int contracted, InitialState& state) {
  const uint32_t parameter = w.matrix;
  bool isExplained = false;
  const MatrixUses& uses = run.matrixUses[parameter];
  for (size_t i = 0; i < uses.distinct.size(); ++i) {
    if (uses.count[i] == 0) continue;
    const MatrixUse& use = uses.distinct[i];
    // Does u read, along an axis contracted now, what that product made?
    bool reads = false, odd = false;
    Rational share = 0;
    for (size_t axis = 0; axis < matrix.labels->size(); ++axis) {
      const uint8_t label = (*matrix.labels)[axis];
      int otherAxis = axisOf(*other.labels, label);
      if (otherAxis < 0 || axisOf(resultLabels, label) >= 0 || !run.isLong(matrix.node, int(axis))) continue;
      CertificateId certificate = along(run, other.node, u, otherAxis);
      CertificateId own = along(run, matrix.node, w, int(axis));
      run.certificates.sets().forEach(run.certificates[own].reads, [&](Source source) {
        const SourceRoot& root = run.sourceRoots[source / phases];
        if (root.parameter != parameter) return;
        if (std::find(use.contractedAxes.begin(), use.contractedAxes.end(), root.axis) != use.contractedAxes.end())
          return;
        if (!run.certificates.reads(certificate, source)) return;
        const Rational part = run.overDepth ? shareOf(run, other.node, source) : Rational(0);
        share = reads ? std::max(share, part) : part;
        reads = true;
        odd |= run.certificates.derivativeIsOdd(certificate, source);
      });
    }
    if (!reads) continue;
    isExplained = true;
    const RuleId rule = rowFor(Family::zdot, readsBack | (odd ? uint32_t(oddDerivative) : 0u));
    if (sizeRow(rule).isZero) {
      note(run, rule, Aspect::init, id, Size::zero(), {run.initial[other.node].step});
      continue;
    }
    for (const Part& y : use.operand) {
      Part part;
      part.size = sizeBy(rule, {.a = w.size, .b = u.size, .k = contracted, .e = use.contractedGrowth}) + y.size + share;
      const auto& axes = run.growingAxes(id);
      for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot) {
        const uint8_t label = resultLabels[axes[slot].axis];
        int inMatrix = axisOf(*matrix.labels, label), inOther = axisOf(*other.labels, label);
        part.certificates[slot] = inMatrix >= 0 ? y.certificates[0] : along(run, other.node, u, inOther);
      }
      part.certificates[tripSlot] = y.certificates[tripSlot];
      part.step = stepOf(run, rule, id, part.size, run.initial[other.node].step, run.initial[matrix.node].step);
      add(run, state.parts, part);
    }
  }
  return isExplained;
}

// How much of a contraction's growth walks and how much adds up, by the products of two parts.
std::pair<int, int> walkingAndAdding(Run& run, const Labelled& a, const Part& p, const Labelled& b, const Part& q,
                                     const std::vector<uint8_t>& resultLabels) {
  int walking = 0, adding = 0;
  if (p.sparse || q.sparse) return {0, 0};
  for (const GrowingAxis& grown : run.growingAxes(a.node)) {
    const uint8_t label = (*a.labels)[size_t(grown.axis)];
    const int bAxis = axisOf(*b.labels, label);
    if (bAxis < 0 || axisOf(resultLabels, label) >= 0) continue;
    const CertificateId product =
        run.certificates.product(along(run, a.node, p, grown.axis), along(run, b.node, q, bAxis));
    (run.certificates.isOdd(product) ? walking : adding) += grown.growth;
  }
  return {walking, adding};
}

// The certificate of a product along the repeat.  Through a sum with an initial matrix over a long axis what is fresh
// along the repeat is the matrix: the coordinates are new Gaussians.  What has no long axis left is a constant.
CertificateId alongRepeat(Run& run, NodeId id, const Labelled& a, const Part& p, const Labelled& b, const Part& q,
                          const std::vector<uint8_t>& resultLabels) {
  bool sumsLong = false;
  for (size_t axis = 0; axis < a.labels->size(); ++axis) {
    const uint8_t label = (*a.labels)[axis];
    sumsLong |= axisOf(*b.labels, label) >= 0 && axisOf(resultLabels, label) < 0 && run.isLong(a.node, int(axis));
  }
  if (!sumsLong || p.sparse || q.sparse)
    return run.certificates.product(p.certificates[tripSlot], q.certificates[tripSlot]);
  if (run.growingAxes(id).empty()) return constantAlong;
  if (p.matrix == none) return run.certificates.product(p.certificates[tripSlot], q.certificates[tripSlot]);
  for (const GrowingAxis& axis : run.growingAxes(a.node))
    if (axisOf(resultLabels, (*a.labels)[size_t(axis.axis)]) >= 0) return along(run, a.node, p, axis.axis);
  return constantAlong;
}

void contractParts(Run& run, NodeId id, Labelled a, const Part& p, Labelled b, const Part& q,
                   const std::vector<uint8_t>& resultLabels, InitialState& state) {
  const bool initial = p.matrix != none;
  int contracted = 0;
  bool readsBackAny = false;
  if (initial && !p.sparse && !q.sparse)
    for (const GrowingAxis& grown : run.growingAxes(a.node)) {
      const uint8_t label = (*a.labels)[size_t(grown.axis)];
      const int bAxis = axisOf(*b.labels, label);
      if (bAxis < 0 || axisOf(resultLabels, label) >= 0) continue;
      contracted += grown.growth;
      const CertificateId seen = along(run, b.node, q, bAxis);
      run.certificates.sets().forEach(run.certificates[along(run, a.node, p, grown.axis)].reads,
                                      [&](Source source) { readsBackAny |= run.certificates.reads(seen, source); });
    }
  Part next;
  const StepId pStep = run.initial[a.node].step, qStep = run.initial[b.node].step;
  if (initial) {
    RuleId rule = rowFor(Family::matrix, readsBackAny ? uint32_t(readsBack) : 0u);
    next.size = sizeBy(rule, {.a = p.size, .b = q.size, .k = contracted});
    next.step = stepOf(run, rule, id, next.size, pStep, qStep);
  } else {
    const auto [walking, adding] = walkingAndAdding(run, a, p, b, q, resultLabels);
    SumAlong sum = sumAlong(run, id, Family::contraction, p.size, q.size, walking, adding, 0, pStep, qStep);
    next.size = sum.size, next.step = sum.step;
  }
  const auto& axes = run.growingAxes(id);
  for (size_t axis = 0; axis < resultLabels.size(); ++axis) {
    int inA = axisOf(*a.labels, resultLabels[axis]), inB = axisOf(*b.labels, resultLabels[axis]);
    if ((inA >= 0 && inB < 0 && (p.freshAxes >> inA & 1)) ||
        (inB >= 0 && inA < 0 && (q.freshAxes >> inB & 1) && !initial))
      next.freshAxes |= 1u << axis;
  }
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot) {
    const uint8_t label = resultLabels[axes[slot].axis];
    int inA = axisOf(*a.labels, label), inB = axisOf(*b.labels, label);
    CertificateId fromA = inA >= 0 ? along(run, a.node, p, inA) : constantAlong;
    CertificateId fromB = inB >= 0 ? along(run, b.node, q, inB) : constantAlong;
    next.certificates[slot] = run.certificates.product(fromA, fromB);
  }
  if (run.overDepth) next.certificates[tripSlot] = alongRepeat(run, id, a, p, b, q, resultLabels);
  next.sparse = p.sparse && q.sparse;
  if (p.sparse) next.matrix = q.matrix;
  add(run, state.parts, next);
  if (initial && readsBackAny && !zdot(run, id, a, p, b, q, resultLabels, contracted, state)) {
    // The entries themselves stand in the other operand: the products need not have zero mean.
    const auto [walking, adding] = walkingAndAdding(run, a, p, b, q, resultLabels);
    SumAlong sum = sumAlong(run, id, Family::contraction, p.size, q.size, walking, adding, 0, pStep, qStep);
    next.size = sum.size, next.step = sum.step;
    add(run, state.parts, next);
  }
}

// Remembers what the node `id` makes of the matrix that is its operand, by the axes of it that are contracted (W + W^T
// is two matrices of one parameter); what it made of it in an earlier round is forgotten.
//
// Products that agree in what is remembered add the same part to a product with the transpose, and one of them stands
// for all: a matrix used k times costs k, not its square.  Of more than `mostUses` that differ the last ones are joined
// into one, as parts of a value are; what is joined claims less.
void remember(Run& run, uint32_t parameter, NodeId id, uint32_t operand, MatrixUse use) {
  constexpr size_t mostUses = 16;
  MatrixUses& uses = run.matrixUses[parameter];
  std::sort(use.contractedAxes.begin(), use.contractedAxes.end());
  use.contractedAxes.erase(std::unique(use.contractedAxes.begin(), use.contractedAxes.end()), use.contractedAxes.end());
  Rational largest = use.operand.empty() ? Rational(0) : use.operand[0].size;
  for (const Part& y : use.operand) largest = std::max(largest, y.size);
  for (Part& y : use.operand) y.size -= largest;

  auto sameKind = [&](const MatrixUse& old) {
    return old.contractedAxes == use.contractedAxes && old.contractedGrowth == use.contractedGrowth;
  };
  auto sameOperand = [&](const MatrixUse& old) {
    return std::equal(old.operand.begin(), old.operand.end(), use.operand.begin(), use.operand.end(),
                      [](const Part& a, const Part& b) { return alike(a, b) && a.size == b.size; });
  };
  uint64_t key = uint64_t(id) * 2 + operand;
  for (int axis : use.contractedAxes) key |= uint64_t(1) << (32 + axis % AxisMap::most);
  const auto known = uses.by.find(key);
  const uint32_t former = known == uses.by.end() ? none : known->second;
  uint32_t at = 0;
  while (at < uses.distinct.size() && !(sameKind(uses.distinct[at]) && sameOperand(uses.distinct[at]))) ++at;
  if (at == former) return;
  if (former != none && --uses.count[former] == 0 && at == uses.distinct.size()) {
    uses.distinct[at = former] = std::move(use);
  } else if (at == uses.distinct.size()) {
    auto free = std::find(uses.count.begin(), uses.count.end(), 0u);
    auto last = std::find_if(uses.distinct.rbegin(), uses.distinct.rend(), sameKind);
    if (free != uses.count.end()) {
      uses.distinct[at = uint32_t(free - uses.count.begin())] = std::move(use);
    } else if (at >= mostUses && last != uses.distinct.rend()) {
      for (const Part& y : use.operand) add(run, last->operand, y);
      at = uint32_t(uses.distinct.rend() - last) - 1;
    } else {
      uses.distinct.push_back(std::move(use));
      uses.count.push_back(0);
    }
  }
  ++uses.count[at];
  uses.by[key] = at;
}

// Remembers a product of initial matrices with another operand, for later ones with the transpose.
void rememberProduct(Run& run, NodeId id, uint32_t operand, const Labelled& matrix, const Labelled& other,
                     const std::vector<uint8_t>& resultLabels) {
  for (const Part& part : run.initial[matrix.node].parts) {
    if (part.matrix == none) continue;
    MatrixUse use;
    bool hasGrowingFree = false;
    int contractedAxis = -1;  // of the other operand
    for (size_t axis = 0; axis < matrix.labels->size(); ++axis) {
      const int growth = run.growth(matrix.node, int(axis));
      if (!run.isLong(matrix.node, int(axis))) continue;
      const uint8_t label = (*matrix.labels)[axis];
      const bool isContracted = axisOf(resultLabels, label) < 0;
      hasGrowingFree |= !isContracted;
      if (!isContracted) continue;
      use.contractedGrowth += growth;
      contractedAxis = axisOf(*other.labels, label);
      run.certificates.sets().forEach(
          run.certificates[along(run, matrix.node, part, int(axis))].reads,
          [&](Source source) { use.contractedAxes.push_back(run.sourceRoots[source / phases].axis); });
    }
    if (!hasGrowingFree) continue;  // its transpose contracts nothing that grows
    for (const Part& y : run.initial[other.node].parts) {
      Part kept;
      kept.size = y.size;
      if (contractedAxis >= 0) kept.certificates[0] = along(run, other.node, y, contractedAxis);
      kept.certificates[tripSlot] = y.certificates[tripSlot];
      add(run, use.operand, kept);
    }
    remember(run, part.matrix, id, operand, std::move(use));
  }
}

}  // namespace

// E[token] is the product of a one-hot row with E: E times what reads it has a part along that row.
void rememberGather(Run& run, NodeId id, NodeId table, int axis) {
  for (const Part& part : run.initial[table].parts)
    if (part.matrix != none)
      remember(run, part.matrix, id, 0, {.contractedAxes = {axis}, .contractedGrowth = 0, .operand = {Part{}}});
}

void contractOf(Run& run, NodeId id) {
  const Graph& graph = run.graph;
  const Contraction& labels = graph.contractions[graph.nodes[id].attribute];
  NodeId left = graph.operands(id)[0], right = graph.operands(id)[1];
  InitialState& state = run.initial[id];
  Labelled a{left, &labels.a}, b{right, &labels.b};
  const InitialState &leftState = run.initial[left], &rightState = run.initial[right];
  std::vector<int> summed;
  for (size_t axis = 0; run.overDepth && axis < labels.a.size(); ++axis)
    if (axisOf(labels.result, labels.a[axis]) < 0) summed.push_back(int(axis));
  const bool walkersFade = run.overDepth && addsUpInWidth(run, id, summed);
  for (const Part& p : leftState.parts)
    for (const Part& q : rightState.parts) {
      if (walkersFade && p.matrix == none && q.matrix == none &&
          std::any_of(summed.begin(), summed.end(), [&](int axis) {
            const CertificateId product = run.certificates.product(
                along(run, left, p, axis), along(run, right, q, axisOf(labels.b, labels.a[size_t(axis)])));
            return run.growth(left, axis) == 0 && run.certificates.isOdd(product);
          })) {
        note(run, ruleNamed("sum.narrow"), Aspect::init, id, Size::zero(), {leftState.step, rightState.step});
        continue;
      }
      // Of two matrices the one whose contracted axes the other has not read is the initial one; either will do.
      if (p.matrix == none && q.matrix != none) contractParts(run, id, b, q, a, p, labels.result, state);
      else contractParts(run, id, a, p, b, q, labels.result, state);
    }
  rememberProduct(run, id, 0, a, b, labels.result);
  rememberProduct(run, id, 1, b, a, labels.result);

  ContractionGrowth growth = growthOf(run, id);
  state.spread = min(state.settle(), max(leftState.spread + rightState.size, leftState.size + rightState.spread) +
                                         Size::power(half * Rational(growth.contracted)));
  if (leftState.sign != Sign::unknown && rightState.sign != Sign::unknown)
    state.sign = leftState.sign == rightState.sign ? Sign::nonNegative : Sign::nonPositive;
  StepId deciding = leftState.step;
  for (const Part& part : state.parts)
    if (Size::power(part.size) == state.size) deciding = part.step;
  if (state.parts.size() > 1) state.step = note(run, rowFor(Family::sum, 0), Aspect::init, id, state.size, {deciding});
  else if (state.parts.size() == 1) state.step = deciding;
  else state.step = note(run, ids().zero, Aspect::init, id, Size::zero(), {leftState.step, rightState.step});
}

}  // namespace tpc::initial
