// Published results over depth, derived again from the programs they speak of.
//
// TP6 writes h <- h + L^(-alpha) MS(phi(W h)) with updates L^(-gamma) of Adam, embedding and readout frozen; what a
// multiplier and a learning rate do is asked of the analysis as they are given.  CP has two matrices and more in a
// branch.
#include <filesystem>
#include <fstream>

#include "dsl/source/render.h"
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

// Block depth one, as in TP6.
std::string oneMatrix(const std::string& ends = "frozen ") {
  return "size n = 128 -> inf, L = 4 -> inf, d = 8\ninput  x [batch, d]\ntarget y [batch]\n" + ends +
         "param U [d, n]\n" + ends +
         "param V [n, 1]\nh = x @ U\nrepeat L as layers {\n  param W [n, n]\n  z = relu(h @ W)\n"
         "  h += auto(L) * (z - mean(z, axis = -1, keep))\n}\noutput f = (h @ V)[:, 0]\nloss = mse(f, y)\n";
}

// Block depth two, linear: W2 W1 x.
const std::string twoMatrices =
    "size n = 128 -> inf, L = 4 -> inf, d = 8\ninput  x [batch, d]\ntarget y [batch]\nfrozen param U [d, n]\n"
    "frozen param V [n, 1]\nh = x @ U\nrepeat L as layers {\n  param W1 [n, n]\n  param W2 [n, n]\n"
    "  h += auto(L) * (h @ W1 @ W2)\n}\noutput f = (h @ V)[:, 0]\nloss = mse(f, y)\n";

std::string inL(const std::string& exponent) { return exponent == "0" ? "{}" : "{\"L\": \"" + exponent + "\"}"; }

// A parametrization over depth: the multiplier of the branch and, where there is one, the learning rate of its
// matrices.
std::string given(const std::string& multiplier, const std::vector<std::string>& matrices, const std::string& lr) {
  std::string parameters;
  for (const std::string& name : matrices)
    if (!lr.empty())
      parameters += (parameters.empty() ? "" : ", ") + std::string("\"layers.") + name + "\": {\"lr\": {\"n\": \"-1\"" +
                    (lr == "0" ? "" : ", \"L\": \"" + lr + "\"") + "}}";
  return "{\"parameters\": {" + parameters + "}, \"multipliers\": {\"layers.auto\": " + inL(multiplier) + "}}";
}

struct Judged {
  Program program;
  const SymbolVerdict* verdict = nullptr;
  const DepthVerdict* depth = nullptr;
};

Judged judged(const std::string& text, const std::string& json, const std::string& optimizer = "adam") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tpc_depth_" + std::to_string(getpid()) + ".json")).string();
  std::ofstream(path) << json;
  Judged result;
  const FileId file = result.program.sources.add("program.tp", text);
  PipelineOptions options;
  options.optimizer = optimizer;
  options.parametrization = path;
  result.program.analysed = analyseProgram(result.program.sources, file, options, result.program.diagnostics);
  std::filesystem::remove(path);
  INFO(text << json << render(result.program.diagnostics, result.program.sources));
  REQUIRE(result.program.analysed);
  const SymbolAnalysis& over = in(result.program, "L");
  REQUIRE(over.analysed);
  REQUIRE(over.depth.size() == 1);
  result.verdict = &over.verdict;
  result.depth = &over.depth[0];
  return result;
}

}  // namespace

