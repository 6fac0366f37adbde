// Constants: of an expression of constants, and from a file.
//
//     const band [n, n] = where(abs(iota(n)[:, new] - iota(n)[new, :]) <= 2, 1, 0)
//     const mask [context, context] from "mask.npy"
//
// The numbers of a file are as many as they are, so a constant from a file has axes that stay.
#include <fmt/format.h>

#include "compiler/import/expander.h"

namespace tpc {

namespace {

std::string shapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

std::optional<TensorValue> Expander::constantFrom(const ast::Const& node) {
  const std::string& name = node.name.text;
  std::optional<Shape> shape = shapeOf(node.shape);
  std::optional<Length> below;
  if (node.below && !(below = lengthOf(*node.below))) return std::nullopt;
  if (!shape) return std::nullopt;
  auto failed = [&](std::string message, std::string help = {}) {
    error("TPC0287", std::move(message), node.fromSpan, {}, std::move(help));
    return std::nullopt;
  };
  if (node.member)
    return failed(fmt::format("`{}` has no members: a .npy, .csv or .txt file holds one array", node.from->text));
  std::vector<int64_t> wanted;
  for (const Length& length : *shape) {
    bool isBatch = false;
    for (const Monomial& term : length.terms())
      for (const auto& [symbol, power] : term.powers) isBatch = isBatch || symbol == 0;
    if (grows(length) || isBatch)
      return failed(fmt::format("an axis of `{}` is {}, which {}, and a file holds as many numbers as it does", name,
                                text(length), isBatch ? "is any number of examples" : "grows"),
                    isBatch ? "give it an axis of length one" : "write it as an expression: `const c [n] = ...`");
    wanted.push_back(length.at(numbers_).value_or(0));
  }
  std::string reason;
  const NumberArray* array = functions_.numbers(node.fromSpan.file, node.from->text, reason);
  if (!array) return failed(fmt::format("`{}` cannot be read: {}", node.from->text, reason));
  // A text has rows: a single one, or single numbers in each, are a vector too, and one number is a scalar.
  std::vector<int64_t> shapeOfFile = array->shape;
  if (!node.from->text.ends_with(".npy")) {
    if (wanted.size() <= 1 && shapeOfFile[1] == 1) shapeOfFile = {shapeOfFile[0]};
    else if (wanted.size() <= 1 && shapeOfFile[0] == 1) shapeOfFile = {shapeOfFile[1]};
    if (wanted.empty() && shapeOfFile == std::vector<int64_t>{1}) shapeOfFile.clear();
  }
  if (shapeOfFile != wanted)
    return failed(fmt::format("`{}` is {}, and the constant `{}` is {}: {}", node.from->text, shapeText(array->shape),
                              name, text(*shape), shapeText(wanted)));
  if (below) {
    const int64_t bound = below->at(numbers_).value_or(0);
    for (double value : array->values)
      if (!(value >= 0 && value < double(bound)) || value != double(int64_t(value)))
        return failed(fmt::format("`{}` holds {}, and the constant `{}` holds whole numbers below {}", node.from->text,
                                  value, name, text(*below)));
  }
  const Constant constant{.file = node.from->text, .shape = std::move(wanted), .values = array->values};
  TensorValue made = emitter_.at(0, [&] { return emitter_.constant(constant, *shape, node.name.span); });
  if (below) {
    made.integer = true;
    made.below = *below;
  }
  return made;
}

void Expander::declare(const ast::Const& node, Span span) {
  Value value;
  bool isFree = checkFree(node.name);
  if (node.from) {
    if (std::optional<TensorValue> made = constantFrom(node)) {
      emitter_.setName(*made, joined(frame_->path, node.name.text), span);
      namedAt_.emplace(made->handle, -1);
      value = {*made};
    }
  } else if (node.value) {
    std::optional<Shape> shape = shapeOf(node.shape);
    // Made once, also in a repeat.
    std::optional<TensorValue> made = emitter_.at(0, [&] { return evalTensor(*node.value); });
    std::optional<Length> below;
    if (node.below) below = lengthOf(*node.below);
    if (shape && made) {
      bool fits = made->rank() <= int(shape->size());
      int missing = int(shape->size()) - made->rank();
      for (int i = 0; fits && i < made->rank(); ++i)
        fits = made->shape[size_t(i)] == (*shape)[size_t(missing + i)] || made->shape[size_t(i)].isOne();
      if (!made->constant || !emitter_.standsOutside(*made)) {
        error("TPC0260",
              fmt::format("the constant `{}` reads {}", node.name.text,
                          made->constant ? "what is made anew in every round of a repeat" : "inputs or parameters"),
              node.value->span, {}, "leave `const` out");
      } else if (!fits) {
        error("TPC0268",
              fmt::format("the constant `{}` is declared as {}, and its value is {}", node.name.text, text(*shape),
                          text(made->shape)),
              node.value->span);
      } else {
        TensorValue constant = emitter_.at(0, [&] { return emitter_.broadcastTo(*made, *shape, node.value->span); });
        if (below) {
          constant.integer = true;
          constant.below = *below;
        }
        if (namedAt_.emplace(constant.handle, -1).second)
          emitter_.setName(constant, joined(frame_->path, node.name.text), span);
        value = {constant};
      }
    }
  }
  if (!isFree) return;
  std::map<std::string, Binding>& scope = frame_->isProgram() && repeats_.empty() ? globals_ : frame_->names;
  scope[node.name.text] = {.value = std::move(value), .role = Binding::Role::constant, .span = node.name.span};
}

}  // namespace tpc
