// Sizes, lengths of axes, and the leaves of a program: inputs, parameters, constants.
#include <fmt/format.h>
#include <algorithm>

#include "compiler/import/expander.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

constexpr int64_t largestSize = int64_t(1) << 40;  // Length::at
constexpr int64_t batchNumber = 32;                // `batch` needs no declaration; -D batch=... gives another number

bool hasGrowing(const Number& number, const std::vector<Symbol>& symbols) {
  return std::any_of(number.powers.begin(), number.powers.end(),
                     [&](const auto& power) { return symbols[power.first].grows; });
}

}  // namespace

// ---- sizes ----------------------------------------------------------------------------------------------------------

void Expander::declareSizes(const ast::Program& program, const Sizes& sizes) {
  symbols_.push_back({.name = "batch", .grows = false, .number = batchNumber});
  std::map<std::string, Span> declared;
  std::set<std::string> refused;  // known by name, so that the one mistake is not reported again at each use
  for (const ast::Statement& statement : program.body.statements) {
    const ast::Size* size = statement.as<ast::Size>();
    if (!size) continue;
    for (const ast::SizeEntry& entry : size->entries) {
      const std::string& name = entry.name.text;
      if (auto before = declared.find(name); before != declared.end()) {
        error("TPC0203", fmt::format("the size `{}` is declared twice", name), entry.name.span, {}, {},
              {{"the first one", before->second}});
        continue;
      }
      declared.emplace(name, entry.name.span);
      if (!entry.value.integer || entry.value.value < 1 || entry.value.value > double(largestSize)) {
        error("TPC0205",
              fmt::format("the size `{}` is {}, and has to be a whole number from 1 to 2^40", name, entry.value.text),
              entry.valueSpan);
        refused.insert(name);
        continue;
      }
      if (name == "batch") {
        if (entry.grows)
          error("TPC0210", "`batch` never grows", entry.name.span, {},
                "declare a size with another name for an axis that grows");
        symbols_[0].number = int64_t(entry.value.value);
        continue;
      }
      symbols_.push_back({.name = name, .grows = entry.grows, .number = int64_t(entry.value.value)});
    }
  }

  // The command line's numbers and choices.
  std::vector<std::string> names;
  for (const Symbol& symbol : symbols_) names.push_back(symbol.name);
  auto named = [&](const std::string& name, const char* option) -> Symbol* {
    for (Symbol& symbol : symbols_)
      if (symbol.name == name) return &symbol;
    if (refused.contains(name)) return nullptr;
    Diagnostic diagnostic{.code = "TPC0204",
                          .message = fmt::format("`{}` names no size of this program: `{}`", option, name),
                          .span = {}};
    diagnostic.help = didYouMean(name, names);
    diagnostics_.report(std::move(diagnostic));
    failed_ = true;
    return nullptr;
  };
  for (const auto& [name, number] : sizes.defines)
    if (Symbol* symbol = named(name, "-D")) {
      if (number < 1 || number > largestSize) {
        diagnostics_.error("TPC0205", fmt::format("`-D {}={}`: a size is a whole number from 1 to 2^40", name, number),
                           {});
        failed_ = true;
      } else {
        symbol->number = number;
      }
    }
  for (const std::string& name : sizes.grow)
    if (Symbol* symbol = named(name, "--grow")) {
      if (name == "batch") {
        diagnostics_.error("TPC0210", "`--grow batch`: `batch` never grows", {});
        failed_ = true;
      } else {
        symbol->grows = true;
      }
    }
  for (const std::string& name : sizes.fix)
    if (Symbol* symbol = named(name, "--fix")) symbol->grows = false;

  for (const Symbol& symbol : symbols_) numbers_.push_back(symbol.number);
  for (SymbolId id = 0; id < symbols_.size(); ++id) {
    auto at = declared.find(symbols_[id].name);
    Binding binding{.value = {sizeScalar(id), true},
                    .role = Binding::Role::length,
                    .span = at == declared.end() ? Span{} : at->second};
    globals_.emplace(symbols_[id].name, std::move(binding));
  }
  for (const std::string& name : refused) {
    globals_.emplace(name, Binding{.value = {}, .role = Binding::Role::length, .span = declared.at(name)});
  }
}

