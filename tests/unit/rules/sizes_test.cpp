// Rules of sizes at initialization: a sentence for each, and beside it a program that looks alike and is another
// rule's.
#include "tests/catch.h"
#include "tests/unit/rules/sentences.h"

using namespace tpc;
using namespace tpc::rules;

namespace {

Rules sized(const std::string& text) { return decidedBy({text}, "u"); }

}  // namespace

TEST_CASE("a parameter has the size it starts with", "[rules][leaf.parameter]") {
  CHECK(decidedBy({"u = s @ U"}, "U") == only("leaf.parameter"));
  CHECK(decidedBy({"param c [n] init 1\nu = x * c"}, "c") == only("leaf.parameter"));
}
TEST_CASE("a constant of the program is no parameter", "[rules][near-miss][leaf.parameter]") {
  CHECK(decidedBy({"const c [n] = 1\nu = x * c * v"}, "c") != only("leaf.parameter"));
}

TEST_CASE("what comes from outside is of order one", "[rules][leaf.data]") {
  CHECK(decidedBy({"u = s @ U"}, "s") == only("leaf.data"));
}
TEST_CASE("a position is no datum", "[rules][near-miss][leaf.data]") {
  CHECK(decidedBy({"p = iota(n)\nu = p * v"}, "p") == only("leaf.constant"));
}

TEST_CASE("a number has the powers it is written with", "[rules][leaf.constant]") {
  CHECK(sized("u = n^(1/2) * s @ U") != only("leaf.constant"));
  CHECK(decidedBy({"p = iota(n)\nu = p * v"}, "p") == only("leaf.constant"));
}

TEST_CASE("a parameter that starts as a number is none", "[rules][near-miss][leaf.constant]") {
  CHECK_FALSE(has(decidedBy({"param c [n] init 3\nu = x * c"}, "c"), "leaf.constant"));
}

TEST_CASE("moving entries changes none", "[rules][plumbing.same]") {
  CHECK(decidedBy({"t = transpose(W)\nu = x @ t"}, "t") == only("plumbing.same"));
  CHECK(sized("u = (x @ W)[:, 0:4]") == only("plumbing.same"));
}
TEST_CASE("adding entries is no moving", "[rules][near-miss][plumbing.same]") {
  CHECK(has(sized("u = sum(s, axis = -1)"), "sum.fixed"));
  CHECK_FALSE(has(sized("u = sum(s, axis = -1)"), "plumbing.same"));
}

TEST_CASE("of two terms the larger decides", "[rules][add.largest]") {
  CHECK(sized("u = s @ U + v") == only("add.largest"));
}
TEST_CASE("a difference is no sum", "[rules][near-miss][add.largest]") {
  CHECK(sized("u = s @ U - v") == only("sub.largest"));
}

TEST_CASE("a value minus itself is zero", "[rules][sub.same-value]") {
  CHECK(sized("h = x @ W\nu = h - stop_gradient(h)") == only("sub.same-value"));
}
TEST_CASE("a value minus its double is not", "[rules][near-miss][sub.same-value]") {
  CHECK(sized("h = x @ W\nu = h - stop_gradient(2 * h)") == only("sub.largest"));
}

TEST_CASE("one expression in two parameters has one limit", "[rules][sub.same-limit]") {
  CHECK(sized("u = mean((s @ U)^2, axis = -1) - mean((s @ U2)^2, axis = -1)") == only("sub.same-limit"));
}
TEST_CASE("two expressions need not have one limit", "[rules][near-miss][sub.same-limit][sub.largest]") {
  CHECK(sized("u = mean((s @ U)^2, axis = -1) - 2 * mean((s @ U2)^2, axis = -1)") == only("sub.largest"));
  CHECK(sized("u = mean((s @ U)^2, axis = -1) - mean(relu(s @ U2), axis = -1)") == only("sub.largest"));
  // The same parameters of different data.
  CHECK(sized("u = mean((s @ U)^2, axis = -1) - mean((s^2 @ U)^2, axis = -1)") == only("sub.largest"));
}

TEST_CASE("a product of coordinates", "[rules][mul.product]") {
  CHECK(sized("u = (s @ U) * v") == only("mul.product"));
}
TEST_CASE("a product that is summed is a contraction", "[rules][near-miss][mul.product]") {
  CHECK_FALSE(has(sized("u = einsum(\"b i, i -> b\", s @ U, v)"), "mul.product"));
}

