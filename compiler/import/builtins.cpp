// What is built in: elementary functions, reductions, constants.  All other functions are the library's.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "compiler/import/arguments.h"
#include "compiler/import/expander.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

struct Elementary {
  const char* name;
  MapFn fn;
};
constexpr Elementary elementary[] = {
    {"exp", MapFn::exp},         {"log", MapFn::log},   {"sqrt", MapFn::sqrt}, {"abs", MapFn::abs},
    {"sign", MapFn::sign},       {"sin", MapFn::sin},   {"cos", MapFn::cos},   {"tanh", MapFn::tanh},
    {"sigmoid", MapFn::sigmoid}, {"relu", MapFn::relu}, {"gelu", MapFn::gelu}, {"silu", MapFn::silu},
    {"round", MapFn::round},
};
constexpr const char* others[] = {"max",       "min",    "sum",       "mean",          "argmax",  "where",  "ones",
                                  "zeros",     "eye",    "onehot",    "iota",          "tiny",    "concat", "split",
                                  "transpose", "einsum", "rearrange", "stop_gradient", "dropout", "windows"};
// Of the whole language; a program may define functions of these names itself.
constexpr const char* later[] = {"polar", "matrix_power", "eigenbasis", "norm", "sort", "cumsum", "scan"};

const Elementary* elementaryNamed(const std::string& name) {
  for (const Elementary& entry : elementary)
    if (name == entry.name) return &entry;
  return nullptr;
}

}  // namespace

bool isBuiltin(const std::string& name) {
  return elementaryNamed(name) ||
         std::any_of(std::begin(others), std::end(others), [&](const char* other) { return name == other; });
}

bool isLaterFunction(const std::string& name) {
  return std::any_of(std::begin(later), std::end(later), [&](const char* other) { return name == other; });
}

std::vector<std::string> builtinNames() {
  std::vector<std::string> names;
  for (const Elementary& entry : elementary) names.emplace_back(entry.name);
  for (const char* name : others) names.emplace_back(name);
  return names;
}

std::optional<Expander::Arguments> Expander::builtinArguments(const std::string& name, const ast::Call& node, Span span,
                                                              size_t least, size_t most,
                                                              std::initializer_list<const char*> names) {
  Arguments arguments;
  bool known = true;
  for (const ast::Argument& argument : node.arguments) {
    std::string key = argument.name ? argument.name->text : "";
    const ast::NameRef* bare = argument.value->as<ast::NameRef>();
    bool isFlag = !argument.name && bare && (bare->name == "keep" || bare->name == "same") &&
                  std::any_of(names.begin(), names.end(), [&](const char* n) { return bare->name == n; });
    if (isFlag) key = bare->name;
    if (key.empty()) {
      Value value = eval(*argument.value);
      known = known && !value.isPoison();
      arguments.values.push_back(std::move(value));
      arguments.spans.push_back(argument.value->span);
      arguments.expressions.push_back(argument.value.get());
      continue;
    }
    bool allowed = std::any_of(names.begin(), names.end(), [&](const char* other) { return key == other; });
    // `h = H` of rearrange names an axis of its pattern.
    bool anyName = std::any_of(names.begin(), names.end(), [](const char* other) { return *other == '*'; });
    if (!allowed && !anyName) {
      std::vector<std::string> candidates(names.begin(), names.end());
      error("TPC0217", fmt::format("`{}` has no argument `{}`", name, key), argument.span, {},
            didYouMean(key, candidates));
      known = false;
      continue;
    }
    if (arguments.named.contains(key)) {
      error("TPC0219", fmt::format("the argument `{}` of `{}` is given twice", key, name), argument.span);
      known = false;
      continue;
    }
    Value value = isFlag && !find(key) ? Value{true} : eval(*argument.value);
    known = known && !value.isPoison();
    arguments.named[key] = {
        .value = std::move(value), .span = argument.value->span, .expression = argument.value.get()};
  }
  if (!known) return std::nullopt;
  if (arguments.values.size() < least) {
    error("TPC0216",
          fmt::format("`{}` takes {}{} argument{}, and {} given", name, most == least ? "" : "at least ", least,
                      least == 1 ? "" : "s",
                      arguments.values.empty()
                          ? "none is"
                          : fmt::format("{} {}", arguments.values.size(), arguments.values.size() == 1 ? "is" : "are")),
          span);
    return std::nullopt;
  }
  if (arguments.values.size() > most) {
    error("TPC0218",
          fmt::format("`{}` takes {} argument{} by position, and {} are given", name, most, most == 1 ? "" : "s",
                      arguments.values.size()),
          span);
    return std::nullopt;
  }
  return arguments;
}

