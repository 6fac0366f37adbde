// Expressions: names, arithmetic on numbers and tensors, broadcasting, matmul.
//
// What is known now is computed now: `1 / sqrt(d)` is the number d^(-1/2) and never an operation.  As soon as a tensor
// takes part, an operation is made, with the shapes of both sides made equal first.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "compiler/import/expander.h"
#include "compiler/import/import.h"
#include "dsl/source/suggest.h"

namespace tpc {

// ---- reporting ------------------------------------------------------------------------------------------------------

// A mistake inside a function is told with the calls that led there.  Inside the library it is the caller's mistake, so
// the caller's line is shown and the library's in a note.
void Expander::error(const char* code, std::string message, Span span, std::string label, std::string help,
                     std::vector<Note> notes) {
  if (quiet_ > 0) return;
  failed_ = true;
  Span shown = span;
  if (frame_ && frame_->isLibrary()) {
    const Frame* outermost = frame_;
    while (outermost->caller && outermost->caller->isLibrary()) outermost = outermost->caller;
    if (outermost->caller) {
      notes.insert(notes.begin(), {fmt::format("in the library's `{}`", frame_->functionName), span});
      shown = outermost->callSpan;
      label.clear();
    }
  }
  for (const Frame* frame = frame_; frame && frame->caller; frame = frame->caller)
    if (!frame->caller->isLibrary() && !frame->isLibrary())
      notes.push_back({fmt::format("in this call of `{}`", frame->functionName), frame->callSpan});
  if (notes.size() > 6) notes.resize(6);
  std::string key = fmt::format("{} {} {} {} {}", code, shown.file, shown.begin, shown.end, message);
  if (!reported_.insert(key).second || diagnostics_.errorCount() >= size_t(ImportLimits::errors)) return;
  diagnostics_.report({.severity = Severity::error,
                       .code = code,
                       .message = std::move(message),
                       .span = shown,
                       .label = std::move(label),
                       .notes = std::move(notes),
                       .help = std::move(help)});
}

void Expander::warning(const char* code, std::string message, Span span, std::string label, std::string help) {
  if (quiet_ == 0) diagnostics_.warning(code, std::move(message), span, std::move(label), std::move(help));
}

std::string Expander::text(const Shape& shape) const {
  std::string result = "[";
  for (size_t i = 0; i < shape.size(); ++i) result += (i ? ", " : "") + text(shape[i]);
  return result + "]";
}

std::string Expander::text(const Value& value) const {
  if (const TensorValue* tensor = value.as<TensorValue>()) return "a tensor " + text(tensor->shape);
  if (const Scalar* scalar = value.as<Scalar>()) return fmt::format("the number {}", toString(*scalar, symbols_));
  if (const bool* flag = value.as<bool>()) return *flag ? "`true`" : "`false`";
  if (value.as<std::string>()) return "a text";
  if (const FunctionValue* function = value.as<FunctionValue>())
    return fmt::format("the function `{}`", function->name);
  if (value.as<std::vector<Value>>()) return "several values";
  return "unknown";
}

// ---- names ----------------------------------------------------------------------------------------------------------

const Binding* Expander::find(const std::string& name) const {
  if (auto at = frame_->names.find(name); at != frame_->names.end()) return &at->second;
  if (!frame_->isLibrary())
    if (auto at = globals_.find(name); at != globals_.end()) return &at->second;
  return nullptr;
}

std::vector<std::string> Expander::visibleNames() const {
  std::vector<std::string> names;
  for (const auto& [name, binding] : frame_->names) names.push_back(name);
  if (!frame_->isLibrary())
    for (const auto& [name, binding] : globals_) names.push_back(name);
  return names;
}

Value Expander::evalName(const std::string& name, Span span) {
  if (const Binding* binding = find(name)) return binding->value;
  if (name == "true") return {true};
  if (name == "false") return {false};
  if (name == "inf") return {scalarOf(Number{.coefficient = 1, .powers = {}, .kind = Number::Kind::infinity})};
  if (std::optional<FunctionValue> function = functionNamed(name)) return {*function};
  if (!frame_->isProgram()) {
    const Frame* program = frame_;
    while (program->caller) program = program->caller;
    if (auto at = program->names.find(name); at != program->names.end() && !frame_->isLibrary()) {
      std::vector<Note> notes{{"declared here", at->second.span}};
      error("TPC0224",
            fmt::format("`{}` belongs to the program: functions see sizes, constants and functions, not tensors", name),
            span, {}, fmt::format("give it to `{}` as an argument", frame_->functionName), std::move(notes));
      return {};
    }
  }
  if (functions_.incomplete()) {
    failed_ = true;
    return {};
  }
  std::vector<std::string> names = visibleNames();
  if (frame_->home)
    for (const auto& [function, known] : frame_->home->functions) names.push_back(function);
  for (const std::string& function : builtinNames()) names.push_back(function);
  for (const std::string& function : Functions::libraryNames()) names.push_back(function);
  return poison("TPC0201", fmt::format("unknown name `{}`", name), span, {}, didYouMean(name, names));
}

Value Expander::evalAuto(const ast::Auto& node, Span span) {
  const std::string path = joined(frame_->path, "auto");
  FreeMultiplier multiplier{.name = {}, .symbols = {}, .span = span};
  bool known = true;
  for (const ast::Name& name : node.sizes) {
    const Binding* binding = find(name.text);
    const Scalar* scalar = binding ? binding->value.as<Scalar>() : nullptr;
    if (binding && binding->value.isPoison()) return {};
    bool isSymbol = scalar && scalar->factor && scalar->factor->powers.size() == 1 &&
                    scalar->factor->coefficient == 1 && scalar->factor->powers[0].second == Rational(1);
    if (!isSymbol) {
      std::vector<std::string> sizes;
      for (const Symbol& symbol : symbols_) sizes.push_back(symbol.name);
      error("TPC0262", fmt::format("`auto({0})` is a power of a size, and `{0}` is none", name.text), name.span, {},
            didYouMean(name.text, sizes));
      known = false;
      continue;
    }
    SymbolId symbol = scalar->factor->powers[0].first;
    if (symbols_[symbol].grows) multiplier.symbols.push_back(symbol);
  }
  if (!known) return {};
  multiplier.name = numbered(path, ++autoCounts_[path]);
  // A power of sizes that all stay is a number of order one, whatever the power.
  if (!node.sizes.empty() && multiplier.symbols.empty()) return {scalarOf(Rational(1))};
  std::sort(multiplier.symbols.begin(), multiplier.symbols.end());
  multiplier.symbols.erase(std::unique(multiplier.symbols.begin(), multiplier.symbols.end()), multiplier.symbols.end());
  // One for all rounds of a repeat, so it stands before them.
  return {emitter_.at(0, [&] { return emitter_.freeMultiplier(multiplier, span); })};
}

// ---- evaluation -----------------------------------------------------------------------------------------------------

Value Expander::eval(const ast::Expr& expression) {
  ++steps_;
  if (!withinLimits(expression.span)) return {};
  if (nesting_ >= ImportLimits::nesting) {
    limitReached_ = true;
    return poison(
        "TPC0222",
        fmt::format("expressions are nested deeper than {}, the calls in them expanded", ImportLimits::nesting),
        expression.span, {}, "give parts of it names of their own");
  }
  ++nesting_;
  Value value = evalNode(expression);
  --nesting_;
  return value;
}

Value Expander::evalNode(const ast::Expr& expression) {
  const Span span = expression.span;
  if (const auto* number = expression.as<ast::Number>()) return {scalarOf(number->value)};
  if (const auto* name = expression.as<ast::NameRef>()) return evalName(name->name, span);
  if (const auto* string = expression.as<ast::String>()) return {string->text};
  if (const auto* node = expression.as<ast::Auto>()) return evalAuto(*node, span);
  if (const auto* node = expression.as<ast::Call>()) return call(*node, span);
  if (const auto* node = expression.as<ast::Index>()) return index(*node, span);
  if (const auto* node = expression.as<ast::Unary>()) return evalUnary(*node, span);
  if (const auto* node = expression.as<ast::Binary>()) return evalBinary(*node, span);
  if (const auto* node = expression.as<ast::Tuple>()) {
    std::vector<Value> elements;
    for (const ast::ExprPtr& element : node->elements) elements.push_back(eval(*element));
    return {std::move(elements)};
  }
  return poison("TPC0286", "`_` stands for a whole argument of a call: `attention(_, heads = H)`", span);
}

TensorValue Expander::emitLength(const Length& length, Span span) {
  std::optional<TensorValue> sum;
  for (const Monomial& term : length.terms()) {
    Number number{.coefficient = term.coefficient.toDouble(), .powers = {}, .kind = Number::Kind::plain};
    for (const auto& [symbol, power] : term.powers) number.powers.emplace_back(symbol, Rational(power));
    TensorValue value = emitter_.number(number, span);
    sum = sum ? emitter_.binary(Emitter::Binary::add, *sum, value, span) : value;
  }
  return sum ? *sum : emitter_.number({.coefficient = 0, .powers = {}, .kind = Number::Kind::plain}, span);
}

std::optional<TensorValue> Expander::tensor(const Value& value, Span span) {
  if (value.isPoison()) return std::nullopt;
  if (const TensorValue* tensor = value.as<TensorValue>()) return *tensor;
  if (const Scalar* scalar = value.as<Scalar>()) {
    if (scalar->factor) return emitter_.number(*scalar->factor, span);
    if (scalar->length) return emitLength(*scalar->length, span);
  }
  error("TPC0263", fmt::format("a tensor or a number is expected here, not {}", text(value)), span);
  return std::nullopt;
}

std::optional<TensorValue> Expander::evalTensor(const ast::Expr& expression) {
  Value value = eval(expression);
  return tensor(value, expression.span);
}

Value Expander::evalUnary(const ast::Unary& node, Span span) {
  Value operand = eval(*node.operand);
  if (const Scalar* scalar = operand.as<Scalar>())
    if (std::optional<Scalar> folded = negate(*scalar)) return {*folded};
  std::optional<TensorValue> x = tensor(operand, node.operand->span);
  if (!x) return {};
  return {emitter_.map(MapFn::neg, *x, span)};
}

Value Expander::evalBinary(const ast::Binary& node, Span span) {
  if (node.op == ast::BinaryOp::power && node.right->isName("T")) {
    Value operand = eval(*node.left);
    // `x^T` is x transposed; a size of that name is still a power of a number.
    if (!operand.as<Scalar>() || !find("T")) return transposed(operand, node.left->span, span);
  }
  Value left = eval(*node.left);
  Value right = eval(*node.right);
  if (left.isPoison() || right.isPoison()) return {};
  const Span leftSpan = node.left->span, rightSpan = node.right->span;
  switch (node.op) {
    case ast::BinaryOp::add:
    case ast::BinaryOp::subtract:
    case ast::BinaryOp::multiply:
    case ast::BinaryOp::divide: return arithmetic(node.op, left, right, leftSpan, rightSpan, span);
    case ast::BinaryOp::power: return raise(left, right, leftSpan, rightSpan, span);
    case ast::BinaryOp::matmul: return matmul(left, right, leftSpan, rightSpan, span);
    default: return comparison(node.op, left, right, leftSpan, rightSpan, span);
  }
}

// ---- broadcasting ---------------------------------------------------------------------------------------------------

std::optional<Shape> Expander::broadcastShapes(const Shape& a, const Shape& b, Span aSpan, Span bSpan, Span span) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t back = 1; back <= result.size(); ++back) {
    const Length* left = back <= a.size() ? &a[a.size() - back] : nullptr;
    const Length* right = back <= b.size() ? &b[b.size() - back] : nullptr;
    Length& out = result[result.size() - back];
    if (!left || !right) out = left ? *left : *right;
    else if (*left == *right || right->isOne()) out = *left;
    else if (left->isOne()) out = *right;
    else {
      std::vector<Note> notes;
      notes.push_back({fmt::format("`{}` is {}", written(aSpan), text(a)), aSpan});
      notes.push_back({fmt::format("`{}` is {}", written(bSpan), text(b)), bSpan});
      std::string help;
      std::optional<int64_t> leftNumber = left->at(numbers_), rightNumber = right->at(numbers_);
      if (leftNumber && leftNumber == rightNumber)
        help = "both are the same number now, but sizes of different names never match: use one of the two names";
      else if (a.size() != b.size())
        help = "shapes are matched from the last axis; insert axes of length one by `x[:, new]`";
      error(
          "TPC0211",
          fmt::format("axes of length {} and {} do not match: {} and {}", text(*left), text(*right), text(a), text(b)),
          span, {}, std::move(help), std::move(notes));
      return std::nullopt;
    }
  }
  return result;
}