TEST_CASE("Tensor Programs VI, claims 7.1 to 7.6: the plane of alpha and gamma", "[programs][published][depth]") {
  struct Case {
    std::string alpha, gamma, kind;
    bool stableInit, stableTraining, nontrivial;
    std::string kappa;
    bool isLinearized;  // a layer's own update moves its product by less than order one
  };
  const std::vector<Case> cases = {
      {"-1/2", "-1/2", "optimal", true, true, true, "1/2", true},
      {"-1", "0", "redundant", true, true, true, "0", false},
      {"-3/4", "-1/4", "redundant", true, true, true, "0", true},
      {"-1/2", "0", "unstable", true, false, false, "1/2", false},
      {"-1/2", "-1", "trivial", true, true, false, "1/2", true},
      {"-3/2", "1/2", "unfaithful", true, true, true, "0", false},
      {"-1", "-1/2", "trivial", true, true, false, "0", true},
  };
  for (const Case& one : cases) {
    const Judged judgement = judged(oneMatrix(), given(one.alpha, {"W"}, one.gamma));
    INFO(one.alpha << ", " << one.gamma);
    CHECK(judgement.verdict->stableInit == one.stableInit);
    CHECK(judgement.verdict->stableTraining == one.stableTraining);
    CHECK(judgement.verdict->nontrivial == one.nontrivial);
    CHECK(toString(judgement.depth->kind) == one.kind);
    REQUIRE(judgement.depth->kappa);
    CHECK(toString(*judgement.depth->kappa) == one.kappa);
    REQUIRE(judgement.depth->ownMove);
    CHECK((*judgement.depth->ownMove < Rational(0)) == one.isLinearized);
  }
  // Unstable at init whatever is learned.
  for (const char* gamma : {"0", "-1"}) {
    const Judged judgement = judged(oneMatrix(), given("0", {"W"}, gamma));
    CHECK_FALSE(judgement.verdict->stableInit);
    CHECK_FALSE(judgement.verdict->stableTraining);
  }
}

TEST_CASE("Tensor Programs VI: what a learning rate of SGD is over depth", "[programs][published][depth]") {
  // Raw gradients follow the multiplier.
  for (const auto& [alpha, lr] :
       std::vector<std::pair<std::string, std::string>>{{"-1/2", "0"}, {"-1", "1"}, {"-3/4", "1/2"}}) {
    const Judged judgement = judged(oneMatrix(), given(alpha, {}, ""), "sgd");
    INFO(alpha);
    CHECK(toString(parameterOf(judgement.program, "layers.W", "L").gradientTrained) == alpha);
    CHECK(toString(parameterOf(judgement.program, "layers.W", "L").lr) == lr);
  }
}

TEST_CASE("CompleteP, desideratum 3: what two updates do together, against one", "[programs][published][depth]") {
  struct Case {
    std::string alpha, ratio;
    bool lazy;
  };
  for (const Case& one : std::vector<Case>{{"-1/2", "-1/2", true}, {"-3/4", "-1/4", true}, {"-1", "0", false}}) {
    const Judged judgement = judged(twoMatrices, given(one.alpha, {}, ""));
    INFO(one.alpha);
    CHECK(judgement.depth->blockDepth == 2);
    REQUIRE(judgement.depth->ownMove);
    CHECK(toString(*judgement.depth->ownMove) == one.ratio);
    CHECK(toString(judgement.depth->kind) == (one.lazy ? "lazy" : "optimal"));
    // The first order of one layer is 1/L in all of them: m dW.
    const ParameterSizes& W1 = parameterOf(judgement.program, "layers.W1", "L");
    CHECK(toString(W1.update + Size::power(-*(one.alpha == "-1/2" ? std::optional<Rational>(half)
                                              : one.alpha == "-1" ? std::optional<Rational>(1)
                                                                  : std::optional<Rational>(Rational(3, 4))))) == "-1");
  }
}

