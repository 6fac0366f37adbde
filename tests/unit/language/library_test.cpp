// What the library's functions compute, held against sums written out here, and their gradients.
#include <cmath>

#include "tests/catch.h"
#include "tests/unit/language/programs.h"

namespace tpc {

namespace {

// Entry of a row-major tensor; zero outside, as the border of an image is.
double entry(const Tensor& tensor, std::vector<int64_t> index) {
  int64_t at = 0;
  for (size_t axis = 0; axis < index.size(); ++axis) {
    if (index[axis] < 0 || index[axis] >= tensor.shape[axis]) return 0;
    at = at * tensor.shape[axis] + index[axis];
  }
  return tensor.values[size_t(at)];
}

}  // namespace

TEST_CASE("windows lie inside, or as far as zeros reach, in steps", "[language][windows]") {
  struct Case {
    int length, size, stride;
    bool same;
    int places, before;
  };
  for (const Case& one :
       {Case{8, 3, 1, false, 6, 0}, Case{8, 3, 1, true, 8, 1}, Case{8, 4, 4, false, 2, 0}, Case{9, 4, 4, false, 2, 0},
        Case{8, 3, 2, true, 4, 1}, Case{8, 5, 2, true, 4, 2}, Case{8, 2, 1, true, 8, 1}, Case{8, 1, 3, false, 3, 0},
        Case{8, 8, 1, false, 1, 0}, Case{9, 3, 2, true, 5, 1}, Case{8, 1, 2, true, 4, 0}}) {
    INFO(one.length << " " << one.size << " " << one.stride << " " << one.same);
    Program program("size l = " + std::to_string(one.length) +
                    ", c = 2, batch = 2\ninput x [batch, l, c]\nparam w [c]\noutput v = windows(x * w, " +
                    std::to_string(one.size) + ", axis = 1, stride = " + std::to_string(one.stride) +
                    (one.same ? ", same" : "") + ")\nloss = mean(v^2)\n");
    for (double& w : program.values("w").values) w = 1;
    const Tensor x = program.values("x"), v = program.at("v");
    REQUIRE(v.shape == std::vector<int64_t>{2, one.places, one.size, 2});
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t p = 0; p < one.places; ++p)
        for (int64_t k = 0; k < one.size; ++k)
          for (int64_t c = 0; c < 2; ++c)
            CHECK(entry(v, {b, p, k, c}) == entry(x, {b, p * one.stride + k - one.before, c}));
    program.checkGradients();
  }
}

TEST_CASE("a convolution is a sum over the window and the channels", "[language][conv]") {
  for (int stride : {1, 2}) {
    Program program(
        "size s = 4, c = 2, batch = 2\ninput x [batch, s, s + 2, c]\noutput y = conv(x, 3, kernel = 3, stride = " +
        std::to_string(stride) + ")\nloss = mean(y^2)\n");
    CHECK(parametersOf(program.graph) == "conv.w [3, 3, c, 3]; conv.b [3]");
    const Tensor x = program.values("x"), w = program.values("conv.w"), b = program.values("conv.b"),
                 y = program.at("y");
    REQUIRE(y.shape == std::vector<int64_t>{2, 4 / stride, 6 / stride, 3});
    for (int64_t n = 0; n < 2; ++n)
      for (int64_t i = 0; i < y.shape[1]; ++i)
        for (int64_t j = 0; j < y.shape[2]; ++j)
          for (int64_t o = 0; o < 3; ++o) {
            double sum = entry(b, {o});
            for (int64_t di = 0; di < 3; ++di)
              for (int64_t dj = 0; dj < 3; ++dj)
                for (int64_t c = 0; c < 2; ++c)
                  sum += entry(x, {n, i * stride + di - 1, j * stride + dj - 1, c}) * entry(w, {di, dj, c, o});
            CHECK(entry(y, {n, i, j, o}) == Approx(sum).epsilon(1e-12));
          }
    program.checkGradients();
  }
}