std::optional<TensorValue> Expander::combine(Emitter::Binary op, const TensorValue& a, const TensorValue& b, Span aSpan,
                                             Span bSpan, Span span) {
  std::optional<Shape> shape = broadcastShapes(a.shape, b.shape, aSpan, bSpan, span);
  if (!shape) return std::nullopt;
  TensorValue left = emitter_.broadcastTo(a, *shape, aSpan);
  TensorValue right = emitter_.broadcastTo(b, *shape, bSpan);
  return emitter_.binary(op, left, right, span);
}

Value Expander::arithmetic(ast::BinaryOp op, const Value& left, const Value& right, Span leftSpan, Span rightSpan,
                           Span span) {
  if (left.isPoison() || right.isPoison()) return {};
  const Scalar* a = left.as<Scalar>();
  const Scalar* b = right.as<Scalar>();
  if (op == ast::BinaryOp::divide && b &&
      ((b->exact && b->exact->isZero()) ||
       (b->factor && b->factor->kind == Number::Kind::plain && b->factor->coefficient == 0)))
    return poison("TPC0256", fmt::format("`{}` is zero, and stands below a fraction", written(rightSpan)), rightSpan);
  for (const auto& [scalar, at] : {std::pair(a, leftSpan), std::pair(b, rightSpan)}) {
    if (!scalar || !scalar->factor) continue;
    const Number::Kind kind = scalar->factor->kind;
    if (kind == Number::Kind::infinity || kind == Number::Kind::minusInfinity)
      return poison("TPC0257", "`inf` enters no arithmetic", at, {},
                    "it is what `where`, `max` and `min` may give: `where(mask, s, -inf)`");
    if (kind == Number::Kind::tiny && scalar == b && op == ast::BinaryOp::divide)
      return poison("TPC0256", fmt::format("`{}` is taken for zero, and stands below a fraction", written(at)), at, {},
                    "add it to what it keeps from zero: `x / (y + tiny(1e-5))`");
  }
  if (a && b) {
    if (a->factor && b->factor && a->factor->coefficient != 0 && b->factor->coefficient != 0) {
      const double x = a->factor->coefficient, y = b->factor->coefficient;
      const double result = op == ast::BinaryOp::add        ? x + y
                            : op == ast::BinaryOp::subtract ? x - y
                            : op == ast::BinaryOp::multiply ? x * y
                                                            : x / y;
      const bool isProduct = op == ast::BinaryOp::multiply || op == ast::BinaryOp::divide;
      if (!std::isfinite(result) || (isProduct && result == 0))
        return poison(
            "TPC0257",
            fmt::format("`{}` is too {} for a number of the machine", written(span), result == 0 ? "small" : "large"),
            span);
    }
    std::optional<Scalar> folded;
    switch (op) {
      case ast::BinaryOp::add: folded = add(*a, *b); break;
      case ast::BinaryOp::subtract: folded = subtract(*a, *b); break;
      case ast::BinaryOp::multiply: folded = multiply(*a, *b); break;
      default: folded = divide(*a, *b); break;
    }
    if (folded) return {*folded};
  }
  std::optional<TensorValue> x = tensor(left, leftSpan);
  if (op == ast::BinaryOp::divide && x) {
    // a / b = a * (1 / b), the inverse taken before it is broadcast; of a number it is a number.
    std::optional<Scalar> inverse;
    if (b) inverse = power(*b, Rational(-1));
    std::optional<TensorValue> y;
    if (inverse && inverse->factor) {
      y = emitter_.number(*inverse->factor, rightSpan);
    } else if ((y = tensor(right, rightSpan))) {
      y = emitter_.map(MapFn::reciprocal, *y, span);
      if (a && a->exact && *a->exact == Rational(1)) return {*y};
    }
    if (!y) return {};
    std::optional<TensorValue> quotient = combine(Emitter::Binary::mul, *x, *y, leftSpan, rightSpan, span);
    return quotient ? Value{*quotient} : Value{};
  }
  std::optional<TensorValue> y = tensor(right, rightSpan);
  if (!x || !y) return {};
  Emitter::Binary binary = op == ast::BinaryOp::add        ? Emitter::Binary::add
                           : op == ast::BinaryOp::subtract ? Emitter::Binary::sub
                                                           : Emitter::Binary::mul;
  std::optional<TensorValue> result = combine(binary, *x, *y, leftSpan, rightSpan, span);
  return result ? Value{*result} : Value{};
}

