// Tries over sources; see source_set.h for why.
#include "compiler/analysis/source_set.h"

#include <algorithm>
#include <cassert>

namespace tpc {
namespace {

constexpr size_t mostRemembered = 1 << 13, mostRecent = 1 << 12;

// The bits of a word's number above `bit`, by which a branch is found.
uint32_t above(uint32_t word, uint32_t bit) { return word & ~(2 * bit - 1); }

}  // namespace

SourceSets::SourceSets()
    : nodes_(1), ids_(256, noSources), recent_(mostRecent, noSources), remembered_(mostRemembered) {}

SourceSet SourceSets::intern(const Node& node) {
  const uint64_t hash = mixed(node.content ^ mixed(uint64_t(node.prefix) << 32 | node.bit));
  auto equals = [&](SourceSet id) {
    const Node& old = nodes_[id];
    return old.content == node.content && old.prefix == node.prefix && old.bit == node.bit;
  };
  SourceSet& recent = recent_[hash >> 40 & (mostRecent - 1)];
  if (recent != noSources && equals(recent)) return recent;
  if (2 * nodes_.size() > ids_.size()) {
    std::vector<SourceSet> old(2 * ids_.size(), noSources);
    old.swap(ids_);
    for (SourceSet id : old) {
      if (id == noSources) continue;
      const Node& kept = nodes_[id];
      size_t at = mixed(kept.content ^ mixed(uint64_t(kept.prefix) << 32 | kept.bit)) & (ids_.size() - 1);
      while (ids_[at] != noSources) at = (at + 1) & (ids_.size() - 1);
      ids_[at] = id;
    }
  }
  size_t at = hash & (ids_.size() - 1);
  for (; ids_[at] != noSources; at = (at + 1) & (ids_.size() - 1))
    if (equals(ids_[at])) return recent = ids_[at];
  ids_[at] = SourceSet(nodes_.size());
  nodes_.push_back(node);
  return recent = ids_[at];
}

SourceSet SourceSets::leaf(uint32_t word, uint64_t members) {
  if (members == 0) return noSources;
  return intern({.content = members, .prefix = word, .count = uint32_t(std::popcount(members))});
}

SourceSet SourceSets::branch(uint32_t prefix, uint32_t bit, SourceSet left, SourceSet right) {
  if (left == noSources) return right;
  if (right == noSources) return left;
  return intern({.content = uint64_t(left) << 32 | right,
                 .prefix = prefix,
                 .bit = bit,
                 .count = nodes_[left].count + nodes_[right].count});
}

SourceSet SourceSets::joined(SourceSet a, SourceSet b) {
  const uint32_t p = nodes_[a].prefix, q = nodes_[b].prefix;
  const uint32_t bit = std::bit_floor(p ^ q);
  return p & bit ? branch(above(p, bit), bit, b, a) : branch(above(p, bit), bit, a, b);
}

SourceSet SourceSets::single(Source source) { return leaf(source / 64, uint64_t(1) << source % 64); }

bool SourceSets::contains(SourceSet set, Source source) const {
  const uint32_t word = source / 64;
  for (;;) {
    const Node& node = nodes_[set];
    if (node.bit == 0) return node.prefix == word && (node.content >> source % 64 & 1);
    if (above(word, node.bit) != node.prefix) return false;
    set = SourceSet(word & node.bit ? node.content : node.content >> 32);
  }
}

Source SourceSets::first(SourceSet set) const {
  assert(set != noSources && "an empty set has no first source");
  while (nodes_[set].bit != 0) set = SourceSet(nodes_[set].content >> 32);
  return nodes_[set].prefix * 64 + Source(std::countr_zero(nodes_[set].content));
}

Source SourceSets::last(SourceSet set) const {
  assert(set != noSources && "an empty set has no last source");
  while (nodes_[set].bit != 0) set = SourceSet(nodes_[set].content);
  return nodes_[set].prefix * 64 + 63 - Source(std::countl_zero(nodes_[set].content));
}

bool SourceSets::precedes(SourceSet a, SourceSet b) {
  const SourceSet difference = differ(a, b);
  if (difference == noSources) return false;
  const Source source = first(difference);
  const bool isInA = contains(a, source);
  const SourceSet other = isInA ? b : a;
  const bool ends = other == noSources || last(other) < source;
  return isInA != ends;
}

SourceSet SourceSets::combine(Operation operation, SourceSet a, SourceSet b) {
  if (a == b) return operation == Operation::unite || operation == Operation::intersect ? a : noSources;
  if (a == noSources) return operation == Operation::unite || operation == Operation::differ ? b : noSources;
  if (b == noSources) return operation == Operation::intersect ? noSources : a;
  if (operation != Operation::without && a > b) std::swap(a, b);
  if (nodes_[a].bit == 0 && nodes_[b].bit == 0) return descend(operation, a, b);
  const size_t at = mixed(uint64_t(a) << 32 ^ uint64_t(b) << 2 ^ uint64_t(operation)) & (mostRemembered - 1);
  if (const Remembered& old = remembered_[at]; old.a == a && old.b == b && old.operation == operation)
    return old.result;
  const SourceSet result = descend(operation, a, b);
  remembered_[at] = {a, b, operation, result};
  return result;
}

SourceSet SourceSets::descend(Operation operation, SourceSet a, SourceSet b) {
  const Node p = nodes_[a], q = nodes_[b];
  auto left = [](const Node& node) { return SourceSet(node.content >> 32); };
  auto right = [](const Node& node) { return SourceSet(node.content); };
  if (p.bit == q.bit && p.prefix == q.prefix) {
    if (p.bit != 0) {
      const SourceSet l = combine(operation, left(p), left(q));
      return branch(p.prefix, p.bit, l, combine(operation, right(p), right(q)));
    }
    switch (operation) {
      case Operation::unite: return leaf(p.prefix, p.content | q.content);
      case Operation::intersect: return leaf(p.prefix, p.content & q.content);
      case Operation::without: return leaf(p.prefix, p.content & ~q.content);
      case Operation::differ: return leaf(p.prefix, p.content ^ q.content);
    }
  }
  if (p.bit > q.bit && above(q.prefix, p.bit) == p.prefix) {  // b lies below a
    const bool isRight = q.prefix & p.bit;
    const SourceSet below = combine(operation, isRight ? right(p) : left(p), b);
    if (operation == Operation::intersect) return below;
    return isRight ? branch(p.prefix, p.bit, left(p), below) : branch(p.prefix, p.bit, below, right(p));
  }
  if (q.bit > p.bit && above(p.prefix, q.bit) == q.prefix) {  // a lies below b
    const bool isRight = p.prefix & q.bit;
    const SourceSet below = combine(operation, a, isRight ? right(q) : left(q));
    if (operation == Operation::intersect || operation == Operation::without) return below;
    return isRight ? branch(q.prefix, q.bit, left(q), below) : branch(q.prefix, q.bit, below, right(q));
  }
  switch (operation) {
    case Operation::intersect: return noSources;
    case Operation::without: return a;
    default: return joined(a, b);
  }
}

SourceSet SourceSets::renamed(SourceSet set, uint64_t key, Operation operation, const Renaming& renaming) {
  if (set == noSources) return noSources;
  FlatMap& known = renamed_[operation == Operation::differ];
  if (const uint32_t* found = known.find(uint64_t(set) << 32 | key)) return *found;
  const Node node = nodes_[set];
  SourceSet result = noSources;
  if (node.bit != 0) {
    const SourceSet left = renamed(SourceSet(node.content >> 32), key, operation, renaming);
    result = combine(operation, left, renamed(SourceSet(node.content), key, operation, renaming));
  } else {
    forEach(set, [&](Source source) {
      const SourceSet image = renaming(source);
      // A sum follows one of the several that a source becomes: they flip together.
      const bool isSum = operation == Operation::differ && image != noSources;
      result = combine(operation, result, isSum ? single(first(image)) : image);
    });
  }
  known.insert(uint64_t(set) << 32 | key, result);
  return result;
}

SourceSet SourceSets::image(SourceSet set, uint32_t renamingKey, const Renaming& renaming) {
  return renamed(set, renamingKey, Operation::unite, renaming);
}

SourceSet SourceSets::imageSum(SourceSet set, uint32_t renamingKey, const Renaming& renaming) {
  return renamed(set, renamingKey, Operation::differ, renaming);
}

}  // namespace tpc
