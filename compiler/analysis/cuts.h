// Where parameters are cut by the slices that a program takes of what they make, so that disjoint slices are
// independent sources and overlapping ones share what they have in common.
//
//     qkv = x @ F                  F [n, 3 * n]
//     q = qkv[:, :n]               k = qkv[:, n : 2 * n]          v = qkv[:, 2 * n :]
//
// Every begin and end cuts: F has three pieces along the axis 3 * n.  q reads the first, the whole of F reads all
// three, which flip their signs together.  A parameter that is sliced along several lengths is cut into a grid, so that
// slices along different lengths always share a piece.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc {

class Cuts {
 public:
  static constexpr uint32_t mostPieces = 64;  // of one parameter; lengths beyond that do not cut it

  Cuts() = default;
  explicit Cuts(const Graph& graph);

  uint32_t pieces(uint32_t parameter) const { return cutAlong_.empty() ? 1 : cutAlong_[parameter].pieces; }

  // A slice by what it keeps: the pieces begin .. end - 1 along a length; equal slices have equal numbers.
  struct Kept {
    uint32_t length = 0;  // interned
    uint32_t begin = 0, end = 0;
  };
  // Of a node that is a slice: its number below `kept().size()`, or none where its length cuts nothing.
  uint32_t keptBy(NodeId slice) const { return keptBy_[slice]; }
  const std::vector<Kept>& kept() const { return kept_; }

  // The piece that stands for `piece` of the parameter in the slice: itself if it is kept, else the first that is and
  // agrees with it along all other lengths.  Pieces of one value that are cut alike flip together, so any of them may
  // stand for all.
  uint32_t standIn(const Kept& kept, uint32_t parameter, uint32_t piece) const;

 private:
  struct Grid {
    uint32_t pieces = 1;
    std::vector<std::pair<uint32_t, uint32_t>> along;  // (interned length, pieces along it), the last varies fastest
  };
  std::vector<Grid> cutAlong_;  // per parameter; empty where nothing is sliced
  std::vector<Kept> kept_;
  std::vector<uint32_t> keptBy_;  // per node
};

}  // namespace tpc