TEST_CASE("a function of coordinates", "[rules][map.order]") { CHECK(sized("u = tanh(x @ W)") == only("map.order")); }
TEST_CASE("exp of what grows and may be positive has no order", "[rules][near-miss][map.order][map.explodes]") {
  CHECK(sized("u = exp(x @ W)") == only("map.explodes"));
  CHECK(sized("u = exp(s @ U)") == only("map.order"));
  CHECK(sized("h = x @ W\nu = exp(h - max(h, axis = -1, keep))") == only("map.order"));
  CHECK(sized("h = x @ W\nu = exp(h - mean(h, axis = -1, keep))") == only("map.explodes"));
}

TEST_CASE("a function in several operations", "[rules][map.measured]") {
  CHECK(sized("u = exp(n^(-1/2) * (s @ U)) - 1") == only("map.measured"));
  CHECK(sized("h = x @ W\nu = max(h, 0) - max(-h, 0)") == only("map.measured"));
}
TEST_CASE("what more than one value enters is no function", "[rules][near-miss][map.measured]") {
  CHECK_FALSE(sized("h = n^(-1/2) * (x @ W)\nu = exp(h) - (1 + 0 * max(h, axis = -1, keep))").count("map.measured"));
  CHECK_FALSE(sized("h = x @ W\nu = 2 * h - h / 3").count("map.measured"));
}

TEST_CASE("a matrix that x was made without", "[rules][matmul.fresh]") {
  CHECK(sized("u = x @ W") == only("matmul.fresh"));
  CHECK(sized("u = relu(x @ W) @ W") == only("matmul.fresh"));
  CHECK(sized("u = x @ (v * W)") == only("matmul.fresh"));
}
TEST_CASE("a matrix that x was made with the transpose of", "[rules][near-miss][matmul.fresh]") {
  CHECK_FALSE(has(sized("u = relu(x @ W) @ transpose(W)"), "matmul.fresh"));
  CHECK_FALSE(has(sized("M = W @ W2\nu = x @ M"), "matmul.fresh"));
}

TEST_CASE("back through the transpose, odd in another parameter: the Gaussian part is left",
          "[rules][matmul.z-hat][matmul.z-dot-odd]") {
  const Lines lines{"h = relu(s @ U) * v\nu = h @ transpose(U)"};
  CHECK(decidedBy(lines, "u") == only("matmul.z-hat"));
  CHECK(has(writtenOf(lines, "u"), "matmul.z-dot-odd"));
}
TEST_CASE("through another matrix it is a fresh one", "[rules][near-miss][matmul.z-hat]") {
  const Lines lines{"h = relu(s @ U) * v\nu = h @ transpose(U2)"};
  CHECK(decidedBy(lines, "u") == only("matmul.fresh"));
  CHECK_FALSE(has(writtenOf(lines, "u"), "matmul.z-dot-odd"));
}

TEST_CASE("back through the transpose there is a part along what it was given", "[rules][matmul.z-dot]") {
  CHECK(has(sized("u = relu(s @ U) @ transpose(U)"), "matmul.z-dot"));
  CHECK(has(sized("u = tanh(s @ U) @ transpose(U)"), "matmul.z-dot"));  // odd, and its derivative is not
  CHECK(has(sized("u = (relu(s @ U) * v^2) @ transpose(U)"), "matmul.z-dot"));
}
TEST_CASE("no part along y where the derivative has none", "[rules][near-miss][matmul.z-dot][matmul.z-dot-odd]") {
  CHECK_FALSE(has(writtenOf({"u = (relu(s @ U) * v) @ transpose(U)"}, "u"), "matmul.z-dot"));
  CHECK_FALSE(
      has(writtenOf({"u = (s @ U)^2 @ transpose(U)"}, "u"), "matmul.z-dot"));  // the derivative 2 s U is odd in U
  CHECK_FALSE(has(writtenOf({"u = relu(s @ U) @ transpose(U)"}, "u"), "matmul.z-dot-odd"));
}

TEST_CASE("products of mean zero walk", "[rules][contract.walks]") {
  CHECK(sized("u = einsum(\"b i, b i -> b\", s @ U, s @ U2)") == only("contract.walks"));
  CHECK(sized("u = einsum(\"b i, b i -> b\", relu(s @ U), tanh(s @ U2))") == only("contract.walks"));
  CHECK(sized("u = einsum(\"b i, b i -> b\", tanh(s @ U + s @ U2), cos(s @ U))") == only("contract.walks"));
}
TEST_CASE("products that may have a mean do not walk", "[rules][near-miss][contract.walks][contract.adds-up]") {
  CHECK(sized("u = einsum(\"b i, b i -> b\", s @ U, s @ U)") == only("contract.adds-up"));
  CHECK(sized("u = einsum(\"b i, b i -> b\", relu(s @ U), relu(s @ U2))") == only("contract.adds-up"));
  CHECK(sized("u = einsum(\"b i, b i -> b\", tanh(s @ U + s @ U2), tanh(s @ U))") == only("contract.adds-up"));
  CHECK(sized("u = einsum(\"b i, b i -> b\", x, z)") == only("contract.adds-up"));  // of data nothing is known
}
TEST_CASE("four products are four products", "[rules][contract.fixed]") {
  CHECK(sized("u = einsum(\"b i, b i -> b\", s, s)") == only("contract.fixed"));
}
TEST_CASE("four products of sums are not", "[rules][near-miss][contract.fixed]") {
  CHECK_FALSE(has(sized("u = einsum(\"b i, b i -> b\", x, x)"), "contract.fixed"));
}

