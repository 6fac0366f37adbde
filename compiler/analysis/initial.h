// What the families of operations share in the pass over initial sizes (initial.cpp): how a part of a value is named,
// moved, joined and summed.
#pragma once

#include <array>
#include <cassert>
#include <span>
#include <vector>

#include "compiler/analysis/run.h"

namespace tpc::initial {

struct Ids {
  RuleId notAnalysed = ruleNamed("not-analysed"), explodes = ruleNamed("map.explodes"), zero = ruleNamed("zero");
  RuleId join = ruleNamed("repeat.join"), compounds = ruleNamed("repeat.compounds");
};
inline const Ids& ids() {
  static const Ids ids;
  return ids;
}

// ---- sources (initial_sources.cpp) ----

CertificateId freshAlong(Run& run, uint32_t parameter, int axis);
CertificateId sliced(Run& run, CertificateId certificate, uint32_t kept);

enum Crossing : uint32_t { nextLayer, intoReversed, nextReversed };

CertificateId crossed(Run& run, CertificateId certificate, uint32_t repeat, Crossing crossing);
bool isStackedIn(const Run& run, Source source, uint32_t repeat);  // each trip has an instance of its own

// ---- along a repeat whose trip count grows (depth_facts.cpp) ----

bool readsOwn(Run& run, CertificateId certificate, uint32_t repeat);  // this layer's own instance of some parameter
// The certificate where the flips of this layer's own parameters alone count: odd in it is zero mean given all other
// layers.
CertificateId ownOnly(Run& run, CertificateId certificate, uint32_t repeat);
bool walksAlong(Run& run, const Part& part, uint32_t repeat);
// Does `subtracted` take the mean over long axes of `value` away, so that what is left of the part has zero mean given
// all other layers?
bool isCenteredBy(Run& run, NodeId value, NodeId subtracted, const Part& part, uint32_t repeat);
// How much of `value` depends on what this layer's own matrix made: all of it, unless only later layers have seen it,
// through the carried value, of which it is a share.
Rational shareOf(const Run& run, NodeId value, Source source);
// Does this sum over widths add up as one of them goes to infinity?  Then what walks over it is gone.
bool addsUpInWidth(const Run& run, NodeId sum, const std::vector<int>& axesOfFirst);
bool fadesBeside(const Run& run, NodeId term, NodeId sum);  // as a width goes to infinity

// ---- parts (initial_parts.cpp) ----

CertificateId along(const Run& run, NodeId node, const Part& part, int axis);
bool alike(const Part& a, const Part& b);
void join(Run& run, Part& into, const Part& part);
bool oddAnywhere(Run& run, const Part& part);
void add(Run& run, Parts& parts, const Part& part);
StepId stepOf(Run& run, RuleId rule, NodeId subject, Rational size, StepId a, StepId b = noStep);

// Axes of the operand seen as axes of the result: `from[resultAxis]` is an operand axis or -1.
struct AxisMap {
  static constexpr int most = 32;  // as many axes as bits in freshAxes; import stops there
  int rank = 0;
  std::array<int8_t, most> axis{};

  AxisMap() = default;
  explicit AxisMap(const std::vector<int>& axes) {
    for (int from : axes) push(from);
  }
  int operator[](int i) const { return axis[size_t(i)]; }
  void push(int from) {
    assert(rank < most && "a shape has at most 32 axes");
    axis[size_t(rank++)] = int8_t(from);
  }
};

AxisMap identity(int rank);
Part moved(const Run& run, NodeId result, NodeId operand, const Part& part, const AxisMap& from);
void setSpecial(Run& run, NodeId id, Size::Kind kind, RuleId rule);

// ---- families: each fills run.initial[id] from its operands' states ----

void leaf(Run& run, NodeId id);  // initial_plumbing.cpp
void plumbing(Run& run, NodeId id, NodeId operand, const AxisMap& from);
AxisMap axesOfReshape(const Run& run, NodeId id, NodeId operand);
void slice(Run& run, NodeId id, NodeId operand);
void gatherOf(Run& run, NodeId id);
NodeId behindPlumbing(const Run& run, NodeId id);

// One axis after another: walking axes first, then those that add up.
struct SumAlong {
  Rational size;
  StepId step;
};
SumAlong sumAlong(Run& run, NodeId id, Family family, Rational a, Rational b, int walking, int adding, uint32_t extra,
                  StepId p, StepId q);  // initial_sums.cpp
void sumOf(Run& run, NodeId id);
void differenceOf(Run& run, NodeId id);
void reduceOf(Run& run, NodeId id);
void scatterOf(Run& run, NodeId id);

void productOf(Run& run, NodeId id);  // initial_maps.cpp
void mapParts(Run& run, NodeId id, std::span<const Part> parts, const Size& size, Parity parity, bool keepsZeros,
              StepId premise, RuleId rule);
void mapOf(Run& run, NodeId id);
void manyArguments(Run& run, NodeId id);

void contractOf(Run& run, NodeId id);  // initial_contractions.cpp
void rememberGather(Run& run, NodeId id, NodeId table, int axis);

InitialState crossing(Run& run, const InitialState& state, uint32_t repeat, Crossing kind);  // initial_layers.cpp
bool absorb(Run& run, InitialState& into, const InitialState& state);                        // whether anything is new
void deriveBody(Run& run, uint32_t repeat, const std::vector<InitialState>& carried);        // one pass
void repeatBody(Run& run, uint32_t repeat);
void recurrenceBody(Run& run, uint32_t repeat);  // depth_initial.cpp: of a trip count that grows
void repeatResultOf(Run& run, NodeId id);
void layerOf(Run& run, NodeId id);

void derive(Run& run, NodeId id);  // initial.cpp: any of them

}  // namespace tpc::initial