namespace {

Program solved(const std::string& text, const std::string& optimizer, Criterion criterion = Criterion::automatic) {
  Program program;
  const FileId file = program.sources.add("program.tp", text);
  PipelineOptions options;
  options.optimizer = optimizer;
  options.criterion = criterion;
  program.analysed = analyseProgram(program.sources, file, options, program.diagnostics);
  INFO(text << render(program.diagnostics, program.sources));
  REQUIRE(program.analysed);
  return program;
}

// Per parameter: init, learning rate, epsilon, weight decay times the learning rate; over L, and over n.
struct Plan {
  std::string parameter, init, lr, eps, decay;
};

void expectPlan(const Program& program, const std::string& symbol, const std::vector<Plan>& rows, Gauge gauge) {
  for (const Plan& row : rows) {
    INFO(row.parameter << " in " << symbol);
    const GaugedParameter one = inGauge(parameterOf(program, row.parameter, symbol), gauge);
    const bool constant = parameterOf(program, row.parameter, symbol).startsConstant;
    if (!row.init.empty()) CHECK(toString(constant ? one.initMean : one.initStd) == row.init);
    if (!row.lr.empty()) CHECK(toString(one.lr) == row.lr);
    if (!row.eps.empty()) CHECK(toString(one.eps) == row.eps);
    if (!row.decay.empty()) CHECK(toString(one.decayTimesLr) == row.decay);
  }
}

const DepthVerdict& depthOf(const Program& program, const std::string& symbol = "L") {
  const SymbolAnalysis& over = in(program, symbol);
  REQUIRE(over.analysed);
  REQUIRE(over.depth.size() == 1);
  return over.depth[0];
}

const std::string transformer = R"(size n = 384 -> inf, L = 6 -> inf
size d = 64
let  H = n / d
size vocab = 256, context = 256
input  token [batch, context] in vocab
target next  [batch, context] in vocab
param E [vocab, n]
param P [context, n]
h = E[token] + P
repeat L as layers {
  h += auto(L) * attention(layernorm(h), heads = H, causal)
  h += auto(L) * mlp(layernorm(h), hidden = 4 * n, act = relu, bias = true)
}
output logits = linear(layernorm(h), vocab)
loss = cross_entropy(logits, next)
)";

}  // namespace

TEST_CASE("Tensor Programs VI, tables 1 and 2: Depth-muP", "[programs][published][depth]") {
  for (const char* optimizer : {"sgd", "adam"}) {
    const bool sgd = std::string(optimizer) == "sgd";
    const Program program = solved(oneMatrix(""), optimizer);
    INFO(optimizer);
    CHECK(multiplierOf(program, "layers.auto", "L") == "-1/2");
    CHECK(depthOf(program).criterion == Criterion::diversity);
    CHECK(toString(depthOf(program).kind) == "optimal");
    expectPlan(program, "L",
               {{"U", "0", "0", sgd ? "" : "0", ""},
                {"layers.W", "0", sgd ? "0" : "-1/2", sgd ? "" : "-1/2", ""},
                {"V", "0", "0", sgd ? "" : "0", ""}},
               Gauge::plain);
    expectPlan(program, "n",
               {{"U", "0", sgd ? "1" : "0", sgd ? "" : "-1", ""},
                {"layers.W", "-1/2", sgd ? "0" : "-1", sgd ? "" : "-1", ""},
                {"V", "-1", "-1", sgd ? "" : "0", ""}},
               Gauge::plain);
  }
}

TEST_CASE("Tensor Programs VI and CompleteP: multiplier 1/L at block depth one", "[programs][published][depth]") {
  for (const char* optimizer : {"sgd", "adam"}) {
    const bool sgd = std::string(optimizer) == "sgd";
    const Program program = solved(oneMatrix(""), optimizer, Criterion::complete);
    INFO(optimizer);
    CHECK(multiplierOf(program, "layers.auto", "L") == "-1");
    CHECK(toString(depthOf(program).kind) == "redundant");
    expectPlan(program, "L",
               {{"U", "0", "0", sgd ? "" : "0", ""},
                {"layers.W", "0", sgd ? "1" : "0", sgd ? "" : "-1", ""},
                {"V", "0", "0", sgd ? "" : "0", ""}},
               Gauge::plain);
  }
}

