// Additive parts of a value: which are alike, how they are joined where they become too many, and how they move.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

int slotOf(const Run& run, NodeId node, int axis) {
  const auto& axes = run.growingAxes(node);
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
    if (axes[slot].axis == axis) return int(slot);
  return -1;
}

}  // namespace

bool oddAnywhere(Run& run, const Part& part) {
  return std::any_of(part.certificates.begin(), part.certificates.end(),
                     [&](CertificateId id) { return run.certificates.isOdd(id); });
}

CertificateId along(const Run& run, NodeId node, const Part& part, int axis) {
  int slot = slotOf(run, node, axis);
  return slot < 0 ? constantAlong : part.certificates[slot];
}

bool alike(const Part& a, const Part& b) {
  return a.certificates == b.certificates && a.matrix == b.matrix && a.sparse == b.sparse && a.centered == b.centered;
}

void join(Run& run, Part& into, const Part& part) {
  for (size_t slot = 0; slot < into.certificates.size(); ++slot)
    into.certificates[slot] = run.certificates.sum(into.certificates[slot], part.certificates[slot]);
  if (into.size < part.size) into.step = part.step;
  into.size = std::max(into.size, part.size);
  into.freshAxes &= part.freshAxes;
  into.sparse = into.sparse && part.sparse;
  into.centered = into.centered && part.centered;
  if (into.matrix != part.matrix) into.matrix = none;
}

void add(Run& run, Parts& parts, const Part& part) {
  for (Part& old : parts)
    if (alike(old, part)) {
      if (old.size < part.size) old.size = part.size, old.step = part.step;
      old.freshAxes &= part.freshAxes;
      return;
    }
  parts.push_back(part);
  if (parts.size() <= mostParts) return;
  // Join first what is of equal size and centered alike: nothing that a later sum asks for is lost by it.
  for (size_t j = parts.size(); j-- > 1;)
    for (size_t i = j; i-- > 0;)
      if (parts[i].size == parts[j].size && oddAnywhere(run, parts[i]) == oddAnywhere(run, parts[j])) {
        join(run, parts[i], parts[j]);
        parts.erase(parts.begin() + long(j));
        return;
      }
  auto smaller = [](const Part& a, const Part& b) { return a.size < b.size; };
  std::sort(parts.begin(), parts.end(), smaller);
  join(run, parts[1], parts[0]);
  parts.erase(parts.begin());
}

StepId stepOf(Run& run, RuleId rule, NodeId subject, Rational size, StepId a, StepId b) {
  return note(run, rule, Aspect::init, subject, Size::power(size), {a, b});
}

AxisMap identity(int rank) {
  AxisMap from;
  for (int axis = 0; axis < rank; ++axis) from.push(axis);
  return from;
}

Part moved(const Run& run, NodeId result, NodeId operand, const Part& part, const AxisMap& from) {
  Part next = part;
  next.certificates = {};
  next.certificates[tripSlot] = part.certificates[tripSlot];
  next.freshAxes = 0;
  const auto& axes = run.growingAxes(result);
  for (size_t slot = 0; slot < axes.size() && slot < mostGrowingAxes; ++slot)
    if (int axis = from[axes[slot].axis]; axis >= 0) next.certificates[slot] = along(run, operand, part, axis);
  for (int axis = 0; axis < from.rank; ++axis)
    if (from[axis] >= 0 && (part.freshAxes >> from[axis] & 1)) next.freshAxes |= 1u << axis;
  return next;
}

void setSpecial(Run& run, NodeId id, Size::Kind kind, RuleId rule) {
  InitialState& state = run.initial[id];
  state.parts.clear();
  state.special = kind;
  StepId premise = noStep;
  for (NodeId operand : run.graph.operands(id))
    if (run.initial[operand].special != Size::Kind::power) premise = run.initial[operand].step;
  state.step = note(run, rule, Aspect::init, id, {kind, {}}, {premise});
  state.spread = {kind, {}};
}

}  // namespace tpc::initial
