// Functions with some of their arguments given, and claims.
#include "tests/catch.h"
#include "tests/unit/import/imported.h"

namespace tpc {

namespace {

const std::string program =
    "size n = 64 -> inf, d = 8, classes = 10\ninput x [batch, d]\ntarget y [batch] in classes\n";
const std::string ends = "loss = cross_entropy(linear(h, classes), y)\n";

Imported with(const std::string& text) { return imported(program + text + ends); }

}  // namespace

TEST_CASE("a call with a hole is a function of what stands there", "[import][partial]") {
  Imported made = with("fn twice(f, z) = f(f(z))\nh = twice(linear(_, n, bias), x)\n");
  CHECK(made.codes == "");
  CHECK(made.parameters() == "twice.linear#2.w twice.linear#2.b twice.linear.w twice.linear.b linear.w");
  // Numbered as calls are: before their arguments.
  CHECK(made.shapeOf("twice.linear.w") == "[n, n]");
  CHECK(made.shapeOf("twice.linear#2.w") == "[d, n]");
}

TEST_CASE("holes are filled in the order of the text, by position or by their name", "[import][partial]") {
  const std::string f = "fn f(a, b, c) = a - 2 * b + 3 * c\n";
  Imported made = with(f + "g = f(_, x, _)\nh = g(x, c = x)\nk = g(x, 1)\nh = h + k\n");
  CHECK(made.codes == "");
  CHECK(with(f + "g = f(_, c = _, b = x)\nh = g(x, x)\n").codes == "");
  // A function that is half given can be given more.
  CHECK(with(f + "g = f(_, _, _)\nk = g(_, x, _)\nh = k(x, x)\n").codes == "");
}

TEST_CASE("built-in functions are given in part too", "[import][partial]") {
  Imported made = with("fn over(f, z) = f(z)\nh = x - over(mean(_, axis = -1, keep), x)\nh = over(max(_, 0), h)\n");
  CHECK(made.codes == "");
  CHECK(made.count(OpKind::maximum) == 1);
}

TEST_CASE("the library takes a function that is given in part", "[import][partial]") {
  Imported made =
      with("fn leaky(z, slope) = max(z, slope * z)\nh = mlp(linear(x, n), hidden = n, act = leaky(_, 0.1))\n");
  CHECK(made.codes == "");
}

TEST_CASE("what is given is evaluated where it is written", "[import][partial]") {
  Imported made = with(
      "s = x\nf = mul(_, s)\ns = 2 * x\nh = f(x)\nfn mul(a, b) = a * b\n"
      "bias = true\ng = linear(_, n, bias)\nbias = false\nh = g(h)\n");
  CHECK(made.codes == "");
  CHECK(made.parameters() == "linear.w linear.b linear#2.w");
}

TEST_CASE("a frozen call that is given in part freezes what it creates", "[import][partial]") {
  Imported made = with("fn over(f, z) = f(z)\nh = over(frozen linear(_, n), x)\n");
  REQUIRE(made.graph);
  for (const Parameter& parameter : made.graph->parameters)
    CHECK((parameter.ownership == Ownership::frozen) == (parameter.name == "over.linear.w"));
}

TEST_CASE("mistakes of partial application", "[import][partial]") {
  CHECK(with("h = x + _\n").codes == "TPC0286");
  CHECK(with("f = linear(_, n)\nh = f(x, 3)\n").codes == "TPC0218");
  CHECK(with("f = linear(_, n)\nh = f(x, oat = 3)\n").codes == "TPC0217");
  CHECK(with("f = linear(_, n, n = 3)\nh = f(x)\n").codes == "TPC0217");
  CHECK(with("h = linear(_, n)\n").codes == "TPC0220");
}

TEST_CASE("a claim stays with its value", "[import][claim]") {
  Imported made = with(
      "size k = 4\nparam M [k, k] init eye(k)\nh = linear(x, n)\nrepeat 3 as layers { param S [k, k] init eye(k)\nS2 = "
      "S "
      "/ 2\nclaim row_stochastic(S2)\nh = h * mean(S2) }\nclaim doubly_stochastic(M)\nh = h * mean(M)\n");
  CHECK(made.codes == "");
  REQUIRE(made.graph);
  REQUIRE(made.graph->claims.size() == 2);
  CHECK(made.graph->claims[0].name == "row_stochastic");
  CHECK(made.graph->nodes[made.graph->claims[0].node].region == 0);
  CHECK(made.graph->claims[1].name == "doubly_stochastic");
}

TEST_CASE("mistakes of claims", "[import][claim]") {
  CHECK(with("h = linear(x, n)\nclaim stochastic(h)\n").codes == "TPC0285");
  CHECK(with("h = linear(x, n)\nclaim orthogonal(h, h)\n").codes == "TPC0285");
  CHECK(with("h = linear(x, n)\nclaim orthogonal(mean(h))\n").codes == "TPC0285");
}

}  // namespace tpc
