// What people write beyond chains of whole, fresh, once-used matrices: reuse, bottlenecks, ties, zeros, gates.
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

// A head and a tail around the lines that matter: h comes in of order one, and h is read out.
std::string around(const std::string& lines, const std::string& tail = "loss = cross_entropy(h @ V, y)\n") {
  return "size n = 64 -> inf, d = 8, classes = 10\n"
         "input  x [batch, d]\n"
         "target y [batch] in classes\n"
         "param U [d, n]\n"
         "param V [n, classes]\n"
         "h = relu(x @ U)\n" +
         lines + tail;
}

}  // namespace

TEST_CASE("a matrix used twice in one orientation is a hidden matrix", "[programs]") {
  expectRows(around("param W [n, n]\nh = relu(h @ W)\nh = relu(h @ W)\n"), {}, {{"W", "-1/2", "-1", "", "", ""}});
}

TEST_CASE("a square matrix and its transpose are a hidden matrix", "[programs]") {
  expectRows(around("param W [n, n]\nh = tanh(relu(h @ W) @ transpose(W))\n"), {}, {{"W", "-1/2", "-1", "", "", ""}});
}

TEST_CASE("a bottleneck of fixed rank", "[programs]") {
  expectRows(around("param A [n, 4]\nparam B [4, n]\nh = relu((h @ A) @ B)\n"), {},
             {{"A", "-1", "-1", "", "", ""}, {"B", "0", "0", "", "", ""}});
}

TEST_CASE("a matrix before a norm is bound by its own init", "[programs]") {
  expectRows(around("param W [n, n]\nh = rmsnorm(h @ W, gain = false)\n"), {}, {{"W", "", "-1", "", "", ""}});
  expectRows(around("param W [n, n] init fixed normal(1)\nh = rmsnorm(h @ W, gain = false)\n"), {},
             {{"W", "0", "-1/2", "", "", ""}});
}

TEST_CASE("the gate of an adapter that starts at zero trains", "[programs]") {
  const Program program =
      analysed(around("param A [n, 4]\nparam B [4, n] init 0\nparam g [] init 1\nh = h + g * ((h @ A) @ B)\n"));
  CHECK(toString(parameterOf(program, "g").lr) == "0");
  CHECK(parameterOf(program, "g").status != Status::neverTrains);
}

TEST_CASE("an adapter at zero behind a gate at zero never trains", "[programs]") {
  const Program program =
      analysed(around("param A [n, 4]\nparam B [4, n] init 0\nparam g [] init 0\nh = h + g * ((h @ A) @ B)\n"));
  CHECK(parameterOf(program, "B").status == Status::neverTrains);
}

TEST_CASE("fused projections are as many matrices", "[programs][moves]") {
  const std::string tail = "loss = cross_entropy((a * tanh(b) + c) @ V, y)\n";
  const auto three = rowsOf(
      analysed(around("param A [n, n]\nparam B [n, n]\nparam C [n, n]\na = h @ A\nb = h @ B\nc = h @ C\n", tail)));
  const auto fused = rowsOf(analysed(around("param F [n, 3 * n]\na, b, c = split(h @ F, 3, axis = -1)\n", tail)));
  CHECK(three.at("A").init == fused.at("F").init);
  CHECK(three.at("A").lr == fused.at("F").lr);
  CHECK(three.at("U").lr == fused.at("U").lr);
  CHECK(three.at("V").lr == fused.at("V").lr);
}

TEST_CASE("a penalty on the weights leaves their plan alone", "[programs]") {
  const auto plain = rowsOf(analysed(around("param W [n, n]\nh = relu(h @ W)\n")));
  const auto penalty = rowsOf(
      analysed(around("param W [n, n]\nh = relu(h @ W)\n", "loss = cross_entropy(h @ V, y) + auto * sum(W^2)\n")));
  CHECK(plain.at("W").init == penalty.at("W").init);
  CHECK(plain.at("W").lr == penalty.at("W").lr);
}

TEST_CASE("a growing size in the place of the batch makes nothing smaller", "[programs]") {
  const Program program = analysed(R"(size B = 32 -> inf, n = 16, d = 8, classes = 10
input  x [B, d]
target y [B] in classes
param U [d, n]
param V [n, classes]
h = relu(x @ U)
loss = cross_entropy(h @ V, y)
)");
  for (const char* name : {"U", "V"}) {
    CHECK(toString(parameterOf(program, name, "B").initStd) == "0");
    CHECK(toString(parameterOf(program, name, "B").lr) == "0");
  }
}

