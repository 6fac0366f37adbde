// Arithmetic of symbolic lengths.  Sums of few terms: sorted vectors, merged.
#include "compiler/graph/length.h"

#include <algorithm>

namespace tpc {
namespace {

constexpr size_t maxTerms = 64;
constexpr int maxPower = 64;

// The order of a division must agree with multiplication, which the sorted sparse lists do not: the power of symbol 0
// decides, then that of symbol 1, and so on.
bool leads(const Monomial& a, const Monomial& b) {
  size_t i = 0, j = 0;
  while (i < a.powers.size() && j < b.powers.size()) {
    if (a.powers[i].first != b.powers[j].first) return a.powers[i].first < b.powers[j].first;
    if (a.powers[i].second != b.powers[j].second) return a.powers[i].second > b.powers[j].second;
    ++i, ++j;
  }
  return i < a.powers.size();
}

const Monomial& leading(const Length& length) {
  return *std::min_element(length.terms().begin(), length.terms().end(), leads);
}

Monomial product(const Monomial& a, const Monomial& b) {
  Monomial result{a.coefficient * b.coefficient, a.powers};
  for (auto [symbol, power] : b.powers) {
    auto at = std::lower_bound(result.powers.begin(), result.powers.end(), std::pair(symbol, 0));
    if (at != result.powers.end() && at->first == symbol)
      at->second += power;  // both at most maxPower: no overflow before `add` refuses
    else result.powers.insert(at, {symbol, power});
  }
  return result;
}

std::optional<Monomial> quotient(const Monomial& a, const Monomial& b) {
  Monomial result{a.coefficient / b.coefficient, {}};
  size_t used = 0;
  for (auto [symbol, power] : a.powers) {
    if (used < b.powers.size() && b.powers[used].first == symbol) {
      power -= b.powers[used++].second;
      if (power < 0) return std::nullopt;
    }
    if (power > 0) result.powers.push_back({symbol, power});
  }
  if (used < b.powers.size() || result.coefficient.isOverflow()) return std::nullopt;
  return result;
}

std::string toString(const Monomial& term, const std::vector<Symbol>& symbols) {
  std::string text;
  auto factor = [&](const std::string& word) { text += (text.empty() ? "" : " * ") + word; };
  if (term.coefficient.num() != 1 || term.powers.empty()) factor(std::to_string(term.coefficient.num()));
  for (auto [symbol, power] : term.powers) {
    const std::string name = symbol < symbols.size() ? symbols[symbol].name : "?" + std::to_string(symbol);
    factor(power == 1 ? name : name + "^" + std::to_string(power));
  }
  if (term.coefficient.den() != 1) text += " / " + std::to_string(term.coefficient.den());
  return text;
}

}  // namespace

Length Length::overflow() {
  Length result;
  result.terms_.push_back({Rational(int64_t(1) << 40), {}});
  return result;
}

Length Length::number(Rational value) {
  if (value.isOverflow() || value.num() < 0) return overflow();
  Length result;
  if (!value.isZero()) result.terms_.push_back({value, {}});
  return result;
}

Length Length::symbol(SymbolId symbol) {
  Length result;
  result.terms_.push_back({Rational(1), {{symbol, 1}}});
  return result;
}

void Length::add(Monomial term) {
  if (isOverflow()) return;
  bool tooMuch = term.coefficient.isOverflow();
  for (auto [symbol, power] : term.powers) tooMuch |= power > maxPower;
  auto at = std::lower_bound(terms_.begin(), terms_.end(), term,
                             [](const Monomial& a, const Monomial& b) { return a.powers < b.powers; });
  if (at != terms_.end() && at->powers == term.powers) {
    at->coefficient += term.coefficient;
    tooMuch |= at->coefficient.isOverflow();
  } else {
    terms_.insert(at, std::move(term));
    tooMuch |= terms_.size() > maxTerms;
  }
  if (tooMuch) *this = overflow();
}

int Length::growth(SymbolId symbol) const {
  int result = 0;
  for (const Monomial& term : terms_)
    for (auto [id, power] : term.powers)
      if (id == symbol) result = std::max(result, power);
  return result;
}

std::optional<int64_t> Length::at(const std::vector<int64_t>& numbers) const {
  using Wide = __int128;
  constexpr Wide limit = Wide(1) << 62;
  Wide num = 0, den = 1;
  for (const Monomial& term : terms_) {
    if (term.coefficient.isOverflow()) return std::nullopt;
    Wide value = term.coefficient.num(), below = term.coefficient.den();
    for (auto [symbol, power] : term.powers) {
      if (symbol >= numbers.size() || numbers[symbol] < 0) return std::nullopt;
      for (int i = 0; i < power; ++i) {
        value *= numbers[symbol];
        // n / 64 stays small only if the quotient is taken on the way.
        const int64_t shared = std::gcd(int64_t(value % below), int64_t(below));
        value /= shared, below /= shared;
        if (value >= limit) return std::nullopt;
      }
    }
    num = num * below + value * den;
    den *= below;
    Wide a = num, b = den;
    while (b != 0) std::swap(a %= b, b);
    if (a != 0) num /= a, den /= a;
    if (num >= limit || den >= limit) return std::nullopt;
  }
  if (den != 1 || num < 1 || num > (Wide(1) << 40)) return std::nullopt;
  return int64_t(num);
}

Length operator+(const Length& a, const Length& b) {
  Length result = a;
  for (const Monomial& term : b.terms_) result.add(term);
  return result;
}

Length operator*(const Length& a, const Length& b) {
  if (a.isOverflow() || b.isOverflow()) return Length::overflow();
  Length result;
  for (const Monomial& x : a.terms_)
    for (const Monomial& y : b.terms_) result.add(product(x, y));
  return result;
}

std::optional<Length> difference(const Length& a, const Length& b) {
  if (a.isOverflow() || b.isOverflow()) return std::nullopt;
  Length result;
  size_t used = 0;
  for (const Monomial& term : a.terms_) {
    if (used == b.terms_.size() || b.terms_[used].powers != term.powers) {
      result.terms_.push_back(term);
      continue;
    }
    const Rational left = term.coefficient - b.terms_[used++].coefficient;
    if (left.isOverflow() || left.num() < 0) return std::nullopt;
    if (!left.isZero()) result.terms_.push_back({left, term.powers});
  }
  if (used < b.terms_.size()) return std::nullopt;
  return result;
}

// Long division.  If the quotient is a length, all its terms are positive, hence so is what is left after each of them
// is taken off, and `difference` may refuse as soon as something negative would be left.
std::optional<Length> quotient(const Length& a, const Length& b) {
  if (a.isOverflow() || b.isOverflow() || b.terms_.empty()) return std::nullopt;
  Length result, rest = a;
  const Monomial divisor = leading(b);
  while (!rest.terms_.empty()) {
    std::optional<Monomial> term = quotient(leading(rest), divisor);
    if (!term) return std::nullopt;
    Length single;
    single.terms_.push_back(*term);
    std::optional<Length> left = difference(rest, single * b);
    if (!left) return std::nullopt;
    rest = std::move(*left);
    result.add(std::move(*term));
  }
  if (result.isOverflow()) return std::nullopt;
  return result;
}

std::string toString(const Length& length, const std::vector<Symbol>& symbols) {
  if (length.terms().empty()) return "0";
  if (length.isOverflow()) return "too large";
  // The constant is first in the order of terms and last in what people write.
  std::string text, constant;
  for (const Monomial& term : length.terms()) {
    const std::string word = toString(term, symbols);
    if (term.powers.empty()) constant = word;
    else text += (text.empty() ? "" : " + ") + word;
  }
  if (!constant.empty()) text += (text.empty() ? "" : " + ") + constant;
  return text;
}

}  // namespace tpc
