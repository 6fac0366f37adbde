#include "compiler/import/scalar.h"
#include "compiler/import/pattern.h"
#include "tests/catch.h"

namespace tpc {

namespace {
const std::vector<Symbol> symbols{{.name = "n", .grows = true, .number = 64},
                                  {.name = "d", .grows = false, .number = 8}};
std::string text(const std::optional<Scalar>& scalar) { return scalar ? toString(*scalar, symbols) : "none"; }
}  // namespace

TEST_CASE("sizes and numbers fold into one factor with rational powers", "[import][scalar]") {
  Scalar n = scalarOf(SymbolId(0)), d = scalarOf(SymbolId(1));
  CHECK(text(power(n, Rational(-1, 2))) == "n^(-1/2)");
  CHECK(text(divide(scalarOf(1.0), *power(d, half))) == "d^(-1/2)");
  CHECK(text(multiply(scalarOf(4.0), n)) == "4 * n");
  CHECK(text(divide(n, d)) == "n * d^(-1)");
  CHECK(text(divide(n, n)) == "1");
  CHECK(text(subtract(scalarOf(1.0), scalarOf(0.5))) == "1/2");
  CHECK(text(power(scalarOf(4.0), half)) == "2");
}

TEST_CASE("a sum of sizes is a length and no factor, a root of a size a factor and no length", "[import][scalar]") {
  Scalar n = scalarOf(SymbolId(0));
  std::optional<Scalar> sum = add(n, scalarOf(1.0));
  REQUIRE(sum);
  CHECK(sum->length);
  CHECK_FALSE(sum->factor);
  std::optional<Scalar> root = power(n, half);
  REQUIRE(root);
  CHECK_FALSE(root->length);
  CHECK_FALSE(add(*root, scalarOf(1.0)));
}

TEST_CASE("a quotient that is no length says by which size it was divided", "[import][scalar]") {
  std::optional<Scalar> quotient = divide(scalarOf(SymbolId(0)), scalarOf(SymbolId(1)));
  REQUIRE(quotient);
  CHECK_FALSE(quotient->length);
  CHECK(quotient->divisor == 1);
}

TEST_CASE("patterns name axes, groups and what is wrong with them", "[import][pattern]") {
  PatternProblem problem;
  std::optional<Pattern> pattern = parsePattern("b t (h d) -> b h t d", true, problem);
  REQUIRE(pattern);
  CHECK(pattern->operands[0][2].names == std::vector<std::string>{"h", "d"});
  CHECK_FALSE(parsePattern("b t, t c", false, problem));
  CHECK(problem.message == "`->` and the axes of the result are missing");
  CHECK_FALSE(parsePattern("b (t -> b", true, problem));
  CHECK(problem.message == "an axis is a name");
  CHECK_FALSE(parsePattern("... ... -> ...", false, problem));
  CHECK(problem.message == "`...` stands twice in one operand");
}

}  // namespace tpc