TEST_CASE("a tied readout with auto is multiplied by 1/n", "[programs]") {
  const Program program = analysed(R"(size n = 64 -> inf, vocab = 50
input  token [batch] in vocab
target next  [batch] in vocab
param E [vocab, n]
param W [n, n]
h = relu(E[token] @ W)
loss = cross_entropy(auto * (h @ transpose(E)), next)
)");
  CHECK(multiplierOf(program, "auto") == "-1");
  CHECK_FALSE(in(program, "n").verdict.infeasible);
}

TEST_CASE("an embedding read out through itself without a multiplier is infeasible", "[programs]") {
  const Program program = analysed(R"(size n = 64 -> inf, vocab = 50
input  token [batch] in vocab
target next  [batch] in vocab
param E [vocab, n]
loss = cross_entropy(E[token] @ transpose(E), next)
)");
  CHECK(in(program, "n").verdict.infeasible);
  CHECK(isNegative(*program.analysed));
}

TEST_CASE("behind a readout at zero the lower layers get their learning rates from step two on", "[programs]") {
  const std::string text = R"(size n = 64 -> inf, d = 8, classes = 10
input  x [batch, d]
target y [batch] in classes
param U [d, n]
param W [n, n]
param V [n, classes] init 0
loss = cross_entropy(relu(relu(x @ U) @ W) @ V, y)
)";
  expectRows(text, {}, {{"U", "0", "0", "", "", ""}, {"W", "-1/2", "-1", "", "", ""}, {"V", "zero", "-1", "", "", ""}});
}

TEST_CASE("x - stop_gradient(x) is zero and its gradient is not", "[programs]") {
  const Program program = analysed(around("param W [n, n]\nz = h @ W\nz = z - stop_gradient(z)\nh = h + z\n"));
  CHECK(parameterOf(program, "W").status != Status::neverTrains);
}

TEST_CASE("a factor before a norm changes nothing", "[programs][moves]") {
  const auto plain = rowsOf(analysed(around("param W [n, n]\nh = rmsnorm(h @ W)\n")));
  const auto seven = rowsOf(analysed(around("param W [n, n]\nh = rmsnorm(7 * (h @ W))\n")));
  for (const auto& [name, row] : plain) CHECK(row.lr == seven.at(name).lr);
}

TEST_CASE("a repeat of fixed length is the same as its layers written out", "[programs][moves]") {
  const auto rolled = rowsOf(analysed(around("repeat 2 as layers {\n  param W [n, n]\n  h = h + relu(h @ W)\n}\n")));
  const auto flat =
      rowsOf(analysed(around("param A [n, n]\nparam B [n, n]\nh = h + relu(h @ A)\nh = h + relu(h @ B)\n")));
  CHECK(rolled.at("layers.W").init == flat.at("A").init);
  CHECK(rolled.at("layers.W").lr == flat.at("A").lr);
  CHECK(flat.at("A").lr == flat.at("B").lr);
  CHECK(rolled.at("V").lr == flat.at("V").lr);
  CHECK(rolled.at("U").lr == flat.at("U").lr);
}

TEST_CASE("a factor on the loss is its unit: learning rates of gradient descent answer, nothing else",
          "[programs][moves]") {
  const std::string body = around("param W [n, n]\nh = relu(h @ W)\n", "");
  for (const char* optimizer : {"sgd", "adam"}) {
    const Program plain = analysed(body + "loss = cross_entropy(h @ V, y)\n", optimizer);
    for (const auto& [factor, power] :
         std::vector<std::pair<std::string, Rational>>{{"n^(1/2)", half}, {"n^(-1)", -1}, {"3", 0}}) {
      const Program scaled = analysed(body + "loss = " + factor + " * cross_entropy(h @ V, y)\n", optimizer);
      for (const char* name : {"U", "W", "V"}) {
        const ParameterSizes &a = parameterOf(plain, name), &b = parameterOf(scaled, name);
        INFO(name << ", " << optimizer << ", " << factor);
        CHECK(b.initStd == a.initStd);
        CHECK(b.lr == a.lr + Size::power(-power * a.homogeneity));
        CHECK(b.eps == a.eps + Size::power(power));
        CHECK(b.update == a.update);
        CHECK(b.status == Status::maximal);
      }
    }
  }
}

