#include <fstream>
#include <sstream>

#include "compiler/import/functions.h"
#include "compiler/ir/build.h"
#include "dsl/source/diagnostic.h"
#include "tests/catch.h"
#include "tests/unit/import/imported.h"

namespace tpc {

namespace {

// Everything is read by the loss, so that nothing is unused.
const std::string head = "size n = 64 -> inf, d = 8, classes = 10\ninput x [batch, d]\ntarget y [batch] in classes\n";

const std::string decoder = R"(
size n = 128 -> inf, L = 3 -> inf
size d = 32
let H = n / d
size vocab = 50, context = 16
input token [batch, context] in vocab
target next [batch, context] in vocab
param E [vocab, n]
h = E[token]
repeat L as layers {
  h += auto(L) * attention(rmsnorm(h), heads = H, causal)
  h += auto(L) * mlp(rmsnorm(h), hidden = 4 * n, act = gelu)
}
output logits = linear(rmsnorm(h), vocab)
loss = cross_entropy(logits, next)
)";

}  // namespace

TEST_CASE("parameters are called by the path of calls and repeats that leads to them", "[import][names]") {
  Imported program = imported(decoder);
  CHECK(program.codes.empty());
  CHECK(program.parameters() ==
        "E layers.rmsnorm.g layers.attention.wq layers.attention.wk layers.attention.wv layers.attention.wo "
        "layers.rmsnorm#2.g "
        "layers.mlp.w_up layers.mlp.w_down rmsnorm.g linear.w");
  CHECK(program.multipliers() == "layers.auto layers.attention.auto layers.auto#2");
  CHECK(program.shapeOf("layers.attention.wq") == "[L, n, n / 32, 32]");
}

TEST_CASE(
    "values are called after their variable, inside a repeat by its path, carried ones after it as a further "
    "assignment",
    "[import][names]") {
  Imported program = imported(decoder);
  for (const char* name : {"h", "layers.h", "layers.h#2", "h#2", "logits", "loss", "layers.attention.q",
                           "layers.attention.s#2", "layers.mlp.u"}) {
    INFO(name);
    CHECK(program.names(name));
  }
}

TEST_CASE("the outermost variable names what a function gives", "[import][names]") {
  Imported program = imported(head + "h = linear(x, n)\nz = linear(h, classes)\nloss = cross_entropy(z, y)\n");
  CHECK(program.names("z"));
  CHECK_FALSE(program.names("linear.y"));
  CHECK(program.parameters() == "linear.w linear#2.w");
}

TEST_CASE("calls of one name are numbered in the order of the text, arguments after the call they stand in",
          "[import][names]") {
  Imported program = imported(
      head + "fn up(z [..., c], m) { param w [c, m]; return z @ w }\nloss = cross_entropy(up(up(x, n), classes), y)\n");
  CHECK(program.shapeOf("up.w") == "[n, classes]");
  CHECK(program.shapeOf("up#2.w") == "[d, n]");
}

TEST_CASE("`name = q` names a call's parameters, and the same name twice is the same parameter", "[import][names]") {
  Imported program = imported(head +
                              "size m = 8 -> inf\nh = linear(linear(linear(x, n, name = a), n, name = b), n, name = "
                              "b)\nloss = cross_entropy(linear(h, classes, name = c), y)\n");
  CHECK(program.parameters() == "a.w b.w c.w");
}

TEST_CASE("shared parameters of a repeat are one, others one for each layer", "[import][repeat]") {
  Imported program = imported(head +
                              "size L = 3\nh = linear(x, n)\nrepeat L as layers { param W [n, n]  shared param V [n, "
                              "n]; h = relu(h @ W @ V) }\nloss = cross_entropy(linear(h, classes), y)\n");
  CHECK(program.shapeOf("layers.W") == "[L, n, n]");
  CHECK(program.shapeOf("layers.V") == "[n, n]");
  CHECK(program.count(OpKind::layer) == 1);
}

