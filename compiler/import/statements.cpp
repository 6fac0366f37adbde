// Statements: assignments and their names, choices, repeats, and what a program gives.
#include <fmt/format.h>
#include <algorithm>

#include "compiler/import/expander.h"
#include "compiler/import/import.h"
#include "dsl/source/suggest.h"

namespace tpc {

void Expander::runProgram(const ast::Program& program, const Sizes& sizes) {
  Frame frame;
  frame.home = &functions_.program();
  frame_ = &frame;
  declareSizes(program, sizes);
  // Lets are as visible as sizes: also for functions that stand before them.  A second pass over them does nothing.
  for (const ast::Statement& statement : program.body.statements)
    if (const ast::Let* let = statement.as<ast::Let>()) declare(*let);
  emitter_.beginProgram(symbols_, program.model ? program.model->text : "");
  run(program.body.statements);
  finish();
  frame_ = nullptr;
}

void Expander::later(const char* construct, Span span) {
  error("TPC0240", fmt::format("{} comes with a later version of tpc", construct), span);
}

bool Expander::onlyInProgram(const char* word, Span span) {
  if (frame_->isProgram() && repeats_.empty()) return true;
  error("TPC0239",
        fmt::format("`{}` stands at the top of a program, not in a {}", word,
                    frame_->isProgram() ? "repeat" : "function"),
        span);
  return false;
}

// These are taken before everything else, so in a choice they would be taken, or overlooked, whatever is chosen.
bool Expander::onlyAtTheTop(const char* word, Span span) {
  if (!onlyInProgram(word, span)) return false;
  if (choices_ == 0) return true;
  error("TPC0239", fmt::format("`{}` stands at the top of a program, not in an `if`", word), span);
  return false;
}

bool Expander::withinLimits(Span span) {
  if (limitReached_) return false;
  if (emitter_.maximalRank() > ImportLimits::axes) {
    limitReached_ = true;
    error("TPC0280",
          fmt::format("a tensor has {} axes, and {} is the most", emitter_.maximalRank(), ImportLimits::axes), span);
    return false;
  }
  if (emitter_.operations() <= ImportLimits::operations && steps_ <= ImportLimits::evaluations) return true;
  limitReached_ = true;
  if (steps_ > ImportLimits::evaluations)
    error("TPC0223",
          fmt::format("the calls of the program expand to more than {} expressions", ImportLimits::evaluations), span);
  else error("TPC0223", fmt::format("the program expands to more than {} operations", ImportLimits::operations), span);
  return false;
}

void Expander::run(const std::vector<ast::Statement>& statements) {
  for (const ast::Statement& statement : statements) {
    if (frame_->result || limitReached_) return;
    run(statement);
  }
}

void Expander::run(const ast::Statement& statement) {
  if (!withinLimits(statement.head)) return;
  const Span span = statement.head;
  std::visit(
      [&](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, ast::Size>) declare(node);
        else if constexpr (std::is_same_v<Node, ast::Let>) {
          if (!frame_->isProgram()) return declare(node);
          if (repeats_.empty() && choices_ == 0) return;  // declared already, before everything else
          error("TPC0239",
                fmt::format("`let` stands at the top of a program or in a function, not in {}",
                            !repeats_.empty() ? "a repeat" : "an `if`"),
                span);
          for (const ast::LetEntry& entry : node.entries)
            globals_.emplace(entry.name.text, Binding{.value = {}, .role = Binding::Role::length, .span = span});
        } else if constexpr (std::is_same_v<Node, ast::Input> || std::is_same_v<Node, ast::Param> ||
                             std::is_same_v<Node, ast::Const>)
          declare(node, span);
        else if constexpr (std::is_same_v<Node, ast::Fn>) {
          onlyAtTheTop("fn", span);
        } else if constexpr (std::is_same_v<Node, ast::Optimizer>) {
          onlyAtTheTop("optimizer", span);
        } else if constexpr (std::is_same_v<Node, ast::If>) run(node);
        else if constexpr (std::is_same_v<Node, ast::Train>) {
          if (onlyAtTheTop("train", span)) run(node);
        } else if constexpr (std::is_same_v<Node, ast::Import>) {
          onlyAtTheTop("import", span);
        } else if constexpr (std::is_same_v<Node, ast::State>)
          error("TPC0239", "`state` belongs to an optimizer", span);
        else if constexpr (std::is_same_v<Node, ast::Update>)
          error("TPC0239", "`update` belongs to an optimizer", span);
        else run(node, span);
      },
      statement.node);
}