TEST_CASE("a sum of the losses of many outputs wants of them what their mean wants", "[programs][moves]") {
  const auto with = [](const std::string& loss) {
    return rowsOf(
        analysed("size n = 64 -> inf, d = 8\ninput x [batch, d]\ntarget y [batch, n]\nparam U [d, n]\n"
                 "param W [n, n]\nf = relu(x @ U) @ W\n" +
                 loss));
  };
  const auto mean = with("loss = mse(f, y)\n"), sum = with("loss = sum((f - y)^2)\n");
  for (const char* name : {"U", "W"}) {
    CHECK(mean.at(name).init == sum.at(name).init);
    CHECK(mean.at(name).lr == sum.at(name).lr);
  }
  CHECK(sum.at("W").lr == "-1");
}

TEST_CASE("a number on the weight leaves a free multiplier as redundant as one on the product", "[programs][moves]") {
  for (const char* product : {"auto * (h @ W)", "auto * (3 * (h @ W))", "auto * (h @ (3 * W))"}) {
    const Program program = analysed(around(std::string("param W [n, n]\nh = relu(") + product + ")\n"));
    CHECK(multiplierOf(program, "auto") == "0");
    CHECK(toString(parameterOf(program, "W").initStd) == "-1/2");
  }
  CHECK(multiplierOf(analysed(around("param W [n, n]\nh = relu(auto * (h @ (-W)))\n")), "auto") == "0");
  // Read twice, the matrix cannot do for one of its products what the multiplier does.
  const Program twice = analysed(around("param W [n, n]\nM = 3 * W\nh = relu(h @ M) + auto * (h @ M)\n"));
  CHECK_FALSE(in(twice, "n").multipliers[0].redundant);
}

TEST_CASE("a normalized matrix has the role of its product", "[programs]") {
  const Program program =
      analysed(around("param W [n, n]\nh = relu(h @ (W / sqrt(mean(W^2, axis = 0, keep) + tiny(1e-8))))\n"));
  CHECK(parameterOf(program, "W").role == Role::hidden);
}

// relu'(0) = 0: nothing ever reaches W, and V reads zeros.
TEST_CASE("a matrix at zero in front of relu never trains", "[programs][map.order]") {
  const Program program = analysed(
      "size n = 64 -> inf\ninput x [batch, 4]\ntarget y [batch]\nparam W [4, n] init 0\nparam V [n, 1]\n"
      "h = relu(x @ W)\nloss = mse((h @ V)[:, 0], y)\n");
  CHECK(parameterOf(program, "W").status == Status::neverTrains);
  CHECK(parameterOf(program, "V").status == Status::neverTrains);
}

// One coordinate is the largest and has the whole gradient: W moves u by order one at a learning rate of order one.
TEST_CASE("the gradient of a maximum goes to one coordinate", "[programs][max.logs]") {
  const Program program = analysed(
      "size n = 64 -> inf\ninput x [batch, 4]\ntarget y [batch]\nparam W [4, n]\n"
      "u = max(x @ W, axis = -1)\nloss = mse(u, y)\n",
      "sgd");
  CHECK(toString(parameterOf(program, "W").gradientInit) == "0");
  CHECK(toString(parameterOf(program, "W").lr) == "0");
}

TEST_CASE("a condition that changes moves what it selects", "[programs]") {
  const Program program = analysed(around("param W [n, n]\na = h @ W\nh = where(a > 0, 1, -1) + a\n"));
  const Analysed& analysed = *program.analysed;
  bool found = false;
  for (NodeId id = 0; id < analysed.graph.forwardEnd; ++id) {
    if (analysed.graph.nodes[id].kind != OpKind::select) continue;
    found = true;
    CHECK(toString(analysed.analysis.symbols[0].values[id].update) == "0");
  }
  CHECK(found);
}

TEST_CASE("rounding takes small values to zero", "[programs][map.order]") {
  const Program program = analysed(around("param W [n, 4] init fixed normal(n^(-1))\ns = h @ W\nq = round(s)\n",
                                          "loss = cross_entropy(h @ V, y) + mean(q^2)\n"));
  CHECK(valueOf(program, "q").init.isZero());
}

