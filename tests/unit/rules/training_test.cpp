// Rules of changes and of the solver: a sentence for each, and beside it a program that looks alike.
#include "tests/catch.h"
#include "tests/unit/rules/sentences.h"

using namespace tpc;
using namespace tpc::rules;

namespace {

Rules changed(const Lines& lines) { return decidedBy(lines, "u", Aspect::update); }

const std::string frozenReadout = "param A [4, n]\nfrozen param B [n, 4] init fixed normal(1)\nu = (s @ A) @ B";
const std::string logits = "param Q [4, n]\nparam K [4, n]\nu = auto * einsum(\"b i, b i -> b\", s @ Q, s @ K)";
const std::string bent = "loss = mean(tanh(u))\n";
const std::string plain = "param A [n, 4]\nu = x @ A";

}  // namespace

TEST_CASE("a change through an initial matrix is aligned with it", "[rules][matmul.change]") {
  CHECK(changed({frozenReadout}) == only("matmul.change"));
}
TEST_CASE("a change through what was computed is", "[rules][near-miss][matmul.change]") {
  CHECK(changed({"param A [4, n]\nu = einsum(\"b i, b i -> b\", s @ A, x)"}) == only("contract.change"));
}
TEST_CASE("no alignment is asked for by an option", "[rules][matmul.change-unaligned][contract.change-unaligned]") {
  CHECK(changed({.text = frozenReadout, .alignment = Alignment::none}) == only("matmul.change-unaligned"));
  CHECK(changed({.text = plain, .alignment = Alignment::none}) == only("contract.change-unaligned"));
}
TEST_CASE("without the option there is alignment",
          "[rules][near-miss][matmul.change-unaligned][contract.change-unaligned]") {
  CHECK(changed({.text = frozenReadout}) == only("matmul.change"));
  CHECK(changed({.text = plain}) == only("contract.change"));
}

TEST_CASE("a readout is not aligned under EV's assumption", "[rules][matmul.change-readout]") {
  CHECK(changed({.text = frozenReadout, .alignment = Alignment::ev}) == only("matmul.change-readout"));
}
TEST_CASE("a matrix that leaves a growing axis free is, and so is an update",
          "[rules][near-miss][matmul.change-readout]") {
  const std::string hidden = "param A [4, n]\nfrozen param B [n, n] init fixed normal(n^(-1/2))\nu = (s @ A) @ B";
  CHECK(changed({.text = hidden, .alignment = Alignment::ev}) == only("matmul.change"));
  CHECK(changed({.text = plain, .alignment = Alignment::ev}) == only("contract.change"));
}

TEST_CASE("an update times an activation adds up", "[rules][contract.change]") {
  CHECK(changed({plain}) == only("contract.change"));
}
TEST_CASE("a matrix that is frozen has no update", "[rules][near-miss][contract.change]") {
  CHECK(changed({frozenReadout}) == only("matmul.change"));
}

TEST_CASE("a small change of an argument", "[rules][map.change]") {
  CHECK(changed({"param A [4, n]\nu = tanh(s @ A)"}) == only("map.change"));
}
TEST_CASE("a change that is larger than the argument was", "[rules][near-miss][map.change][map.outgrown]") {
  const std::string tail = "loss = mean((u - 1)^2)\n";
  CHECK(changed({"param A [n, 4] init fixed normal(n^(-1))\nu = tanh(x @ A)", tail}) == only("map.outgrown"));
  CHECK(changed({"param A [n, 4] init fixed normal(n^(-1/2))\nu = tanh(x @ A)", tail}) == only("map.change"));
}

TEST_CASE("a change is at most what was and what becomes", "[rules][change.capped]") {
  // exp(h - max h) is at most one however h moves; its slope says no more than that it may move as h does.
  const std::string text = "param A [n, n] init fixed normal(1)\nh = x @ A\nu = exp(h - max(h, axis = -1, keep))";
  CHECK(changed({.text = text, .lr = Rational(-3, 4)}) == only("change.capped"));
}
TEST_CASE("a learning rate that moves it little needs no cap", "[rules][near-miss][change.capped]") {
  const std::string text = "param A [n, n] init fixed normal(1)\nh = x @ A\nu = exp(h - max(h, axis = -1, keep))";
  CHECK(changed({.text = text, .lr = Rational(-5, 4)}) == only("map.change"));
}

TEST_CASE("what a value is after training", "[rules][trained.operands]") {
  CHECK(has(decidedBy({plain}, "u", Aspect::trained), "trained.operands"));
}
TEST_CASE("a parameter alone has what its update gives", "[rules][update.entry]") {
  CHECK(updateRule({plain}, "A") == "update.entry");
}
TEST_CASE("what is frozen, or gets no gradient, has no update", "[rules][near-miss][update.entry][update.zero]") {
  CHECK(updateRule({frozenReadout}, "B") == "update.zero");
  CHECK(updateRule({frozenReadout}, "A") == "update.entry");
  CHECK(updateRule({"param A [n, 4]\nh = stop_gradient(x @ A)\nu = h * s"}, "A") == "update.zero");
}

TEST_CASE("an output is to be of order one", "[rules][port.target]") {
  CHECK(has(rulesOf({plain}, "u", Aspect::target), "port.target"));
}
TEST_CASE("a product of computed values is no port", "[rules][near-miss][port.target]") {
  CHECK_FALSE(has(rulesOf({"param A [4, n]\nq = s @ A\nh = q * x\nu = sum(h, axis = -1)"}, "h", Aspect::target),
                  "port.target"));
}