// Its number where it is divided by somewhere (Dissolved), itself otherwise.  As a factor always itself.
Scalar Expander::sizeScalar(SymbolId symbol) const {
  Scalar scalar = scalarOf(symbol);
  if (dissolved_.names.contains(symbols_[symbol].name)) scalar.length = Length::number(symbols_[symbol].number);
  return scalar;
}

std::optional<SymbolId> Expander::symbolNamed(const std::string& name) const {
  for (SymbolId id = 0; id < symbols_.size(); ++id)
    if (symbols_[id].name == name) return id;
  return std::nullopt;
}

void Expander::declare(const ast::Size& size) {
  // At the top of a program they are declared already, before everything else.
  if (onlyAtTheTop("size", size.entries.empty() ? frame_->callSpan : size.entries[0].name.span)) return;
  for (const ast::SizeEntry& entry : size.entries)
    globals_.emplace(entry.name.text, Binding{.value = {}, .role = Binding::Role::length, .span = entry.name.span});
}

void Expander::declare(const ast::Let& let) {
  for (const ast::LetEntry& entry : let.entries) {
    Value value = eval(*entry.value);
    if (!value.isPoison()) {
      const Scalar* scalar = value.as<Scalar>();
      const TensorValue* computed = value.as<TensorValue>();
      if (computed && computed->constant && computed->rank() == 0) {
        lengthOf(*entry.value);  // d - n: reported there, or its sizes are dissolved
        value = {};
      } else if (!scalar) {
        value = poison(
            "TPC0206",
            fmt::format("`let {}` is {}, and has to be an expression of sizes", entry.name.text, text(value)),
            entry.value->span, {}, fmt::format("tensors are assigned without `let`: `{} = ...`", entry.name.text));
      } else if (std::optional<Length> length = lengthOf(*entry.value)) {
        Scalar known = *scalar;
        known.length = length;
        value = {known, true};
      } else {
        value = {};
      }
    }
    std::map<std::string, Binding>& scope = frame_->isProgram() ? globals_ : frame_->names;
    if (auto before = scope.find(entry.name.text);
        before != scope.end() && (frame_->isProgram() || before->second.role == Binding::Role::length)) {
      error("TPC0203", fmt::format("`{}` is declared twice", entry.name.text), entry.name.span, {}, {},
            {{"the first one", before->second.span}});
      continue;
    }
    scope[entry.name.text] = {.value = std::move(value), .role = Binding::Role::length, .span = entry.name.span};
  }
}

// ---- lengths --------------------------------------------------------------------------------------------------------

std::optional<Length> Expander::lengthOf(const ast::Expr& expression) { return lengthOf(eval(expression), expression); }

std::optional<Length> Expander::lengthOf(const Value& value, const ast::Expr& expression) {
  // T - k + 1 has no length while T and k are symbols; where both stay it is a number.
  const TensorValue* computed = value.as<TensorValue>();
  const Scalar* scalar = value.as<Scalar>();
  bool isDifference = (computed && computed->constant && computed->rank() == 0) ||
                      (scalar && !scalar->length && !scalar->exact && scalar->divisor == none);
  if (isDifference && dissolve(expression)) return std::nullopt;
  return lengthOf(value, expression.span);
}

bool Expander::dissolve(const Length& length) {
  std::set<std::string> names;
  for (const Monomial& term : length.terms())
    for (const auto& [symbol, power] : term.powers) {
      if (symbols_[symbol].grows || symbol == 0) return false;
      names.insert(symbols_[symbol].name);
    }
  if (names.empty()) return false;
  toDissolve_.insert(names.begin(), names.end());
  failed_ = true;
  return true;
}