TEST_CASE("a random factor on a weight may stand before it or behind it", "[programs][moves]") {
  const auto plan = [](const std::string& product) {
    return rowsOf(analysed(around("param W [n, n]\nparam g [n]\nh = relu(" + product + ")\n")));
  };
  const auto after = plan("g * (h @ W)");
  for (const char* product : {"h @ (g * W)", "h @ (W * g)"}) {
    const auto rows = plan(product);
    for (const char* name : {"W", "g"}) {
      INFO(product << " " << name);
      CHECK(rows.at(name).init == after.at(name).init);
      CHECK(rows.at(name).lr == after.at(name).lr);
    }
  }
  CHECK(after.at("W").lr == "-1");
  CHECK(after.at("g").lr == "0");
}

TEST_CASE("a tied decoder's multiplier makes up for what its matrices cannot reach", "[programs][port.lowered]") {
  const Program program = analysed(
      "size n = 256 -> inf\nsize pixels = 64, code = 8\ninput image [batch, pixels]\n"
      "param W1 [pixels, n]\nparam W2 [n, n]\nparam W3 [n, code]\n"
      "h = tanh(image @ W1)\nh = tanh(h @ W2)\noutput z = h @ W3\n"
      "h = tanh(z @ W3^T)\nh = tanh(h @ W2^T)\noutput again = auto * (h @ W1^T)\nloss = mse(again, image)\n");
  CHECK(multiplierOf(program, "auto") == "0");
  CHECK(toString(valueOf(program, "h#4").trained) == "-1");
  CHECK(toString(valueOf(program, "again").trained) == "0");
  CHECK(toString(valueOf(program, "again").update) == "0");
  CHECK(in(program, "n").verdict.stableTraining);
}

// x (P Q) = (x P) Q, and x (W + P Q) = x W + (x P) Q: one plan, and nothing moves by more or less.
TEST_CASE("a product of matrices is the matrices one after the other", "[programs][moves][matmul.change]") {
  struct Case {
    const char *parameters, *together, *apart;
  };
  const Case cases[] = {
      {"param A [n, n]\nparam B [n, n]\n", "h @ (A @ B)", "(h @ A) @ B"},
      {"param A [n, n]\nparam B [n, n]\n", "h @ transpose(A @ B)", "(h @ transpose(B)) @ transpose(A)"},
      {"param A [n, 4]\nparam B [4, n]\n", "h @ (A @ B)", "(h @ A) @ B"},
      {"param W [n, n]\nparam A [n, 4]\nparam B [4, n]\n", "h @ (W + A @ B)", "h @ W + (h @ A) @ B"},
      {"param W [n, n]\nparam A [n, 4]\nparam B [4, n]\n", "h @ (W + 2 * (A @ B))", "h @ W + 2 * ((h @ A) @ B)"},
      {"param W [n, n]\nparam A [n, n]\nparam B [n, n]\n", "h @ (W - A @ B)", "h @ W - (h @ A) @ B"},
      {"param W [n, n]\nparam A [n, 4]\nparam B [4, n] init 0\n", "h @ (W + A @ B)", "h @ W + (h @ A) @ B"},
      {"param A [n, 4]\nparam B [4, 2 * n]\nparam C [2 * n, n]\n", "h @ (A @ B @ C)", "((h @ A) @ B) @ C"},
  };
  for (const Case& one : cases) {
    INFO(one.parameters << one.together);
    const Program together = analysed(around(std::string(one.parameters) + "h = relu(" + one.together + ")\n"));
    const auto rows = rowsOf(together);
    for (const auto& [name, row] :
         rowsOf(analysed(around(std::string(one.parameters) + "h = relu(" + one.apart + ")\n")))) {
      INFO(name);
      CHECK(rows.at(name).init == row.init);
      CHECK(rows.at(name).lr == row.lr);
    }
    CHECK(in(together, "n").verdict.stableTraining);
    CHECK(toString(valueOf(together, "h#2").trained) == "0");
  }
}

// Entries with a mean make a sum add up, whatever they are random besides.
TEST_CASE("the square of a matrix is no initial matrix", "[programs][contract.change]") {
  expectRows(around("param W [n, n]\nh = relu(h @ (W^2))\n"), {}, {{"W", "-1/2", "-1/2", "", "", ""}});
}

