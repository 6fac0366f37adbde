// Functions and optimizers that a program writes itself: what is inferred from their text.
#include <cmath>

#include "compiler/interpret/interpret.h"
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

struct Own {
  const char* text;
  const char *small, *large;  // sizes at an argument of n^(-1/2) and of n^(1/2)
  const char* sum;            // of the sum over n coordinates of order one: n^(1/2) where odd
};

// Orders at zero and far out by the series and the limit of each.
constexpr Own functions[] = {
    {"max(x, 0)^2", "-1", "1", "1"},
    {"x * sigmoid(1.702 * x)", "-1/2", "1/2", "1"},
    {"log(1 + exp(x))", "0", "1/2", "1"},
    {"where(x > 0, x, exp(x) - 1)", "-1/2", "1/2", "1"},
    {"(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "-1/2", "0", "1/2"},
    {"x^3", "-3/2", "3/2", "1/2"},
    {"x * tanh(log(1 + exp(x)))", "-1/2", "1/2", "1"},
    {"max(x, 0) + max(-x, 0)", "-1/2", "1/2", "1"},
    {"max(x, 0) - max(-x, 0)", "-1/2", "1/2", "1/2"},
    {"x - tanh(x)", "-3/2", "1/2", "1/2"},
    {"min(max(x, -1), 1)", "-1/2", "0", "1/2"},
    {"max(x, 0.1 * x)", "-1/2", "1/2", "1"},
    {"cos(x) - 1", "-1", "0", "1"},
    {"x / (1 + abs(x))", "-1/2", "0", "1/2"},
    {"x / sqrt(1 + x^2)", "-1/2", "0", "1/2"},
    {"log(1 + x^2)", "-1", "0", "1"},
    {"1 / (1 + x^2)", "0", "-1/4", "1"},  // a share n^(-1/2) of the coordinates is of order one
    {"x + sin(x)^2", "-1/2", "1/2", "1"},
    {"sigmoid(x) - 0.5", "-1/2", "0", "1/2"},
};

std::string programOf(const std::string& function) {
  return "size n = 64 -> inf, d = 8\ninput x [batch, d]\nparam W [d, n] init fixed normal(1)\nparam V [n]\nfn f(x) = " +
         function +
         "\nh = x @ W\nsmall = f(n^(-1/2) * h)\none = f(h)\nlarge = f(n^(1/2) * h)\nsums = sum(one, axis = -1)\n"
         "output out = auto * mean(small * V) + auto * mean(one * V) + auto * mean(large * V) + auto * mean(sums)\n"
         "loss = mse(out, 0 * out)\n";
}

std::string sizeOf(const Program& program, const std::string& name) {
  const Size& size = valueOf(program, name).init;
  return size.isPower() ? toString(size.exponent) : size.isZero() ? "zero" : "special";
}

}  // namespace

TEST_CASE("functions of one argument have the orders of their text, not of its operations",
          "[programs][map.measured]") {
  for (const Own& own : functions) {
    INFO(own.text);
    const Program program = analysed(programOf(own.text));
    CHECK(sizeOf(program, "small") == own.small);
    CHECK(sizeOf(program, "large") == own.large);
    CHECK(sizeOf(program, "sums") == own.sum);
  }
}

// The same sizes measured: the slope over n of the root mean square at random arguments.
TEST_CASE("what is derived of a function of one argument is what its values do", "[programs][map.measured][slopes]") {
  for (const Own& own : functions) {
    INFO(own.text);
    const Program program = analysed(programOf(own.text));
    const Graph& graph = program.analysed->graph;
    auto node = [&](const std::string& name) {
      for (NodeId id = 0; id < graph.forwardEnd; ++id)
        if (graph.nodes[id].name != none && graph.names[graph.nodes[id].name] == name) return id;
      return none;
    };
    const std::vector<NodeId> wanted{node("small"), node("large"), node("sums")};
    std::vector<double> logs[3];
    const std::vector<int64_t> widths{1024, 4096, 16384};
    for (int64_t width : widths) {
      Bindings bindings;
      for (const Symbol& symbol : graph.symbols) bindings.numbers.push_back(symbol.name == "n" ? width : symbol.number);
      auto x = std::make_shared<Tensor>();
      x->shape = *shapeAt(graph, graph.inputs[0].node, bindings.numbers);
      for (int64_t i = 0; i < elementCount(x->shape); ++i) x->values.push_back(std::sin(double(7 * i + 1)));
      bindings.inputs = {x};
      bindings.parameters = {initialValue(graph, 0, bindings.numbers, 0.5, 11).value,
                             initialValue(graph, 1, bindings.numbers, 1.0, 11).value};
      const Evaluation run = evaluate(graph, bindings, wanted);
      REQUIRE(run.error.empty());
      for (int i = 0; i < 3; ++i) logs[i].push_back(std::log(rootMeanSquare(*run.values[wanted[i]])));
    }
    const char* derived[] = {"small", "large", "sums"};
    for (int i = 0; i < 3; ++i) {
      INFO(derived[i]);
      const double slope =
          (logs[i].back() - logs[i].front()) / std::log(double(widths.back()) / double(widths.front()));
      const Size& size = valueOf(program, derived[i]).init;
      REQUIRE(size.isPower());
      // Sums are measured once, and far out a logarithm still counts: the slope of log(n) is 0.13 here.
      CHECK(slope == Approx(size.exponent.toDouble()).margin(i == 0 ? 0.08 : i == 1 ? 0.14 : 0.2));
    }
  }
}