// Weight decay: the table leaves L out at alpha = 1/2, where the learning rate carries it and so does a decay per step
// that is free of L.  Epsilon: the trained gradient's size; embeddings, unembedding and the last norm have no L in it.
TEST_CASE("CompleteP, table 1: a pre-norm transformer", "[programs][published][depth]") {
  const std::vector<std::string> hidden = {"layers.attention.wq", "layers.attention.wk", "layers.attention.wv",
                                           "layers.attention.wo", "layers.mlp.w_up",     "layers.mlp.w_down"};
  const std::vector<std::string> vectors = {"layers.mlp.b_up", "layers.mlp.b_down", "layers.layernorm.g",
                                            "layers.layernorm.b", "layers.layernorm#2.g"};
  for (const auto& [criterion, alpha, lr] : std::vector<std::tuple<Criterion, std::string, std::string>>{
           {Criterion::automatic, "-1", "0"}, {Criterion::diversity, "-1/2", "-1/2"}}) {
    const Program program = solved(transformer, "adamw", criterion);
    INFO(alpha);
    CHECK(multiplierOf(program, "layers.auto", "L") == alpha);
    CHECK(multiplierOf(program, "layers.auto#2", "L") == alpha);
    CHECK(toString(depthOf(program).kind) == (alpha == "-1" ? "optimal" : "lazy"));
    CHECK(depthOf(program).blockDepth == 2);
    for (const std::string& name : hidden) {
      expectPlan(program, "L", {{name, "0", lr, alpha, lr == "0" ? "0" : "1/2"}}, Gauge::readout);
      expectPlan(program, "n", {{name, "-1/2", "-1", "-1", "1"}}, Gauge::readout);
    }
    for (const std::string& name : vectors) {
      expectPlan(program, "L", {{name, "", lr, alpha, ""}}, Gauge::readout);
      expectPlan(program, "n", {{name, "", "0", "-1", ""}}, Gauge::readout);
    }
    for (const char* name : {"E", "P", "layernorm.g", "linear.w"}) {
      expectPlan(program, "L", {{name, "0", "0", "0", ""}}, Gauge::readout);
      expectPlan(program, "n", {{name, "0", "0", "-1", ""}}, Gauge::readout);
    }
    CHECK(toString(inGauge(parameterOf(program, "linear.w", "n"), Gauge::readout).multiplier) == "-1");
  }
}

namespace {

// A residual network with one branch.
std::string residual(const std::string& layer, const std::string& before = "") {
  return "size n = 64 -> inf, L = 4 -> inf\ninput  x [batch, 8]\ntarget y [batch]\nparam U [8, n]\nparam V [n, 1]\n"
         "h = x @ U\n" +
         before + "repeat L as layers {\n" + layer + "\n}\noutput f = (h @ V)[:, 0]\nloss = mse(f, y)\n";
}

}  // namespace

// What `diversity` gives is what walks or adds up; theory and measurement agree on these (tests/empirical).
TEST_CASE("which branches walk and which add up", "[programs][depth]") {
  struct Case {
    const char *what, *layer, *diversity;
  };
  for (const Case& one : std::vector<Case>{
           {"a branch that ends in its own matrix", "param W [n, n]; h += auto(L) * (relu(h) @ W)", "-1/2"},
           {"an odd function of it", "param W [n, n]; h += auto(L) * tanh(h @ W)", "-1/2"},
           {"one that is not odd", "param W [n, n]; h += auto(L) * relu(h @ W)", "-1"},
           {"one whose mean was taken away",
            "param W [n, n]; z = relu(h @ W); h += auto(L) * (z - mean(z, axis = -1, keep))", "-1/2"},
           {"one whose mean of something else was taken away",
            "param W [n, n]; z = relu(h @ W); h += auto(L) * (z - mean(abs(h @ W), axis = -1, keep))", "-1"},
           {"a function that also reads what other layers made",
            "param W [n, n]; z = relu(h + h @ W); h += auto(L) * (z - mean(z, axis = -1, keep))", "-1"},
           {"a gain of one behind a matrix", "param W [n, n]; param g [n] init 1; h += auto(L) * (g * (h @ W))",
            "-1/2"},
           {"a gain of one behind relu",
            "param W [n, n]; param g [n] init 1; h += auto(L) * (g * relu(rmsnorm(h) @ W))", "-1"},
           {"one matrix for all layers", "shared param W [n, n]; h += auto(L) * (tanh(h) @ W)", "-1"},
           {"a matrix and its transpose", "param W [n, n]; h += auto(L) * (relu(rmsnorm(h) @ W) @ W^T)", "-1"},
           {"a bias of each layer's own besides", "param W [n, n]; param b [n]; h += auto(L) * (relu(h) @ W + b)",
            "-1/2"},
           {"a product of two matrices' products",
            "param W [n, n]; param D [n, n]; h += auto(L) * ((rmsnorm(h) @ W) * (rmsnorm(h) @ D))", "-1/2"},
           {"its square", "param W [n, n]; h += auto(L) * (rmsnorm(h) @ W)^2", "-1"}}) {
    INFO(one.what);
    const Program program = solved(residual(one.layer), "adam", Criterion::diversity);
    CHECK(multiplierOf(program, "layers.auto", "L") == one.diversity);
    CHECK(multiplierOf(solved(residual(one.layer), "adam", Criterion::complete), "layers.auto", "L") == "-1");
  }
}