TEST_CASE("a convolution in one dimension, and one whose windows lie inside", "[language][conv]") {
  Program program(
      "size t = 6, c = 2, n = 3 -> inf, batch = 2\ninput x [batch, t, c]\nh = conv1d(x, n, kernel = 3)\n"
      "output y = conv1d(h, 2, kernel = 2, same = false, bias = false)\nloss = mean(y^2)\n");
  CHECK(program.at("y").shape == std::vector<int64_t>{2, 5, 2});
  program.checkGradients();
}

TEST_CASE("pools take the largest, or the mean, of each window", "[language][pool]") {
  Program program(
      "size s = 4, c = 2, batch = 1\ninput x [batch, s, s, c]\nparam w [c]\noutput m = maxpool(x * w)\noutput a = "
      "avgpool(x * w)\n"
      "output o = maxpool(x * w, size = 3, stride = 1)\nloss = mean(m^2) + mean(a^2) + mean(o^2)\n");
  for (double& w : program.values("w").values) w = 1;
  const Tensor x = program.values("x"), m = program.at("m"), a = program.at("a"), o = program.at("o");
  REQUIRE(m.shape == std::vector<int64_t>{1, 2, 2, 2});
  REQUIRE(o.shape == std::vector<int64_t>{1, 2, 2, 2});
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 2; ++j)
      for (int64_t c = 0; c < 2; ++c) {
        double most = -2, sum = 0, wide = -2;
        for (int64_t di = 0; di < 2; ++di)
          for (int64_t dj = 0; dj < 2; ++dj) {
            most = std::max(most, entry(x, {0, 2 * i + di, 2 * j + dj, c}));
            sum += entry(x, {0, 2 * i + di, 2 * j + dj, c});
          }
        for (int64_t di = 0; di < 3; ++di)
          for (int64_t dj = 0; dj < 3; ++dj) wide = std::max(wide, entry(x, {0, i + di, j + dj, c}));
        CHECK(entry(m, {0, i, j, c}) == most);
        CHECK(entry(a, {0, i, j, c}) == Approx(sum / 4));
        CHECK(entry(o, {0, i, j, c}) == wide);
      }
  program.checkGradients();
}

TEST_CASE("rotary positions turn planes, so scores depend on distances alone", "[language][rotary]") {
  Program program(
      "size t = 5, e = 6, batch = 1\ninput x [batch, t, e]\nparam w [e]\noutput y = rotary(x * w)\nloss = mean(y^4)\n");
  for (double& w : program.values("w").values) w = 1;
  const Tensor x = program.values("x"), y = program.at("y");
  for (int64_t t = 0; t < 5; ++t)
    for (int64_t i = 0; i < 3; ++i) {
      const double angle = double(t) * std::pow(10000.0, -2.0 * double(i) / 6), a = entry(x, {0, t, i}),
                   b = entry(x, {0, t, i + 3});
      CHECK(entry(y, {0, t, i}) == Approx(a * std::cos(angle) - b * std::sin(angle)).epsilon(1e-12));
      CHECK(entry(y, {0, t, i + 3}) == Approx(a * std::sin(angle) + b * std::cos(angle)).epsilon(1e-12));
    }
  program.checkGradients();
  // The same vector everywhere: q . k depends on the difference of the positions.
  Program same(
      "size t = 5, e = 6, batch = 1\ninput q [e]\ninput k [e]\nparam w [t]\n"
      "a = rotary(ones(t, 1) * q)\nb = rotary(ones(t, 1) * k)\noutput s = a @ b^T\nloss = mean(s @ w)\n");
  const Tensor s = same.at("s");
  for (int64_t i = 0; i + 1 < 5; ++i)
    for (int64_t j = 0; j + 1 < 5; ++j) CHECK(entry(s, {i, j}) == Approx(entry(s, {i + 1, j + 1})).epsilon(1e-10));
}