TEST_CASE("a metric asks for nothing", "[programs]") {
  const std::string lines = "param W [n, n]\nh = relu(h @ W)\n", tail = "loss = cross_entropy(h @ V, y)\n";
  const auto plain = rowsOf(analysed(around(lines, tail)));
  const auto watched = rowsOf(analysed(around(lines, "metric m = mean((n * (h @ V))^2)\n" + tail)));
  for (const char* name : {"U", "V", "W"}) {
    INFO(name);
    CHECK(plain.at(name).init == watched.at(name).init);
    CHECK(plain.at(name).lr == watched.at(name).lr);
  }
}

TEST_CASE("what outgrows its init before a norm is divided by what it has become", "[programs]") {
  // A bottleneck starts at n^(-1/2) and ends at order one; so does 1/|x|, the other way.
  const Program program = analysed(around("param A [n, 4]\nparam B [4, n]\nh = rmsnorm((h @ A) @ B, gain = false)\n"));
  CHECK(in(program, "n").verdict.stableTraining);
  CHECK(toString(valueOf(program, "h").trained) == "0");
  CHECK(parameterOf(program, "B").status == Status::maximal);
}

TEST_CASE("a sigmoid is not free of scale, a sign is", "[programs]") {
  const auto with = [](const std::string& gate) {
    return analysed(around("param W [n, n]\nh = " + gate + "(sum(h * (h @ W), axis = -1, keep)) * h\n"));
  };
  CHECK_FALSE(in(with("sigmoid"), "n").verdict.stableInit);
  CHECK(in(with("sign"), "n").verdict.stableInit);
}

TEST_CASE("a matrix behind a softmax over n is as large as the softmax is small", "[programs][moves]") {
  // 1/n at each of n coordinates: relu does not make them of order one.
  for (const char* lines : {"h = softmax(h)\n", "h = relu(softmax(h))\n", "h = max(softmax(h), 0)\n"})
    expectRows(around(lines), {}, {{"V", "0", "0", "", "", ""}, {"U", "0", "0", "", "", ""}});
}

TEST_CASE("layers that see different sizes are not taken for one another", "[programs][repeat.compounds]") {
  const Program halves = analysed(around("repeat 2 as layers {\n  h = softmax(h)\n}\n"));
  CHECK(toString(valueOf(halves, "h#2").init) == "not_analysed");
  CHECK(toString(parameterOf(halves, "U").lr) == "not_analysed");
  const Program grows = analysed(
      around("h = softmax(h)\nrepeat 2 as layers {\n  h = h / sqrt(mean(h^2, axis = -1, keep) + tiny(1e-6))\n}\n"));
  CHECK(toString(valueOf(grows, "h#3").init) == "not_analysed");
  // Cubes of cubes leave the numbers, not the answer.
  const Program cubes =
      analysed(around("repeat 3 as layers {\n  param W [n, n]\n  param M [n, n]\n  h = ((h @ W)^3 @ M)^3\n}\n"));
  CHECK(toString(parameterOf(cubes, "layers.W").initStd) == "-1/2");
  CHECK(toString(valueOf(cubes, "h#2").init) == "0");
}

TEST_CASE("what a repeat ends with is what its last layer gives, not what it began with", "[programs][repeat.join]") {
  // (h @ W)^2 at W = 0 has no gradient, in one layer as in two.
  const Program program = analysed(around("repeat 2 as layers {\n  param W [n, n] init 0\n  h = 1 + (h @ W)^2\n}\n"));
  CHECK(parameterOf(program, "layers.W").status == Status::neverTrains);
  CHECK(parameterOf(program, "U").status == Status::neverTrains);
}

TEST_CASE("an identity is sparse whatever odd or even map it goes through", "[programs]") {
  const auto with = [](const std::string& W) {
    return analysed(around("param W [n, n] init eye(n)\nh = relu(h @ (" + W + "))\n"));
  };
  for (const char* W : {"W", "W^2", "W * W", "W^3", "relu(W)"}) {
    INFO(W);
    CHECK(toString(valueOf(with(W), "h#2").init) == "0");
  }
  CHECK(toString(valueOf(with("cos(W)"), "h#2").init) != "0");
}

