// A program as flat tables: what the analysis, the limits and the interpreter read.  No MLIR.
//
//     h = relu(image @ W1 + b1)
//
//     node  kind       operands   shape        name
//       0   input                 batch pixels image
//       1   parameter             pixels n     W1
//       2   contract   0 1        batch n
//       3   parameter             n            b1
//       4   broadcast  3          batch n
//       5   add        2 4        batch n
//       6   map relu   5          batch n      h
//
// Nodes stand in an order in which operands come first.  The body of a repeat is a contiguous range of nodes directly
// before its `repeat` node; bodies nest.  Forward nodes come first, then the gradient, a program over the same kinds.
// A parameter of a repeat is one stacked node outside the body (axis 0 is the trip count) read through `layer`; in
// nested repeats through one `layer` in each body, outermost first.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/exponent/rational.h"
#include "compiler/graph/length.h"
#include "compiler/graph/op_kind.h"
#include "dsl/source/span.h"

namespace tpc {

using NodeId = uint32_t;
inline constexpr uint32_t none = ~uint32_t(0);

struct Node {
  OpKind kind{};
  uint8_t fn = 0;             // MapFn, CompareFn or ReduceFn where the kind has one
  bool gradient = false;      // made by differentiation
  uint32_t firstOperand = 0;  // into Graph::operandPool
  uint32_t operandCount = 0;
  uint32_t shape = 0;         // into Graph::shapes
  uint32_t attribute = none;  // into the table its kind names
  uint32_t region = none;     // the innermost repeat (index into Graph::repeats) it stands in
  uint32_t name = none;       // into Graph::names: the variable it was assigned to, by its path
  Span span{};
};

// A number as a program writes it: coefficient * product of symbol^power.  `n^(-1/2)` has the power -1/2 in n.
struct Number {
  enum class Kind : uint8_t { plain, tiny, infinity, minusInfinity };
  double coefficient = 1;                               // 0 is the exact zero
  std::vector<std::pair<SymbolId, Rational>> powers{};  // sorted by symbol, powers not 0
  Kind kind = Kind::plain;                              // tiny: its number counts, its size is zero
};

enum class Ownership : uint8_t { trained, frozen };

// How a parameter starts.
struct Init {
  enum class Kind : uint8_t {
    plan,      // nothing written: the plan chooses mean zero and the size
    normal,    // normal(std): with `fixed`, or a growing symbol in it, its exponents are fixed; else the plan's
    uniform,   // uniform(a), on [-a, a]: the same
    constant,  // a number: every entry
    eye,       // eye(n)
    values,    // an expression of constants: the node that computes it
    file,      // `from "..."`
  };
  Kind kind = Kind::plan;
  bool fixed = false;  // the size is the user's, not the plan's; constants always are
  Number number{};     // std, half width or the constant
  NodeId node = none;  // for values
};

struct Parameter {
  std::string name{};  // its path: `layers.attention.wq`
  NodeId node = none;
  uint32_t stack = none;                // index into Graph::repeats where axis 0 is that repeat's trip count
  std::vector<uint32_t> innerStacks{};  // in nested repeats: those that axes 1, 2, .. are the trip counts of
  Ownership ownership = Ownership::trained;
  Init init{};
  std::string file{};       // for Init::Kind::file, resolved against the program's file
  NodeId gradient = none;   // d loss / d parameter, of the parameter's shape; none where the loss does not depend on it
  std::string optimizer{};  // empty: the program's
  Span span{};
};

struct Input {
  std::string name{};
  NodeId node = none;
  bool target = false;
  bool integer = false;  // values in 0 .. below - 1
  Length below{};
  Span span{};
};

struct FreeMultiplier {
  std::string name{};               // its place's path with `auto`: `layers.attention.auto`
  std::vector<SymbolId> symbols{};  // the symbols it may use; empty: every growing one
  Span span{};
};

// `const mask [t, t] from "mask.npy"`.
struct Constant {
  std::string file{};
  std::vector<int64_t> shape{};  // the lengths of the node's axes: none of them grows
  std::vector<double> values{};  // row-major
};

struct Dropout {
  std::string name{};  // its place's path: `layers.dropout`
  double rate = 0;     // in [0, 1)
};

// result[r] = sum over labels not in r of a[..] * b[..].  Labels name axes; no operand repeats one, and a label of one
// operand alone always stands in the result.
struct Contraction {
  std::vector<uint8_t> a, b, result;
};

struct Axes {
  std::vector<int> axes{};
};

struct Slice {
  int axis = 0;
  Length begin{};
};

struct Scatter {
  int axis = 0;  // the result's length there is in the node's shape
  int indexRank = 0;
};

// Element order is kept.  Each group takes `from` operand axes to `to` result axes; one of the two is at most 1.
struct Regroup {
  std::vector<std::pair<uint8_t, uint8_t>> groups{};
};

struct Repeat {
  NodeId node = none;
  NodeId bodyBegin = 0, bodyEnd = 0;  // the body's nodes; bodyEnd is `node`
  Length trips{};
  std::string name{};               // `layers`
  bool reversed = false;            // runs from the last layer to the first (a gradient)
  uint32_t parent = none;           // the enclosing repeat
  uint32_t carried = 0;             // how many values are carried
  std::vector<NodeId> arguments{};  // bodyArgument nodes, one per carried value
  std::vector<NodeId> yields{};     // carried ones first, then the collected ones
  uint32_t forward = none;          // for a gradient: the repeat it differentiates
};

enum class ArgumentRole : uint8_t { grad, param, step, fanIn, fanOut, hyper, state };
struct OptimizerArgument {
  ArgumentRole role{};
  std::string name{};          // of a hyperparameter or state
  double number = 0;           // a hyperparameter's default, a state's first value
  bool startsAsParam = false;  // state = param
};

struct Output {
  std::string name{};
  NodeId node = none;
  bool metric = false;
};

// `claim doubly_stochastic(M)`: what the user knows of a value and no rule proves.
struct Claim {
  std::string name{};
  NodeId node = none;
  Span span{};
};

// A value that is a function of one other, coordinate by coordinate: `where(h > 0, h, exp(h) - 1)` is one of h.  Its
// orders are those of rules/maps.h, read off its values: see compiler/interpret/scalars.h.
struct ScalarFunction {
  NodeId node = none, argument = none;
  Rational small, large, change, derivativeSmall, derivativeLarge;
  int8_t parity = 0;  // of phi(-x) = parity phi(x); 0: none
  int8_t sign = 0;    // 1: never negative, -1: never positive, 0: neither
  bool explodes = false, singular = false, zeroAtZero = false, flat = false;
};

struct Graph {
  std::string model;
  std::vector<Symbol> symbols;
  std::vector<Node> nodes;
  std::vector<NodeId> operandPool;
  std::vector<Length> lengths;                // interned
  std::vector<std::vector<uint32_t>> shapes;  // interned; entries index lengths
  std::vector<std::string> names;             // interned