Value Expander::comparison(ast::BinaryOp op, const Value& left, const Value& right, Span leftSpan, Span rightSpan,
                           Span span) {
  if (const bool* a = left.as<bool>())
    if (const bool* b = right.as<bool>(); b && (op == ast::BinaryOp::equal || op == ast::BinaryOp::notEqual))
      return {(*a == *b) == (op == ast::BinaryOp::equal)};
  const Scalar* a = left.as<Scalar>();
  const Scalar* b = right.as<Scalar>();
  if (a && b) {
    if (a->length && b->length && *a->length == *b->length) {
      return {op == ast::BinaryOp::equal || op == ast::BinaryOp::lessEqual || op == ast::BinaryOp::greaterEqual};
    }
    auto growing = [&](const Scalar& scalar) {
      if (scalar.length) return grows(*scalar.length);
      return scalar.factor && std::any_of(scalar.factor->powers.begin(), scalar.factor->powers.end(),
                                          [&](const auto& p) { return symbols_[p.first].grows; });
    };
    auto number = [&](const Scalar& scalar) -> std::optional<double> {
      if (scalar.exact) return scalar.exact->toDouble();
      if (scalar.length)
        if (std::optional<int64_t> value = scalar.length->at(numbers_)) return double(*value);
      if (scalar.factor) return valueOf(*scalar.factor, symbols_);
      return std::nullopt;
    };
    bool isEquality = op == ast::BinaryOp::equal || op == ast::BinaryOp::notEqual;
    if (growing(*a) || growing(*b)) {
      // Different as sizes, so different in the limit, whatever their numbers are now.
      if (isEquality) return {op == ast::BinaryOp::notEqual};
      return poison("TPC0226",
                    fmt::format("`{}` compares a size that grows, so it has no answer for every size", written(span)),
                    span);
    }
    std::optional<double> x = number(*a), y = number(*b);
    if (x && y) {
      switch (op) {
        case ast::BinaryOp::equal: return {*x == *y};
        case ast::BinaryOp::notEqual: return {*x != *y};
        case ast::BinaryOp::less: return {*x < *y};
        case ast::BinaryOp::lessEqual: return {*x <= *y};
        case ast::BinaryOp::greater: return {*x > *y};
        default: return {*x >= *y};
      }
    }
  }
  std::optional<TensorValue> x = tensor(left, leftSpan);
  std::optional<TensorValue> y = tensor(right, rightSpan);
  if (!x || !y) return {};
  std::optional<Shape> shape = broadcastShapes(x->shape, y->shape, leftSpan, rightSpan, span);
  if (!shape) return {};
  CompareFn fn = CompareFn::eq;
  switch (op) {
    case ast::BinaryOp::equal: fn = CompareFn::eq; break;
    case ast::BinaryOp::notEqual: fn = CompareFn::ne; break;
    case ast::BinaryOp::less: fn = CompareFn::lt; break;
    case ast::BinaryOp::lessEqual: fn = CompareFn::le; break;
    case ast::BinaryOp::greater: fn = CompareFn::gt; break;
    default: fn = CompareFn::ge; break;
  }
  TensorValue a2 = emitter_.broadcastTo(*x, *shape, leftSpan);
  TensorValue b2 = emitter_.broadcastTo(*y, *shape, rightSpan);
  return {emitter_.compare(fn, a2, b2, span)};
}

