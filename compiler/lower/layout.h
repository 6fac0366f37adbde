// How contractions become matrix products, and in which order of axes their results stand.
//
//     q = einsum("b t c, c h e -> b h t e", x, wq)
//
// With q standing as [b, t, h, e] this is one product of [b t, c] by [c, h e]; standing as [b, h, t, e] it would be b *
// h small ones.  Who reads q reads it through strides either way, so each contraction's result stands as is cheapest
// for it and for the contractions that read it.
#pragma once

#include <optional>
#include <vector>

#include "compiler/lower/loops.h"
#include "runtime/format/compiled.h"

namespace tpc::loops {

struct Planned {
  CompiledProduct product{};
  bool swapped = false;  // the operands change places: the transposed product stands right
  double seconds = 0;    // a guess, to compare ways
};

// One label of a contraction: its length and strides, 0 where a tensor does not have it.
struct LabelStrides {
  int64_t length = 1, a = 0, b = 0, result = 0;
  bool inA = false, inB = false, inResult = false;
};

// Empty where no way of cutting it gives matrix products.
std::optional<Planned> plannedProduct(const std::vector<LabelStrides>& labels);

std::vector<LabelStrides> labelsOf(const Op& op, const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                                   const std::vector<int64_t>& result);

// The strides of an operand as it stands; of `id` itself or of a view of what stands in memory.
std::vector<int64_t> stridesOf(const LoopProgram& program, OpId id);

// Gives every contraction and everything pinned its storage, and the memory that shows it.
void layOut(LoopProgram& program);

}  // namespace tpc::loops
