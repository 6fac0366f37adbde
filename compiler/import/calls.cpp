// Calls: every call of a function is expanded where it stands, its names kept as a path.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "compiler/import/expander.h"
#include "compiler/import/import.h"
#include "dsl/source/suggest.h"

namespace tpc {

std::optional<FunctionValue> Expander::functionNamed(const std::string& name) {
  // The library's text sees the library only, so a program's `linear` does not change `mlp`.
  if (frame_->home)
    if (auto own = frame_->home->functions.find(name); own != frame_->home->functions.end())
      return FunctionValue{.fn = own->second.fn, .home = own->second.home, .name = name, .partial = {}};
  if (const ast::Fn* library = functions_.library(name))
    return FunctionValue{.fn = library, .home = nullptr, .name = name, .partial = {}};
  if (isBuiltin(name)) return FunctionValue{.fn = nullptr, .home = nullptr, .name = name, .partial = {}};
  return std::nullopt;
}

Value Expander::call(const ast::Call& node, Span span) {
  if (const Binding* binding = find(node.callee.text)) {
    if (binding->value.isPoison()) return {};
    if (const FunctionValue* function = binding->value.as<FunctionValue>())
      return invoke(FunctionValue(*function), node, span);
    // A tensor may be called like a function (`norm = norm(x)`), as long as there is such a function.
    if (!functionNamed(node.callee.text))
      return poison("TPC0202", fmt::format("`{}` is {}, and cannot be called", node.callee.text, text(binding->value)),
                    node.callee.span);
  }
  if (std::optional<FunctionValue> function = functionNamed(node.callee.text)) return invoke(*function, node, span);
  if (isLaterFunction(node.callee.text)) {
    later(fmt::format("`{}`", node.callee.text).c_str(), node.callee.span);
    return {};
  }
  // The arguments' own mistakes are told as well.
  for (const ast::Argument& argument : node.arguments)
    if (!argument.value->is<ast::NameRef>() && !argument.value->is<ast::Hole>()) eval(*argument.value);
  if (functions_.incomplete()) {
    failed_ = true;
    return {};
  }
  std::vector<std::string> names;
  if (frame_->home)
    for (const auto& [name, known] : frame_->home->functions) names.push_back(name);
  for (const std::string& name : Functions::libraryNames()) names.push_back(name);
  for (const std::string& name : builtinNames()) names.push_back(name);
  return poison("TPC0202", fmt::format("unknown function `{}`", node.callee.text), node.callee.span, {},
                didYouMean(node.callee.text, names));
}

// ---- partial application --------------------------------------------------------------------------------------------

Value Expander::invoke(const FunctionValue& function, const ast::Call& node, Span span) {
  const bool isOpen = std::any_of(node.arguments.begin(), node.arguments.end(),
                                  [](const ast::Argument& argument) { return argument.value->is<ast::Hole>(); });
  if (!isOpen && !function.partial)
    return function.fn ? expand(function, node, span) : callBuiltin(function.name, node, span);
  // The name is taken before the arguments are looked at, as in a whole call; given back where holes remain.
  std::string reserved;
  auto isLabel = [](const auto& argument) { return argument.name && argument.name->text == "name"; };
  const bool labelled = std::any_of(node.arguments.begin(), node.arguments.end(), isLabel) ||
                        (function.partial &&
                         std::any_of(function.partial->arguments.begin(), function.partial->arguments.end(), isLabel));
  if (!isOpen && function.fn && !labelled) reserved = numbered(function.name, ++frame_->calls[function.name]);
  std::optional<std::vector<Partial::Argument>> arguments = argumentsOf(function, node);
  if (!arguments) return {};
  Partial partial{.arguments = std::move(*arguments),
                  .frozen = node.frozen || (function.partial && function.partial->frozen),
                  .span = span};
  FunctionValue given = function;
  given.partial = std::make_shared<const Partial>(std::move(partial));
  const bool waits = std::any_of(given.partial->arguments.begin(), given.partial->arguments.end(),
                                 [](const Partial::Argument& argument) { return argument.hole; });
  if (!waits) return complete(given, node, span, reserved);
  if (!reserved.empty()) --frame_->calls[function.name];
  return {given};
}

// What is given so far: the arguments of the partial application with the call's own in place of its holes.
std::optional<std::vector<Partial::Argument>> Expander::argumentsOf(const FunctionValue& function,
                                                                    const ast::Call& node) {
  auto isFlag = [&](const std::string& name) {
    if (!function.fn) return name == "keep" || name == "same";
    return std::any_of(function.fn->parameters.begin(), function.fn->parameters.end(), [&](const ast::Parameter& p) {
      return p.name.text == name && p.defaultValue &&
             (p.defaultValue->isName("true") || p.defaultValue->isName("false"));
    });
  };
  const bool takesName = function.fn && std::any_of(function.fn->parameters.begin(), function.fn->parameters.end(),
                                                    [](const ast::Parameter& p) { return p.name.text == "name"; });
  std::vector<Partial::Argument> arguments;
  if (function.partial) arguments = function.partial->arguments;
  const bool first = !function.partial;
  bool known = true;
  size_t position = 0;
  for (const ast::Argument& argument : node.arguments) {
    Partial::Argument given{
        .name = argument.name, .expression = argument.value, .value = {}, .hole = false, .parameter = {}};
    const ast::NameRef* bare = argument.name ? nullptr : argument.value->as<ast::NameRef>();
    const Binding* own = bare ? find(bare->name) : nullptr;
    const bool flag = bare && isFlag(bare->name) && (!own || own->value.as<bool>());
    const size_t slot = argument.name || flag ? none : position++;
    if (argument.value->is<ast::Hole>()) {
      given.hole = true;
      if (first && function.fn && slot < function.fn->parameters.size())
        given.parameter = function.fn->parameters[slot].name.text;
    } else if (flag && !own) {
      // Stays the bare name.
    } else if (argument.name && argument.name->text == "name" && !takesName) {
      // Stays what it is: where the call's parameters stand.
    } else {
      if (flag) given.name = ast::Name{bare->name, argument.span};
      given.value = eval(*argument.value);
      known = known && !given.value->isPoison();
    }
    // The place of a hole: the one of that name, or the first of those without one.
    auto open = std::find_if(arguments.begin(), arguments.end(), [&](const Partial::Argument& other) {
      if (!other.hole) return false;
      return !given.name || (other.name ? other.name->text : other.parameter) == given.name->text;
    });
    if (first || flag || (given.name && open == arguments.end())) {
      arguments.push_back(std::move(given));
      continue;
    }
    if (open == arguments.end()) {
      size_t holes = 0;
      for (const Partial::Argument& other : function.partial->arguments) holes += other.hole;
      error("TPC0218",
            fmt::format("`{}` has {} argument{} left open, and more are given", function.name, holes,
                        holes == 1 ? "" : "s"),
            argument.span, {}, {}, {{"left open here", function.partial->span}});
      return std::nullopt;
    }
    given.name = open->name;
    given.parameter = open->parameter;
    *open = std::move(given);
  }
  if (!known) return std::nullopt;
  return arguments;
}

// Every hole is filled: a call whose arguments are the values that were kept, under names that nobody can write.
Value Expander::complete(const FunctionValue& function, const ast::Call& node, Span span, const std::string& label) {
  ast::Call call{.frozen = function.partial->frozen, .callee = {function.name, node.callee.span}, .arguments = {}};
  std::vector<std::string> hidden;
  for (const Partial::Argument& argument : function.partial->arguments) {
    const Span at = argument.expression->span;
    ast::ExprPtr expression = argument.expression;
    if (argument.value) {
      hidden.push_back(fmt::format("%{}", bound_++));
      frame_->names[hidden.back()] = {.value = *argument.value, .role = Binding::Role::variable, .span = at};
      expression = std::make_shared<const ast::Expr>(ast::Expr{.node = ast::NameRef{hidden.back()}, .span = at});
    }
    call.arguments.push_back({.name = argument.name, .value = std::move(expression), .span = at});
  }
  FunctionValue whole = function;
  whole.partial = nullptr;
  Value result = whole.fn ? expand(whole, call, span, label) : callBuiltin(whole.name, call, span);
  for (const std::string& name : hidden) frame_->names.erase(name);
  return result;
}

// Names in the shape of an argument are bound to its lengths, or checked where they are known.
bool Expander::bindShape(const ast::Parameter& parameter, const Value& value, Span argumentSpan, Frame& callee) {
  const std::string& name = parameter.name.text;
  const TensorValue* x = value.as<TensorValue>();
  if (!x) return true;
  const std::vector<ast::ShapeEntry>& entries = parameter.shape->entries;
  size_t ellipsis = entries.size();
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].ellipsis) {
      if (ellipsis != entries.size()) {
        error("TPC0280", "`...` stands twice in one shape", entries[i].span);
        return false;
      }
      ellipsis = i;
    }
  bool open = ellipsis != entries.size();
  size_t named = entries.size() - (open ? 1 : 0);
  if (open ? x->shape.size() < named : x->shape.size() != named) {
    error("TPC0214",
          fmt::format("the argument `{}` of `{}` has {} `{}`, and {} is given", name, callee.functionName,
                      open ? "at least the axes" : "the axes", written(parameter.shape->span), text(x->shape)),
          argumentSpan, {}, {}, {{"declared here", parameter.shape->span}});
    return false;
  }
  Frame* caller = frame_;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].ellipsis) continue;
    size_t axis = i < ellipsis ? i : x->shape.size() - (entries.size() - i);
    const Length& length = x->shape[axis];
    const ast::NameRef* free = entries[i].size->as<ast::NameRef>();
    frame_ = &callee;
    if (free && !find(free->name)) {
      Scalar bound = scalarOf(length);
      callee.names[free->name] = {.value = {bound, true}, .role = Binding::Role::length, .span = entries[i].span};
      frame_ = caller;
      continue;
    }
    std::optional<Length> wanted = lengthOf(*entries[i].size);
    frame_ = caller;
    if (!wanted) return false;
    if (*wanted == length) continue;
    std::string help;
    if (wanted->at(numbers_) && wanted->at(numbers_) == length.at(numbers_))
      help = "both are the same number now, but sizes of different names never match";
    error("TPC0215",
          fmt::format("axis {} of the argument `{}` of `{}` is {}, and {} is given: {}", axis, name,
                      callee.functionName, text(*wanted), text(length), text(x->shape)),
          argumentSpan, {}, std::move(help), {{"declared here", entries[i].span}});
    return false;
  }
  return true;
}