TEST_CASE("an optimizer of one's own has the degree and the size of its text", "[programs][optimizer]") {
  const std::string text =
      "size n = 128 -> inf, d = 8\ninput x [batch, d]\ntarget y [batch]\nparam U [d, n]\nparam W [n, n]\nparam V [n, "
      "1]\n"
      "h = tanh(x @ U)\nh = tanh(h @ W)\noutput f = (h @ V)[:, 0]\nloss = mse(f, y)\n";
  struct Case {
    const char *optimizer, *like;
  };
  // Each is of the kind of one of the library: the same plan.
  for (const Case& one :
       {Case{"update = -lr * sign(grad)", "adam"}, Case{"update = -3 * lr * grad", "sgd"},
        Case{"state v = 0\nv = 0.9 * v + 0.1 * grad^2\nupdate = -lr * grad / (sqrt(v) + tiny(1e-8))", "adam"},
        Case{"state m = 0\nm = 0.9 * m + grad\nupdate = -lr * (grad + 0.9 * m)", "sgd"},
        Case{"state m = 0, v = 0\nm = 0.9 * m + 0.1 * grad\nv = max(0.99 * v, abs(grad))\n"
             "update = -lr * m / (v + tiny(1e-8))",
             "adam"}}) {
    INFO(one.optimizer);
    const Program own = analysed(text + "optimizer mine(lr) {\n" + one.optimizer + "\n}\n", "mine");
    const Program library = analysed(text, one.like);
    for (const auto& [name, row] : rowsOf(library)) {
      INFO(name);
      CHECK(rowsOf(own).at(name).lr == row.lr);
      CHECK(rowsOf(own).at(name).init == row.init);
    }
  }
}

TEST_CASE("a number beside a size of another degree is not taken for an epsilon", "[programs][optimizer]") {
  const Program own = analysed(
      "size n = 128 -> inf, d = 8\ninput x [batch, d]\nparam U [d, n]\nparam V [n]\nloss = mean((tanh(x @ U) @ V)^2)\n"
      "optimizer mine(lr) {\nstate v = 0\nv = 0.9 * v + grad^2\nupdate = -lr * grad / (sqrt(v) + 1e-8)\n}\n",
      "mine");
  CHECK(parameterOf(own, "V").status == Status::notAnalysed);
}

TEST_CASE("a body that begins with a repeat is gone through as one of its own", "[programs][repeat]") {
  // z is nothing but x: the first operation of the outer body is the inner repeat.
  const std::string head = "size n = 64 -> inf, d = 8\ninput x [batch, d]\nparam U [d, n]\nparam V [n]\nh = x @ U\n";
  const std::string tail = "output out = mean(y, axis = 0) @ V\nloss = mse(out, 0 * out)\n";
  const Program nested =
      analysed(head +
               "repeat 2 as a {\n  z = h\n  repeat 3 as b {\n    param W [n, n]\n    z = tanh(z @ W)\n  }\n"
               "  y = z\n  collect y\n}\n" +
               tail);
  CHECK(parameterOf(nested, "a.b.W").initStd == Size::power(-half));
  CHECK(parameterOf(nested, "a.b.W").lr == Size::power(-1));
  CHECK(valueOf(nested, "y").init == Size::power(0));
}