TEST_CASE("the index of a repeat chooses, and what is collected stands after it", "[import][repeat]") {
  Imported program =
      imported(head +
               "param S [n, 3]\nh = linear(x, n)\nrepeat 3 as layers { h = h * S[:, layers]\n g = relu(h)\n collect g "
               "}\nloss = cross_entropy(linear(h + mean(g, axis = 0), classes), y)\n");
  CHECK(program.codes == "");
  CHECK(program.shapeOf("g") == "[3, batch, n]");
  CHECK(program.count(OpKind::layerIndex) == 1);
}

TEST_CASE("functions are passed by name and called under their own", "[import][calls]") {
  Imported program = imported(
      head +
      "fn relu2(z) = max(z, 0)^2\nh = mlp(x, hidden = n, act = relu2)\nloss = cross_entropy(linear(h, classes), y)\n");
  CHECK(program.codes == "");
  CHECK(program.parameters() == "mlp.w_up mlp.w_down linear.w");
}

TEST_CASE("a function of the program hides the library's, and the library keeps its own", "[import][calls]") {
  Imported program = imported(head +
                              "fn rmsnorm(z) = z / 2\nh = attention(rmsnorm(linear(x, n))[:, new, :], heads = 4, "
                              "qk_norm)\nloss = cross_entropy(linear(h[:, 0], classes), y)\n");
  CHECK(program.codes == "");
  CHECK(
      program.parameters() ==
      "linear.w attention.wq attention.wk attention.wv attention.wo attention.q_norm.g attention.k_norm.g linear#2.w");
}

TEST_CASE("a caller's own flag of the same name keeps its value", "[import][calls]") {
  Imported program = imported(head +
                              "fn block(z, bias = false) = linear(z, n, bias)\nh = block(x)\nloss = "
                              "cross_entropy(linear(h, classes, bias), y)\n");
  CHECK(program.parameters() == "block.linear.w linear.w linear.b");
}

TEST_CASE("the numbers of the command line replace those of the file, and what grows can be chosen",
          "[import][sizes]") {
  const std::string text = head + "loss = cross_entropy(linear(linear(x, n), classes), y)\n";
  Imported program = imported(text, {.defines = {{"n", 128}, {"batch", 4}}, .grow = {"d"}, .fix = {"n"}});
  REQUIRE(program.graph);
  CHECK(program.graph->symbols[0].number == 4);
  CHECK(program.graph->symbols[1].number == 128);
  CHECK_FALSE(program.graph->symbols[1].grows);
  CHECK(program.graph->symbols[2].grows);
}

TEST_CASE("a size that stays may be divided by: it is then known by its number", "[import][sizes]") {
  Imported program =
      imported(head +
               "let H = n / d\nparam W [d, H, d]\nh = einsum(\"b i, i h e -> b h e\", x, W)\nh = rearrange(h, \"b h e "
               "-> b (h e)\")\nparam V [n, classes]\nloss = cross_entropy(h @ V, y)\n");
  CHECK(program.codes == "");
  CHECK(program.shapeOf("W") == "[8, n / 8, 8]");
}

TEST_CASE("a number in an expression of tensors keeps the powers of its sizes", "[import][numbers]") {
  Imported program =
      imported(head + "h = linear(x, n)\nh = n^(-1/2) * h / sqrt(d)\nloss = cross_entropy(linear(h, classes), y)\n");
  REQUIRE(program.graph);
  bool root = false;
  for (const Number& number : program.graph->numbers)
    root = root || (number.powers.size() == 1 && number.powers[0] == std::pair<SymbolId, Rational>(1, Rational(-1, 2)));
  CHECK(root);
}

TEST_CASE("matmul takes vectors and batches as PyTorch does", "[import][matmul]") {
  Imported program = imported(R"(
size n = 8 -> inf, k = 4, m = 3
input A [batch, m, k]
input B [k, n]
input v [n]
a = A @ B
b = a @ v
c = transpose(B) @ ones(k)
e = B^T @ B
f = ones(1, n, k) @ A^T
loss = mean(a) + mean(b) + mean(c) + mean(e) + mean(f)
)");
  CHECK(program.shapeOf("a") == "[batch, m, n]");
  CHECK(program.shapeOf("b") == "[batch, m]");
  CHECK(program.shapeOf("c") == "[n]");
  CHECK(program.shapeOf("e") == "[n, n]");
  CHECK(program.shapeOf("f") == "[batch, n, m]");
}

