// Which sources of a value may change their sign together, for the value to have a definite sign of its own.
//
//     tanh(W1 a + W2 b)     W1 and W2 flip together
//     relu(W x)             W may not flip
//
// The allowed flips are a subspace of GF(2)^sources, given by what it forbids: `fixed` sources do not flip, the members
// of a block flip together, `others` are sums that must vanish.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "compiler/analysis/flat_map.h"
#include "compiler/analysis/source_set.h"

namespace tpc {

struct Flips {
  SourceSet fixed = noSources;
  std::vector<SourceSet> blocks;  // disjoint, each of two members at least, none fixed, sorted by their first
  std::vector<SourceSet> others;
  bool lost = false;  // given up (too many constraints): nothing is claimed
};

using FlipsId = uint32_t;
inline constexpr FlipsId allFlips = 0;

// Subspaces by number, equal ones once; the operations remember their results.
class FlipsTable {
 public:
  explicit FlipsTable(SourceSets& sets);

  FlipsId meet(FlipsId a, FlipsId b);          // allowed by both
  FlipsId keeping(FlipsId a, SourceSet sum);   // of a, those under which the sum of the sources does not flip
  SourceSet normal(SourceSet sum, FlipsId a);  // the same sum: no fixed member, and of a block only its first
  bool vanishes(SourceSet sum, FlipsId a);     // under every allowed flip; the sum in normal form
  bool isLost(FlipsId a) const { return kept_[a].lost; }

  // With every source under its other names.  A source that becomes several stands for pieces that flip together:
  // `splits` of what a value reads are looked at where there are such sources.
  FlipsId renamed(FlipsId a, uint32_t renamingKey, const SourceSets::Renaming& renaming, SourceSet splits);

 private:
  // How a subspace is kept: its blocks and others stand one after another in the pool.
  struct Kept {
    SourceSet fixed = noSources;
    uint32_t first = 0, blocks = 0;
    uint8_t others = 0;
    bool lost = false;
  };
  Flips open(FlipsId id) const;
  std::span<const SourceSet> othersOf(const Kept& kept) const {
    return {pool_.data() + kept.first + kept.blocks, kept.others};
  }
  FlipsId intern(const Flips& flips);
  bool isWithin(FlipsId a, FlipsId b);  // what a allows is plainly allowed by b: a test that may miss it
  SourceSet normalIn(SourceSet sum, SourceSet fixed, std::span<const SourceSet> blocks);
  SourceSet reduced(SourceSet sum, std::span<const SourceSet> others);
  void joinBlock(Flips& flips, SourceSet block);
  void flipTogether(Flips& flips, SourceSet sources);
  void constrain(Flips& flips, SourceSet sources);
  void fix(Flips& flips, SourceSet sources);

  SourceSets& sets_;
  std::vector<Kept> kept_;
  std::vector<SourceSet> pool_;
  std::vector<std::pair<uint32_t, FlipsId>> ids_;  // an open hash table: (hash, id), noId where empty
  // The last results, each where its hash points; what is asked again is mostly asked soon.
  struct Remembered {
    uint32_t a = 0, b = 0;
    FlipsId result = allFlips;
  };
  std::vector<Remembered> meets_, keepings_;
};

}  // namespace tpc
