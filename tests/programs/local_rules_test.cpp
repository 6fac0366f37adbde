// Single operations of the theory, as programs: what the derivation says of one product or one sum.
//
// tests/empirical measures the same on random matrices.
#include "tests/catch.h"
#include "tests/programs/program.h"

using namespace tpc;
using namespace tpc::programs;

namespace {

// Values of order one whose coordinates are independent, matrices whose entries are; `lines` make the value `z`.
std::string given(const std::string& lines) {
  return "size n = 64 -> inf\ninput x [batch, 4]\ntarget y [batch]\n"
         "param U [4, n] init fixed normal(1)\nparam V [4, n] init fixed normal(1)\n"
         "param A [n, n] init fixed normal(1)\nparam B [n, n] init fixed normal(n^(-1/2))\n"
         "param C [n, n] init fixed normal(n^(-1/2))\n"
         "u = x @ U\nv = x @ V\n" +
         lines + "loss = mse(z * mean(u + v + u @ A + u @ B + v @ C, axis = -1), y)\n";
}

std::string sizeOf(const std::string& lines, const std::string& name = "z") {
  return toString(valueOf(analysed(given(lines)), name).init);
}

}  // namespace

TEST_CASE("contractions, Tensor Programs V table 14", "[programs][local][matmul.fresh]") {
  // A matrix of independent entries walks, an outer product and a vector add up along what they are made of.
  CHECK(sizeOf("a = u @ A\nz = mean(a, axis = -1)\n", "a") == "1/2");
  CHECK(
      sizeOf(
          "M = einsum(\"b i, b j -> b i j\", v, u)\na = einsum(\"b i j, b j -> b i\", M, u)\nz = mean(a, axis = -1)\n",
          "a") == "1");
  CHECK(sizeOf("z = sum(u * u, axis = -1)\n") == "1");
  CHECK(sizeOf("z = sum(relu(u) * v^2, axis = -1)\n") == "1");
  // Of values that are independent and of mean zero the products walk.
  CHECK(sizeOf("z = sum(u * v, axis = -1)\n") == "1/2");
  CHECK(sizeOf("z = sum(relu(u) * v, axis = -1)\n") == "1/2");
  CHECK(sizeOf("z = sum(u, axis = -1)\n") == "1/2");
}

TEST_CASE("a scalar fluctuates about its limit by 1/sqrt n, Tensor Programs III box 1", "[programs][local]") {
  CHECK(sizeOf("z = mean(u^2, axis = -1) - mean(v^2, axis = -1)\n") == "-1/2");
  CHECK(toString(valueOf(analysed(given("z = mean(u^2, axis = -1)\n")), "z").spread) == "-1/2");
}

TEST_CASE("A^T A v has a part along v, Tensor Programs III example 2.8", "[programs][local][matmul.z-dot]") {
  // v . A^T A v adds up; with a second matrix in place of the transpose it walks.
  CHECK(sizeOf("a = (v @ B) @ transpose(B)\nz = mean(v * a, axis = -1)\n") == "0");
  CHECK(sizeOf("a = (v @ B) @ transpose(C)\nz = mean(v * a, axis = -1)\n") == "-1/2");
  CHECK(sizeOf("a = (v @ B) @ transpose(B)\nz = mean(v * a, axis = -1)\n", "a") == "0");
}

TEST_CASE("gradients are not independent of the forward pass, Tensor Programs II 6.3",
          "[programs][local][matmul.z-dot]") {
  // dx = 2 W^T W x at x = (1, .., 1): its coordinates have the mean 2, which a fresh copy of W^T would not give.
  CHECK(sizeOf("o = x[:, 0:1] * ones(1, n)\na = (o @ B) @ transpose(B)\nz = mean(a, axis = -1)\n") == "0");
  CHECK(sizeOf("o = x[:, 0:1] * ones(1, n)\na = (o @ B) @ transpose(C)\nz = mean(a, axis = -1)\n") == "-1/2");
}