TEST_CASE("a solved plan over depth is stable, nontrivial and maximal or lazy for a reason", "[programs][depth]") {
  for (const char* layer :
       {"param W [n, n]; h += auto(L) * tanh(h @ W)", "param W [n, n]; h += auto(L) * relu(h @ W)",
        "h += auto(L) * mlp(rmsnorm(h), hidden = 4 * n)", "h += auto(L) * swiglu(rmsnorm(h), hidden = 2 * n)"})
    for (const char* optimizer : {"sgd", "adamw", "lion"})
      for (Criterion criterion : {Criterion::automatic, Criterion::diversity, Criterion::complete}) {
        INFO(layer << ", " << optimizer);
        const Program program = solved(residual(layer), optimizer, criterion);
        const SymbolVerdict& verdict = in(program, "L").verdict;
        CHECK(verdict.stableInit);
        CHECK(verdict.stableTraining);
        CHECK(verdict.nontrivial);
        const bool lazy = depthOf(program).kind == DepthClass::lazy;
        CHECK(lazy == (criterion == Criterion::diversity && depthOf(program).blockDepth > 1));
        for (const ParameterSizes& parameter : in(program, "L").parameters)
          CHECK((parameter.status == Status::maximal || (lazy && parameter.status == Status::lazy)));
      }
}

TEST_CASE("a branch without a multiplier has it in its last matrix", "[programs][depth]") {
  const std::string with = residual("param A [n, n]; param B [n, n]; h += auto(L) * (relu(rmsnorm(h) @ A) @ B)");
  const std::string without = residual("param A [n, n]; param B [n, n]; h += relu(rmsnorm(h) @ A) @ B");
  for (const char* optimizer : {"sgd", "adam"})
    for (Criterion criterion : {Criterion::diversity, Criterion::complete}) {
      const Program plain = solved(with, optimizer, criterion), pushed = solved(without, optimizer, criterion);
      const Size m = Size::power(criterion == Criterion::complete ? Rational(-1) : -half);
      const Rational p = parameterOf(plain, "layers.B", "L").homogeneity;
      const ParameterSizes &a = parameterOf(plain, "layers.B", "L"), &b = parameterOf(pushed, "layers.B", "L");
      INFO(optimizer);
      // Gauge: init m, lr m^(1 + p), epsilon 1/m.
      CHECK(b.initStd == a.initStd + m);
      CHECK(b.lr == a.lr + Size::power((Rational(1) + p) * m.exponent));
      CHECK(b.gradientTrained == a.gradientTrained + Size::power(-m.exponent));
      CHECK(parameterOf(pushed, "layers.A", "L").lr == parameterOf(plain, "layers.A", "L").lr);
      CHECK(b.status == a.status);
      CHECK(depthOf(pushed).kind == depthOf(plain).kind);
    }
}

TEST_CASE("too large a multiplier: exponential with its rate, marginal, unstable", "[programs][depth]") {
  struct Case {
    const char *what, *layer, *kind, *rate;
  };
  for (const Case& one : std::vector<Case>{
           {"degree one that walks", "param W [n, n]; h += L^(-1/4) * (h @ W)", "exponential", "1/2"},
           {"degree one that walks, no multiplier", "param W [n, n] init normal(n^(-1/2)); h += h @ W", "exponential",
            "1"},
           {"degree one that adds up", "param W [n, n]; h += L^(-1/2) * relu(h @ W)", "exponential", "1/2"},
           {"degree zero: a share of what has grown",
            "param W [n, n]; param D [n, n]; "
            "h += L^(-1/4) * (relu(rmsnorm(h) @ W) @ D)",
            "marginal", ""},
           {"a multiplier of the index", "param W [n, n]; h += (layers + 1)^(-1/2) * (h @ W)", "marginal", ""},
           {"degree two", "h += L^(-1/2) * swiglu(h, hidden = 2 * n)", "marginal", ""},
           {"one matrix for all layers", "shared param W [n, n]; h += L^(-1/2) * (h @ W)", "exponential", "1/2"}}) {
    INFO(one.what);
    const Program program = solved(residual(one.layer), "adam");
    CHECK(toString(depthOf(program).kind) == one.kind);
    if (*one.rate) {
      REQUIRE(depthOf(program).rate);
      CHECK(toString(*depthOf(program).rate) == one.rate);
    }
  }
}

