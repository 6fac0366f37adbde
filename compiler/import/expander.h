// The expansion of one program: scopes, what has been created so far, and the emitter.
//
// One class, because nearly everything here needs the scope, the emitter and the sink together.  Its files:
//
//     declarations.cpp   size let input param
//     constants.cpp      const, of an expression and from a file
//     statements.cpp     = += if repeat output metric loss
//     expressions.cpp    names, + - * / ^ @, comparisons, broadcasting
//     calls.cpp          functions: arguments, shapes, paths
//     builtins.cpp       exp relu sum where ...
//     shaping.cpp        rearrange einsum transpose concat split
//     windows.cpp        windows: the places that a convolution sees
//     indexing.cpp       x[...]
//     optimizers.cpp     optimizers as programs
//     finish.cpp         what only the whole program can tell: loss, unused parameters
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/import/emit.h"
#include "compiler/import/functions.h"
#include "compiler/import/scalar.h"
#include "compiler/import/value.h"
#include "dsl/source/diagnostic.h"
#include "dsl/syntax/ast.h"

namespace tpc {

// `let H = n / d` with d a size that stays: n / 64 is a length, n / d is not (length.h).  A size that is divided by is
// therefore known by its number everywhere, and since shapes made before would still name it, the import starts again.
struct Dissolved {
  std::set<std::string> names;
};

class Expander {
 public:
  Expander(mlir::MLIRContext& context, Functions& functions, SourceMap& sources, DiagnosticSink& diagnostics,
           const Dissolved& dissolved)
      : emitter_(context), functions_(functions), sources_(sources), diagnostics_(diagnostics), dissolved_(dissolved) {}

  struct Sizes {
    const std::vector<std::pair<std::string, int64_t>>& defines;
    const std::vector<std::string>&grow, &fix;
  };
  void runProgram(const ast::Program& program, const Sizes& sizes);
  void runOptimizer(const ast::Optimizer& optimizer, const Unit* home);  // home: null for the library

  Emitter& emitter() { return emitter_; }
  const std::vector<Symbol>& symbols() const { return symbols_; }
  // Sizes that have to be dissolved before the import can succeed.
  const std::set<std::string>& toDissolve() const { return toDissolve_; }
  bool failed() const { return failed_; }

 private:
  // ---- reporting (expressions.cpp) ----
  void error(const char* code, std::string message, Span span, std::string label = {}, std::string help = {},
             std::vector<Note> notes = {});
  void warning(const char* code, std::string message, Span span, std::string label = {}, std::string help = {});
  Value poison(const char* code, std::string message, Span span, std::string label = {}, std::string help = {}) {
    error(code, std::move(message), span, std::move(label), std::move(help));
    return {};
  }
  std::string text(const Length& length) const { return toString(length, symbols_); }
  std::string text(const Shape& shape) const;
  std::string text(const Value& value) const;  // what it is, in words: "a function"
  std::string written(Span span) const { return std::string(sources_.slice(span)); }

  // ---- declarations.cpp ----
  void declareSizes(const ast::Program& program, const Sizes& sizes);
  void declare(const ast::Size& size);
  void declare(const ast::Let& let);
  void declare(const ast::Input& input, Span span);
  void declare(const ast::Param& param, Span span);
  void declare(const ast::Const& constant, Span span);
  std::optional<TensorValue> constantFrom(const ast::Const& constant);  // a file
  struct InitParts {
    Init init;
    std::optional<TensorValue> start;
  };
  std::optional<InitParts> initOf(const ast::Param& param, const Shape& shape);
  std::optional<Shape> shapeOf(const ast::Shape& shape);
  std::optional<Length> lengthOf(const ast::Expr& expression);
  std::optional<Length> lengthOf(const Value& value, Span span);
  std::optional<Length> lengthOf(const Value& value, const ast::Expr& writtenAs);
  // Asks that the import starts again with these sizes known by their numbers (Dissolved).  False where that cannot
  // help: a size grows, is `batch`, or none is left.
  bool dissolve(const Length& length);
  bool dissolve(const ast::Expr& expression);
  std::optional<Length> wholeLength(const Length& length, Span span);
  Scalar sizeScalar(SymbolId symbol) const;
  bool grows(const Length& length) const;
  std::optional<SymbolId> symbolNamed(const std::string& name) const;
  std::vector<size_t> roundsOf(const ast::Param& param);  // indices into repeats_: those it has instances for
  bool checkFree(const ast::Name& name);                  // not a size, not declared before in this scope

