// windows(x, size, axis = 1, stride = 1, same = false): the axis becomes two, places and what each sees.
//
//     x [b, 8, c]      windows(x, 3, axis = 1)                [b, 6, 3, c]      x[:, 0:3], x[:, 1:4], ..
//                      windows(x, 3, axis = 1, same)          [b, 8, 3, c]      zeros before and behind
//                      windows(x, 4, axis = 1, stride = 4)    [b, 2, 4, c]      pieces
//
// An index of constants and a gather: convolution and pooling are contractions and reductions over it, so that nothing
// that analyses, differentiates or computes has to know of them.
#include <fmt/format.h>
#include <algorithm>

#include "compiler/import/arguments.h"
#include "compiler/import/expander.h"

namespace tpc {

Value Expander::windows(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("windows", node, span, 2, 2, {"axis", "stride", "same"});
  if (!arguments) return {};
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  if (!x) return {};
  // A whole number that is known, or a size that stays.
  auto whole = [&](const Value& value, Span at, const char* what) -> std::optional<int64_t> {
    const Scalar* scalar = value.as<Scalar>();
    std::optional<int64_t> number = scalar ? scalar->whole() : std::nullopt;
    if (!number && scalar && scalar->length && !grows(*scalar->length)) number = scalar->length->at(numbers_);
    if (number && *number >= 1) return number;
    error("TPC0289", fmt::format("the {} of `windows` is a whole number that stays, not {}", what, text(value)), at);
    return std::nullopt;
  };
  int axis = x->rank() - 1;
  int64_t step = 1;
  if (const Arguments::Named* named = arguments->find("axis")) {
    std::optional<int> wanted = axisOf(named->value, *x, named->span);
    if (!wanted) return {};
    axis = *wanted;
  }
  if (axis < 0) return poison("TPC0289", "`windows` of a value without axes", arguments->spans[0]);
  if (const Arguments::Named* named = arguments->find("stride")) {
    std::optional<int64_t> wanted = whole(named->value, named->span, "stride");
    if (!wanted) return {};
    step = *wanted;
  }
  std::optional<bool> same = flagOf(*arguments, "same");
  std::optional<int64_t> size = whole(arguments->values[1], arguments->spans[1], "size");
  if (!same || !size) return {};

  // ceil(length / s) places with k seen at each ask for (ceil(length / s) - 1) s + k - length zeros: k - s of them
  // where s divides the length, else k minus the rest.  k / 2 stand before, as far as there are so many.
  const std::optional<int64_t> given = x->shape[size_t(axis)].at(numbers_);
  const int64_t rest = given ? *given % step : 0, zeros = *size - (rest == 0 ? step : rest);
  if (*same && zeros > 0) {
    const int64_t before = std::min(*size / 2, zeros);
    auto filled = [&](int64_t length) {
      Shape shape = x->shape;
      shape[size_t(axis)] = Length::number(Rational(length));
      TensorValue zero = emitter_.number({.coefficient = 0, .powers = {}, .kind = Number::Kind::plain}, span);
      return emitter_.broadcastTo(zero, shape, span);
    };
    std::vector<TensorValue> parts;
    if (before > 0) parts.push_back(filled(before));
    parts.push_back(*x);
    if (zeros > before) parts.push_back(filled(zeros - before));
    x = emitter_.concat(parts, axis, span);
  }

  // The places: floor((length - size) / stride) + 1.
  const Length length = x->shape[size_t(axis)];
  const Length reach = length + Length::number(Rational(step));
  std::optional<int64_t> entries = length.at(numbers_);
  if (entries && *entries < *size)
    return poison(
        "TPC0289",
        fmt::format("a window of {} does not fit an axis of length {}: {}", *size, text(length), text(x->shape)),
        arguments->spans[1], {}, "with `same` zeros stand around it");
  std::optional<Length> places = difference(reach, Length::number(Rational(*size)));
  if (places) places = quotient(*places, Length::number(Rational(step)));
  if (!places || !places->at(numbers_)) {
    if (dissolve(length)) return {};
    if (!length.isNumber() || !entries)
      return poison("TPC0289",
                    fmt::format("there is no length for the windows of {} in steps of {} along an axis of length {}",
                                *size, step, text(length)),
                    span, {}, "with `same` there are as many windows as the axis is long, divided by the stride");
    places = Length::number(Rational((*entries - *size) / step + 1));
  }

  const Length seen = Length::number(Rational(*size));
  const Shape both{*places, seen};
  TensorValue begin = emitter_.iota(*places, span);
  if (step > 1) {
    TensorValue factor =
        emitter_.number({.coefficient = double(step), .powers = {}, .kind = Number::Kind::plain}, span);
    begin = emitter_.binary(Emitter::Binary::mul, begin, emitter_.broadcastTo(factor, begin.shape, span), span);
  }
  begin = emitter_.broadcastTo(emitter_.insertAxis(begin, 1, span), both, span);
  TensorValue offset = emitter_.broadcastTo(emitter_.iota(seen, span), both, span);
  TensorValue index = emitter_.binary(Emitter::Binary::add, begin, offset, span);
  index.integer = true;
  index.below = length;
  return {emitter_.gather(*x, index, axis, span)};
}

}  // namespace tpc