// ---- assignments ----------------------------------------------------------------------------------------------------

// A value is called after its variable, by its path; the second assignment of a path is `h#2`.
std::string Expander::valueName(const std::string& name) {
  const std::string path = joined(frame_->path, name);
  return numbered(path, ++valueCounts_[path]);
}

void Expander::assign(const ast::Name& name, Value value, Span span) {
  Binding::Role role = Binding::Role::variable;
  if (frame_->isProgram())
    if (auto at = globals_.find(name.text); at != globals_.end()) {
      bool isSize = at->second.role == Binding::Role::length;
      error("TPC0231", fmt::format("`{}` is a {}, and cannot be assigned", name.text, isSize ? "size" : "constant"),
            name.span, {}, "choose another name");
      return;
    }
  if (auto at = frame_->names.find(name.text); at != frame_->names.end() && at->second.role == Binding::Role::length) {
    error("TPC0231", fmt::format("`{}` is a size, and cannot be assigned", name.text), name.span, {},
          "choose another name", {{"bound here", at->second.span}});
    return;
  }
  if (value.as<std::vector<Value>>()) {
    error("TPC0230", fmt::format("several values are given to one name, `{}`", name.text), span, {},
          "write as many names as there are values: `a, b = ...`");
    value = {};
  }
  std::string path = valueName(name.text);
  if (const TensorValue* tensor = value.as<TensorValue>()) {
    // The outermost variable names a value: `y` of a library function becomes the `h` that the program calls it.
    auto before = namedAt_.find(tensor->handle);
    if (before == namedAt_.end() || before->second > frame_->depth) {
      emitter_.setName(*tensor, path, span);
      namedAt_[tensor->handle] = frame_->depth;
    }
  }
  frame_->names[name.text] = {.value = std::move(value), .role = role, .span = name.span};
}

