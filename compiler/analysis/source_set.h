// Sets of sources that share what they have in common.
//
// The stream of a residual network reads one source more after every layer,
//
//     h1 {W1}    h2 {W1 W2}    h3 {W1 W2 W3}    ...
//
// and lists would cost the square of the depth.  A set is therefore a trie over the numbers of its sources, its nodes
// kept once each for all sets: h3 is h2's trie with one path replaced, and two sets are equal exactly if their nodes
// are.  An operation on two sets descends only where they differ.
//
//     leaf     64 neighbouring sources as one word
//     branch   the first bit in which the words' numbers below it differ: zero to the left, one to the right
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "compiler/analysis/flat_map.h"

namespace tpc {

using Source = uint32_t;
using SourceSet = uint32_t;  // a node of the table it was made by
inline constexpr SourceSet noSources = 0;

class SourceSets {
 public:
  SourceSets();

  size_t nodes() const { return nodes_.size(); }
  SourceSet single(Source source);
  SourceSet unite(SourceSet a, SourceSet b) { return combine(Operation::unite, a, b); }
  SourceSet intersect(SourceSet a, SourceSet b) { return combine(Operation::intersect, a, b); }
  SourceSet without(SourceSet a, SourceSet b) { return combine(Operation::without, a, b); }
  SourceSet differ(SourceSet a, SourceSet b) { return combine(Operation::differ, a, b); }  // in one of the two

  bool contains(SourceSet set, Source source) const;
  uint32_t size(SourceSet set) const { return nodes_[set].count; }
  Source first(SourceSet set) const;  // of a set that has one
  Source last(SourceSet set) const;
  bool precedes(SourceSet a, SourceSet b);  // in the order of their sources, as in a dictionary

  template <typename Visit>
  void forEach(SourceSet set, Visit visit) const {  // in ascending order
    if (set == noSources) return;
    const Node node = nodes_[set];
    if (node.bit != 0) {
      forEach(SourceSet(node.content >> 32), visit);
      forEach(SourceSet(node.content), visit);
      return;
    }
    for (uint64_t word = node.content; word != 0; word &= word - 1)
      visit(node.prefix * 64 + Source(std::countr_zero(word)));
  }

  // The union, and the sum modulo two, of what each source becomes.  One key stands for one renaming: what it made of a
  // node is remembered, so that the renaming of a grown set visits what it has grown by.
  using Renaming = std::function<SourceSet(Source)>;
  SourceSet image(SourceSet set, uint32_t renamingKey, const Renaming& renaming);
  SourceSet imageSum(SourceSet set, uint32_t renamingKey, const Renaming& renaming);

 private:
  enum class Operation : uint32_t { unite, intersect, without, differ };
  struct Node {
    uint64_t content = 0;  // of a leaf its sources, of a branch its two children
    uint32_t prefix = 0;   // the number of the leaf's word, or its bits above `bit`
    uint32_t bit = 0;      // of a branch; 0 for a leaf
    uint32_t count = 0;    // how many sources
  };
  struct Remembered {
    SourceSet a = noSources, b = noSources;
    Operation operation = Operation::unite;
    SourceSet result = noSources;
  };

  SourceSet combine(Operation operation, SourceSet a, SourceSet b);
  SourceSet descend(Operation operation, SourceSet a, SourceSet b);
  SourceSet leaf(uint32_t word, uint64_t members);
  SourceSet branch(uint32_t prefix, uint32_t bit, SourceSet left, SourceSet right);
  SourceSet joined(SourceSet a, SourceSet b);  // of different prefixes
  SourceSet intern(const Node& node);
  SourceSet renamed(SourceSet set, uint64_t key, Operation operation, const Renaming& renaming);

  std::vector<Node> nodes_;
  std::vector<SourceSet> ids_;          // an open hash table of nodes, 0 where empty
  std::vector<SourceSet> recent_;       // nodes used last, each where its hash points: found without reaching far
  std::vector<Remembered> remembered_;  // results of operations, likewise
  FlatMap renamed_[2];
};

}  // namespace tpc