std::optional<bool> Expander::flagOf(const Arguments& arguments, const char* name) {
  const Arguments::Named* named = arguments.find(name);
  if (!named) return false;
  if (const bool* flag = named->value.as<bool>()) return *flag;
  error("TPC0220", fmt::format("`{}` is `true` or `false`, not {}", name, text(named->value)), named->span);
  return std::nullopt;
}

Value Expander::callBuiltin(const std::string& name, const ast::Call& node, Span span) {
  if (const Elementary* entry = elementaryNamed(name)) return mapOf(entry->fn, name, node, span);
  if (name == "max" || name == "min") return extremum(name, node, span);
  if (name == "sum" || name == "mean" || name == "argmax") return reduction(name, node, span);
  if (name == "where") return where(node, span);
  if (name == "ones") return fill(1, name, node, span);
  if (name == "zeros") return fill(0, name, node, span);
  if (name == "eye") return eyeOf(node, span);
  if (name == "onehot") return oneHotOf(node, span);
  if (name == "concat") return concatenation(node, span);
  if (name == "split") return splitting(node, span);
  if (name == "einsum") return einsum(node, span);
  if (name == "dropout") return dropout(node, span);
  if (name == "windows") return windows(node, span);
  if (name == "rearrange") return rearrange(node, span);

  std::optional<Arguments> arguments = builtinArguments(name, node, span, 1, 1, {});
  if (!arguments) return {};
  const Value& value = arguments->values[0];
  const Span at = arguments->spans[0];
  if (name == "transpose") return transposed(value, at, span);
  if (name == "iota") {
    std::optional<Length> length = lengthOf(value, at);
    return length ? Value{emitter_.iota(*length, span)} : Value{};
  }
  if (name == "tiny") {
    const Scalar* scalar = value.as<Scalar>();
    if (scalar && scalar->isPlain() && scalar->factor->coefficient >= 0)
      return {scalarOf(Number{.coefficient = scalar->factor->coefficient, .powers = {}, .kind = Number::Kind::tiny})};
    // eps of an optimizer: a base number of the command line that counts as zero is written as itself.
    return poison("TPC0257", fmt::format("`tiny` takes a small positive number, not {}", text(value)), at);
  }
  std::optional<TensorValue> x = tensor(value, at);  // stop_gradient
  return x ? Value{emitter_.stopGradient(*x, span)} : Value{};
}

// ---- elementary functions -------------------------------------------------------------------------------------------

Value Expander::mapOf(MapFn fn, const std::string& name, const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments(name, node, span, 1, 1, {});
  if (!arguments) return {};
  const Value& value = arguments->values[0];
  if (const Scalar* scalar = value.as<Scalar>()) {
    const bool plain = scalar->isPlain();
    const double x = plain ? scalar->factor->coefficient : 0;
    if (fn == MapFn::sqrt && scalar->factor && scalar->factor->kind == Number::Kind::plain) {
      if (scalar->factor->coefficient < 0)
        return poison("TPC0257", fmt::format("`{}` is the root of a negative number", written(span)), span);
      if (std::optional<Scalar> root = power(*scalar, half)) return {*root};
    }
    if (fn == MapFn::log && plain && x <= 0)
      return poison("TPC0257", fmt::format("`{}` is the logarithm of a number that is not positive", written(span)),
                    span);
    if (plain) {
      std::optional<double> folded;
      switch (fn) {
        case MapFn::exp: folded = std::exp(x); break;
        case MapFn::log: folded = std::log(x); break;
        case MapFn::abs: folded = std::abs(x); break;
        case MapFn::sign: folded = double((x > 0) - (x < 0)); break;
        case MapFn::sin: folded = std::sin(x); break;
        case MapFn::cos: folded = std::cos(x); break;
        case MapFn::tanh: folded = std::tanh(x); break;
        case MapFn::relu: folded = std::max(x, 0.0); break;
        default: break;
      }
      if (folded && std::isfinite(*folded)) return {scalarOf(*folded)};
    }
  }
  std::optional<TensorValue> x = tensor(value, arguments->spans[0]);
  return x ? Value{emitter_.map(fn, *x, span)} : Value{};
}

