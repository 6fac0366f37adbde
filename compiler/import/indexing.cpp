// x[i], x[:, a:b], x[:, new], x[..., -1], E[token].
//
// Entries are taken from the left; each does one thing to one axis.  Axes that are dropped (a number) or inserted
// (`new`) change the position of those that follow, so positions are counted in the result as it grows.
#include <fmt/format.h>
#include <algorithm>

#include "compiler/import/expander.h"

namespace tpc {

// The beginning and the length of a:b along an axis; numbers from the end where negative, cut off as in PyTorch.
std::optional<std::pair<Length, Length>> Expander::rangeOf(const ast::IndexEntry& entry, const Length& length) {
  if (entry.step) {
    Value step = eval(*entry.step);
    const Scalar* scalar = step.as<Scalar>();
    if (!scalar || scalar->whole() != 1) {
      if (!step.isPoison()) error("TPC0253", "a range has steps of one in this version", entry.step->span);
      return std::nullopt;
    }
  }
  const std::optional<int64_t> whole = length.isNumber() ? length.at(numbers_) : std::nullopt;
  // A bound as a length; the zero length is the beginning.
  auto bound = [&](const ast::ExprPtr& expression, const Length& otherwise) -> std::optional<Length> {
    if (!expression) return otherwise;
    Value value = eval(*expression);
    if (value.isPoison()) return std::nullopt;
    const Scalar* scalar = value.as<Scalar>();
    if (!scalar) {
      if (const TensorValue* computed = value.as<TensorValue>();
          computed && computed->constant && computed->rank() == 0 && dissolve(*expression))
        return std::nullopt;
      error("TPC0253",
            fmt::format("a range has bounds that are known when the program is read, not `{}`",
                        written(expression->span)),
            expression->span);
      return std::nullopt;
    }
    if (scalar->exact && scalar->whole()) {
      int64_t number = *scalar->whole();
      if (number < 0) {
        if (whole) return number + *whole <= 0 ? Length() : Length::number(Rational(number + *whole));
        std::optional<Length> fromEnd = difference(length, Length::number(Rational(-number)));
        if (fromEnd && (fromEnd->at(numbers_) || fromEnd->terms().empty())) return fromEnd;
        if (dissolve(length)) return std::nullopt;
        error("TPC0253",
              fmt::format("`{}` counts from the end of an axis of length {}", written(expression->span), text(length)),
              expression->span, {}, "name the bound by a size");
        return std::nullopt;
      }
      if (number == 0) return Length();
      std::optional<int64_t> end = length.at(numbers_);
      if (end && number >= *end && !grows(length)) return length;
    }
    std::optional<Length> known = lengthOf(value, *expression);
    if (!known) return std::nullopt;
    std::optional<int64_t> at = known->at(numbers_), end = length.at(numbers_);
    if (at && end && *at > *end) {
      error("TPC0251",
            fmt::format("`{}` is {}, beyond the axis of length {}", written(expression->span), *at, text(length)),
            expression->span);
      return std::nullopt;
    }
    return known;
  };
  std::optional<Length> begin = bound(entry.begin, Length());
  std::optional<Length> end = bound(entry.end, length);
  if (!begin || !end) return std::nullopt;
  std::optional<Length> taken = begin->terms().empty() ? end : difference(*end, *begin);
  if (!taken) {
    bool ends = dissolve(*end), begins = dissolve(*begin);
    if (ends || begins) return std::nullopt;
  }
  if (!taken || taken->terms().empty() || !taken->at(numbers_)) {
    error("TPC0253",
          fmt::format("the range `{}` of an axis of length {} is empty, or its length is no length",
                      written(entry.span), text(length)),
          entry.span);
    return std::nullopt;
  }
  return std::pair(*begin, *taken);
}

Value Expander::index(const ast::Index& node, Span span) {
  Value base = eval(*node.base);
  if (base.isPoison()) return {};
  if (const auto* several = base.as<std::vector<Value>>()) {
    // f(x)[0]: one of several values.
    Value which = node.entries.size() == 1 && node.entries[0].value ? eval(*node.entries[0].value) : Value();
    const Scalar* scalar = which.as<Scalar>();
    std::optional<int64_t> number = scalar ? scalar->whole() : std::nullopt;
    if (number && *number >= 0 && *number < int64_t(several->size())) return (*several)[size_t(*number)];
    return poison(
        "TPC0251",
        fmt::format("one of {} values is chosen by a number from 0 to {}", several->size(), several->size() - 1), span);
  }
  std::optional<TensorValue> table = tensor(base, node.base->span);
  if (!table) return {};

  int used = 0;
  bool open = false;
  for (const ast::IndexEntry& entry : node.entries) {
    if (entry.kind == ast::IndexEntry::Kind::ellipsis) {
      if (open) return poison("TPC0250", "`...` stands twice in one index", entry.span);
      open = true;
    } else if (entry.kind != ast::IndexEntry::Kind::newAxis) {
      ++used;
    }
  }
  if (used > table->rank())
    return poison("TPC0250",
                  fmt::format("{} axes are indexed, and `{}` has {}: {}", used, written(node.base->span), table->rank(),
                              text(table->shape)),
                  span);

  TensorValue x = *table;
  int axis = 0;  // of x, where the next entry works
  bool gathered = false;
  int remaining = table->rank() - used;  // axes that `...` stands for
  for (const ast::IndexEntry& entry : node.entries) {
    if (!withinLimits(entry.span)) return {};
    switch (entry.kind) {
      case ast::IndexEntry::Kind::ellipsis: axis += remaining; break;
      case ast::IndexEntry::Kind::newAxis: x = emitter_.insertAxis(x, axis++, entry.span); break;
      case ast::IndexEntry::Kind::range: {
        std::optional<std::pair<Length, Length>> range = rangeOf(entry, x.shape[size_t(axis)]);
        if (!range) return {};
        x = emitter_.slice(x, axis++, range->first, range->second, entry.span);
        break;
      }
      case ast::IndexEntry::Kind::expression: {
        Value value = eval(*entry.value);
        if (value.isPoison()) return {};
        const Length& length = x.shape[size_t(axis)];
        if (const Scalar* scalar = value.as<Scalar>()) {
          std::optional<int64_t> number = scalar->whole();
          std::optional<int64_t> end = length.at(numbers_);
          Length begin;
          if (!number && scalar->isPlain())
            return poison("TPC0252", fmt::format("an index is a whole number, not {}", toString(*scalar, symbols_)),
                          entry.span);
          if (number && end && (*number >= *end || *number < -*end))
            return poison("TPC0251",
                          fmt::format("the index {} is outside the axis of length {}{}", *number, text(length),
                                      length.isNumber() ? "" : fmt::format(", which is {}", *end)),
                          entry.span);
          if (!number) {
            // A size, as in x[:, k]: its number is the position.
            if (!scalar->length)
              return poison("TPC0252",
                            fmt::format("an index is a whole number or a tensor of integers, not {}", text(value)),
                            entry.span);
            number = scalar->length->at(numbers_);
            begin = *scalar->length;
          } else if (*number > 0) {
            begin = Length::number(Rational(*number));
          } else if (*number < 0) {
            std::optional<Length> fromEnd = length == Length::number(Rational(-*number))
                                                ? Length()
                                                : difference(length, Length::number(Rational(-*number)));
            if (!fromEnd && dissolve(length)) return {};
            if (!fromEnd)
              return poison("TPC0251",
                            fmt::format("the index {} counts from the end of an axis of length {}, which grows",
                                        *number, text(length)),
                            entry.span, {}, "count from the beginning");
            begin = *fromEnd;
          }
          if (!number || !end || *number >= *end || *number < -*end)
            return poison("TPC0251",
                          fmt::format("the index {} is outside the axis of length {}",
                                      number ? std::to_string(*number) : "", text(length)),
                          entry.span);
          x = emitter_.slice(x, axis, begin, Length::number(1), entry.span);
          x = emitter_.removeAxis(x, axis, entry.span);
          break;
        }
        if (const TensorValue* computed = value.as<TensorValue>();
            computed && computed->constant && computed->rank() == 0 && !computed->integer) {
          if (dissolve(*entry.value)) return {};
          return poison("TPC0252", fmt::format("`{}` is no whole number for every size", written(entry.span)),
                        entry.span, {}, "an index is a number, or a tensor of integers");
        }
        std::optional<TensorValue> where = tensor(value, entry.span);
        if (!where) return {};
        if (!where->integer)
          return poison("TPC0252",
                        fmt::format("`{}` holds real numbers, and an index holds integers", written(entry.span)),
                        entry.span, {}, "an input holds integers when it is declared with `in size`");
        if (gathered) {
          later("an index by two tensors", entry.span);
          return {};
        }
        if (where->below != length) {
          std::optional<int64_t> below = where->below.at(numbers_), end = length.at(numbers_);
          bool plain = where->below.isNumber() && length.isNumber();
          if (!below || !end || *below > *end || (!plain && grows(length)))
            return poison("TPC0254",
                          fmt::format("`{}` holds integers below {}, and the axis it indexes has {} entries: {}",
                                      written(entry.span), text(where->below), text(length), text(x.shape)),
                          entry.span);
        }
        gathered = true;
        int rank = where->rank();
        x = emitter_.gather(x, *where, axis, span);
        axis += rank;
        break;
      }
    }
  }
  return {x};
}

}  // namespace tpc
