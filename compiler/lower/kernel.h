// One group as a loop nest, before any code: which expressions, along which axis vectors run, how many passes.
//
//     p = e / s,  e = exp(x - max x),  s = sum e     over [rows, columns]
//
//     pass 0   max x                          columns, 16 at a time
//     pass 1   e, kept in a scratch row;  s
//     pass 2   p = e / s, stored
//
// Axes that all expressions step through alike are one axis; what depends on no inner axis is computed outside of it.
// Two groups with equal kernels up to the places share one piece of code.
#pragma once

#include <string>
#include <vector>

#include "compiler/lower/group.h"
#include "runtime/format/compiled.h"

namespace tpc::loops {

enum class ExpressionKind : uint8_t { load, number, iota, pointwise, reduce };

struct Expression {
  ExpressionKind kind{};
  OpKind op{};
  uint8_t fn = 0;
  double number = 0;
  std::vector<uint32_t> operands{};  // earlier expressions
  uint32_t place = 0;                // of a load: which pointer
  Index index{};                     // of a load: floats from it; of an iota: its value; terms by axis of the kernel
  uint64_t axes = 0;                 // those it depends on
  int stage = 0;                     // how many passes must be over before it can be computed
  bool kept = false;                 // in the scratch row, from the first pass that computes it on
};

struct Store {
  uint32_t expression = 0;
  uint32_t place = 0;
  Index index{};
  uint64_t axes = 0;  // along which it steps, or its value does
};

struct Kernel {
  std::vector<int64_t> lengths{};    // of the axes, the innermost of rows and of reductions last in their kinds
  std::vector<int> rows{}, loops{};  // axes, outermost first
  bool vectorInLoops = false;        // vectors along the last of `loops`; else along the last of `rows`
  std::vector<Expression> expressions{};
  std::vector<Store> stores{};
  int passes = 1;
  uint32_t placeCount = 0;
  int64_t scratchRows = 0;  // how many expressions are kept

  int vectorAxis() const { return vectorInLoops ? loops.back() : rows.empty() ? -1 : rows.back(); }
  // What is handed to threads: rows, or entries where there is one row of them.
  bool unitsAreEntries() const { return !vectorInLoops && rows.size() == 1; }
  int64_t extent() const;
  int64_t grain() const;
  int64_t scratch() const;
};

struct KernelCall {
  Kernel kernel{};
  std::vector<std::pair<uint32_t, Index>> places{};  // per pointer: buffer, and floats from its beginning; no axes
};

KernelCall kernelOf(const LoopProgram& program, const Group& group);

// Equal for kernels that have the same code.
std::string keyOf(const Kernel& kernel);

}  // namespace tpc::loops