// max(a, b) is the map of two arguments, max(a, axis = ..) the reduction.
Value Expander::extremum(const std::string& name, const ast::Call& node, Span span) {
  size_t positional =
      size_t(std::count_if(node.arguments.begin(), node.arguments.end(), [&](const ast::Argument& argument) {
        return !argument.name && !argument.value->isName("keep");
      }));
  if (positional < 2) return reduction(name, node, span);
  std::optional<Arguments> arguments = builtinArguments(name, node, span, 2, 2, {});
  if (!arguments) return {};
  const Scalar* a = arguments->values[0].as<Scalar>();
  const Scalar* b = arguments->values[1].as<Scalar>();
  if (a && b && a->exact && b->exact)
    return {scalarOf(name == "max" ? std::max(*a->exact, *b->exact) : std::min(*a->exact, *b->exact))};
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  std::optional<TensorValue> y = tensor(arguments->values[1], arguments->spans[1]);
  if (!x || !y) return {};
  std::optional<TensorValue> result = combine(name == "max" ? Emitter::Binary::maximum : Emitter::Binary::minimum, *x,
                                              *y, arguments->spans[0], arguments->spans[1], span);
  return result ? Value{*result} : Value{};
}

// ---- reductions -----------------------------------------------------------------------------------------------------

// An axis by its position, from the end where negative, or by its length's name where only one axis has it.
std::optional<int> Expander::axisOf(const Value& value, const TensorValue& x, Span span) {
  const Scalar* scalar = value.as<Scalar>();
  if (scalar && value.namedSize && scalar->length) {
    std::vector<int> found;
    for (int i = 0; i < x.rank(); ++i)
      if (x.shape[size_t(i)] == *scalar->length) found.push_back(i);
    if (found.size() == 1) return found[0];
    error("TPC0247",
          fmt::format("{} axes of {} have the length {}", found.empty() ? "no" : "several", text(x.shape),
                      text(*scalar->length)),
          span, {}, "name the axis by its position: `axis = -1`");
    return std::nullopt;
  }
  std::optional<int64_t> number = scalar ? scalar->whole() : std::nullopt;
  if (!number) {
    error("TPC0246", fmt::format("an axis is a whole number or a size's name, not {}", text(value)), span);
    return std::nullopt;
  }
  if (*number >= x.rank() || *number < -x.rank()) {
    error("TPC0246",
          fmt::format("there is no axis {} in {}, which has {} ax{}", *number, text(x.shape), x.rank(),
                      x.rank() == 1 ? "is" : "es"),
          span);
    return std::nullopt;
  }
  return int(*number < 0 ? *number + x.rank() : *number);
}

Value Expander::reduction(const std::string& name, const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments(name, node, span, 1, 2, {"axis", "keep"});
  if (!arguments) return {};
  if (arguments->values.size() == 2)
    return poison("TPC0249", fmt::format("the axis of `{}` is given by name", name), arguments->spans[1], {},
                  fmt::format("write `axis = {}`", written(arguments->spans[1])));
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  std::optional<bool> keep = flagOf(*arguments, "keep");
  if (!x || !keep) return {};

  std::vector<int> axes;
  if (const Arguments::Named* named = arguments->find("axis")) {
    std::vector<Value> wanted;
    if (const auto* several = named->value.as<std::vector<Value>>()) wanted = *several;
    else wanted.push_back(named->value);
    for (const Value& value : wanted) {
      std::optional<int> axis = axisOf(value, *x, named->span);
      if (!axis) return {};
      if (std::find(axes.begin(), axes.end(), *axis) != axes.end())
        return poison("TPC0248", fmt::format("axis {} is given twice", *axis), named->span);
      axes.push_back(*axis);
    }
    std::sort(axes.begin(), axes.end());
  } else if (name == "argmax") {
    if (x->rank() == 0) return poison("TPC0246", "`argmax` of a value without axes", arguments->spans[0]);
    axes.push_back(x->rank() - 1);
  } else {
    for (int i = 0; i < x->rank(); ++i) axes.push_back(i);
  }
  if (name == "argmax" && axes.size() != 1)
    return poison("TPC0246", fmt::format("`argmax` goes over one axis, not {}", axes.size()), span);

  TensorValue result = *x;
  if (!axes.empty()) {
    ReduceFn fn = name == "max"      ? ReduceFn::max
                  : name == "min"    ? ReduceFn::min
                  : name == "argmax" ? ReduceFn::argmax
                                     : ReduceFn::sum;
    result = emitter_.reduce(fn, *x, axes, span);
  }
  if (name == "mean" && !axes.empty()) {
    // The mean is a sum times 1 / (its number of terms), a number with a power of that size.
    std::optional<Scalar> count = scalarOf(Rational(1));
    for (int axis : axes)
      if (count) count = multiply(*count, scalarOf(x->shape[size_t(axis)]));
    std::optional<Scalar> inverse = count ? power(*count, Rational(-1)) : std::nullopt;
    TensorValue factor;
    if (inverse && inverse->factor) {
      factor = emitter_.number(*inverse->factor, span);
    } else {
      factor = emitLength(x->shape[size_t(axes[0])], span);
      for (size_t i = 1; i < axes.size(); ++i)
        factor = emitter_.binary(Emitter::Binary::mul, factor, emitLength(x->shape[size_t(axes[i])], span), span);
      factor = emitter_.map(MapFn::reciprocal, factor, span);
    }
    result = emitter_.binary(Emitter::Binary::mul, result, emitter_.broadcastTo(factor, result.shape, span), span);
  }
  if (*keep)
    for (int axis : axes) result = emitter_.insertAxis(result, axis, span);
  return {result};
}

