// Sources of randomness by name: a piece of a parameter along its axis, another layer's instance of it.
#include <algorithm>

#include "compiler/analysis/initial.h"

namespace tpc::initial {

bool isStackedIn(const Run& run, Source source, uint32_t repeat) {
  const Parameter& parameter = run.graph.parameters[run.sourceRoots[source / phases].parameter];
  const Repeat& r = run.graph.repeats[repeat];
  auto is = [&](uint32_t stack) { return stack != none && (stack == repeat || stack == r.forward); };
  return is(parameter.stack) || std::any_of(parameter.innerStacks.begin(), parameter.innerStacks.end(), is);
}

namespace {

// One key stands for one renaming of sources.
enum RenamingKey : uint32_t { intoPieces = 1, firstSlice = 16, firstCrossing = 0x80000000u };

}  // namespace

// What a random parameter's entries are along one of its axes: odd in all pieces of it, which flip together.
CertificateId freshAlong(Run& run, uint32_t parameter, int axis) {
  const uint32_t next = uint32_t(run.sourceRoots.size()), pieces = run.cuts.pieces(parameter);
  auto [entry, isNew] = run.sourceIds.try_emplace({parameter, axis}, next);
  if (isNew)
    for (uint32_t piece = 0; piece < pieces; ++piece) run.sourceRoots.push_back({parameter, axis, piece});
  const uint32_t first = entry->second;
  const CertificateId whole = run.certificates.fresh(first * phases);
  if (pieces == 1) return whole;
  auto name = [&](Source, std::vector<Source>& image) {
    for (uint32_t piece = 0; piece < pieces; ++piece) image.push_back((first + piece) * phases);
  };
  return run.certificates.renamed(whole, intoPieces, {name, true});
}

// A slice reads the pieces that it keeps, and nothing of those that are cut away.
CertificateId sliced(Run& run, CertificateId certificate, uint32_t kept) {
  auto name = [&](Source source, std::vector<Source>& image) {
    const uint32_t root = source / phases;
    const auto& [parameter, axis, piece] = run.sourceRoots[root];
    image = {(root + run.cuts.standIn(run.cuts.kept()[kept], parameter, piece) - piece) * phases + source % phases};
  };
  return run.certificates.renamed(certificate, firstSlice + kept, {name});
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
  return run.certificates.renamed(certificate, firstCrossing + repeat * 4 + crossing, {name, crossing != nextLayer});
}

}  // namespace tpc::initial