TEST_CASE("indices, ranges, new axes", "[import][indexing]") {
  Imported program = imported(R"(
size n = 8 -> inf, k = 6
input x [batch, k, n]
a = x[:, 0]
b = x[:, -1, new, :]
c = x[..., :4]
d = x[:, 1:]
e = x[:, -2:]
f = x[:, 2:100]
loss = mean(a) + mean(b) + mean(c) + mean(d) + mean(e) + mean(f)
)");
  CHECK(program.messages == "");
  CHECK(program.shapeOf("a") == "[batch, n]");
  CHECK(program.shapeOf("b") == "[batch, 1, n]");
  CHECK(program.shapeOf("c") == "[batch, 6, 4]");  // k is counted from its end, so it is known by its number
  CHECK(program.shapeOf("d") == "[batch, 5, n]");
  CHECK(program.shapeOf("e") == "[batch, 2, n]");
}

TEST_CASE("einsum of several operands goes from left to right; what one operand has alone is summed first",
          "[import][einsum]") {
  Imported program = imported(R"(
size n = 8 -> inf, k = 6
input x [batch, k]
input A [k, n]
input B [n, k]
a = einsum("b k, k n, n j -> b j", x, A, B)
b = einsum("b k, n j -> b n", x, B)
c = einsum("b k -> k b", x)
d = einsum("... k, k n -> ... n", x, A)
loss = mean(a) + mean(b) + mean(c) + mean(d)
)");
  CHECK(program.messages == "");
  CHECK(program.shapeOf("a") == "[batch, k]");
  CHECK(program.shapeOf("c") == "[k, batch]");
  CHECK(program.shapeOf("d") == "[batch, n]");
}

TEST_CASE("a part's init: numbers, random, eye, constants", "[import][init]") {
  Imported program = imported(head + R"(
param A [n, n] init eye(n)
param B [n, n] init normal(0.02)
param C [n, n] init normal(n^(-1/2))
param D [n] init 1
param E [n] init fixed uniform(0.1)
param F [n, n] init 2 * eye(n)
param W [d, n]
h = (x @ W @ A @ B @ C @ F) * D * E
loss = cross_entropy(linear(h, classes), y)
)");
  REQUIRE(program.graph);
  const std::vector<Parameter>& p = program.graph->parameters;
  auto init = [&](const char* name) {
    for (const Parameter& parameter : p)
      if (parameter.name == name) return parameter.init;
    return Init{};
  };
  CHECK(init("A").kind == Init::Kind::eye);
  CHECK(init("B").kind == Init::Kind::normal);
  CHECK_FALSE(init("B").fixed);
  CHECK(init("C").fixed);
  CHECK(init("D").kind == Init::Kind::constant);
  CHECK(init("E").kind == Init::Kind::uniform);
  CHECK(init("E").fixed);
  CHECK(init("F").kind == Init::Kind::values);
  CHECK(init("W").kind == Init::Kind::plan);
}

TEST_CASE("frozen calls freeze what they create, except what says trained", "[import][calls]") {
  Imported program = imported(head +
                              "fn f(z [..., c]) { param a [c] trained param b [c]; return z * a * b }\nh = frozen "
                              "f(linear(x, n))\nloss = cross_entropy(linear(h, classes), y)\n");
  REQUIRE(program.graph);
  for (const Parameter& parameter : program.graph->parameters)
    CHECK((parameter.ownership == Ownership::frozen) == (parameter.name == "f.a"));
}

TEST_CASE("every optimizer of the library imports", "[import][optimizer]") {
  const std::vector<std::string> names = Functions::libraryOptimizerNames();
  CHECK(names.size() >= 5);
  for (const std::string& name : names) {
    INFO(name);
    SourceMap sources;
    DiagnosticSink diagnostics;
    auto context = tp::makeContext();
    CHECK(importOptimizer(name, nullptr, sources, diagnostics, *context));
    CHECK_FALSE(diagnostics.hasErrors());
  }
}

TEST_CASE("two imports of one text give the same names", "[import][names]") {
  CHECK(imported(decoder).parameters() == imported(decoder).parameters());
}

}  // namespace tpc