void Expander::run(const ast::Assign& node, Span span) {
  if (node.op != ast::AssignOp::set) {
    const ast::Name& name = node.targets.front();
    if (node.targets.size() != 1) {
      error("TPC0230", "an assignment such as `+=` has one target", span);
      return;
    }
    Value before = evalName(name.text, name.span);
    Value value = eval(*node.value);
    ast::BinaryOp op = node.op == ast::AssignOp::add        ? ast::BinaryOp::add
                       : node.op == ast::AssignOp::subtract ? ast::BinaryOp::subtract
                       : node.op == ast::AssignOp::multiply ? ast::BinaryOp::multiply
                                                            : ast::BinaryOp::divide;
    assign(name, arithmetic(op, before, value, name.span, node.value->span, span), span);
    return;
  }
  Value value = eval(*node.value);
  if (node.targets.size() == 1) {
    assign(node.targets.front(), std::move(value), span);
    return;
  }
  for (size_t i = 0; i < node.targets.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (node.targets[i].text == node.targets[k].text && node.targets[i].text != "_") {
        error("TPC0230", fmt::format("two values are given to one name, `{}`", node.targets[i].text),
              node.targets[i].span, {}, "`_` is for a value that nobody reads");
        return;
      }
  const std::vector<Value>* parts = value.as<std::vector<Value>>();
  if (!value.isPoison() && (!parts || parts->size() != node.targets.size()))
    error(
        "TPC0230",
        fmt::format("{} names are given {} value{}", node.targets.size(), parts ? parts->size() : 1, parts ? "s" : ""),
        span);
  for (size_t i = 0; i < node.targets.size(); ++i)
    assign(node.targets[i], parts && parts->size() == node.targets.size() ? (*parts)[i] : Value(), span);
}

// ---- choices --------------------------------------------------------------------------------------------------------

std::optional<bool> Expander::condition(const ast::Expr& expression) {
  // The library asks `weight == 1` of what may be a tensor: a tensor is not the number one.
  if (const ast::Binary* equality = expression.as<ast::Binary>();
      equality && frame_->isLibrary() && equality->op == ast::BinaryOp::equal) {
    Value left = eval(*equality->left), right = eval(*equality->right);
    if (left.as<TensorValue>() && right.as<Scalar>()) return false;
  }
  Value value = eval(expression);
  if (value.isPoison()) return std::nullopt;
  if (const bool* known = value.as<bool>()) return *known;
  error("TPC0225",
        fmt::format("the condition of `if` is {}, and has to be known when the program is read", text(value)),
        expression.span, {},
        value.as<TensorValue>() ? "to choose entry by entry write `where(condition, a, b)`"
                                : "write a comparison, `true` or `false`");
  return std::nullopt;
}

void Expander::run(const ast::If& branch) {
  std::optional<bool> chosen = condition(*branch.condition);
  if (!chosen) return;
  ++choices_;
  if (*chosen) run(branch.body.statements);
  else if (branch.otherwise) run(branch.otherwise->statements);
  --choices_;
}

// ---- repeats --------------------------------------------------------------------------------------------------------

// What a body assigns, a repeat in it included.  Of a choice only the branch that is taken, where that can be told
// before the body is expanded.
void Expander::assignedNames(const ast::Block& block, std::vector<ast::Name>& names) {
  for (const ast::Statement& statement : block.statements) {
    if (const ast::Assign* assign = statement.as<ast::Assign>()) {
      names.insert(names.end(), assign->targets.begin(), assign->targets.end());
    } else if (const ast::If* branch = statement.as<ast::If>()) {
      ++quiet_;
      Value value = eval(*branch->condition);
      --quiet_;
      const bool* known = value.as<bool>();
      if (!known || *known) assignedNames(branch->body, names);
      if ((!known || !*known) && branch->otherwise) assignedNames(*branch->otherwise, names);
    } else if (const ast::Repeat* repeat = statement.as<ast::Repeat>()) {
      assignedNames(repeat->body, names);
      for (const ast::Statement& inner : repeat->body.statements)
        if (const ast::Collect* collect = inner.as<ast::Collect>())
          names.insert(names.end(), collect->names.begin(), collect->names.end());
    }
  }
}

void Expander::run(const ast::Repeat& node, Span span) {
  std::optional<Length> trips = lengthOf(*node.count);
  if (!trips) {
    // The body's own mistakes are told when its count is known; what it would have made is unknown.
    std::vector<ast::Name> assigned;
    assignedNames(node.body, assigned);
    for (const ast::Name& name : assigned)
      if (frame_->names.contains(name.text)) frame_->names[name.text].value = {};
    return;
  }
  const std::string base = node.as ? node.as->text : "repeat";
  const std::string name = joined(frame_->path, numbered(base, ++frame_->calls[base]));

  std::vector<ast::Name> assigned, carriedNames;
  assignedNames(node.body, assigned);
  std::vector<TensorValue> initial;
  bool known = true;
  for (const ast::Name& target : assigned) {
    auto at = frame_->names.find(target.text);
    if (at == frame_->names.end() || at->second.role == Binding::Role::length) continue;
    if (std::any_of(carriedNames.begin(), carriedNames.end(),
                    [&](const ast::Name& other) { return other.text == target.text; }))
      continue;
    if (at->second.value.isPoison()) {
      known = false;
      continue;
    }
    // A static value (a flag, a function) is not carried: it would have to be known for every round at once.
    if (!at->second.value.as<TensorValue>() && !at->second.value.as<Scalar>()) continue;
    std::optional<TensorValue> value = tensor(at->second.value, at->second.span);
    if (!value) continue;
    carriedNames.push_back(target);
    initial.push_back(*value);
  }

  std::map<std::string, Binding> outerNames = frame_->names;
  std::map<std::string, int> outerCalls = std::move(frame_->calls);
  std::string outerPath = frame_->path;
  frame_->calls.clear();
  frame_->path = name;
  repeats_.push_back({.id = repeatCount_++,
                      .frame = frame_,
                      .as = node.as ? node.as->text : "",
                      .trips = *trips,
                      .span = span,
                      .collected = {}});

  std::vector<TensorValue> arguments = emitter_.beginRepeat(initial, span);
  for (size_t i = 0; i < carriedNames.size(); ++i) frame_->names[carriedNames[i].text].value = {arguments[i]};
  if (node.as && globals_.contains(node.as->text)) {
    error("TPC0203",
          fmt::format("`{}` is a size or a constant already, and cannot be the name of a repeat", node.as->text),
          node.as->span, {}, "choose another name", {{"declared here", globals_.at(node.as->text).span}});
  } else if (node.as) {
    // The layer's index; made where it is read, so that a repeat which does not ask for it has none.
    TensorValue index = emitter_.layerIndex(*trips, node.as->span);
    frame_->names[node.as->text] = {.value = {index}, .role = Binding::Role::argument, .span = node.as->span};
  }
  run(node.body.statements);

  Emitter::RepeatEnd end{.name = name, .trips = *trips, .yields = {}, .resultNames = {}};
  for (size_t i = 0; i < carriedNames.size(); ++i) {
    const Binding& last = frame_->names[carriedNames[i].text];
    std::optional<TensorValue> value = tensor(last.value, last.span);
    if (value && value->shape != initial[i].shape) {
      // An axis of length one before, or a missing one, is not the same: the next round would start from another shape.
      error("TPC0228",
            fmt::format("`{}` is {} before the repeat and {} after one round", carriedNames[i].text,
                        text(initial[i].shape), text(value->shape)),
            last.span, {},
            fmt::format("start it with the shape it keeps, or use another name for what the body makes"));
      value.reset();
    }
    known = known && value;
    end.yields.push_back(value ? *value : arguments[i]);
  }
  std::vector<ast::Name> collected = std::move(repeats_.back().collected);
  for (const ast::Name& wanted : collected) {
    auto at = frame_->names.find(wanted.text);
    std::optional<TensorValue> value = at == frame_->names.end() ? std::nullopt : tensor(at->second.value, wanted.span);
    if (value) end.yields.push_back(*value);
  }
  const int ended = repeats_.back().id;
  repeats_.pop_back();
  frame_->names = std::move(outerNames);
  frame_->calls = std::move(outerCalls);
  frame_->path = outerPath;
  for (auto& [path, record] : parameters_)
    if (std::find(record.repeats.begin(), record.repeats.end(), ended) != record.repeats.end()) record.read.reset();

  for (size_t i = 0; i < end.yields.size(); ++i)
    end.resultNames.push_back(
        valueName(i < carriedNames.size() ? carriedNames[i].text : collected[i - carriedNames.size()].text));
  std::vector<TensorValue> results = emitter_.endRepeat(end, span);
  for (size_t i = 0; i < results.size(); ++i) {
    const ast::Name& target = i < carriedNames.size() ? carriedNames[i] : collected[i - carriedNames.size()];
    namedAt_[results[i].handle] = frame_->depth;
    frame_->names[target.text] = {
        .value = known ? Value{results[i]} : Value{}, .role = Binding::Role::variable, .span = target.span};
  }
}

void Expander::run(const ast::Collect& node, Span span) {
  if (repeats_.empty() || repeats_.back().frame != frame_) {
    error("TPC0239", "`collect` belongs to the body of a repeat", span);
    return;
  }
  for (const ast::Name& name : node.names) {
    Value value = evalName(name.text, name.span);
    if (tensor(value, name.span)) repeats_.back().collected.push_back(name);
  }
}

// ---- ends -----------------------------------------------------------------------------------------------------------

void Expander::run(const ast::Output& node, Span span) {
  if (!onlyInProgram("output", span)) return;
  if (auto before = ends_.find(node.name.text); before != ends_.end())
    error("TPC0267", fmt::format("the output `{}` is given twice", node.name.text), node.name.span, {}, {},
          {{"the first one", before->second}});
  ends_.emplace(node.name.text, node.name.span);
  std::optional<TensorValue> value = evalTensor(*node.value);
  assign(node.name, value ? Value{*value} : Value{}, span);
  if (value) emitter_.output(*value, node.name.text, false, node.name.span);
}

void Expander::run(const ast::Metric& node, Span span) {
  if (!onlyInProgram("metric", span)) return;
  if (auto before = ends_.find(node.name.text); before != ends_.end())
    error("TPC0267", fmt::format("the metric `{}` is given twice", node.name.text), node.name.span, {}, {},
          {{"the first one", before->second}});
  ends_.emplace(node.name.text, node.name.span);
  std::optional<TensorValue> value = evalTensor(*node.value);
  assign(node.name, value ? Value{*value} : Value{}, span);
  if (value) emitter_.output(*value, node.name.text, true, node.name.span);
}

void Expander::run(const ast::Loss& node, Span span) {
  if (!onlyInProgram("loss", span)) return;
  if (loss_) {
    error("TPC0235", "a program has one loss, and this is the second", span, {}, "add them: `loss = a + b`",
          {{"the first one", *loss_}});
    return;
  }
  loss_ = span;
  std::optional<TensorValue> value = evalTensor(*node.value);
  if (!value) return;
  if (value->rank() != 0) {
    error("TPC0233", fmt::format("the loss has the shape {}, and a loss has no axes", text(value->shape)),
          node.value->span, {}, "take its `mean(...)`");
    return;
  }
  assign({.text = "loss", .span = span}, Value{*value}, span);
  emitter_.loss(*value, span);
}

void Expander::run(const ast::Return& node, Span span) {
  if (frame_->isProgram()) {
    error("TPC0239", "`return` belongs to a function", span);
    return;
  }
  if (node.values.size() == 1) {
    frame_->result = eval(*node.values.front());
    return;
  }
  std::vector<Value> values;
  for (const ast::ExprPtr& value : node.values) values.push_back(eval(*value));
  frame_->result = Value{std::move(values)};
}

void Expander::run(const ast::Claim& node, Span span) {
  static const std::vector<std::string> known{"doubly_stochastic", "row_stochastic", "column_stochastic", "orthogonal",
                                              "non_expansive"};
  const ast::Call* call = node.call->as<ast::Call>();
  if (std::find(known.begin(), known.end(), call->callee.text) == known.end()) {
    error("TPC0285", fmt::format("`{}` is nothing that can be claimed", call->callee.text), call->callee.span, {},
          didYouMean(call->callee.text, known));
    return;
  }
  if (call->arguments.size() != 1 || call->arguments[0].name) {
    error("TPC0285", fmt::format("a claim is about one value: `claim {}(M)`", call->callee.text), span);
    return;
  }
  std::optional<TensorValue> value = evalTensor(*call->arguments[0].value);
  if (!value) return;
  if (value->rank() < 2) {
    error("TPC0285",
          fmt::format("`{}` is {}, and `{}` is about the matrix of the last two axes",
                      written(call->arguments[0].value->span), text(value->shape), call->callee.text),
          call->arguments[0].value->span);
    return;
  }
  emitter_.claim(*value, call->callee.text, span);
}

void Expander::run(const ast::Train& node) {
  static const std::vector<std::string> known{"optimizer", "lr",       "eps",  "decay", "weight_decay", "steps",
                                              "batch",     "schedule", "data", "seed",  "warmup"};
  for (const ast::TrainEntry& entry : node.entries)
    if (std::find(known.begin(), known.end(), entry.name.text) == known.end())
      error("TPC0282", fmt::format("`train` has no setting `{}`", entry.name.text), entry.name.span, {},
            didYouMean(entry.name.text, known));
}

}  // namespace tpc
