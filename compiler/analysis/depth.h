// The run over a trip count: what a layer of a growing repeat is, and what its parts come to after many of them.
//
//     repeat L { h += auto(L) * (relu(norm(h) @ up) @ down) }
//
//     stream   h <- h + term                   what is handed on, and what each layer adds to it
//     term     auto(L) * (.. @ down)           walks: it changes sign with this layer's `down`
//
// The widths went to infinity before: their axes keep their certificates and do not grow.  A body is derived a few
// times whatever the number of layers.
#pragma once

#include "compiler/analysis/run.h"

namespace tpc {

bool isTripCount(const Graph& graph, SymbolId symbol);
// The symbols that the layers' own matrices are as wide as, for programs in which none of them grows.
std::vector<SymbolId> widthsOfLayers(const Graph& graph, SymbolId tripCount);

// A sum over an axis of a matrix of parameters, times a value.
bool isMatrixProduct(const Run& run, NodeId contraction);

// Fills recurrences, isLink, termGrowth, branchOf and implicit, and the refusals where a layer is not of that form.
void findRecurrences(Run& run);

// The multipliers of branches start where everything is bounded.
void startMultipliers(Run& run);
// Of a branch multiplier that scales `scaled`, under the parts that this has now.
void solveBranch(Run& run, BranchMultiplier& branch, NodeId scaled, Rational numbers);
// Which criterion chose it, and what the other gives, in words.
void explainBranch(const Run& run, const BranchMultiplier& branch, MultiplierSizes& out);

// Fills out.depth; after the passes over training.
void judgeDepth(Run& run);

}  // namespace tpc