TEST_CASE("a port that a matrix' other use holds down wants what it reaches", "[rules][port.lowered]") {
  const Lines tied{
      "param A [4, n]\nparam B [n, 4]\nz = tanh(relu(s @ A) @ B)\nh = z @ transpose(B)\nu = auto * (h @ "
      "transpose(A))"};
  CHECK(has(rulesOf(tied, "h", Aspect::target), "port.lowered"));
}
TEST_CASE("a matrix of its own holds nothing down", "[rules][near-miss][port.lowered]") {
  const Lines apart{
      "param A [4, n]\nparam B [n, 4]\nparam C [4, n]\nz = tanh(relu(s @ A) @ B)\nh = z @ C\nu = auto * (h "
      "@ transpose(A))"};
  CHECK_FALSE(has(rulesOf(apart, "h", Aspect::target), "port.lowered"));
}

TEST_CASE("the plan chooses how a parameter starts", "[rules][init.solved]") {
  CHECK(initRule({plain}, "A") == "init.solved");
  CHECK(initRule({"param A [n, 4] init normal(0.02)\nu = x @ A"}, "A") == "init.solved");
}
TEST_CASE("unless the program fixes it", "[rules][near-miss][init.solved][init.given]") {
  CHECK(initRule({"param A [n, 4] init fixed normal(0.02)\nu = x @ A"}, "A") == "init.given");
  CHECK(initRule({"param A [n, 4] init normal(n^(-1/2))\nu = x @ A"}, "A") == "init.given");
  CHECK(initRule({"param A [n, 4] init 1\nu = x @ A"}, "A") == "init.given");
}
TEST_CASE("or nothing asks", "[rules][init.largest]") {
  CHECK(initRule({"param A [n, 4]\nu = n^(-1) * (x @ cos(A))"}, "A") == "init.largest");
}
TEST_CASE("a function that is small near zero does ask", "[rules][near-miss][init.largest]") {
  CHECK(initRule({"param A [n, 4]\nu = n^(-1) * (x @ sin(A))"}, "A") == "init.solved");
}

TEST_CASE("an output may move by order one, and a parameter by what follows",
          "[rules][allowance.port][allowance.through]") {
  CHECK(has(rulesOf({plain, "output o = u\nloss = mean(u^2)\n"}, "u", Aspect::allowance), "allowance.port"));
  CHECK(rulesOf({plain}, "A", Aspect::allowance) == only("allowance.through"));
}
TEST_CASE("a metric asks for nothing", "[rules][near-miss][allowance.port]") {
  const std::string tail = "metric w = mean(tanh(u))\nloss = mean(u^2)\n";
  CHECK(rulesOf({plain, tail}, "w", Aspect::allowance).empty());
}

TEST_CASE("the multiplier of queries and keys", "[rules][multiplier.trained]") {
  CHECK(multiplierRule({logits, bent}) == "multiplier.trained");
}
TEST_CASE("behind a parameter's only product it is not needed",
          "[rules][near-miss][multiplier.trained][multiplier.redundant]") {
  CHECK(multiplierRule({"param A [n, 4]\nu = auto * (x @ A)"}) == "multiplier.redundant");
  CHECK(multiplierRule({"param A [n, 4] init fixed normal(1)\nu = auto * (x @ A)"}) == "multiplier.trained");
}
TEST_CASE("a multiplier that is given", "[rules][multiplier.given]") {
  CHECK(multiplierRule({.text = logits, .tail = bent, .multiplier = -half}) == "multiplier.given");
}
TEST_CASE("one that is not", "[rules][near-miss][multiplier.given]") {
  CHECK(multiplierRule({.text = logits, .tail = bent, .lr = Rational(-1)}) == "multiplier.trained");
}
TEST_CASE("a multiplier that names other sizes", "[rules][multiplier.other-symbol]") {
  CHECK(multiplierRule({"size m = 4 -> inf\nparam A [n, m]\nu = auto(m) * (x @ A)"}) == "multiplier.other-symbol");
}
TEST_CASE("one that names this size", "[rules][near-miss][multiplier.other-symbol]") {
  CHECK(multiplierRule({"param A [n, 4]\nu = auto(n) * (x @ A)"}) == "multiplier.redundant");
}
TEST_CASE("a multiplier of a penalty", "[rules][multiplier.penalty]") {
  CHECK(multiplierRule({plain, "loss = mean(u^2) + auto * sum(A^2)\n"}) == "multiplier.penalty");
}
TEST_CASE("a term of the loss that reads data is no penalty", "[rules][near-miss][multiplier.penalty]") {
  CHECK(multiplierRule({plain, "loss = mean(u^2) + auto * mean((x @ A)^2)\n"}) != "multiplier.penalty");
}

TEST_CASE("the learning rate is what an update may be", "[rules][lr.entry]") {
  CHECK(lrRule({plain}, "A") == "lr.entry");
}
TEST_CASE("or what is given", "[rules][lr.given]") {
  CHECK(lrRule({.text = plain, .lr = Rational(-1)}, "A") == "lr.given");
}
TEST_CASE("a given init leaves the learning rate to be solved, a given rate does not",
          "[rules][near-miss][lr.entry][lr.given]") {
  CHECK(lrRule({"param A [n, 4] init fixed normal(1)\nu = x @ A"}, "A") == "lr.entry");
  CHECK(lrRule({.text = plain, .lr = Rational(-1)}, "A") != "lr.entry");
}

TEST_CASE("what the program claims", "[rules][claim.user]") {
  CHECK(has(rulesOf({"param D [4, 4] init eye(4)\nclaim doubly_stochastic(D)\nu = s @ D @ U"}, "D", Aspect::init),
            "claim.user"));
}
TEST_CASE("what it does not claim", "[rules][near-miss][claim.user]") {
  CHECK_FALSE(has(rulesOf({"param D [4, 4] init eye(4)\nu = s @ D @ U"}, "D", Aspect::init), "claim.user"));
}