  std::vector<Parameter> parameters;
  std::vector<Input> inputs;
  std::vector<FreeMultiplier> freeMultipliers;
  std::vector<Number> numbers;
  std::vector<Rational> rationals;
  std::vector<Contraction> contractions;
  std::vector<Axes> axes;
  std::vector<Slice> slices;
  std::vector<Scatter> scatters;
  std::vector<Regroup> regroups;
  std::vector<OptimizerArgument> arguments;
  std::vector<Constant> constants;
  std::vector<Dropout> dropouts;
  std::vector<Repeat> repeats;

  std::vector<Output> outputs;  // outputs and metrics in program order
  std::vector<Claim> claims;    // in program order

  // Values made of constants alone that have, along every axis that grows with the symbol, a bounded number of entries
  // other than zero: bands, permutations, single rows.  Sorted.  Counted, not derived: see sparsity.h.
  std::vector<std::pair<NodeId, SymbolId>> sparse;
  std::vector<ScalarFunction> scalarFunctions;  // by node; those of two operations or more
  NodeId loss = none;
  NodeId forwardEnd = 0;           // nodes before it are the forward program
  std::vector<NodeId> gradientOf;  // per forward node: the node of d loss / d it; none where there is none

  std::span<const NodeId> operands(NodeId id) const {
    const Node& node = nodes[id];
    return {operandPool.data() + node.firstOperand, node.operandCount};
  }
  std::span<const uint32_t> shape(NodeId id) const { return shapes[nodes[id].shape]; }
  const Length& length(NodeId id, int axis) const { return lengths[shape(id)[axis]]; }
  int rank(NodeId id) const { return int(shape(id).size()); }
};

// One optimizer as a program over `argument` leaves: its update, and the next value of each state.
struct OptimizerProgram {
  std::string name;
  Graph graph;
  NodeId update = none;
  std::vector<std::pair<NodeId, NodeId>> states;  // (argument, next value)
};

// Interning and appending; the one way in which nodes are made, by flatten and by tests alike.
class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph);  // the graph may hold nodes already; nobody else appends meanwhile

  uint32_t length(const Length& length);
  uint32_t shape(std::span<const Length> lengths);
  uint32_t name(const std::string& name);

  struct Extra {
    uint8_t fn = 0;
    uint32_t attribute = none;
    Span span{};
    bool gradient = false;
    uint32_t region = none;
  };
  NodeId append(OpKind kind, std::span<const NodeId> operands, std::span<const Length> shape, Extra extra);
  // The same with a shape that is interned already, such as that of an operand.
  NodeId append(OpKind kind, std::span<const NodeId> operands, uint32_t shape, Extra extra);

 private:
  struct LengthHash {
    size_t operator()(const Length& length) const;
  };
  struct ShapeHash {
    size_t operator()(const std::vector<uint32_t>& shape) const;
  };
  Graph& graph_;
  std::unordered_map<Length, uint32_t, LengthHash> lengths_;
  std::unordered_map<std::vector<uint32_t>, uint32_t, ShapeHash> shapes_;
  std::unordered_map<std::string, uint32_t> names_;
};

// The graph's invariants, for asserts and tests: the first violation in words, or empty.
std::string violation(const Graph& graph);

// A listing, one node a line, as at the head of this file.
std::string toString(const Graph& graph);

}  // namespace tpc