  // ---- statements.cpp ----
  void run(const std::vector<ast::Statement>& statements);
  void run(const ast::Statement& statement);
  void run(const ast::Assign& assign, Span span);
  void run(const ast::If& branch);
  void run(const ast::Repeat& repeat, Span span);
  void run(const ast::Output& output, Span span);
  void run(const ast::Metric& metric, Span span);
  void run(const ast::Loss& loss, Span span);
  void run(const ast::Return& statement, Span span);
  void run(const ast::Collect& collect, Span span);
  void run(const ast::Train& train);
  void run(const ast::Claim& claim, Span span);
  void later(const char* construct, Span span);
  bool onlyInProgram(const char* word, Span span);
  bool onlyAtTheTop(const char* word, Span span);
  void assign(const ast::Name& name, Value value, Span span);
  std::optional<bool> condition(const ast::Expr& expression);
  void assignedNames(const ast::Block& block, std::vector<ast::Name>& names);
  std::string valueName(const std::string& name);

  // ---- expressions.cpp ----
  Value eval(const ast::Expr& expression);
  Value evalNode(const ast::Expr& expression);
  Value evalName(const std::string& name, Span span);
  Value evalAuto(const ast::Auto& node, Span span);
  Value evalUnary(const ast::Unary& node, Span span);
  Value evalBinary(const ast::Binary& node, Span span);
  Value arithmetic(ast::BinaryOp op, const Value& left, const Value& right, Span leftSpan, Span rightSpan, Span span);
  Value comparison(ast::BinaryOp op, const Value& left, const Value& right, Span leftSpan, Span rightSpan, Span span);
  Value raise(const Value& base, const Value& exponent, Span baseSpan, Span exponentSpan, Span span);
  Value matmul(const Value& left, const Value& right, Span leftSpan, Span rightSpan, Span span);
  Value transposed(const Value& value, Span operand, Span span);
  const Binding* find(const std::string& name) const;
  std::vector<std::string> visibleNames() const;

  // A tensor for sure: scalars become number operations.  Empty after an error (or poison).
  std::optional<TensorValue> tensor(const Value& value, Span span);
  std::optional<TensorValue> evalTensor(const ast::Expr& expression);
  TensorValue emitNumber(const Number& number, Span span) { return emitter_.number(number, span); }
  TensorValue emitLength(const Length& length, Span span);
  std::optional<Shape> broadcastShapes(const Shape& a, const Shape& b, Span aSpan, Span bSpan, Span span);
  std::optional<TensorValue> combine(Emitter::Binary op, const TensorValue& a, const TensorValue& b, Span aSpan,
                                     Span bSpan, Span span);
  bool withinLimits(Span span);

  // ---- calls.cpp ----
  Value call(const ast::Call& node, Span span);
  Value invoke(const FunctionValue& function, const ast::Call& node, Span span);  // no hole in the call
  // `reserved`: the name of the call where it is taken already, else empty.
  Value expand(const FunctionValue& function, const ast::Call& node, Span span, const std::string& reserved = {});
  // A function with some of its arguments given: `attention(_, heads = H)`.
  std::optional<std::vector<Partial::Argument>> argumentsOf(const FunctionValue& function, const ast::Call& node);
  Value complete(const FunctionValue& function, const ast::Call& node, Span span, const std::string& label);
  bool bindShape(const ast::Parameter& parameter, const Value& value, Span argumentSpan, Frame& callee);
  std::optional<FunctionValue> functionNamed(const std::string& name);

