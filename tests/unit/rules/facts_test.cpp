// Rules of facts, seen in what they decide: a sum that walks has a sign that some parameter turns, one that adds up has
// none.
#include "tests/catch.h"
#include "tests/unit/rules/sentences.h"

using namespace tpc;
using namespace tpc::rules;

namespace {

bool walks(const std::string& summand) {
  const Rules rules = decidedBy({"u = sum(" + summand + ", axis = -1)"}, "u");
  CHECK(has(rules, "sum.walks") != has(rules, "sum.adds-up"));
  return has(rules, "sum.walks");
}

}  // namespace

TEST_CASE("an odd function keeps the sign", "[rules][parity.odd-map]") {
  CHECK(walks("tanh(s @ U)"));
  CHECK(walks("sin((s @ U)^3)"));
}
TEST_CASE("a function that is not odd does not", "[rules][near-miss][parity.odd-map]") {
  CHECK_FALSE(walks("relu(s @ U)"));
  CHECK_FALSE(walks("exp(s @ U)"));
  CHECK_FALSE(walks("tanh(s @ U + 1)"));
}

TEST_CASE("an even function takes the sign, and leaves that of others", "[rules][parity.even-map]") {
  CHECK_FALSE(walks("cos(s @ U)"));
  CHECK(walks("cos(s @ U) * (s @ U)"));
  CHECK(walks("(s @ U)^2 * v"));
}
TEST_CASE("a function without parity takes it for what it is made of", "[rules][near-miss][parity.even-map]") {
  CHECK_FALSE(walks("sigmoid(s @ U) * (s @ U)"));
  CHECK_FALSE(walks("(s @ U)^2 * v^2"));
}

TEST_CASE("signs multiply", "[rules][parity.product]") {
  CHECK(walks("(s @ U) * (s @ U2)"));
  CHECK(walks("(s @ U) * (s @ U2) * v"));
  CHECK(walks("relu(s @ U) * v"));
}
TEST_CASE("and two of one parameter are none", "[rules][near-miss][parity.product]") {
  CHECK_FALSE(walks("(s @ U) * tanh(s @ U)"));
  CHECK_FALSE(walks("(s @ U) * v * tanh(s @ U) * tanh(v)"));
}

TEST_CASE("a sum has the sign that its terms have together", "[rules][parity.sum]") {
  CHECK(walks("tanh(s @ U + s @ U2)"));
  CHECK(walks("tanh(s @ U + s @ U2) * tanh(s @ U) * tanh(s @ U2)"));
}
TEST_CASE("and not that of one of them alone", "[rules][near-miss][parity.sum]") {
  CHECK_FALSE(walks("tanh(s @ U + s @ U2) * tanh(s @ U)"));
  CHECK_FALSE(walks("tanh(s @ U + 1)"));
}

TEST_CASE("what a matrix makes changes sign with it alone", "[rules][fresh.matrix]") {
  CHECK(walks("(relu(s @ U) @ W) * relu(s @ U)"));
  CHECK(walks("tanh(x @ W) * x"));
}
TEST_CASE("what it has made before is no other", "[rules][near-miss][fresh.matrix]") {
  CHECK_FALSE(walks("(relu(s @ U) @ W) * (relu(s @ U) @ W)"));
  CHECK_FALSE(walks("(x @ W) * tanh(x @ W)"));
}

TEST_CASE("a scalar has no sign to give to the terms of a sum", "[rules][constant.no-axis]") {
  CHECK_FALSE(walks("mean(v) * relu(s @ U)"));
}
TEST_CASE("a vector has", "[rules][near-miss][constant.no-axis]") { CHECK(walks("v * relu(s @ U)")); }