TEST_CASE("a sum of mean zero walks", "[rules][sum.walks]") {
  CHECK(has(sized("u = sum(tanh(s @ U), axis = -1)"), "sum.walks"));
}
TEST_CASE("a sum of what has a mean adds up", "[rules][near-miss][sum.walks][sum.adds-up]") {
  CHECK(has(sized("u = sum(relu(s @ U), axis = -1)"), "sum.adds-up"));
  CHECK_FALSE(has(sized("u = sum(relu(s @ U), axis = -1)"), "sum.walks"));
  CHECK_FALSE(has(sized("u = sum(tanh(s @ U), axis = -1)"), "sum.adds-up"));
  CHECK(has(sized("u = sum(tanh(s @ U) * tanh(s @ U), axis = -1)"), "sum.adds-up"));
}
TEST_CASE("a sum over an axis that does not grow", "[rules][sum.fixed]") {
  CHECK(has(sized("u = sum(s @ U, axis = 0)"), "sum.fixed"));
}
TEST_CASE("a sum over one that does", "[rules][near-miss][sum.fixed]") {
  CHECK_FALSE(has(sized("u = sum(s @ U, axis = 1)"), "sum.fixed"));
}

TEST_CASE("the largest entry", "[rules][max.logs]") { CHECK(sized("u = max(s @ U, axis = -1)") == only("max.logs")); }
TEST_CASE("the larger of two values is a function of them", "[rules][near-miss][max.logs]") {
  CHECK(sized("u = max(s @ U, s @ U2)") == only("map.order"));
}

TEST_CASE("what is made of zeros is zero", "[rules][zero]") {
  CHECK(sized("param Z [n, 4] init 0\nu = x @ Z") == only("zero"));
}
TEST_CASE("a constant in the place of zero is not", "[rules][near-miss][zero]") {
  CHECK_FALSE(has(sized("param Z [n, 4] init 1\nu = x @ Z"), "zero"));
}

TEST_CASE("what rests on no power is no power", "[rules][not-analysed]") {
  CHECK(sized("u = exp(x @ W) + 1") == only("not-analysed"));
}
TEST_CASE("a bounded function of it is one again", "[rules][near-miss][not-analysed]") {
  CHECK(sized("u = tanh(exp(x @ W))") == only("map.order"));
}

TEST_CASE("layers of one size", "[rules][repeat.join]") {
  const std::string body = "h = x\nrepeat 3 as layers {\n  param M [n, n]";
  CHECK(has(rulesOf({body + "\n  h = relu(h @ M)\n}\nu = h"}, "h#2", Aspect::init), "repeat.join"));
}
TEST_CASE("layers that multiply by a power", "[rules][near-miss][repeat.join][repeat.compounds]") {
  const std::string body = "h = x\nrepeat 3 as layers {\n  param M [n, n] init fixed normal(1)";
  const Lines growing{body + "\n  h = relu(h @ M)\n}\nu = h"},
      scaled{body + "\n  h = n^(-1/2) * relu(h @ M)\n}\nu = h"};
  CHECK(decidedBy(growing, "h#2") == only("not-analysed"));
  CHECK(decidedBy(scaled, "h#2") == only("repeat.join"));
}

TEST_CASE("the spread of a mean falls with the root of its length", "[rules][spread.limit]") {
  const auto spread = [](const std::string& text) {
    const Analysed result = analysed({text});
    for (NodeId id = result.graph.forwardEnd; id-- > 0;)
      if (result.graph.nodes[id].name != none && result.graph.names[result.graph.nodes[id].name] == "u")
        return toString(result.analysis.symbols[0].values[id].spread);
    return std::string();
  };
  CHECK(spread("u = mean((s @ U)^2, axis = -1)") == "-1/2");
  CHECK(spread("u = mean((s @ U)^2, axis = 0)") == "0");  // over a batch that does not grow nothing falls
}
