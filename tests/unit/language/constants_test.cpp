// Constants, of expressions and of files, masks of one's own, and dropout.
#include <cmath>
#include <map>

#include "compiler/interpret/sparsity.h"
#include "tests/catch.h"
#include "tests/unit/language/programs.h"

namespace tpc {

namespace {

std::map<std::string, std::string> files;

ImportOptions withFiles() {
  ImportOptions options;
  options.read = [](const std::string& path, size_t, std::string& reason) -> std::optional<std::string> {
    if (files.contains(path)) return files.at(path);
    reason = "No such file or directory";
    return std::nullopt;
  };
  return options;
}

const std::string head = "size n = 4, t = 3, batch = 2\ninput x [batch, n]\n";

// By name, whether Graph::sparse holds it along n.
bool isSparse(Program& program, const std::string& name) {
  countNonzeros(program.graph);
  SymbolId n = none;
  for (SymbolId id = 0; id < program.graph.symbols.size(); ++id)
    if (program.graph.symbols[id].name == "n") n = id;
  for (const auto& [node, symbol] : program.graph.sparse)
    if (symbol == n && program.graph.nodes[node].name != none &&
        program.graph.names[program.graph.nodes[node].name] == name)
      return true;
  return false;
}

}  // namespace

TEST_CASE("a constant is read from a text, row by row", "[language][constants]") {
  files = {{"mask.csv", "1, 0, 0\n0.5, 1, 0\n0, 0.5, 1\n"},
           {"row.txt", "1 2 3 4\n"},
           {"column.txt", "1\n2\n3\n4\n"},
           {"one.txt", "7"}};
  Program program(
      head +
          "const m [t, t] from \"mask.csv\"\nconst r [n] from \"row.txt\"\nconst c [n] from \"column.txt\"\n"
          "const s [] from \"one.txt\"\nparam w [n]\noutput o = m\nloss = mean(x * w * r * c * s) + mean(m)\n",
      1, -1, 1, withFiles());
  CHECK(program.at("m").values == std::vector<double>{1, 0, 0, 0.5, 1, 0, 0, 0.5, 1});
  CHECK(program.graph.constants.size() == 4);
  program.checkGradients();
}

TEST_CASE("a constant is made once, also in a repeat, and each layer may choose its own", "[language][constants]") {
  files = {{"scales.csv", "1\n2\n4\n"}};
  Program program(
      head +
          "h = x\nrepeat t as layers {\n  const all [t] from \"scales.csv\"\n  const two [n] = 2 * ones(n)\n"
          "  param w [n, n] init two\n  h = tanh(h @ w * all[layers] + two)\n}\nloss = mean(h)\n",
      1, -1, 1, withFiles());
  for (const Node& node : program.graph.nodes)
    if (node.kind == OpKind::constant) CHECK(node.region == none);
  program.checkGradients();
}

TEST_CASE("whole numbers of a file index", "[language][constants]") {
  files = {{"order.txt", "3 0 2\n"}};
  Program program(head +
                      "const order [t] in n from \"order.txt\"\nparam w [n]\noutput y = x[:, order]\nloss = mean((x * "
                      "w)[:, order]^2)\n",
                  1, -1, 1, withFiles());
  const Tensor x = program.values("x"), y = program.at("y");
  CHECK(y.values == std::vector<double>{x.values[3], x.values[0], x.values[2], x.values[7], x.values[4], x.values[6]});
  program.checkGradients();
}

TEST_CASE("bands, rows and permutations are found to be sparse, triangles are not", "[language][constants][sparse]") {
  Program program(
      "size n = 64 -> inf, d = 4\ninput x [batch, n]\nparam W [n, n]\n"
      "const band [n, n] = where(abs(iota(n)[:, new] - iota(n)[new, :]) <= 2, 1, 0)\n"
      "const lower [n, n] = where(iota(n)[:, new] >= iota(n)[new, :], 1, 0)\n"
      "const first [n] = where(iota(n) < 3, 1, 0)\n"
      "const reversed [n, n] = where(iota(n)[:, new] + iota(n)[new, :] == n - 1, 1, 0)\n"
      "const row [n, n] = where(iota(n)[:, new] == 0, 1, 0) * ones(n)\n"
      "param U [n]\nh = x @ (band * W) + x @ (lower * W) + x @ reversed + x @ (row * W) + sum(first * U)\nloss = "
      "mean(h^2)\n");
  CHECK(isSparse(program, "band"));
  CHECK_FALSE(isSparse(program, "lower"));
  CHECK(isSparse(program, "first"));
  CHECK(isSparse(program, "reversed"));
  CHECK_FALSE(isSparse(program, "row"));  // one in a column, n in a row
}

TEST_CASE("nothing is dropped in evaluation, and in training what is kept grows", "[language][dropout]") {
  Program program(
      "size n = 200, batch = 50\ninput x [batch, n]\nparam w [n]\noutput kept = dropout(ones(50, n) * w, 0.25)\n"
      "loss = mean(dropout(x * w, 0.25))\n");
  for (double& value : program.values("w").values) value = 1;
  for (double value : program.at("kept").values) CHECK(value == 1);
  program.bindings.training = Draws{.seed = 3, .step = 1};
  const Tensor first = program.at("kept");
  double zeros = 0;
  for (double value : first.values) {
    CHECK((value == 0 || value == Approx(1 / 0.75)));
    zeros += value == 0;
  }
  // 10000 draws: within five standard deviations of a quarter.
  CHECK(std::abs(zeros / 10000 - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 10000));
  CHECK(program.at("kept").values == first.values);
  program.bindings.training->step = 2;
  CHECK(program.at("kept").values != first.values);
  program.checkGradients();
}

TEST_CASE("each place and each layer draws its own, and the gradient sees the same draw", "[language][dropout]") {
  Program program(
      "size n = 32, batch = 2\ninput x [batch, n]\nparam w [n]\nh = x * w\nrepeat 3 as a {\n  repeat 2 as b {\n    h = "
      "tanh(h + 0.1)\n    d = dropout(h, 0.5)\n"
      "    m = d / h\n    collect m\n    h = d + 0.2\n  }\n  m2 = m * 1\n  collect m2\n}\n"
      "output masks = m2\nloss = mean(h^2) + mean(dropout(x * w, 0.5)^2)\n");
  program.bindings.training = Draws{.seed = 1, .step = 1};
  program.checkGradients();
  const Tensor masks = program.at("masks");
  REQUIRE(masks.values.size() == 6 * 64);
  for (int a = 0; a < 6; ++a)
    for (int b = 0; b < a; ++b)
      CHECK_FALSE(std::equal(masks.values.begin() + a * 64, masks.values.begin() + a * 64 + 64,
                             masks.values.begin() + b * 64, [](double x, double y) { return (x == 0) == (y == 0); }));
  REQUIRE(program.graph.dropouts.size() >= 2);
  CHECK(program.graph.dropouts[0].name == "a.b.dropout");
  CHECK(program.graph.dropouts[1].name == "dropout");
}

}  // namespace tpc