// ---- constants and choices ------------------------------------------------------------------------------------------

Value Expander::where(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("where", node, span, 3, 3, {});
  if (!arguments) return {};
  if (const bool* known = arguments->values[0].as<bool>()) return arguments->values[*known ? 1 : 2];
  std::optional<TensorValue> condition = tensor(arguments->values[0], arguments->spans[0]);
  std::optional<TensorValue> a = tensor(arguments->values[1], arguments->spans[1]);
  std::optional<TensorValue> b = tensor(arguments->values[2], arguments->spans[2]);
  if (!condition || !a || !b) return {};
  std::optional<Shape> shape = broadcastShapes(a->shape, b->shape, arguments->spans[1], arguments->spans[2], span);
  if (shape) shape = broadcastShapes(condition->shape, *shape, arguments->spans[0], span, span);
  if (!shape) return {};
  TensorValue chosen = emitter_.broadcastTo(*condition, *shape, arguments->spans[0]);
  TensorValue first = emitter_.broadcastTo(*a, *shape, arguments->spans[1]);
  TensorValue second = emitter_.broadcastTo(*b, *shape, arguments->spans[2]);
  return {emitter_.select(chosen, first, second, span)};
}

Value Expander::fill(double number, const std::string& name, const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments(name, node, span, 0, 16, {});
  if (!arguments) return {};
  Shape shape;
  for (size_t i = 0; i < arguments->values.size(); ++i) {
    std::optional<Length> length = lengthOf(arguments->values[i], *arguments->expressions[i]);
    if (!length) return {};
    shape.push_back(*length);
  }
  TensorValue scalar = emitter_.number({.coefficient = number, .powers = {}, .kind = Number::Kind::plain}, span);
  return {emitter_.broadcastTo(scalar, shape, span)};
}

// x times a mask that is one in evaluation; its numbers belong to the place in the text, the step and the layer.
Value Expander::dropout(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("dropout", node, span, 2, 2, {});
  if (!arguments) return {};
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  const Scalar* rate = arguments->values[1].as<Scalar>();
  if (!x) return {};
  if (!rate || !rate->isPlain() || rate->factor->coefficient < 0 || rate->factor->coefficient >= 1)
    return poison("TPC0288",
                  fmt::format("`dropout` takes the part that is dropped, a number from 0 to below 1, not {}",
                              text(arguments->values[1])),
                  arguments->spans[1]);
  const std::string path = joined(frame_->path, numbered("dropout", ++frame_->calls["dropout"]));
  if (rate->factor->coefficient == 0) return {*x};
  TensorValue mask = emitter_.dropoutMask({.name = path, .rate = rate->factor->coefficient}, x->shape, span);
  return {emitter_.binary(Emitter::Binary::mul, *x, mask, span)};
}

Value Expander::eyeOf(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("eye", node, span, 1, 2, {});
  if (!arguments) return {};
  std::optional<Length> rows = lengthOf(arguments->values[0], *arguments->expressions[0]);
  std::optional<Length> columns =
      arguments->values.size() == 2 ? lengthOf(arguments->values[1], *arguments->expressions[1]) : rows;
  if (!rows || !columns) return {};
  return {emitter_.eye(*rows, *columns, span)};
}

Value Expander::oneHotOf(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("onehot", node, span, 2, 2, {});
  if (!arguments) return {};
  std::optional<TensorValue> index = tensor(arguments->values[0], arguments->spans[0]);
  std::optional<Length> k = lengthOf(arguments->values[1], *arguments->expressions[1]);
  if (!index || !k) return {};
  if (!index->integer)
    return poison("TPC0252",
                  fmt::format("`{}` holds real numbers, and `onehot` takes integers", written(arguments->spans[0])),
                  arguments->spans[0], {}, "an input holds integers when it is declared with `in size`");
  if (index->below != *k) {
    std::optional<int64_t> below = index->below.at(numbers_), length = k->at(numbers_);
    if (!below || !length || *below > *length || index->below.isNumber() != k->isNumber())
      return poison("TPC0254",
                    fmt::format("`{}` holds integers below {}, and the axis it chooses from has {} entries",
                                written(arguments->spans[0]), text(index->below), text(*k)),
                    arguments->spans[0]);
  }
  return {emitter_.oneHot(*index, *k, span)};
}

}  // namespace tpc
