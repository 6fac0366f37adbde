// The syntax tree: what was written, with nothing decided about what it means.
//
//     h += auto(L) * mlp(rmsnorm(h), hidden = 4 * n, act = gelu)
//
// is an Assign of one target, `+=`, and a Binary `*` of an Auto and a Call.  Whether `causal` in a call is a flag or a
// value, whether `n` is a size or a tensor, and which constructs this version analyses, is for whoever reads the tree.
//
// Expressions are immutable and shared, so a default argument or a shape may be kept by whoever needs it.  Their
// height is bounded (SyntaxLimits), so a recursive walk over a tree cannot exhaust the stack.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dsl/source/span.h"

namespace tpc::ast {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

struct Name {
  std::string text;
  Span span;
};

// ---- expressions ---------------------------------------------------------------------------------------------------

struct Number {
  std::string text;  // as written: exact
  double value = 0;
  bool integer = false;  // written without point and exponent
};
struct NameRef {  // also `inf`, `true`, `false`
  std::string name;
};
struct String {
  std::string text;  // without the quotes
};
struct Hole {};  // `_`, the argument that a partial application leaves open
struct Auto {    // `auto`: every growing size;  `auto(L)`: these
  std::vector<Name> sizes;
};

struct Argument {
  std::optional<Name> name;  // `heads = H`.  Without: by position, or a flag where it is a bare name of one
  ExprPtr value;
  Span span;
};
struct Call {
  bool frozen = false;  // `frozen f(...)`
  Name callee;
  std::vector<Argument> arguments;
};

struct IndexEntry {
  enum class Kind { expression, range, newAxis, ellipsis };
  Kind kind = Kind::expression;
  ExprPtr value;             // expression
  ExprPtr begin, end, step;  // range a:b:s, each may be null
  Span span;
};
struct Index {
  ExprPtr base;
  std::vector<IndexEntry> entries;
};

enum class UnaryOp { minus };
enum class BinaryOp {
  add,
  subtract,
  multiply,
  divide,
  power,
  matmul,
  equal,
  notEqual,
  less,
  lessEqual,
  greater,
  greaterEqual
};

struct Unary {
  UnaryOp op = UnaryOp::minus;
  ExprPtr operand;
};
struct Binary {
  BinaryOp op = BinaryOp::add;
  ExprPtr left, right;
  Span opSpan;
};
struct Tuple {  // `(a, b)`; a single expression in parentheses is that expression
  std::vector<ExprPtr> elements;
};

struct Expr {
  using Node = std::variant<Number, NameRef, String, Hole, Auto, Call, Index, Unary, Binary, Tuple>;
  Node node;
  Span span;
  uint16_t height = 0;  // 0 for a leaf; at most SyntaxLimits::height

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(node);
  }
  bool isName(const char* name) const { return is<NameRef>() && as<NameRef>()->name == name; }
};

const char* spelling(BinaryOp op);  // "+"

// ---- shapes and arguments ------------------------------------------------------------------------------------------

struct ShapeEntry {
  bool ellipsis = false;  // `...`; then size is null
  ExprPtr size;
  Span span;
};
struct Shape {  // `[]` is a scalar
  std::vector<ShapeEntry> entries;
  Span span;
};

struct Parameter {  // of a function or optimizer:  x | x [b, t, c] | name = default
  Name name;
  std::optional<Shape> shape;
  ExprPtr defaultValue;  // null if there is none
  Span span;
};

// ---- statements ----------------------------------------------------------------------------------------------------

struct Statement;

struct Block {
  std::vector<Statement> statements;
  std::vector<std::string> commentsAtEnd;  // after the last statement, before the brace
  Span span;                               // with its braces
};

struct SizeEntry {
  Name name;
  Number value;  // an integer
  Span valueSpan;
  bool grows = false;  // `-> inf`
};
struct Size {
  std::vector<SizeEntry> entries;
};

struct LetEntry {
  Name name;
  ExprPtr value;
};
struct Let {
  std::vector<LetEntry> entries;
};

struct Input {  // input and target
  bool target = false;
  Name name;
  Shape shape;
  ExprPtr below;  // `in vocab`; null for real numbers
};

struct Param {
  bool shared = false, frozen = false, trained = false;
  std::optional<Name> sharedBy;  // `shared(layers)`
  Name name;
  Shape shape;
  bool initFixed = false;
  ExprPtr init;  // a number, normal(std), uniform(a), eye(n), an expression of constants; null: the plan chooses
  std::optional<String> from;
  Span fromSpan;
};

struct Const {
  Name name;
  Shape shape;
  ExprPtr below;                       // `in`
  ExprPtr value;                       // `= e`, or null and
  std::optional<String> from, member;  // `from "file" : "member"`
  Span fromSpan;
};

struct Fn {
  Name name;
  std::vector<Parameter> parameters;
  bool isExpression = false;  // `fn f(x) = e`: the body is one Return
  Block body;
};

struct Optimizer {
  Name name;
  std::vector<Parameter> parameters;
  Block body;
};

struct Repeat {
  ExprPtr count;
  std::optional<Name> as;
  Block body;
};

struct If {
  ExprPtr condition;
  Block body;
  std::optional<Block> otherwise;  // `else if` is a block of one If
};

enum class AssignOp { set, add, subtract, multiply, divide };
struct Assign {
  std::vector<Name> targets;
  AssignOp op = AssignOp::set;
  ExprPtr value;
};

struct Output {
  Name name;
  ExprPtr value;
};
struct Metric {
  Name name;
  ExprPtr value;
};
struct Loss {
  ExprPtr value;
};
struct Import {
  String path;
  Span pathSpan;
};
struct TrainEntry {
  Name name;
  ExprPtr value;
};
struct Train {
  std::vector<TrainEntry> entries;
};
struct StateEntry {
  Name name;
  std::optional<Shape> shape;
  ExprPtr value;
};
struct State {
  std::vector<StateEntry> entries;
};
struct Update {
  ExprPtr value;
};
struct Return {
  std::vector<ExprPtr> values;
};
struct Collect {
  std::vector<Name> names;
};
struct Claim {
  ExprPtr call;  // a Call
};

struct Statement {
  using Node = std::variant<Size, Let, Input, Param, Const, Fn, Optimizer, Repeat, If, Assign, Output, Metric, Loss,
                            Import, Train, State, Update, Return, Collect, Claim>;
  Node node;
  Span span;  // all of it
  Span head;  // up to the brace of its block, or all of it

  // What stood around it and means nothing, for the canonical text.
  std::vector<std::string> commentsBefore;  // whole lines, from `#` on; empty ones where an empty line is below one
  std::string commentAfter;                 // on the line where it (or its head) ends
  bool blankLineBefore = false;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(node);
  }
};

struct Program {
  std::optional<Name> model;
  std::vector<std::string> commentsBefore;  // before `model`
  std::string commentAfter;                 // after it
  Block body;
};

}  // namespace tpc::ast
