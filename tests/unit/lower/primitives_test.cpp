// Every primitive of the graph, compiled, against the interpreter.
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {
namespace {

// h is [batch, n], w [n]; every expression is summed into a loss.
void check(const std::string& expression, const std::string& more = "", double low = -2, double high = 2,
           Tolerance tolerance = {}) {
  for (const auto& [n, batch] : {std::pair{1, 2}, {37, 3}, {130, 1}}) {
    const std::string text = "size n = " + std::to_string(n) + ", batch = " + std::to_string(batch) +
                             "\ninput x [batch, n]\nparam w [n]\nparam v [n]\n" + more + "y = " + expression +
                             "\noutput z = y\nloss = sum(y * y) + sum(x * w) + sum(w * v)\n";
    INFO(text);
    Program program(text, 3, low, high);
    checkCompiled(program.graph, program.bindings, tolerance);
  }
}

}  // namespace

TEST_CASE("arithmetic of entries", "[lower]") {
  check("x * w + v");
  check("x - w * 3");
  check("max(x, w) + min(x, v)");
  check("where(x > w, x, w * v)");
  check("where(x <= w, 1, 0) * v + where(x == w, 1, 0) + where(x != v, w, 0)");
}

TEST_CASE("elementary functions", "[lower]") {
  for (const char* fn : {"exp", "sin", "cos", "tanh", "sigmoid", "relu", "gelu", "silu", "round", "abs", "sign"})
    check(std::string(fn) + "(x * w)");
  for (const char* fn : {"log", "sqrt"}) check(std::string(fn) + "(x * w + v)", "", 0.2, 2);
  check("1 / (x * w)", "", 0.5, 2);
  check("x^2 + w^3 + v^(-2)", "", 0.5, 2);
  check("(x * w)^(1/2) + v^(-1/2) + x^(3/2) + v^(1/3)", "", 0.3, 2);
  check("sin(x * 50)", "", -10, 10, {2e-4});  // 500 in a float is known to 3e-5
}

TEST_CASE("reductions along each axis and over all", "[lower]") {
  check("mean(x * w, axis = -1, keep) * v");
  check("sum(x * w, axis = 0)");
  check("max(x * w, axis = -1, keep) + min(x * v, axis = 0, keep)");
  check("x * w / sum(exp(x * w), axis = -1, keep)");
  check("softmax(x * w)");
  check("layernorm(x * w)");
  check("rmsnorm(x * w)");
  check("sum(x * w) * v");
}

TEST_CASE("contractions", "[lower]") {
  check("x @ m", "param m [n, 7]\n", -1, 1);
  check("x @ m @ k", "param m [n, 33]\nparam k [33, n]\n", -1, 1);
  check("einsum(\"b i, b j -> i j\", x * w, x * v)", "", -1, 1);
  check("einsum(\"b i, i -> b\", x, w)", "", -1, 1);
  check("einsum(\"b i, j -> b i j\", x, w)", "", -1, 1);
  check("einsum(\"b i, b i -> b\", x, x * w)", "", -1, 1);
  check("einsum(\"b i, h i j -> h b j\", x, m)", "param m [3, n, 6]\n", -1, 1);
  check("einsum(\"b i, h i j -> b j h\", x, m)", "param m [3, n, 6]\n", -1, 1);
  check("einsum(\"b i, i h j, k h j -> b k\", x, m, k)", "param m [n, 3, 6]\nparam k [5, 3, 6]\n", -1, 1);
}

TEST_CASE("moving entries", "[lower]") {
  check("rearrange(m, \"a b i -> i a b\")", "param m [3, 4, n]\n");
  check("rearrange(m, \"a b i -> b (i a)\")", "param m [3, 4, n]\n");
  check("rearrange(m, \"(a c) i -> c a i\", a = 3)", "param m [12, n]\n");
  check("concat(x * w, x, v * x, axis = -1)");
  check("concat(x * w, x, axis = 0)");
  check("m[1:4] * w", "param m [6, n]\n");
  check("m[:, 2] * x[:, new, :]", "param m [6, 5, n]\n");
}

TEST_CASE("indexing by data", "[lower]") {
  check("e[t] * w", "input t [batch, 4] in 6\nparam e [6, n]\n");
  check("onehot(t, 6) @ e", "input t [batch, 4] in 6\nparam e [6, n]\n");
  check("x * where(iota(n)[:] >= argmax(x * w, axis = -1)[:, new], 1, 2)");
}

}  // namespace tpc
