// Every function of the library, compiled, against the interpreter: values, loss and gradients.
#include "tests/catch.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {
namespace {

void check(const std::string& text) {
  INFO(text);
  Program program(text, 11, -1, 1);
  checkCompiled(program.graph, program.bindings, {1e-4});
}

// x [batch, t, c] goes in; whatever comes out is squared and summed.
void sequence(const std::string& expression, int t = 5, int c = 8) {
  check("size t = " + std::to_string(t) + ", c = " + std::to_string(c) +
        ", batch = 2\ninput x [batch, t, c]\nparam s [c]\ny = " + expression + "\noutput z = y\nloss = mean(y * y)\n");
}

void image(const std::string& expression, int side = 6) {
  check("size side = " + std::to_string(side) +
        ", c = 3, batch = 2\ninput x [batch, side, side, c]\nparam s [c]\ny = " + expression +
        "\noutput z = y\nloss = mean(y * y)\n");
}

}  // namespace

TEST_CASE("attention in all its forms", "[lower][library]") {
  sequence("attention(x * s, heads = 2)");
  sequence("attention(x * s, heads = 2, causal)");
  sequence("attention(x * s, heads = 4, kv_heads = 2, causal)");
  sequence("attention(x * s, heads = 2, causal, qk_norm)");
  sequence("attention(x * s, heads = 2, causal, rotary)");
  sequence("attention(x * s, heads = 4, kv_heads = 2, causal, qk_norm, rotary)", 9, 16);
  sequence("attention(x * s, heads = 2, causal)", 1, 4);
  sequence("attention(x * s, heads = 8, causal)", 17, 8);
}

TEST_CASE("layers of one position", "[lower][library]") {
  sequence("linear(x * s, 7, bias)");
  sequence("mlp(x * s, hidden = 13, act = gelu, bias)");
  sequence("swiglu(x * s, hidden = 11, bias)");
  sequence("lora(x * s, 5, rank = 2)");
  sequence("moe(x * s, experts = 4, hidden = 6, k = 2)");
  sequence("moe(x * s, experts = 3, hidden = 5, k = 1, act = silu)");
  sequence("layernorm(x * s)");
  sequence("rmsnorm(x * s)");
  sequence("softmax(x * s)");
  sequence("x * s * topk(x * s, 3)");
  sequence("rotary(x * s)");
  sequence("sinkhorn(x * s, steps = 4)");
}

TEST_CASE("convolutions and pooling", "[lower][library]") {
  sequence("conv1d(x * s, 4, kernel = 3)");
  sequence("conv1d(x * s, 4, kernel = 2, stride = 2, same = false)", 6);
  image("conv(x * s, 4, kernel = 3)");
  image("conv(x * s, 4, kernel = 3, stride = 2)");
  image("conv(x * s, 4, kernel = 2, same = false, bias = false)");
  image("maxpool(x * s)");
  image("avgpool(x * s, size = 3)");
  image("maxpool(relu(conv(x * s, 4)), size = 2)");
}

TEST_CASE("losses, weighted too", "[lower][library]") {
  const std::string head =
      "size n = 6, classes = 5, batch = 7\ninput x [batch, n]\ntarget label [batch] in classes\n"
      "target y [batch, n]\nparam w [n, classes]\nparam v [n]\n";
  check(head + "loss = cross_entropy(x @ w, label) + mse(x * v, y)\n");
  check(
      head +
      "input mask [batch]\nloss = cross_entropy(x @ w, label, weight = mask^2) + mse(x * v, y, weight = (x * v)^2)\n");
  check(head + "metric accuracy = mean(argmax(x @ w) == label)\nloss = cross_entropy(x @ w, label) + mse(x * v, y)\n");
}

}  // namespace tpc