bool Expander::dissolve(const ast::Expr& expression) {
  if (const auto* name = expression.as<ast::NameRef>()) {
    const Binding* binding = find(name->name);
    const Scalar* scalar = binding ? binding->value.as<Scalar>() : nullptr;
    return scalar && scalar->length && dissolve(*scalar->length);
  }
  if (const auto* unary = expression.as<ast::Unary>()) return dissolve(*unary->operand);
  if (const auto* binary = expression.as<ast::Binary>()) {
    bool left = dissolve(*binary->left), right = dissolve(*binary->right);
    return left || right;
  }
  return false;
}

std::optional<Length> Expander::lengthOf(const Value& value, Span span) {
  if (value.isPoison()) return std::nullopt;
  const Scalar* scalar = value.as<Scalar>();
  if (const TensorValue* computed = value.as<TensorValue>(); computed && computed->constant && computed->rank() == 0) {
    error("TPC0209",
          fmt::format(
              "`{}` is no length: it is made of sums, products, whole quotients and positive differences of sizes",
              written(span)),
          span, {}, "declare a size of its own for this axis");
    return std::nullopt;
  }
  if (!scalar) {
    error("TPC0206", fmt::format("a size is expected here, not {}", text(value)), span);
    return std::nullopt;
  }
  if (scalar->length) return wholeLength(*scalar->length, span);
  if (scalar->divisor != none) {
    const Symbol& divisor = symbols_[scalar->divisor];
    if (!divisor.grows) {
      toDissolve_.insert(divisor.name);
      failed_ = true;
      return std::nullopt;
    }
    error(
        "TPC0207",
        fmt::format("`{}` divides by `{}`, which grows: the quotient has no limit at a fixed numerator", written(span),
                    divisor.name),
        span, {},
        fmt::format(
            "declare the quotient and let the numerator follow: `size H = .., {0} = {1} -> inf` and `let n = H * {0}`",
            divisor.name, divisor.number));
    return std::nullopt;
  }
  if (scalar->exact && *scalar->exact <= Rational(0)) {
    error("TPC0209", fmt::format("a length is {}, and has to be positive", toString(*scalar->exact)), span);
  } else {
    error("TPC0206",
          fmt::format("`{}` is no length: a length is a sum of products of sizes and numbers", written(span)), span);
  }
  return std::nullopt;
}

std::optional<Length> Expander::wholeLength(const Length& length, Span span) {
  if (length.at(numbers_)) return length;
  std::string numbers;
  std::set<SymbolId> mentioned;
  for (const Monomial& term : length.terms())
    for (const auto& [symbol, power] : term.powers)
      if (mentioned.insert(symbol).second)
        numbers +=
            fmt::format("{}{} = {}", numbers.empty() ? "" : ", ", symbols_[symbol].name, symbols_[symbol].number);
  error(
      "TPC0208",
      fmt::format("`{}`{} is not a whole number from 1 to 2^40", text(length), numbers.empty() ? "" : " at " + numbers),
      span);
  return std::nullopt;
}

bool Expander::grows(const Length& length) const {
  for (const Monomial& term : length.terms())
    for (const auto& [symbol, power] : term.powers)
      if (symbols_[symbol].grows) return true;
  return false;
}

std::optional<Shape> Expander::shapeOf(const ast::Shape& shape) {
  Shape lengths;
  bool known = true;
  for (const ast::ShapeEntry& entry : shape.entries) {
    if (entry.ellipsis) {
      error("TPC0280", "`...` stands in the shape of a function's argument only", entry.span, {}, "write every axis");
      known = false;
      continue;
    }
    std::optional<Length> length = lengthOf(*entry.size);
    if (length) lengths.push_back(*length);
    known = known && length;
  }
  if (!known) return std::nullopt;
  if (lengths.size() > 16) {
    error("TPC0280", fmt::format("a tensor has at most 16 axes, not {}", lengths.size()), shape.span);
    return std::nullopt;
  }
  return lengths;
}

