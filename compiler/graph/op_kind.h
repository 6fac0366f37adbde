// The primitive operations: few, so that few rules carry the theory.
//
// Norms, softmax, attention and losses are library functions over these.  What each computes, to the last corner, is
// the interpreter (compiler/interpret/README.md); how its size follows from its operands' is compiler/rules. Shapes are
// explicit: elementwise operations take operands of one shape, and `broadcast` makes them so.
#pragma once

#include <cstdint>
#include <string_view>

namespace tpc {

enum class OpKind : uint8_t {
  // Leaves.
  parameter,       // attribute: Parameter
  input,           // attribute: Input
  number,          // attribute: Number; rank 0
  freeMultiplier,  // attribute: FreeMultiplier; rank 0; `auto`
  iota,            // 0, 1, 2, ... along its single axis
  eye,             // [n, m]: one where the indices agree
  layerIndex,      // rank 0, inside a repeat: 0 .. trips - 1 of the region named by the attribute
  argument,        // attribute: OptimizerArgument; only in an optimizer's program
  constant,        // attribute: Constant; numbers from a file
  dropoutMask,     // attribute: Dropout; in training 0 or 1 / (1 - rate), drawn anew for every step; else 1

  // Coordinatewise.  Operands of one shape.
  add,
  sub,
  mul,
  map,      // fn: MapFn; one operand.  `pow` takes its power from attribute: Rational
  maximum,  // of two values, coordinate by coordinate
  minimum,
  compare,  // fn: CompareFn; result 0 or 1
  select,   // (condition, a, b): a where condition is not 0, else b

  // Sums of products, reductions.
  contract,  // attribute: Contraction; two operands
  reduce,    // fn: ReduceFn; attribute: Axes; the axes go.  argmax takes exactly one axis and gives integers

  // Indexing by data.
  gather,      // (table, index): attribute: Axes, of one.  table.shape with that axis replaced by index.shape
  scatterAdd,  // (index, updates): attribute: Scatter.  Adjoint of gather: zeros with the updates added at the index
  oneHot,      // (index): attribute: none.  index.shape + [k]: one at the index, zero elsewhere; k is the last length

  // Plumbing: coordinates move or repeat, none changes.
  reshape,    // attribute: Regroup
  transpose,  // attribute: Axes: result axis i is operand axis axes[i]
  broadcast,  // attribute: Axes: result axis i is operand axis axes[i], or new where -1
  slice,      // attribute: Slice
  pad,        // attribute: Slice: adjoint of slice, zeros outside begin .. begin + length(operand)
  concat,     // attribute: Axes, of one; two or more operands
  stopGradient,

  // Layers.
  repeat,        // attribute: Repeat; operands: the initial carried values.  It has no value of its own
  repeatResult,  // (repeat): attribute: index into Repeat::yields; carried ones first, then collected ones (stacked,
                 // axis 0)
  bodyArgument,  // attribute: index of the carried value.  Region: its repeat
  layer,         // (stacked): this layer's slice, axis 0, of a value from outside the repeat
};
inline constexpr int opKindCount = int(OpKind::layer) + 1;

// Elementary functions of one argument.  A derivative is a function like any other, so that gradients are programs.
enum class MapFn : uint8_t {
  neg,
  reciprocal,
  exp,
  log,
  sqrt,
  rsqrt,
  square,
  abs,
  sign,
  sin,
  cos,
  tanh,
  sigmoid,
  relu,
  gelu,
  silu,
  round,
  pow,
  step,      // relu': 1 where x > 0, else 0
  gelu1,     // gelu'
  silu1,     // silu'
  sigmoid1,  // sigmoid'
  tanh1,     // tanh'
  isFinite,  // 1 where x is finite: guards the gradient of masks
};
inline constexpr int mapFnCount = int(MapFn::isFinite) + 1;

enum class CompareFn : uint8_t { eq, ne, lt, le, gt, ge };
enum class ReduceFn : uint8_t { sum, max, min, argmax };

std::string_view toString(OpKind kind);
std::string_view toString(MapFn fn);
std::string_view toString(CompareFn fn);
std::string_view toString(ReduceFn fn);

}  // namespace tpc