Value Expander::raise(const Value& base, const Value& exponent, Span baseSpan, Span exponentSpan, Span span) {
  const Scalar* p = exponent.as<Scalar>();
  const Scalar* a = base.as<Scalar>();
  if (p && p->exact && a) {
    if (a->exact && a->exact->isZero() && *p->exact < Rational(0))
      return poison("TPC0256", fmt::format("`{}` divides by zero", written(span)), span);
    if (a->factor && a->factor->coefficient < 0 && p->exact->den() != 1)
      return poison("TPC0257", fmt::format("`{}` is a root of a negative number", written(span)), span);
    if (std::optional<Scalar> folded = power(*a, *p->exact)) return {*folded};
  }
  if (!p || !p->isPlain()) {
    // b^step of an optimizer: a positive number to the power of a value.
    bool positive = a && a->isPlain() && a->factor->coefficient > 0;
    if (inOptimizer_ || positive) {
      std::optional<TensorValue> x = tensor(base, baseSpan), y = tensor(exponent, exponentSpan);
      if (!x || !y) return {};
      TensorValue logarithm = emitter_.map(MapFn::log, *x, baseSpan);
      std::optional<TensorValue> product = combine(Emitter::Binary::mul, *y, logarithm, exponentSpan, baseSpan, span);
      return product ? Value{emitter_.map(MapFn::exp, *product, span)} : Value{};
    }
    const bool isSize = p && p->factor && !p->factor->powers.empty();
    return poison("TPC0255",
                  fmt::format("the power `{}` is {}, and has to be a {}number", written(exponentSpan), text(exponent),
                              isSize ? "plain " : ""),
                  exponentSpan, {}, "for a power that is computed write `exp(p * log(x))`");
  }
  if (!p->exact && std::abs(p->factor->coefficient) > 1e9)
    return poison("TPC0255", fmt::format("the power {} is larger than 10^9", toString(*p, symbols_)), exponentSpan);
  if (!p->exact)
    return poison("TPC0255",
                  fmt::format("the power {} is no fraction with a denominator up to 1000", toString(*p, symbols_)),
                  exponentSpan, {}, "write it as a fraction: `x^(1/3)`");
  std::optional<TensorValue> x = tensor(base, baseSpan);
  if (!x) return {};
  Rational power = *p->exact;
  if (power == Rational(1)) return {*x};
  if (power.isZero())
    return {emitter_.broadcastTo(emitter_.number({.coefficient = 1, .powers = {}, .kind = Number::Kind::plain}, span),
                                 x->shape, span)};
  if (power == Rational(2)) return {emitter_.map(MapFn::square, *x, span)};
  if (power == Rational(-1)) return {emitter_.map(MapFn::reciprocal, *x, span)};
  if (power == half) return {emitter_.map(MapFn::sqrt, *x, span)};
  if (power == -half) return {emitter_.map(MapFn::rsqrt, *x, span)};
  return {emitter_.pow(*x, power, span)};
}