TEST_CASE("a multiplier of the layer's index", "[programs][depth]") {
  for (const auto& [beta, size, lr] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"1/4", "1/4", ""}, {"1/2", "0", "-1/2"}, {"3/4", "0", "-1/4"}, {"1", "0", "0"}}) {
    INFO(beta);
    const Program program =
        solved(residual("param W [n, n]; h += (layers + 1)^(-" + beta + ") * (tanh(h) @ W)"), "adam");
    CHECK(toString(valueOf(program, "h#2", "L").init) == size);
    // Own updates add up: a learning rate L^(beta - 1).
    if (beta != "1/4") CHECK(toString(parameterOf(program, "layers.W", "L").lr) == lr);
  }
}

TEST_CASE("a tied readout is bounded backward at alpha = 1/2", "[programs][depth]") {
  std::string tied = transformer;
  tied.replace(tied.find("linear(layernorm(h), vocab)"), 27, "auto * (layernorm(h) @ E^T)");
  const Program program = solved(tied, "adam", Criterion::diversity);
  CHECK(toString(depthOf(program).kind) == "lazy");
  CHECK(toString(parameterOf(program, "layers.attention.wq", "L").gradientInit) == "-1/2");
  CHECK(toString(parameterOf(program, "E", "L").lr) == "0");
}

TEST_CASE("what many layers come to is not guessed", "[programs][depth]") {
  for (const char* layer : {"param W [n, n]; h = tanh(h @ W)", "param W [n, n]; h = 0.9 * h + tanh(h @ W)",
                            "param W [n, n]; h = rmsnorm(h + auto(L) * (h @ W))",
                            "param W [n, n]; param Z [n, n]; z = sigmoid(h @ Z); h = z * h + (1 - z) * tanh(h @ W)",
                            "param W [n, n]; h = 2 * h + auto(L) * tanh(h @ W)",
                            "param W [n, n]; h += (layers + 1)^(-2) * (tanh(h) @ W)"}) {
    INFO(layer);
    const Program program = solved(residual(layer), "adam");
    CHECK_FALSE(in(program, "L").analysed);
    REQUIRE(in(program, "L").warnings.size() == 1);
    CHECK(in(program, "L").warnings[0].code == "TPC0309");
    CHECK(in(program, "n").analysed);
    CHECK(toString(parameterOf(program, "layers.W", "L").lr) == "not_analysed");
  }
}

// The two branches of a layer read each other's sums; each hands its own on.
TEST_CASE("several carried values", "[programs][depth]") {
  const Program program = solved(
      residual("param W [n, n]; param D [n, n]; h += auto(L) * tanh(g @ W); g += auto(L) * tanh(h @ D)", "g = h\n"),
      "adam");
  for (const char* name : {"layers.W", "layers.D"}) CHECK(toString(parameterOf(program, name, "L").lr) == "-1/2");
  CHECK(toString(depthOf(program).kind) == "optimal");
}

TEST_CASE("the plan over depth does not ask how many layers there are, nor whether a width grows",
          "[programs][depth]") {
  const std::string text = residual("h += auto(L) * mlp(rmsnorm(h), hidden = 4 * n)");
  auto with = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return solved(other, "adam");
  };
  const Program few = solved(text, "adam"), many = with("L = 4", "L = 1000000"),
                fixed = with("n = 64 -> inf", "n = 64");
  for (const char* name : {"U", "V", "layers.mlp.w_up", "layers.mlp.w_down", "layers.rmsnorm.g"})
    for (const Program* other : {&many, &fixed}) {
      CHECK(parameterOf(few, name, "L").lr == parameterOf(*other, name, "L").lr);
      CHECK(parameterOf(few, name, "L").eps == parameterOf(*other, name, "L").eps);
    }
  CHECK(in(few, "L").derivation.steps().size() == in(many, "L").derivation.steps().size());
}