bool Expander::checkFree(const ast::Name& name) {
  auto report = [&](const char* what, Span before) {
    std::vector<Note> notes;
    if (before.end) notes.push_back({"declared here", before});
    error("TPC0203", fmt::format("`{}` is {} already", name.text, what), name.span, {}, "choose another name",
          std::move(notes));
    return false;
  };
  if (frame_->isProgram())
    if (auto at = globals_.find(name.text); at != globals_.end())
      return report(at->second.role == Binding::Role::length ? "a size" : "a constant", at->second.span);
  if (auto at = frame_->names.find(name.text); at != frame_->names.end()) {
    switch (at->second.role) {
      case Binding::Role::input: return report("an input", at->second.span);
      case Binding::Role::parameter: return report("a parameter", at->second.span);
      case Binding::Role::length: return report("a size", at->second.span);
      case Binding::Role::argument: return report("an argument", at->second.span);
      case Binding::Role::constant: return report("a constant", at->second.span);
      case Binding::Role::variable: return report("a variable", at->second.span);
    }
  }
  return true;
}

// ---- inputs ---------------------------------------------------------------------------------------------------------

void Expander::declare(const ast::Input& node, Span span) {
  if (!onlyInProgram(node.target ? "target" : "input", span)) return;
  bool isFree = checkFree(node.name);
  Input input{.name = node.name.text,
              .node = none,
              .target = node.target,
              .integer = node.below != nullptr,
              .below = {},
              .span = node.name.span};
  std::optional<Shape> shape = shapeOf(node.shape);
  if (node.below) {
    std::optional<Length> below = lengthOf(*node.below);
    if (below) input.below = *below;
    else shape.reset();
  }
  if (!isFree) return;
  Value value;
  if (shape) {
    TensorValue tensor = emitter_.input(input, *shape, node.name.span);
    inputs_.push_back({node.name.text, {tensor, node.name.span}});
    namedAt_[tensor.handle] = -1;
    value = {tensor};
  }
  valueCounts_[node.name.text] = 1;
  frame_->names[node.name.text] = {.value = std::move(value), .role = Binding::Role::input, .span = node.name.span};
}

// ---- parameters -----------------------------------------------------------------------------------------------------

std::optional<Expander::InitParts> Expander::initOf(const ast::Param& param, const Shape& shape) {
  InitParts parts;
  if (param.from) {
    // Read when the parameter is made, not when the program is: an analysis does not ask for its numbers.
    parts.init.kind = Init::Kind::file;
    parts.init.fixed = true;
    return parts;
  }
  if (!param.init) return parts;
  const ast::Expr& expression = *param.init;
  Init& init = parts.init;

  const ast::Call* call = expression.as<ast::Call>();
  bool random = call && (call->callee.text == "normal" || call->callee.text == "uniform");
  if (random) {
    if (call->arguments.size() != 1) {
      error("TPC0258", fmt::format("`{}` takes one number: `normal(std)`, `uniform(a)` on [-a, a]", call->callee.text),
            expression.span);
      return std::nullopt;
    }
    Value value = eval(*call->arguments[0].value);
    if (value.isPoison()) return std::nullopt;
    const Scalar* scalar = value.as<Scalar>();
    if (!scalar || !scalar->factor || scalar->factor->kind != Number::Kind::plain || scalar->factor->coefficient < 0) {
      error("TPC0258",
            fmt::format("the width of `{}` is a number that is not negative, with powers of sizes: `n^(-1/2)`",
                        call->callee.text),
            call->arguments[0].value->span);
      return std::nullopt;
    }
    init.number = *scalar->factor;
    init.fixed = param.initFixed || hasGrowing(init.number, symbols_);
    init.kind = call->callee.text == "normal" ? Init::Kind::normal : Init::Kind::uniform;
    if (init.number.coefficient == 0) {  // no width at all is the constant zero
      init.kind = Init::Kind::constant;
      init.fixed = true;
    }
    return parts;
  }

  init.fixed = true;
  if (call && call->callee.text == "eye" && !find("eye")) {
    Value value = eyeOf(*call, expression.span);
    const TensorValue* eye = value.as<TensorValue>();
    if (!eye) return std::nullopt;
    if (eye->shape == shape) {
      init.kind = Init::Kind::eye;
      return parts;
    }
    error("TPC0259",
          fmt::format("`{}` starts as {}, and has the shape {}", param.name.text, text(eye->shape), text(shape)),
          expression.span);
    return std::nullopt;
  }

  Value value = emitter_.at(0, [&] { return eval(expression); });
  if (value.isPoison()) return std::nullopt;
  if (const Scalar* scalar = value.as<Scalar>(); scalar && scalar->factor) {
    if (scalar->factor->kind == Number::Kind::infinity || scalar->factor->kind == Number::Kind::minusInfinity) {
      error("TPC0258", fmt::format("`{}` cannot start as infinity", param.name.text), expression.span);
      return std::nullopt;
    }
    init.kind = Init::Kind::constant;
    init.number = *scalar->factor;
    return parts;
  }
  std::optional<TensorValue> start = emitter_.at(0, [&] { return tensor(value, expression.span); });
  if (!start) return std::nullopt;
  if (!emitter_.standsOutside(*start)) {
    error("TPC0260", fmt::format("`{}` starts as what is made anew in every round of a repeat", param.name.text),
          expression.span, {}, "declare it by `const`, or before the repeat");
    return std::nullopt;
  }
  if (!start->constant) {
    error("TPC0260", fmt::format("`{}` starts as an expression that reads inputs or parameters", param.name.text),
          expression.span, {}, "an init is made of numbers, `eye`, `iota`, `ones`, `zeros` and constants");
    return std::nullopt;
  }
  init.kind = Init::Kind::values;
  parts.start = start;
  return parts;
}