// ---- matmul, as in PyTorch ------------------------------------------------------------------------------------------

Value Expander::transposed(const Value& value, Span operand, Span span) {
  if (value.isPoison()) return {};
  const TensorValue* x = value.as<TensorValue>();
  if (!x || x->rank() < 2)
    return poison("TPC0266",
                  fmt::format("`{}` is {}, and a transpose swaps the last two axes", written(operand), text(value)),
                  operand);
  std::vector<int> axes;
  for (int i = 0; i < x->rank(); ++i) axes.push_back(i);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return {emitter_.transpose(*x, axes, span)};
}

// x [.., m, k] @ y [.., k, n]; a vector on either side is k alone.  The axes before are matched from the last, like
// those of a sum; one that a side lacks, or has with length one, comes from the other.
Value Expander::matmul(const Value& left, const Value& right, Span leftSpan, Span rightSpan, Span span) {
  std::optional<TensorValue> x = tensor(left, leftSpan);
  std::optional<TensorValue> y = tensor(right, rightSpan);
  if (!x || !y) return {};
  if (x->rank() == 0 || y->rank() == 0) {
    const Span at = x->rank() == 0 ? leftSpan : rightSpan;
    return poison("TPC0213", fmt::format("`{}` has no axes, and `@` sums over one", written(at)), at, {},
                  "write `*` to multiply by a number");
  }
  const Length& k = x->shape.back();
  const Length& own = y->rank() == 1 ? y->shape[0] : y->shape[size_t(y->rank() - 2)];
  if (k != own) {
    std::vector<Note> notes{
        {fmt::format("`{}` is {}: its last axis is {}", written(leftSpan), text(x->shape), text(k)), leftSpan},
        {fmt::format("`{}` is {}: its {} axis is {}", written(rightSpan), text(y->shape),
                     y->rank() == 1   ? "only"
                     : y->rank() == 2 ? "first"
                                      : "last but one",
                     text(own)),
         rightSpan}};
    std::string help;
    if (y->rank() >= 2 && y->shape.back() == k)
      help = fmt::format("the last axis of `{0}` is {1}: `{0}^T`", written(rightSpan), text(k));
    else if (k.at(numbers_) && k.at(numbers_) == own.at(numbers_))
      help = "both are the same number now, but sizes of different names never match: use one of the two names";
    error("TPC0212",
          fmt::format("`@` sums over axes of length {} and {}, which do not match: {} @ {}", text(k), text(own),
                      text(x->shape), text(y->shape)),
          span, {}, std::move(help), std::move(notes));
    return {};
  }

  int xBatch = std::max(x->rank() - 2, 0), yBatch = std::max(y->rank() - 2, 0);
  int batch = std::max(xBatch, yBatch);
  // Length-one axes that the other side makes longer are taken away before.
  for (int i = 0; i < batch; ++i) {
    int inX = i - (batch - xBatch), inY = i - (batch - yBatch);
    if (inX < 0 || inY < 0) continue;
    const Length& a = x->shape[size_t(inX)];
    const Length& b = y->shape[size_t(inY)];
    if (a == b || a.isOne() || b.isOne()) continue;
    return poison(
        "TPC0211",
        fmt::format("axes of length {} and {} do not match: {} @ {}", text(a), text(b), text(x->shape), text(y->shape)),
        span);
  }
  Contraction labels;
  uint8_t summed = uint8_t(batch), rows = uint8_t(batch + 1), columns = uint8_t(batch + 2);
  TensorValue a = *x, b = *y;
  int removedX = 0, removedY = 0;
  for (int i = 0; i < batch; ++i) {
    int inX = i - (batch - xBatch), inY = i - (batch - yBatch);
    bool hasX = inX >= 0, hasY = inY >= 0;
    if (hasX && hasY && x->shape[size_t(inX)] != y->shape[size_t(inY)]) {
      if (x->shape[size_t(inX)].isOne()) {
        a = emitter_.removeAxis(a, inX - removedX++, leftSpan);
        hasX = false;
      } else {
        b = emitter_.removeAxis(b, inY - removedY++, rightSpan);
        hasY = false;
      }
    }
    if (hasX) labels.a.push_back(uint8_t(i));
    if (hasY) labels.b.push_back(uint8_t(i));
    labels.result.push_back(uint8_t(i));
  }
  if (x->rank() > 1) {
    labels.a.push_back(rows);
    labels.result.push_back(rows);
  }
  labels.a.push_back(summed);
  labels.b.push_back(summed);
  if (y->rank() > 1) {
    labels.b.push_back(columns);
    labels.result.push_back(columns);
  }
  return {emitter_.contract(a, b, labels, span)};
}

}  // namespace tpc