  // ---- builtins.cpp, shaping.cpp ----
  struct Arguments;  // of a built-in function, by position and by name
  Value callBuiltin(const std::string& name, const ast::Call& node, Span span);
  std::optional<Arguments> builtinArguments(const std::string& name, const ast::Call& node, Span span, size_t least,
                                            size_t most, std::initializer_list<const char*> names);
  Value mapOf(MapFn fn, const std::string& name, const ast::Call& node, Span span);
  Value extremum(const std::string& name, const ast::Call& node, Span span);
  Value reduction(const std::string& name, const ast::Call& node, Span span);
  Value where(const ast::Call& node, Span span);
  Value fill(double number, const std::string& name, const ast::Call& node, Span span);
  Value eyeOf(const ast::Call& node, Span span);
  Value dropout(const ast::Call& node, Span span);
  Value oneHotOf(const ast::Call& node, Span span);
  std::optional<int> axisOf(const Value& value, const TensorValue& x, Span span);
  std::optional<bool> flagOf(const Arguments& arguments, const char* name);

  Value rearrange(const ast::Call& node, Span span);
  Value einsum(const ast::Call& node, Span span);
  Value concatenation(const ast::Call& node, Span span);
  Value splitting(const ast::Call& node, Span span);
  Value windows(const ast::Call& node, Span span);

  // ---- indexing.cpp ----
  Value index(const ast::Index& node, Span span);
  std::optional<std::pair<Length, Length>> rangeOf(const ast::IndexEntry& entry, const Length& length);

  // ---- finish.cpp ----
  void finish();

  // ---- optimizers.cpp ----
  void runOptimizerStatement(const ast::Statement& statement);
  void declare(const ast::State& state);

  struct ParameterRecord {
    std::string name;
    TensorValue tensor;  // the whole, stacked where it is
    Shape shape;         // as declared
    Span span;
    std::string init;  // as written, to compare tied declarations
    bool frozen = false;
    std::vector<int> repeats;         // for which rounds it has an instance of its own, outermost first: their ids
    std::optional<TensorValue> read;  // this round's instance, while its repeats are open
    TensorValue used;                 // what the program reads: the slice or the whole
  };
  struct RepeatContext {
    int id = 0;
    const Frame* frame = nullptr;  // in which it stands
    std::string as;                // NAME, empty without one
    Length trips;
    Span span;
    std::vector<ast::Name> collected;
  };

  Emitter emitter_;
  Functions& functions_;
  SourceMap& sources_;
  DiagnosticSink& diagnostics_;
  const Dissolved& dissolved_;
  std::set<std::string> toDissolve_;

  std::vector<Symbol> symbols_;
  std::vector<int64_t> numbers_;            // of the symbols, for Length::at
  std::map<std::string, Binding> globals_;  // sizes, lets, constants: what functions see
  Frame* frame_ = nullptr;
  std::vector<RepeatContext> repeats_;  // those that are open, outermost first
  int repeatCount_ = 0;

  std::map<std::string, int> valueCounts_;  // by path: how often a variable was assigned
  std::map<std::string, int> autoCounts_;   // by path
  std::unordered_map<void*, int> namedAt_;  // the depth of the frame that named a value
  std::map<std::string, ParameterRecord> parameters_;
  std::vector<std::string> parameterOrder_;
  std::vector<std::pair<std::string, std::pair<TensorValue, Span>>> inputs_;
  std::map<std::string, Span> ends_;  // outputs and metrics
  std::optional<Span> loss_;
  std::optional<Span> update_;  // of an optimizer
  bool inOptimizer_ = false;
  std::vector<std::pair<std::string, TensorValue>> states_;  // of an optimizer: its arguments

  std::set<std::string> reported_;  // code, place and message: an error in a function is told once
  int quiet_ = 0;                   // > 0: evaluate without reporting
  int choices_ = 0;                 // enclosing `if`s
  int bound_ = 0;                   // names of arguments that a partial application holds
  int64_t steps_ = 0;               // expressions evaluated: calls that make nothing count as well
  int nesting_ = 0;                 // of expressions through calls, so that the stack is bounded
  bool limitReached_ = false;
  bool failed_ = false;
};

// A construct of the language that this version refuses, by the name a user knows it under.
bool isBuiltin(const std::string& name);
std::vector<std::string> builtinNames();
bool isLaterFunction(const std::string& name);

}  // namespace tpc