// `shared` is shared by the rounds of all enclosing repeats, `shared(NAME)` by those of that one.
std::vector<size_t> Expander::roundsOf(const ast::Param& node) {
  std::vector<size_t> rounds;
  if (node.shared && !node.sharedBy) return rounds;
  bool found = false;
  std::vector<std::string> names;
  for (size_t i = 0; i < repeats_.size(); ++i) {
    const bool isShared = node.sharedBy && repeats_[i].as == node.sharedBy->text;
    found = found || isShared;
    if (!isShared) rounds.push_back(i);
    if (!repeats_[i].as.empty()) names.push_back(repeats_[i].as);
  }
  if (node.sharedBy && !found) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "`" : ", `") + name + "`";
    error("TPC0275", fmt::format("`shared({})` names no repeat around this parameter", node.sharedBy->text),
          node.sharedBy->span, {},
          names.empty()       ? "name it by `repeat L as NAME`"
          : names.size() == 1 ? fmt::format("the repeat is called {}", known)
                              : fmt::format("the repeats are called {}", known));
  }
  return rounds;
}

void Expander::declare(const ast::Param& node, Span span) {
  const std::string path = joined(frame_->path, node.name.text);
  if (node.from && node.init)
    error("TPC0258", fmt::format("`{}` starts as `{}` and from a file", node.name.text, written(node.init->span)),
          node.fromSpan, {}, "leave one of the two out");
  if (node.frozen && node.trained)
    error("TPC0276", fmt::format("`{}` is both frozen and trained", node.name.text), span);
  const std::vector<size_t> rounds = roundsOf(node);
  const bool frozen = node.frozen || (frame_->frozen && !node.trained);
  std::optional<Shape> shape = shapeOf(node.shape);
  if (!shape) {
    frame_->names[node.name.text] = {.value = {}, .role = Binding::Role::parameter, .span = node.name.span};
    return;
  }

  // The same name again is the same parameter.
  auto known = parameters_.find(path);
  if (known != parameters_.end()) {
    ParameterRecord& before = known->second;
    std::string init = node.init ? written(node.init->span) : node.from ? written(node.fromSpan) : "";
    if (before.shape != *shape) {
      error("TPC0261",
            fmt::format("`{}` is {} here and {} before; one name is one parameter", path, text(*shape),
                        text(before.shape)),
            span, {}, "give one of them another name, a call by `name = ...`", {{"declared before", before.span}});
    } else if (before.init != init || before.frozen != frozen) {
      error("TPC0261",
            fmt::format("`{}` is declared twice, with different {}; one name is one parameter", path,
                        before.init != init ? "inits" : "training"),
            span, {}, "write both alike, or give one of them another name", {{"declared before", before.span}});
    } else if (!before.repeats.empty() && !before.read) {
      error("TPC0261", fmt::format("`{}` belongs to each layer of another repeat", path), span, {},
            "declare it before the repeat, or `shared`", {{"declared before", before.span}});
    } else {
      frame_->names[node.name.text] = {.value = {before.read ? *before.read : before.tensor},
                                       .role = Binding::Role::parameter,
                                       .span = node.name.span};
    }
    return;
  }
  bool isFree = checkFree(node.name);
  std::optional<InitParts> parts = initOf(node, *shape);
  if (!isFree) return;
  if (!parts) {
    frame_->names[node.name.text] = {.value = {}, .role = Binding::Role::parameter, .span = node.name.span};
    return;
  }

  // Stacked along its repeats, whatever functions lie between them.
  Shape whole;
  for (size_t round : rounds) whole.push_back(repeats_[round].trips);
  whole.insert(whole.end(), shape->begin(), shape->end());
  Parameter parameter;
  parameter.name = path;
  parameter.ownership = frozen ? Ownership::frozen : Ownership::trained;
  parameter.init = parts->init;
  if (node.from) parameter.file = pathBeside(sources_.name(node.fromSpan.file), node.from->text);
  parameter.span = node.name.span;
  if (parts->start) {
    // Every layer starts alike.
    int missing = int(shape->size()) - parts->start->rank();
    bool fits = missing >= 0;
    for (int i = 0; fits && i < parts->start->rank(); ++i)
      fits = parts->start->shape[size_t(i)] == (*shape)[size_t(missing + i)] || parts->start->shape[size_t(i)].isOne();
    if (!fits) {
      error("TPC0259",
            fmt::format("`{}` starts as {}, and has the shape {}", node.name.text, text(parts->start->shape),
                        text(*shape)),
            node.init->span);
      frame_->names[node.name.text] = {.value = {}, .role = Binding::Role::parameter, .span = node.name.span};
      return;
    }
    parts->start = emitter_.at(0, [&] { return emitter_.broadcastTo(*parts->start, whole, node.init->span); });
  }
  auto make = [&] {
    return emitter_.parameter(parameter, whole, !rounds.empty(), parts->start ? &*parts->start : nullptr,
                              node.name.span);
  };
  ParameterRecord record{.name = path,
                         .tensor = emitter_.at(0, make),
                         .shape = *shape,
                         .span = node.name.span,
                         .init = node.init   ? written(node.init->span)
                                 : node.from ? written(node.fromSpan)
                                             : "",
                         .frozen = frozen,
                         .repeats = {},
                         .read = {},
                         .used = {}};
  // This round's instance: in the body of each of its repeats one axis less.
  for (size_t round : rounds) {
    record.repeats.push_back(repeats_[round].id);
    const TensorValue stacked = record.read ? *record.read : record.tensor;
    record.read = emitter_.at(round + 1, [&] { return emitter_.layer(stacked, node.name.span); });
    namedAt_[record.read->handle] = -1;
  }
  TensorValue value = record.read ? *record.read : record.tensor;
  record.used = value;
  namedAt_[record.tensor.handle] = namedAt_[value.handle] = -1;  // it has a name, which no variable takes away
  parameters_.emplace(path, std::move(record));
  parameterOrder_.push_back(path);
  valueCounts_[path] = 1;
  frame_->names[node.name.text] = {.value = {value}, .role = Binding::Role::parameter, .span = node.name.span};
}

}  // namespace tpc
