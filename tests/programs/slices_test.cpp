// Slices of parameters and of what they make: disjoint ones are independent, overlapping ones are not, however the two
// are written.
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

// The size at initialization of u, a sum over n of products of two values of order one.
std::string sizeOf(const std::string& lines) {
  const Program program = analysed(
      "size n = 64 -> inf\n"
      "input x [batch, 4]\n"
      "input t [batch] in 6\n"
      "param E [6, n] init fixed normal(1)\n"
      "param F [4, 3, n] init fixed normal(1)\n"
      "param G [4, 3 * n] init fixed normal(1)\n"
      "e = x @ E[0:4, :]\n"
      "f = einsum(\"b d, d k i -> b k i\", x, F)\n"
      "g = x @ G\n" +
      lines + "\nloss = mean(u^2)\n");
  return toString(valueOf(program, "u").init);
}

std::string sumOver(const std::string& a, const std::string& b) {
  return sizeOf("u = sum((" + a + ") * (" + b + "), axis = -1)");
}

}  // namespace

TEST_CASE("slices that share entries add up", "[programs][sum.adds]") {
  const std::pair<const char*, const char*> pairs[] = {
      {"e", "E[1, :]"},                                                    // the whole of what the slice is of
      {"sum(E, axis = 0)", "E[1, :]"},                                     // of the parameter itself
      {"E[t]", "E[0:1, :]"},                                               // the token may be 0
      {"sum(E[0:2, :], axis = 0)", "sum(E[1:3, :], axis = 0)"},            // an overlap
      {"sum(f, axis = 1)", "f[:, 1, :]"},                                  // of a value
      {"f[:, 1, :]", "x @ F[:, 1, :]"},                                    // of the value and of its parameter
      {"g[:, :n]", "rearrange(g, \"b (k i) -> b k i\", k = 3)[:, 0, :]"},  // one slice, written twice
      {"g[:, :n]", "rearrange(g, \"b (k i) -> b k i\", k = 3)[:, 1, :]"},  // two; along other lengths that is not seen
      {"g[:, n : 2 * n]", "g[:, : 2 * n][:, n : 2 * n]"},                  // a slice of a slice
      {"tanh(concat(x, x, axis = 1) @ concat(E[0:4, :], E[2:6, :], axis = 0))", "x @ E[2:6, :]"},
  };
  for (const auto& [a, b] : pairs) {
    INFO(a << "  times  " << b);
    CHECK(sumOver(a, b) == "1");
  }
}

TEST_CASE("disjoint slices are independent", "[programs][sum.walks]") {
  const std::pair<const char*, const char*> pairs[] = {
      {"E[0, :]", "E[1, :]"},
      {"sum(E[0:2, :], axis = 0)", "sum(E[2:4, :], axis = 0)"},
      {"e", "E[5, :]"},
      {"f[:, 0, :]", "f[:, 1, :]"},
      {"f[:, 0, :]", "x @ F[:, 1, :]"},
      {"g[:, :n]", "g[:, n : 2 * n]"},
      {"tanh(g[:, :n])", "g[:, n : 2 * n] * relu(g[:, 2 * n :])"},
      {"sum(f[:, 0:2, :], axis = 1)", "f[:, 2, :]"},
      {"g[:, : 2 * n][:, :n]", "g[:, n :][:, n :]"},
  };
  for (const auto& [a, b] : pairs) {
    INFO(a << "  times  " << b);
    CHECK(sumOver(a, b) == "1/2");
  }
}

TEST_CASE("the transpose of another slice is another matrix", "[programs][matmul.z-dot]") {
  const auto plan = [](const std::string& first, const std::string& second) {
    return rowsOf(
        analysed("size n = 64 -> inf, d = 8, classes = 10\n"
                 "input x [batch, d]\ntarget y [batch] in classes\n"
                 "param U [d, n]\nparam V [n, classes]\nparam F [n, 2 * n]\n"
                 "h = relu(x @ U)\nh = relu(h @ " +
                 first + ")\nh = relu(h @ transpose(" + second + "))\n" + "loss = cross_entropy(h @ V, y)\n"));
  };
  for (const char* second : {"F[:, :n]", "F[:, n :]"}) {
    INFO(second);
    CHECK(plan("F[:, :n]", second).at("F").init == "-1/2");
    CHECK(plan("F[:, :n]", second).at("F").lr == "-1");
  }
}

TEST_CASE("a matrix plus its transpose, in either order", "[programs][moves]") {
  for (const char* sum : {"W + transpose(W)", "transpose(W) + W"}) {
    INFO(sum);
    const Program program = analysed(
        "size n = 64 -> inf, d = 8, c = 4\n"
        "input x [batch, d]\ntarget y [batch, c]\n"
        "param U [d, n]\nparam V [n, c]\nparam W [n, n]\n"
        "h = relu(x @ U)\na = h @ W\nb = a @ (" +
        std::string(sum) +
        ")\nz = b @ W\noutput out = z @ V\n"
        "loss = mse(out, y)\n");
    CHECK(toString(parameterOf(program, "W").initStd) == "-1/2");
    CHECK(toString(valueOf(program, "z").init) == "0");
  }
}