TEST_CASE("attention of every form has the right gradient", "[language][attention]") {
  for (const char* form :
       {"heads = 2", "heads = 2, causal", "heads = 2, kv_heads = 1, rotary", "heads = 2, qk_norm, rotary, causal"}) {
    INFO(form);
    Program program(std::string("size t = 3, c = 8, batch = 2\ninput x [batch, t, c]\ny = attention(x, ") + form +
                    ")\nloss = mean(y^2)\n");
    program.checkGradients();
  }
}

TEST_CASE("a low-rank adapter is trained beside what is frozen", "[language][lora]") {
  Program program(
      "size n = 4, batch = 2\ninput x [batch, n]\nfn layer(x [b, c]) = linear(x, c) + lora(x, c, rank = 2)\n"
      "h = frozen layer(x)\nloss = mean(h^2)\n");
  CHECK(parametersOf(program.graph) == "layer.linear.w [n, n]; layer.lora.a [n, 2]; layer.lora.b [2, n]");
  for (const Parameter& parameter : program.graph.parameters)
    CHECK((parameter.ownership == Ownership::frozen) == (parameter.name == "layer.linear.w"));
  program.checkGradients();
}

TEST_CASE("sinkhorn's columns sum to one, and its rows nearly", "[language][sinkhorn]") {
  Program program(
      "size k = 4\nparam m [3, k, k]\nparam v [k]\noutput s = sinkhorn(m, steps = 15)\nloss = sum(s @ v)\n");
  const Tensor s = program.at("s");
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t i = 0; i < 4; ++i) {
      double row = 0, column = 0;
      for (int64_t j = 0; j < 4; ++j) row += entry(s, {b, i, j}), column += entry(s, {b, j, i});
      CHECK(column == Approx(1).epsilon(1e-12));
      CHECK(row == Approx(1).epsilon(1e-4));
    }
  program.checkGradients();
}

TEST_CASE("topk marks the k largest, of equal ones the first", "[language][moe]") {
  Program program(
      "size e = 5, batch = 3\ninput x [batch, e]\nparam w [e]\noutput m = topk(x, 2)\nloss = mean(x * w)\n");
  program.values("x").values = {3, 1, 2, 5, 4, 1, 1, 1, 1, 1, -1, -2, 7, 7, 7};
  CHECK(program.at("m").values == std::vector<double>{0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0});
}

TEST_CASE("experts that are not chosen count zero", "[language][moe]") {
  Program program(
      "size n = 3, e = 4, batch = 2, t = 2\ninput x [batch, t, n]\noutput y = moe(x, experts = e, hidden = 5, k = "
      "1)\nloss = mean(y^2)\n");
  CHECK(parametersOf(program.graph) == "moe.w_router [n, e]; moe.w_up [e, n, 5]; moe.w_down [e, 5, n]");
  const Tensor x = program.values("x"), router = program.values("moe.w_router"), up = program.values("moe.w_up"),
               down = program.values("moe.w_down"), y = program.at("y");
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < 2; ++t) {
      int64_t best = 0;
      double most = -1e9;
      for (int64_t e = 0; e < 4; ++e) {
        double s = 0;
        for (int64_t c = 0; c < 3; ++c) s += entry(x, {b, t, c}) * entry(router, {c, e});
        if (s > most) most = s, best = e;
      }
      for (int64_t o = 0; o < 3; ++o) {
        double sum = 0;  // one expert, so its weight is one
        for (int64_t h = 0; h < 5; ++h) {
          double u = 0;
          for (int64_t c = 0; c < 3; ++c) u += entry(x, {b, t, c}) * entry(up, {best, c, h});
          sum += std::max(u, 0.0) * entry(down, {best, h, o});
        }
        CHECK(entry(y, {b, t, o}) == Approx(sum).epsilon(1e-12));
      }
    }
  Program both(
      "size n = 3, e = 4, batch = 2, t = 2\ninput x [batch, t, n]\ny = moe(x, experts = e, hidden = 5, k = 2, act = "
      "gelu)\nloss = mean(y^2)\n");
  both.checkGradients();
}

}  // namespace tpc
