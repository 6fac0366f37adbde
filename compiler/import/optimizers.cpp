// An optimizer as a program over one entry:  grad, param, step  and what it keeps, its states.
//
//     m = b1 * m + (1 - b1) * grad      m is the state's argument on the right and its next value after the line
//     update = -lr * m                  what is added to the parameter
#include <fmt/format.h>

#include "compiler/import/expander.h"

namespace tpc {

void Expander::runOptimizer(const ast::Optimizer& optimizer, const Unit* home) {
  Frame frame;
  frame.home = home;
  frame_ = &frame;
  inOptimizer_ = true;
  emitter_.beginOptimizer({}, optimizer.name.text);

  auto bind = [&](const std::string& name, const OptimizerArgument& argument, Span span) {
    TensorValue value = emitter_.argument(argument, span);
    namedAt_[value.handle] = -1;
    frame.names[name] = {.value = {value}, .role = Binding::Role::argument, .span = span};
    return value;
  };
  const Span at = optimizer.name.span;
  bind("grad", {.role = ArgumentRole::grad, .name = "grad"}, at);
  bind("param", {.role = ArgumentRole::param, .name = "param"}, at);
  bind("step", {.role = ArgumentRole::step, .name = "step"}, at);
  bind("fan_in", {.role = ArgumentRole::fanIn, .name = "fan_in"}, at);
  bind("fan_out", {.role = ArgumentRole::fanOut, .name = "fan_out"}, at);
  for (const ast::Parameter& parameter : optimizer.parameters) {
    const std::string& name = parameter.name.text;
    if (frame.names.contains(name)) {
      error("TPC0203", fmt::format("the optimizer `{}` has `{}` already", optimizer.name.text, name),
            parameter.name.span, {}, "choose another name");
      continue;
    }
    if (parameter.shape)
      error("TPC0271", fmt::format("the argument `{}` of an optimizer is a number, without a shape", name),
            parameter.shape->span);
    double number = name == "lr" ? 1e-3 : 0;
    if (parameter.defaultValue) {
      Value value = eval(*parameter.defaultValue);
      if (value.isPoison()) continue;
      if (value.as<bool>()) {  // a flag chooses between programs
        frame.names[name] = {.value = value, .role = Binding::Role::argument, .span = parameter.span};
        continue;
      }
      const Scalar* scalar = value.as<Scalar>();
      if (!scalar || !scalar->isPlain()) {
        error("TPC0220", fmt::format("the argument `{}` of an optimizer is a number, not {}", name, text(value)),
              parameter.defaultValue->span);
        continue;
      }
      number = scalar->factor->coefficient;
    }
    bind(name, {.role = ArgumentRole::hyper, .name = name, .number = number}, parameter.name.span);
  }

  for (const ast::Statement& statement : optimizer.body.statements) runOptimizerStatement(statement);

  if (!update_)
    error("TPC0270", fmt::format("the optimizer `{}` has no `update`", optimizer.name.text), at, {},
          "end it with `update = -lr * grad`");
  for (const auto& [name, argument] : states_) {
    const Binding& last = frame.names.at(name);
    std::optional<TensorValue> value = tensor(last.value, last.span);
    if (!value) continue;
    if (value->rank() != 0) {
      error("TPC0271",
            fmt::format("the state `{}` becomes {}, and is a number for each entry", name, text(value->shape)),
            last.span);
      continue;
    }
    emitter_.next(argument, *value, last.span);
  }
  if (!failed_) emitter_.removeDeadOperations();
  frame_ = nullptr;
}

void Expander::runOptimizerStatement(const ast::Statement& statement) {
  const Span span = statement.head;
  if (const auto* state = statement.as<ast::State>()) return declare(*state);
  if (const auto* assign = statement.as<ast::Assign>()) {
    for (const ast::Name& target : assign->targets)
      if (auto at = frame_->names.find(target.text);
          at != frame_->names.end() && at->second.role == Binding::Role::argument) {
        error("TPC0231", fmt::format("`{}` is given to the optimizer, and cannot be assigned", target.text),
              target.span, {}, "choose another name, or declare a `state`");
        return;
      }
    return run(*assign, span);
  }
  if (const auto* let = statement.as<ast::Let>()) return declare(*let);
  if (const auto* branch = statement.as<ast::If>()) {
    std::optional<bool> chosen = condition(*branch->condition);
    if (!chosen) return;
    const ast::Block* block = *chosen ? &branch->body : branch->otherwise ? &*branch->otherwise : nullptr;
    if (block)
      for (const ast::Statement& inner : block->statements) runOptimizerStatement(inner);
    return;
  }
  if (const auto* update = statement.as<ast::Update>()) {
    if (update_) {
      error("TPC0270", "an optimizer has one `update`, and this is the second", span, {}, {},
            {{"the first one", *update_}});
      return;
    }
    update_ = span;
    std::optional<TensorValue> value = evalTensor(*update->value);
    if (!value) return;
    if (value->rank() != 0) {
      error("TPC0271", fmt::format("the update is {}, and is a number for each entry", text(value->shape)),
            update->value->span);
      return;
    }
    emitter_.update(*value, span);
    return;
  }
  error("TPC0239", "an optimizer consists of `state`, assignments, `if` and `update`", span);
}

void Expander::declare(const ast::State& node) {
  for (const ast::StateEntry& entry : node.entries) {
    if (entry.shape) {
      later("a state with a shape", entry.shape->span);
      continue;
    }
    if (frame_->names.contains(entry.name.text)) {
      error("TPC0203", fmt::format("`{}` is declared already", entry.name.text), entry.name.span, {},
            "choose another name");
      continue;
    }
    OptimizerArgument argument{.role = ArgumentRole::state, .name = entry.name.text};
    if (entry.value->isName("param")) {
      argument.startsAsParam = true;
    } else {
      Value value = eval(*entry.value);
      const Scalar* scalar = value.as<Scalar>();
      frame_->names[entry.name.text] = {.value = {}, .role = Binding::Role::variable, .span = entry.name.span};
      if (value.isPoison()) continue;
      if (!scalar || !scalar->isPlain()) {
        error("TPC0272",
              fmt::format("the state `{}` starts as a number or as `param`, not {}", entry.name.text, text(value)),
              entry.value->span);
        continue;
      }
      argument.number = scalar->factor->coefficient;
    }
    TensorValue value = emitter_.argument(argument, entry.name.span);
    namedAt_[value.handle] = -1;
    states_.emplace_back(entry.name.text, value);
    frame_->names[entry.name.text] = {.value = {value}, .role = Binding::Role::variable, .span = entry.name.span};
  }
}

}  // namespace tpc
