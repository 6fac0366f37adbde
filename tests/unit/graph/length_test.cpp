// Lengths are expressions: equal when they are the same, divisible when the quotient is exact.
#include "compiler/graph/length.h"

#include "tests/catch.h"

using namespace tpc;

namespace {
const std::vector<Symbol> symbols = {{"n", true, 256}, {"H", true, 4}, {"d", false, 64}};
const Length n = Length::symbol(0), H = Length::symbol(1), d = Length::symbol(2);
Length number(int64_t value) { return Length::number(Rational(value)); }
std::string text(const Length& length) { return toString(length, symbols); }
}  // namespace

TEST_CASE("lengths print as users write them", "[graph][length]") {
  CHECK(text(number(4) * n) == "4 * n");
  CHECK(text(*quotient(n, number(64))) == "n / 64");
  CHECK(text(n * H + number(1)) == "n * H + 1");
  CHECK(text(Length::number(Rational(3, 2)) * n) == "3 * n / 2");
  CHECK(text(n * n) == "n^2");
  CHECK(text(Length()) == "0");
}

TEST_CASE("equal expressions are equal lengths, whatever their order", "[graph][length]") {
  CHECK((n + H) * d == d * H + d * n);
  CHECK_FALSE(n == H);
  CHECK(n + n == number(2) * n);
}

TEST_CASE("a quotient is exact or refused", "[graph][length]") {
  CHECK(quotient(n, *quotient(n, number(64))) == number(64));
  CHECK(quotient(n * H + n, H + number(1)) == n);
  CHECK(quotient(H * d, d) == H);
  CHECK(quotient((n + H) * (n + d), n + d) == n + H);
  CHECK_FALSE(quotient(n, d));
  CHECK_FALSE(quotient(n + number(1), n));
  CHECK_FALSE(quotient(n * n * n + number(1), n + number(1)));  // n^2 - n + 1 is no length
  CHECK_FALSE(quotient(n, Length()));
}

TEST_CASE("a difference is a length or refused", "[graph][length]") {
  CHECK(difference(number(3) * n + d, n) == number(2) * n + d);
  CHECK(difference(n, n) == Length());
  CHECK_FALSE(difference(n, H));
  CHECK_FALSE(difference(n, number(2) * n));
}

TEST_CASE("the growth of an axis is the largest power of the symbol", "[graph][length]") {
  CHECK((n * n * H + n + number(5)).growth(0) == 2);
  CHECK((n * n * H + n + number(5)).growth(1) == 1);
  CHECK((n * n * H + n + number(5)).growth(2) == 0);
}

TEST_CASE("the value of a length is a whole number or none", "[graph][length]") {
  CHECK((number(4) * n + H).at({256, 4, 64}) == 1028);
  CHECK(quotient(n, number(64))->at({256, 4, 64}) == 4);
  CHECK_FALSE(quotient(n, number(64))->at({250, 4, 64}));
  CHECK((*quotient(n, number(2)) + *quotient(H, number(2))).at({3, 5, 1}) == 4);
  CHECK_FALSE(Length().at({1, 1, 1}));
  CHECK_FALSE((n * n * n).at({int64_t(1) << 20, 1, 1}));
  CHECK_FALSE(n.at({}));
}

TEST_CASE("lengths that no axis has are refused and never wrap", "[graph][length]") {
  Length power = n;
  for (int i = 0; i < 40; ++i) power = power * power;
  CHECK(power.isOverflow());
  CHECK_FALSE(power.at({2, 1, 1}));
  CHECK_FALSE(quotient(power, n));
  Length large = number(1 << 29);
  for (int i = 0; i < 5; ++i) large = large * large + n;
  CHECK(large.isOverflow());
}
