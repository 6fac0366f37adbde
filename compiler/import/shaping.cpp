// rearrange, einsum, concat, split: axes by name.
#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "compiler/import/arguments.h"
#include "compiler/import/expander.h"
#include "compiler/import/pattern.h"
#include "dsl/source/suggest.h"

namespace tpc {

namespace {

// The place of a problem inside the string of an argument, quotes counted.
Span within(Span string, const PatternProblem& problem) {
  Span span = string;
  span.begin = std::min(string.begin + 1 + problem.begin, string.end);
  span.end = std::clamp(string.begin + 1 + problem.end, span.begin, string.end);
  if (span.end == span.begin) span.end = std::min(span.begin + 1, string.end);
  return span;
}

constexpr int maximalAxes = 32;

}  // namespace

// ---- einsum ---------------------------------------------------------------------------------------------------------

Value Expander::einsum(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("einsum", node, span, 2, 17, {});
  if (!arguments) return {};
  const std::string* patternText = arguments->values[0].as<std::string>();
  const Span patternSpan = arguments->spans[0];
  if (!patternText)
    return poison("TPC0241", "the first argument of `einsum` is its pattern: \"b t c, c e -> b t e\"", patternSpan);
  PatternProblem problem;
  std::optional<Pattern> pattern = parsePattern(*patternText, false, problem);
  if (!pattern)
    return poison("TPC0241", fmt::format("the pattern of `einsum`: {}", problem.message), within(patternSpan, problem));
  size_t count = arguments->values.size() - 1;
  if (pattern->operands.size() != count)
    return poison("TPC0242",
                  fmt::format("the pattern of `einsum` has {} operand{}, and {} {} given", pattern->operands.size(),
                              pattern->operands.size() == 1 ? "" : "s", count, count == 1 ? "is" : "are"),
                  span);

  struct Operand {
    TensorValue x;
    std::vector<int> labels;
  };
  std::vector<Operand> operands;
  std::map<std::string, int> labelOf;  // names; axes of `...` are "...1" counted from the last
  std::vector<Length> lengths;
  std::vector<std::string> labelNames;
  int leading = 0;  // the longest `...`
  for (size_t i = 0; i < count; ++i) {
    const Span at = arguments->spans[i + 1];
    std::optional<TensorValue> x = tensor(arguments->values[i + 1], at);
    if (!x) return {};
    const std::vector<PatternAxis>& axes = pattern->operands[i];
    bool open = std::any_of(axes.begin(), axes.end(), [](const PatternAxis& axis) { return axis.ellipsis; });
    int named = int(axes.size()) - (open ? 1 : 0);
    if (open ? x->rank() < named : x->rank() != named)
      return poison("TPC0242",
                    fmt::format("operand {} of `einsum` is {}, and its pattern has {}{} ax{}", i + 1, text(x->shape),
                                open ? "at least " : "", named, named == 1 ? "is" : "es"),
                    at, {}, named == 1 && x->rank() > 1 ? "blanks stand between the names of axes: `b t c`" : "");
    Operand operand{*x, {}};
    int position = 0;
    auto take = [&](const std::string& name) {
      const Length& length = x->shape[size_t(position)];
      auto [entry, isNew] = labelOf.emplace(name, int(lengths.size()));
      if (isNew) {
        lengths.push_back(length);
        labelNames.push_back(name);
      } else if (lengths[size_t(entry->second)] != length) {
        std::string shown = name.starts_with("...") ? "..." : name;
        error("TPC0243",
              fmt::format("the axis `{}` of `einsum` is {} and {}: operand {} is {}", shown,
                          text(lengths[size_t(entry->second)]), text(length), i + 1, text(x->shape)),
              at, {},
              lengths[size_t(entry->second)].at(numbers_) == length.at(numbers_)
                  ? "both are the same number now, but sizes of different names never match"
                  : "");
        return false;
      }
      if (std::find(operand.labels.begin(), operand.labels.end(), entry->second) != operand.labels.end()) {
        error(
            "TPC0244",
            fmt::format("the axis `{}` stands twice in operand {} of `einsum`; diagonals are not part of this version",
                        name, i + 1),
            at);
        return false;
      }
      operand.labels.push_back(entry->second);
      ++position;
      return true;
    };
    for (const PatternAxis& axis : axes) {
      if (!axis.ellipsis) {
        if (!take(axis.names[0])) return {};
        continue;
      }
      int several = x->rank() - named;
      leading = std::max(leading, several);
      for (int k = several; k > 0; --k)
        if (!take(fmt::format("...{}", k))) return {};
    }
    operands.push_back(std::move(operand));
  }
  if (lengths.size() > maximalAxes)
    return poison("TPC0242", fmt::format("`einsum` names {} axes, and {} is the most", lengths.size(), maximalAxes),
                  span);

  std::vector<int> result;
  for (const PatternAxis& axis : pattern->result) {
    if (axis.ellipsis) {
      for (int k = leading; k > 0; --k) result.push_back(labelOf.at(fmt::format("...{}", k)));
      continue;
    }
    auto at = labelOf.find(axis.names[0]);
    if (at == labelOf.end()) {
      std::vector<std::string> names;
      for (const auto& [name, label] : labelOf) names.push_back(name);
      return poison("TPC0244",
                    fmt::format("the result of `einsum` has an axis `{}` that no operand has", axis.names[0]),
                    patternSpan, {}, didYouMean(axis.names[0], names));
    }
    if (std::find(result.begin(), result.end(), at->second) != result.end())
      return poison("TPC0244", fmt::format("the axis `{}` stands twice in the result of `einsum`", axis.names[0]),
                    patternSpan);
    result.push_back(at->second);
  }
  if (leading > 0 && std::none_of(pattern->result.begin(), pattern->result.end(),
                                  [](const PatternAxis& axis) { return axis.ellipsis; }))
    return poison("TPC0244", "the operands of `einsum` have `...` and its result has not", patternSpan);

  auto has = [](const std::vector<int>& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  };
  // An axis that only one operand has, and not the result, is summed before: a contraction sums what both have.
  auto sumAlone = [&](Operand& operand, size_t first, const std::vector<int>& other) {
    std::vector<int> axes, kept;
    for (size_t i = 0; i < operand.labels.size(); ++i) {
      int label = operand.labels[i];
      bool elsewhere = has(result, label) || has(other, label);
      for (size_t rest = first; rest < operands.size(); ++rest)
        elsewhere = elsewhere || has(operands[rest].labels, label);
      if (elsewhere) kept.push_back(label);
      else axes.push_back(int(i));
    }
    if (axes.empty()) return;
    operand.x = emitter_.reduce(ReduceFn::sum, operand.x, axes, span);
    operand.labels = kept;
  };

  Operand left = operands[0];
  if (count == 1) {
    sumAlone(left, 1, {});
    std::vector<int> axes;
    for (int label : result)
      axes.push_back(int(std::find(left.labels.begin(), left.labels.end(), label) - left.labels.begin()));
    return {emitter_.transpose(left.x, axes, span)};
  }
  for (size_t i = 1; i < count; ++i) {
    Operand right = operands[i];
    sumAlone(left, i + 1, right.labels);
    sumAlone(right, i + 1, left.labels);
    // What later operands or the result still name stays; from left to right.
    std::vector<int> kept;
    if (i + 1 == count) {
      kept = result;
    } else {
      std::vector<int> both = left.labels;
      for (int label : right.labels)
        if (!has(both, label)) both.push_back(label);
      for (int label : both) {
        bool needed = has(result, label);
        for (size_t rest = i + 1; rest < count; ++rest) needed = needed || has(operands[rest].labels, label);
        if (needed) kept.push_back(label);
      }
    }
    Contraction labels;
    for (int label : left.labels) labels.a.push_back(uint8_t(label));
    for (int label : right.labels) labels.b.push_back(uint8_t(label));
    for (int label : kept) labels.result.push_back(uint8_t(label));
    left = {emitter_.contract(left.x, right.x, labels, span), kept};
  }
  return {left.x};
}

// ---- rearrange ------------------------------------------------------------------------------------------------------

Value Expander::rearrange(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("rearrange", node, span, 2, 2, {"*"});
  if (!arguments) return {};
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  const std::string* patternText = arguments->values[1].as<std::string>();
  const Span patternSpan = arguments->spans[1];
  if (!x) return {};
  if (!patternText)
    return poison("TPC0241", "the second argument of `rearrange` is its pattern: \"b t (h d) -> b h t d\"",
                  patternSpan);
  PatternProblem problem;
  std::optional<Pattern> pattern = parsePattern(*patternText, true, problem);
  if (!pattern)
    return poison("TPC0241", fmt::format("the pattern of `rearrange`: {}", problem.message),
                  within(patternSpan, problem));
  if (pattern->operands.size() != 1) return poison("TPC0242", "`rearrange` has one operand", patternSpan);
  const std::vector<PatternAxis>& source = pattern->operands[0];

  std::map<std::string, Length> known;
  for (const auto& [name, argument] : arguments->named) {
    std::optional<Length> length = lengthOf(argument.value, argument.span);
    if (!length) return {};
    known.emplace(name, *length);
  }
  bool open = std::any_of(source.begin(), source.end(), [](const PatternAxis& axis) { return axis.ellipsis; });
  int named = int(source.size()) - (open ? 1 : 0);
  if (open ? x->rank() < named : x->rank() != named)
    return poison("TPC0242",
                  fmt::format("`{}` is {}, and the pattern of `rearrange` has {}{} ax{}", written(arguments->spans[0]),
                              text(x->shape), open ? "at least " : "", named, named == 1 ? "is" : "es"),
                  arguments->spans[0]);

  // Take groups apart: every axis gets a name of its own.
  std::vector<std::string> names;
  Shape single;
  Regroup apart;
  int axis = 0;
  for (const PatternAxis& entry : source) {
    if (entry.ellipsis) {
      for (int k = x->rank() - named; k > 0; --k) {
        names.push_back(fmt::format("...{}", k));
        single.push_back(x->shape[size_t(axis++)]);
        apart.groups.emplace_back(1, 1);
      }
      continue;
    }
    const Length& length = x->shape[size_t(axis++)];
    const std::string* unknown = nullptr;
    Length product = Length::number(1);
    for (const std::string& name : entry.names) {
      if (entry.names.size() == 1 && !known.contains(name)) known.emplace(name, length);
      if (std::find(names.begin(), names.end(), name) != names.end())
        return poison("TPC0244", fmt::format("the axis `{}` stands twice in the pattern of `rearrange`", name),
                      patternSpan);
      auto at = known.find(name);
      if (at != known.end()) product = product * at->second;
      else if (unknown)
        return poison("TPC0245", fmt::format("the lengths of `{}` and `{}` are both unknown", *unknown, name),
                      patternSpan, {}, fmt::format("give one of them: `rearrange(x, \"..\", {} = ..)`", name));
      else unknown = &name;
      names.push_back(name);
    }
    if (unknown) {
      std::optional<Scalar> rest = divide(scalarOf(length), scalarOf(product));
      if (!rest)
        return poison("TPC0243",
                      fmt::format("an axis of length {} cannot be taken apart by {}", text(length), text(product)),
                      patternSpan);
      std::optional<Length> quotient = lengthOf(Value{*rest}, patternSpan);
      if (!quotient) return {};
      known.emplace(*unknown, *quotient);
    } else if (product != length) {
      return poison("TPC0243",
                    fmt::format("`{}` of `rearrange` is {}, and the axis is {}: {}",
                                entry.names.empty()       ? "1"
                                : entry.names.size() == 1 ? entry.names[0]
                                                          : "(...)",
                                text(product), text(length), text(x->shape)),
                    patternSpan);
    }
    for (const std::string& name : entry.names) single.push_back(known.at(name));
    apart.groups.emplace_back(1, uint8_t(entry.names.size()));
  }
  if (single.size() > maximalAxes)
    return poison("TPC0242", fmt::format("`rearrange` names {} axes, and {} is the most", single.size(), maximalAxes),
                  span);

  std::vector<int> order;
  Shape target;
  Regroup together;
  for (const PatternAxis& entry : pattern->result) {
    if (entry.ellipsis) {
      for (size_t i = 0; i < names.size(); ++i)
        if (names[i].starts_with("...")) {
          order.push_back(int(i));
          target.push_back(single[i]);
          together.groups.emplace_back(1, 1);
        }
      continue;
    }
    Length product = Length::number(1);
    for (const std::string& name : entry.names) {
      auto at = std::find(names.begin(), names.end(), name);
      if (at == names.end())
        return poison("TPC0244",
                      fmt::format("the result of `rearrange` has an axis `{}` that its operand has not", name),
                      patternSpan, {}, didYouMean(name, names));
      int position = int(at - names.begin());
      if (std::find(order.begin(), order.end(), position) != order.end())
        return poison("TPC0244", fmt::format("the axis `{}` stands twice in the result of `rearrange`", name),
                      patternSpan);
      order.push_back(position);
      product = product * single[size_t(position)];
    }
    if (!wholeLength(product, patternSpan)) return {};
    target.push_back(product);
    together.groups.emplace_back(uint8_t(entry.names.size()), 1);
  }
  if (order.size() != names.size()) {
    for (size_t i = 0; i < names.size(); ++i)
      if (std::find(order.begin(), order.end(), int(i)) == order.end())
        return poison("TPC0244",
                      fmt::format("the axis `{}` is left out of the result of `rearrange`",
                                  names[i].starts_with("...") ? "..." : names[i]),
                      patternSpan, {}, "to sum over it write `einsum` or `sum`");
  }
  TensorValue parts = emitter_.reshape(*x, single, apart, span);
  TensorValue turned = emitter_.transpose(parts, order, span);
  return {emitter_.reshape(turned, target, together, span)};
}

// ---- concat and split -----------------------------------------------------------------------------------------------

Value Expander::concatenation(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("concat", node, span, 1, 1024, {"axis"});
  if (!arguments) return {};
  std::vector<TensorValue> parts;
  for (size_t i = 0; i < arguments->values.size(); ++i) {
    std::optional<TensorValue> part = tensor(arguments->values[i], arguments->spans[i]);
    if (!part) return {};
    parts.push_back(*part);
  }
  if (parts[0].rank() == 0)
    return poison("TPC0264", fmt::format("`{}` has no axes to join along", written(arguments->spans[0])),
                  arguments->spans[0]);
  int axis = parts[0].rank() - 1;
  if (const Arguments::Named* named = arguments->find("axis")) {
    std::optional<int> wanted = axisOf(named->value, parts[0], named->span);
    if (!wanted) return {};
    axis = *wanted;
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    bool fits = parts[i].rank() == parts[0].rank();
    for (int k = 0; fits && k < parts[0].rank(); ++k)
      fits = k == axis || parts[i].shape[size_t(k)] == parts[0].shape[size_t(k)];
    if (!fits)
      return poison("TPC0264",
                    fmt::format("`concat` along axis {} joins shapes that agree elsewhere, not {} and {}", axis,
                                text(parts[0].shape), text(parts[i].shape)),
                    arguments->spans[i]);
  }
  Length sum;
  for (const TensorValue& part : parts) sum = sum + part.shape[size_t(axis)];
  if (!wholeLength(sum, span)) return {};
  return {emitter_.concat(parts, axis, span)};
}

Value Expander::splitting(const ast::Call& node, Span span) {
  std::optional<Arguments> arguments = builtinArguments("split", node, span, 2, 2, {"axis"});
  if (!arguments) return {};
  std::optional<TensorValue> x = tensor(arguments->values[0], arguments->spans[0]);
  if (!x) return {};
  if (x->rank() == 0)
    return poison("TPC0265", fmt::format("`{}` has no axes to split", written(arguments->spans[0])),
                  arguments->spans[0]);
  int axis = x->rank() - 1;
  if (const Arguments::Named* named = arguments->find("axis")) {
    std::optional<int> wanted = axisOf(named->value, *x, named->span);
    if (!wanted) return {};
    axis = *wanted;
  }
  const Length& length = x->shape[size_t(axis)];
  std::vector<Length> pieces;
  if (const auto* several = arguments->values[1].as<std::vector<Value>>()) {
    Length sum;
    for (const Value& value : *several) {
      std::optional<Length> piece = lengthOf(value, arguments->spans[1]);
      if (!piece) return {};
      sum = sum + *piece;
      pieces.push_back(*piece);
    }
    if (sum != length)
      return poison(
          "TPC0265",
          fmt::format("the pieces are {} together, and the axis is {}: {}", text(sum), text(length), text(x->shape)),
          arguments->spans[1]);
  } else {
    const Scalar* scalar = arguments->values[1].as<Scalar>();
    std::optional<int64_t> count = scalar ? scalar->whole() : std::nullopt;
    if (!count && scalar && scalar->length && !grows(*scalar->length)) count = scalar->length->at(numbers_);
    if (!count || *count < 1 || *count > 1024)
      return poison("TPC0265",
                    fmt::format("`split` takes the number of pieces, from 1 to 1024, or their lengths (a, b), not {}",
                                text(arguments->values[1])),
                    arguments->spans[1]);
    std::optional<Length> piece = quotient(length, Length::number(Rational(*count)));
    if (!piece || !piece->at(numbers_))
      return poison("TPC0265", fmt::format("an axis of length {} has no {} equal pieces", text(length), *count),
                    arguments->spans[1]);
    pieces.assign(size_t(*count), *piece);
  }
  std::vector<Value> result;
  Length begin;
  for (const Length& piece : pieces) {
    result.push_back({emitter_.slice(*x, axis, begin, piece, span)});
    begin = begin + piece;
  }
  if (result.size() == 1) return result[0];
  return {std::move(result)};
}

}  // namespace tpc