Value Expander::expand(const FunctionValue& function, const ast::Call& node, Span span, const std::string& reserved) {
  const ast::Fn& fn = *function.fn;
  for (const Frame* frame = frame_; frame; frame = frame->caller) {
    if (frame->fn != &fn) continue;
    std::string cycle = function.name;
    for (const Frame* on = frame_; on && on != frame; on = on->caller) cycle = on->functionName + " -> " + cycle;
    return poison("TPC0221", fmt::format("`{}` calls itself: {} -> {}", function.name, function.name, cycle),
                  node.callee.span, {}, "functions are expanded, so they cannot recur; write `repeat`");
  }
  if (frame_->depth >= ImportLimits::callDepth)
    return poison("TPC0222", fmt::format("calls are nested deeper than {}", ImportLimits::callDepth), node.callee.span);

  // The name is taken before the arguments are looked at: `f(f(x))` is f and f#2 in the order of the text.
  std::string label = function.name;
  bool labelled = false, known = true;
  const bool takesName = std::any_of(fn.parameters.begin(), fn.parameters.end(),
                                     [](const ast::Parameter& p) { return p.name.text == "name"; });
  for (const ast::Argument& argument : node.arguments) {
    if (!argument.name || argument.name->text != "name" || takesName) continue;
    labelled = true;
    if (const auto* name = argument.value->as<ast::NameRef>()) label = name->name;
    else if (const auto* string = argument.value->as<ast::String>();
             string && !string->text.empty() && string->text.find_first_of(". #*;@") == std::string::npos)
      label = string->text;
    else {
      error("TPC0220", "`name = ...` takes one name, under which the call's parameters stand", argument.span);
      known = false;
    }
  }
  if (!labelled) label = reserved.empty() ? numbered(label, ++frame_->calls[label]) : reserved;
  const std::string path = joined(frame_->path, label);

  // Arguments: by position, by name, or a bare name of a flag.
  struct Given {
    Value value;
    Span span;
  };
  std::vector<std::optional<Given>> given(fn.parameters.size());
  auto isFlag = [&](const ast::Parameter& parameter) {
    return parameter.defaultValue &&
           (parameter.defaultValue->isName("true") || parameter.defaultValue->isName("false"));
  };
  size_t position = 0;
  for (const ast::Argument& argument : node.arguments) {
    if (argument.name && argument.name->text == "name" && !takesName) continue;
    size_t slot = fn.parameters.size();
    std::optional<Value> value;
    if (argument.name) {
      for (size_t i = 0; i < fn.parameters.size(); ++i)
        if (fn.parameters[i].name.text == argument.name->text) slot = i;
      if (slot == fn.parameters.size()) {
        std::vector<std::string> names;
        for (const ast::Parameter& parameter : fn.parameters) names.push_back(parameter.name.text);
        error("TPC0217", fmt::format("`{}` has no argument `{}`", function.name, argument.name->text),
              argument.name->span, {}, didYouMean(argument.name->text, names), {{"declared here", fn.name.span}});
        known = false;
        continue;
      }
    } else {
      const ast::NameRef* bare = argument.value->as<ast::NameRef>();
      const Binding* own = bare ? find(bare->name) : nullptr;
      if (bare && !own)
        for (size_t i = 0; i < fn.parameters.size(); ++i)
          if (fn.parameters[i].name.text == bare->name && isFlag(fn.parameters[i])) {
            slot = i;
            value = Value{true};
          }
      // The caller's own `bias`, handed on as the flag `bias`, keeps its value.
      if (own && own->value.as<bool>())
        for (size_t i = 0; i < fn.parameters.size(); ++i)
          if (fn.parameters[i].name.text == bare->name && isFlag(fn.parameters[i])) slot = i;
      if (slot == fn.parameters.size()) slot = position++;
      if (slot >= fn.parameters.size()) {
        error("TPC0218",
              fmt::format("`{}` takes {} argument{}, and more are given", function.name, fn.parameters.size(),
                          fn.parameters.size() == 1 ? "" : "s"),
              argument.span, {}, {}, {{"declared here", fn.name.span}});
        known = false;
        break;
      }
    }
    if (given[slot]) {
      error("TPC0219",
            fmt::format("the argument `{}` of `{}` is given twice", fn.parameters[slot].name.text, function.name),
            argument.span);
      known = false;
      continue;
    }
    if (!value) value = eval(*argument.value);
    if (value->isPoison()) known = false;
    given[slot] = Given{std::move(*value), argument.value->span};
  }
  for (size_t i = 0; i < fn.parameters.size(); ++i)
    if (!given[i] && !fn.parameters[i].defaultValue && known) {
      error("TPC0216", fmt::format("the argument `{}` of `{}` is missing", fn.parameters[i].name.text, function.name),
            span, {}, {}, {{"declared here", fn.parameters[i].span}});
      known = false;
    }
  if (!known) return {};

  Frame callee;
  callee.path = path;
  callee.fn = &fn;
  callee.functionName = function.name;
  callee.home = function.home;
  callee.frozen = node.frozen || frame_->frozen;
  callee.callSpan = span;
  callee.caller = frame_;
  callee.depth = frame_->depth + 1;

  for (size_t i = 0; i < fn.parameters.size(); ++i) {
    const ast::Parameter& parameter = fn.parameters[i];
    Value value;
    Span at = given[i] ? given[i]->span : parameter.span;
    if (given[i]) {
      value = std::move(given[i]->value);
    } else {
      Frame* caller = frame_;
      frame_ = &callee;
      value = eval(*parameter.defaultValue);
      frame_ = caller;
    }
    if (value.isPoison()) return {};
    if (parameter.shape) {
      if (!value.as<TensorValue>() && !value.as<Scalar>())
        return poison("TPC0220",
                      fmt::format("the argument `{}` of `{}` is a tensor, and {} is given", parameter.name.text,
                                  function.name, text(value)),
                      at);
      std::optional<TensorValue> x = tensor(value, at);
      if (!x) return {};
      value = {*x};
      if (!bindShape(parameter, value, at, callee)) return {};
    } else if (isFlag(parameter) && !value.as<bool>()) {
      return poison("TPC0220",
                    fmt::format("the argument `{}` of `{}` is `true` or `false`, and {} is given", parameter.name.text,
                                function.name, text(value)),
                    at);
    }
    if (callee.names.contains(parameter.name.text))
      return poison("TPC0203", fmt::format("`{}` has two arguments called `{}`", function.name, parameter.name.text),
                    parameter.name.span);
    callee.names[parameter.name.text] = {
        .value = std::move(value), .role = Binding::Role::variable, .span = parameter.name.span};
  }

  Frame* caller = frame_;
  frame_ = &callee;
  run(fn.body.statements);
  frame_ = caller;
  // The parser has seen that it ends with its return; a limit may have ended it before.
  assert((callee.result || limitReached_) && "a function's last statement is its return");
  if (!callee.result) return {};
  return std::move(*callee.result);
}

}  // namespace tpc