TEST_CASE("a bias behind a frozen encoder moves what is read", "[programs]") {
  const auto regime = [](const std::string& lines) {
    return in(analysed("size n = 64 -> inf, d = 8\ninput x [batch, d]\ntarget y [batch]\nfrozen param U [d, n]\n"
                       "param V [n, 1]\n" +
                       lines + "loss = mse((h @ V)[:, 0], y)\n"),
              "n")
        .verdict.regime;
  };
  CHECK(regime("param b [n]\nh = x @ U + b\n") == Regime::featureLearning);
  CHECK(regime("h = x @ U\n") == Regime::kernel);
}

TEST_CASE("a matrix that is no matrix of independent entries adds up throughout", "[programs][contract.change]") {
  // The squares have a mean: once h is aligned W^2 h adds up, so that W^2 is of order 1/n.
  const Program program = analysed(around("param W [n, n]\nh = relu(h @ (W^2))\n"));
  CHECK(toString(parameterOf(program, "W").initStd) == "-1/2");
  CHECK(toString(parameterOf(program, "W").lr) == "-1/2");
  CHECK(in(program, "n").verdict.stableTraining);
}

TEST_CASE("a gate at zero starts too slowly under gradient descent, not under Adam", "[programs]") {
  const std::string text = around("", "param s [] init 0\noutput f = s * (h @ V)\nloss = cross_entropy(f, y)\n");
  const Program slow = analysed(text, "sgd");
  CHECK_FALSE(in(slow, "n").verdict.nontrivial);
  CHECK_FALSE(in(slow, "n").verdict.infeasible);
  REQUIRE(in(slow, "n").warnings.size() == 1);
  CHECK(in(slow, "n").warnings[0].code == "TPC0308");
  CHECK(in(slow, "n").warnings[0].message.find("`s` starts at n^(-1/2)") != std::string::npos);
  const Program quick = analysed(text, "adam");
  CHECK(in(quick, "n").verdict.nontrivial);
  CHECK(in(quick, "n").warnings.empty());
}

TEST_CASE("layers that hand on zeros are no layers that train", "[programs][repeat.compounds]") {
  // W at zero in three layers in series: none has both an argument and a gradient.
  const Program series = analysed(around(
      "repeat 3 as layers {\n  param A [n, n]\n  param W [n, n] init 0\n  h = (h @ A) @ W\n}\nh = sigmoid(h)\n"));
  CHECK(toString(parameterOf(series, "layers.W").update) == "not_analysed");
  const Program skips =
      analysed(around("repeat 3 as layers {\n  param A [n, n]\n  param W [n, n] init 0\n  h += (h @ A) @ W\n}\n"));
  CHECK(parameterOf(skips, "layers.W").status == Status::maximal);
  const Program sums =
      analysed(around("s = 0 * h\nrepeat 3 as layers {\n  param W [n, n]\n  s = s + relu(h @ W)\n}\nh = s\n"));
  CHECK(parameterOf(sums, "layers.W").status == Status::maximal);
}

TEST_CASE("gradient descent is as slow as its steepest gradient asks for", "[programs]") {
  // The latent starts at n^(-1/2) and ends at order one.  The norm behind it multiplies gradients by what it divides
  // by; with a readout at zero the first that arrive have added up already, and are larger than those that follow.
  const auto with = [](const std::string& readout) {
    return analysed(
        "size n = 64 -> inf, d = 8, classes = 10\ninput x [batch, d]\ntarget y [batch] in classes\n"
        "param U [d, n]\nparam A [n, 4]\nparam B [4, n]\nparam R [n, classes]" +
            readout + "\nh = rmsnorm((relu(x @ U) @ A) @ B, gain = false)\nloss = cross_entropy(h @ R, y)\n",
        "sgd");
  };
  const Program random = with(""), zero = with(" init 0");
  for (const Program* program : {&random, &zero}) {
    CHECK(in(*program, "n").verdict.stableTraining);
    for (const char* name : {"U", "A", "B", "R"}) CHECK(parameterOf(*program, name).status == Status::maximal);
    CHECK(toString(parameterOf(*program, "U").gradientTrained) == "-1");
    CHECK(toString(parameterOf(*program, "A").gradientTrained) == "0");
  }
  CHECK(toString(parameterOf(random, "U").lr) == "1");
  CHECK(toString(parameterOf(zero, "U").lr) == "1/2");
}
