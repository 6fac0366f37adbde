// What is known of a value along a repeat whose trip count grows: which of its parts have zero mean given all other
// layers, and which are gone because the widths went to infinity before.
#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

bool isOwn(const Run& run, Source source, uint32_t repeat) {
  return Phase(source % phases) == Phase::own && isStackedIn(run, source, repeat);
}

// 1 / the product of these lengths, as `mean` writes it.
bool isOneOver(const Run& run, const Number& number, NodeId value, const std::vector<int>& axes) {
  Length count = Length::number(1);
  for (int axis : axes) count = count * run.graph.length(value, axis);
  if (count.terms().size() != 1 || number.kind != Number::Kind::plain) return false;
  const Monomial& one = count.terms()[0];
  if (std::abs(number.coefficient * one.coefficient.toDouble() - 1) > 1e-9) return false;
  if (number.powers.size() != one.powers.size()) return false;
  for (size_t i = 0; i < one.powers.size(); ++i)
    if (number.powers[i].first != one.powers[i].first || number.powers[i].second != Rational(-one.powers[i].second))
      return false;
  return true;
}

}  // namespace

bool readsOwn(Run& run, CertificateId certificate, uint32_t repeat) {
  bool own = false;
  run.certificates.sets().forEach(run.certificates[certificate].reads,
                                  [&](Source source) { own |= isOwn(run, source, repeat); });
  return own;
}

CertificateId ownOnly(Run& run, CertificateId certificate, uint32_t repeat) {
  const uint64_t key = uint64_t(certificate) << 32 | repeat;
  if (const uint32_t* known = run.ownOnly.find(key)) return *known;
  std::vector<Source> others;
  run.certificates.sets().forEach(run.certificates[certificate].reads, [&](Source source) {
    if (!isOwn(run, source, repeat)) others.push_back(source);
  });
  const CertificateId result = run.certificates.fixing(certificate, others);
  run.ownOnly.insert(key, result);
  return result;
}

bool walksAlong(Run& run, const Part& part, uint32_t repeat) {
  return part.centered || run.certificates.isOdd(ownOnly(run, part.certificates[tripSlot], repeat));
}

// x - mean(x) over axes along which x is a function of the layer's own new Gaussians: given all other layers its
// coordinates are alike and independent, and have the mean that is taken away.
bool isCenteredBy(Run& run, NodeId value, NodeId subtracted, const Part& part, uint32_t repeat) {
  const Graph& graph = run.graph;
  const NodeId scaled = behindPlumbing(run, subtracted);
  if (graph.nodes[scaled].kind != OpKind::mul) return false;
  NodeId sum = graph.operands(scaled)[0], number = graph.operands(scaled)[1];
  if (graph.nodes[behindPlumbing(run, sum)].kind == OpKind::number) std::swap(sum, number);
  sum = behindPlumbing(run, sum), number = behindPlumbing(run, number);
  if (graph.nodes[number].kind != OpKind::number || graph.nodes[sum].kind != OpKind::reduce) return false;
  if (ReduceFn(graph.nodes[sum].fn) != ReduceFn::sum) return false;
  const NodeId of = graph.operands(sum)[0];
  if (behindPlumbing(run, of) != behindPlumbing(run, value)) return false;
  const std::vector<int>& axes = graph.axes[graph.nodes[sum].attribute].axes;
  if (!isOneOver(run, graph.numbers[graph.nodes[number].attribute], of, axes)) return false;
  for (int axis : axes)
    if (!run.isLong(of, axis) || along(run, value, part, axis) == constantAlong) return false;
  bool ownAlone = part.certificates[tripSlot] != constantAlong;
  run.certificates.sets().forEach(run.certificates[part.certificates[tripSlot]].reads,
                                  [&](Source source) { ownAlone &= isOwn(run, source, repeat); });
  return ownAlone;
}

Rational shareOf(const Run& run, NodeId value, Source source) {
  const Graph& graph = run.graph;
  const uint32_t region = graph.nodes[value].region;
  if (!run.isOverTrips(region) || graph.repeats[region].forward == none || !isOwn(run, source, region)) return 0;
  const Repeat& repeat = graph.repeats[region];
  auto reads = [&](NodeId id) {
    const Parts& parts = run.initial[id].parts;
    return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
      return std::any_of(part.certificates.begin(), part.certificates.end(),
                         [&](CertificateId one) { return run.certificates.reads(one, source); });
    });
  };
  // Is there a way from what the matrix makes in this layer that does not pass through the carried value?
  const uint32_t parameter = run.sourceRoots[source / phases].parameter;
  const Repeat& before = graph.repeats[repeat.forward];
  auto isInside = [&](NodeId id) {
    return (id >= repeat.bodyBegin && id < repeat.bodyEnd) || (id >= before.bodyBegin && id < before.bodyEnd);
  };
  std::vector<NodeId> pending{value};
  std::unordered_set<NodeId> seen;
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (!isInside(id) || run.isLink[id] || !reads(id) || !seen.insert(id).second) continue;
    const auto operands = graph.operands(id);
    if (graph.nodes[id].kind == OpKind::layer) {
      const Node& saved = graph.nodes[operands[0]];
      if (saved.kind == OpKind::repeatResult && graph.nodes[graph.operands(operands[0])[0]].attribute == repeat.forward)
        pending.push_back(before.yields[saved.attribute]);
      continue;
    }
    if (graph.nodes[id].kind == OpKind::contract)
      for (NodeId operand : operands)
        for (const Part& part : run.initial[operand].parts)
          if (part.matrix == parameter) return 0;
    pending.insert(pending.end(), operands.begin(), operands.end());
  }
  std::optional<Rational> share;
  const Recurrence& forward = run.recurrences[repeat.forward];
  for (uint32_t i = 0; i < forward.streams.size(); ++i) {
    const Size& whole = run.initial[graph.repeats[repeat.forward].arguments[i]].size;
    for (const Recurrence::Term& term : forward.streams[i].terms)
      for (const auto& part : term.parts)
        if (whole.isPower()) share = std::max(share.value_or(part.size - whole.exponent), part.size - whole.exponent);
  }
  return share ? std::min(*share, Rational(0)) : Rational(0);
}

bool addsUpInWidth(const Run& run, NodeId sum, const std::vector<int>& axesOfFirst) {
  const auto operands = run.graph.operands(sum);
  for (const SymbolAnalysis* width : run.widths) {
    Rational growth = 0;
    for (int axis : axesOfFirst) growth += run.graph.length(operands[0], axis).growth(width->symbol);
    Size whole = Size::power(growth);
    for (NodeId operand : operands) whole = whole + width->values[operand].init;
    if (!growth.isZero() && whole.isPower() && width->values[sum].init == whole) return true;
  }
  return false;
}

bool fadesBeside(const Run& run, NodeId term, NodeId sum) {
  bool smaller = false;
  for (const SymbolAnalysis* width : run.widths) {
    const Size &one = width->values[term].init, &all = width->values[sum].init;
    if (!one.isPower() || !all.isPower()) continue;
    if (less(all, one)) return false;
    smaller |= less(one, all);
  }
  return smaller;
}

}  // namespace tpc::initial
