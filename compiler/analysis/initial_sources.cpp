// Sources of randomness by name: a parameter's axis, a slice of what it made, another layer's instance of it.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {
namespace {

bool isStackedIn(const Run& run, Source source, uint32_t repeat) {
  const Parameter& parameter = run.graph.parameters[run.sourceRoots[source / phases].parameter];
  const Repeat& r = run.graph.repeats[repeat];
  auto is = [&](uint32_t stack) { return stack != none && (stack == repeat || stack == r.forward); };
  return is(parameter.stack) || std::any_of(parameter.innerStacks.begin(), parameter.innerStacks.end(), is);
}

}  // namespace

Source sourceOf(Run& run, uint32_t matrix, int axis) {
  const uint32_t next = uint32_t(run.sourceRoots.size());
  auto [entry, isNew] = run.sourceIds.try_emplace({matrix, uint32_t(axis)}, next);
  if (isNew) run.sourceRoots.push_back({matrix, axis, next});
  return entry->second * phases;
}

// A slice of what a matrix made: independent of disjoint slices, so its sources have names of their own.
CertificateId sliced(Run& run, CertificateId certificate, uint32_t key) {
  auto name = [&](Source source, std::vector<Source>& image) {
    const uint32_t whole = source / phases, next = uint32_t(run.sourceRoots.size());
    auto [entry, isNew] = run.sliceIds.try_emplace({whole, key}, next);
    if (isNew) {
      run.sourceRoots.push_back(run.sourceRoots[whole]);
      run.sourceRoots[whole].sibling = next;
    }
    image = {entry->second * phases + source % phases};
  };
  return run.certificates.renamed(certificate, 16 + key, {name});
}

// What one layer's sources are called from the next layer, from outside, or from a reversed repeat.
CertificateId crossed(Run& run, CertificateId certificate, uint32_t repeat, Crossing crossing) {
  auto name = [&](Source source, std::vector<Source>& image) {
    if (!isStackedIn(run, source, repeat)) {
      image = {source};
      return;
    }
    const Source own = source - source % phases;
    const Phase phase = Phase(source % phases);
    const Source earlier = own + uint32_t(Phase::earlier), later = own + uint32_t(Phase::later);
    switch (crossing) {
      case nextLayer: image = {earlier}; break;
      case intoReversed: image = {own, earlier, later}; break;
      case nextReversed:
        if (phase == Phase::earlier) image = {own, earlier};
        else image = {later};
        break;
    }
  };
  return run.certificates.renamed(certificate, 0x80000000u + repeat * 4 + crossing, {name, crossing != nextLayer});
}

}  // namespace tpc::initial
