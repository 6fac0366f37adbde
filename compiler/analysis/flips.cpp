// The algebra of allowed flips; see flips.h.
#include "compiler/analysis/flips.h"

#include <algorithm>

namespace tpc {
namespace {

constexpr size_t mostOthers = 6;  // beyond it parity is given up, and `lost` says so
constexpr FlipsId noId = ~FlipsId(0);
constexpr size_t mostRemembered = 1 << 12;

uint32_t hashOf(const Flips& flips) {
  uint64_t hash = mixed(uint64_t(flips.fixed) << 1 | flips.lost);
  for (SourceSet block : flips.blocks) hash = mixed(hash + block);
  for (SourceSet other : flips.others) hash = mixed(hash + (uint64_t(other) << 32));
  return uint32_t(hash);
}

uint64_t pairKey(uint32_t a, uint32_t b) { return uint64_t(a) << 32 | b; }

}  // namespace

SourceSet FlipsTable::normalIn(SourceSet sum, SourceSet fixed, std::span<const SourceSet> blocks) {
  sum = sets_.without(sum, fixed);
  SourceSet heads = noSources;
  for (SourceSet block : blocks) {
    if (sum == noSources) break;
    const SourceSet inside = sets_.intersect(sum, block);
    if (inside == noSources) continue;
    sum = sets_.without(sum, inside);
    if (sets_.size(inside) % 2 == 1) heads = sets_.unite(heads, sets_.single(sets_.first(block)));
  }
  return sets_.unite(sum, heads);
}

// A vector modulo the span of `others` (elimination by the first member).
SourceSet FlipsTable::reduced(SourceSet sum, std::span<const SourceSet> modulo) {
  if (modulo.empty()) return sum;
  std::vector<SourceSet> others(modulo.begin(), modulo.end());
  for (size_t i = 0; i < others.size(); ++i) {
    if (others[i] == noSources) continue;
    const Source pivot = sets_.first(others[i]);
    for (size_t j = i + 1; j < others.size(); ++j)
      if (sets_.contains(others[j], pivot)) others[j] = sets_.differ(others[j], others[i]);
    if (sets_.contains(sum, pivot)) sum = sets_.differ(sum, others[i]);
  }
  return sum;
}

// Demands that the members of `block` flip together; none of them is fixed.
void FlipsTable::joinBlock(Flips& flips, SourceSet block) {
  std::vector<SourceSet> kept;
  for (SourceSet old : flips.blocks) {
    if (sets_.intersect(old, block) != noSources) block = sets_.unite(block, old);
    else kept.push_back(old);
  }
  const Source head = sets_.first(block);
  auto behind = std::find_if(kept.begin(), kept.end(), [&](SourceSet other) { return head < sets_.first(other); });
  kept.insert(behind, block);
  flips.blocks = std::move(kept);
}

void FlipsTable::flipTogether(Flips& flips, SourceSet sources) {
  if (sets_.size(sources) < 2) return;
  if (sets_.intersect(sources, flips.fixed) == noSources) joinBlock(flips, sources);
  else fix(flips, sources);
}

// Demands that the sum of `sources` does not flip.
void FlipsTable::constrain(Flips& flips, SourceSet sources) {
  sources = reduced(normalIn(sources, flips.fixed, flips.blocks), flips.others);
  if (sources == noSources) return;
  if (sets_.size(sources) == 1) return fix(flips, sources);
  if (sets_.size(sources) == 2) joinBlock(flips, sources);
  else if (flips.others.size() < mostOthers) flips.others.push_back(sources);
  else flips.lost = true;
  if (flips.others.empty()) return;
  std::vector<SourceSet> others;
  others.swap(flips.others);
  std::sort(others.begin(), others.end(), [&](SourceSet a, SourceSet b) { return sets_.precedes(a, b); });
  for (SourceSet other : others) {
    other = normalIn(other, flips.fixed, flips.blocks);
    if (sets_.size(other) > 2) flips.others.push_back(other);
    else if (other != noSources) constrain(flips, other);
  }
}

void FlipsTable::fix(Flips& flips, SourceSet sources) {
  SourceSet all = sources;
  std::vector<SourceSet> kept;
  for (SourceSet block : flips.blocks) {
    if (sets_.intersect(sources, block) != noSources) all = sets_.unite(all, block);
    else kept.push_back(block);
  }
  flips.blocks = std::move(kept);
  flips.fixed = sets_.unite(flips.fixed, all);
  std::vector<SourceSet> others;
  others.swap(flips.others);
  for (SourceSet other : others) constrain(flips, other);
}

FlipsTable::FlipsTable(SourceSets& sets)
    : sets_(sets), ids_(256, {0, noId}), meets_(mostRemembered), keepings_(mostRemembered) {
  intern({});
}

Flips FlipsTable::open(FlipsId id) const {
  const Kept& kept = kept_[id];
  const auto begin = pool_.begin() + kept.first, middle = begin + kept.blocks;
  return {kept.fixed, {begin, middle}, {middle, middle + kept.others}, kept.lost};
}

FlipsId FlipsTable::intern(const Flips& flips) {
  if (2 * kept_.size() >= ids_.size()) {
    std::vector<std::pair<uint32_t, FlipsId>> old(2 * ids_.size(), {0, noId});
    old.swap(ids_);
    for (const auto& [hash, id] : old) {
      if (id == noId) continue;
      size_t at = hash & (ids_.size() - 1);
      while (ids_[at].second != noId) at = (at + 1) & (ids_.size() - 1);
      ids_[at] = {hash, id};
    }
  }
  auto equals = [&](const Kept& kept) {
    const auto begin = pool_.begin() + kept.first, middle = begin + kept.blocks;
    return kept.fixed == flips.fixed && kept.lost == flips.lost &&
           std::equal(begin, middle, flips.blocks.begin(), flips.blocks.end()) &&
           std::equal(middle, middle + kept.others, flips.others.begin(), flips.others.end());
  };
  const uint32_t hash = hashOf(flips);
  size_t at = hash & (ids_.size() - 1);
  for (; ids_[at].second != noId; at = (at + 1) & (ids_.size() - 1))
    if (ids_[at].first == hash && equals(kept_[ids_[at].second])) return ids_[at].second;
  ids_[at] = {hash, FlipsId(kept_.size())};
  kept_.push_back(
      {flips.fixed, uint32_t(pool_.size()), uint32_t(flips.blocks.size()), uint8_t(flips.others.size()), flips.lost});
  pool_.insert(pool_.end(), flips.blocks.begin(), flips.blocks.end());
  pool_.insert(pool_.end(), flips.others.begin(), flips.others.end());
  return ids_[at].second;
}

bool FlipsTable::isWithin(FlipsId a, FlipsId b) {
  const Kept p = kept_[a], q = kept_[b];
  if (q.others != 0 || (q.lost && !p.lost) || sets_.without(q.fixed, p.fixed) != noSources) return false;
  for (uint32_t i = q.first; i < q.first + q.blocks; ++i) {
    bool isInside = sets_.without(pool_[i], p.fixed) == noSources;
    for (uint32_t j = p.first; j < p.first + p.blocks && !isInside; ++j)
      isInside = sets_.without(pool_[i], pool_[j]) == noSources;
    if (!isInside) return false;
  }
  return true;
}

FlipsId FlipsTable::meet(FlipsId a, FlipsId b) {
  if (a > b) std::swap(a, b);
  if (a == allFlips || a == b) return b;
  Remembered& known = meets_[mixed(pairKey(a, b)) & (mostRemembered - 1)];
  if (known.a == a && known.b == b) return known.result;
  if (isWithin(a, b)) return known = {a, b, a}, a;
  if (isWithin(b, a)) return known = {a, b, b}, b;
  Flips result = open(a);
  const Flips by = open(b);
  if (by.fixed != noSources) fix(result, by.fixed);
  for (SourceSet block : by.blocks) flipTogether(result, block);
  if (!result.others.empty() || !by.others.empty()) {
    std::vector<SourceSet> others;
    others.swap(result.others);
    for (SourceSet other : others) constrain(result, other);
    for (SourceSet other : by.others) constrain(result, other);
  }
  result.lost = result.lost || by.lost;
  known = {a, b, intern(result)};
  return known.result;
}

FlipsId FlipsTable::keeping(FlipsId a, SourceSet sum) {
  if (sum == noSources) return a;
  Remembered& known = keepings_[mixed(pairKey(a, sum)) & (mostRemembered - 1)];
  if (known.a == a && known.b == sum) return known.result;
  if (vanishes(normal(sum, a), a)) return a;
  Flips result = open(a);
  constrain(result, sum);
  known = {a, sum, intern(result)};
  return known.result;
}

SourceSet FlipsTable::normal(SourceSet sum, FlipsId a) {
  if (sum == noSources || a == allFlips) return sum;
  const Kept kept = kept_[a];
  return normalIn(sum, kept.fixed, {pool_.data() + kept.first, kept.blocks});
}

bool FlipsTable::vanishes(SourceSet sum, FlipsId a) {
  return sum == noSources || reduced(sum, othersOf(kept_[a])) == noSources;
}

FlipsId FlipsTable::renamed(FlipsId a, uint32_t renamingKey, const SourceSets::Renaming& renaming, SourceSet splits) {
  const Flips old = open(a);
  Flips result;
  result.lost = old.lost;
  sets_.forEach(sets_.without(splits, old.fixed), [&](Source source) { flipTogether(result, renaming(source)); });
  if (old.fixed != noSources) fix(result, sets_.image(old.fixed, renamingKey, renaming));
  for (SourceSet block : old.blocks) flipTogether(result, sets_.image(block, renamingKey, renaming));
  for (SourceSet other : old.others) constrain(result, sets_.imageSum(other, renamingKey, renaming));
  return intern(result);
}

}  // namespace tpc
