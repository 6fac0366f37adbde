// The tables of TP5, derived over a graph built by hand: no parser, no MLIR.
#include "tests/catch.h"
#include "tests/unit/analysis/hand_graphs.h"

using namespace tpc;
using namespace tpc::test;

namespace {

// f = relu(relu(x W1 + b1) W2) W3, with its gradient written out.
Network mlp() {
  Network net;
  NodeId x = net.input("x", {"batch", "p"}), y = net.input("y", {"batch", "c"});
  NodeId W1 = net.parameter("W1", {"p", "n"}), b1 = net.parameter("b1", {"n"});
  NodeId W2 = net.parameter("W2", {"n", "n"}), W3 = net.parameter("W3", {"n", "c"});
  NodeId h1 = net.add(net.contract("bp,pn->bn", x, W1), net.broadcast(b1, {-1, 0}, {"batch", "n"}));
  NodeId x1 = net.map(MapFn::relu, h1);
  NodeId h2 = net.contract("bn,nm->bm", x1, W2);
  NodeId x2 = net.map(MapFn::relu, h2);
  NodeId f = net.contract("bn,nc->bc", x2, W3);
  net.output("f", f);
  net.graph.loss = net.reduceSum(net.mul(f, y), {0, 1});
  net.beginGradient();
  NodeId df = y;
  net.gradient("W3", net.contract("bn,bc->nc", x2, df));
  NodeId dx2 = net.contract("bc,nc->bn", df, W3);
  NodeId dh2 = net.mul(dx2, net.map(MapFn::step, h2));
  net.gradient("W2", net.contract("bn,bm->nm", x1, dh2));
  NodeId dx1 = net.contract("bm,nm->bn", dh2, W2);
  NodeId dh1 = net.mul(dx1, net.map(MapFn::step, h1));
  net.gradient("b1", net.reduceSum(dh1, {0}));
  net.gradient("W1", net.contract("bp,bn->pn", x, dh1));
  return net;
}

struct Row {
  const char* name;
  Rational init, lr, eps;
};

void checkRows(const std::string& optimizer, Gauge gauge, std::vector<Row> rows, std::vector<Rational> multipliers) {
  Network net = mlp();
  REQUIRE(violation(net.graph) == "");
  Analysis analysis = analyse(net.graph, {sgd(), adam()}, {.optimizer = optimizer});
  REQUIRE(analysis.symbols.size() == 1);
  for (size_t r = 0; r < rows.size(); ++r)
    for (size_t i = 0; i < net.graph.parameters.size(); ++i) {
      if (net.graph.parameters[i].name != rows[r].name) continue;
      INFO(optimizer << " " << rows[r].name << " gauge " << int(gauge));
      GaugedParameter g = inGauge(analysis.symbols[0].parameters[i], gauge);
      CHECK(toString(g.initStd) == toString(rows[r].init));
      CHECK(toString(g.lr) == toString(rows[r].lr));
      CHECK(toString(g.eps) == toString(rows[r].eps));
      CHECK(toString(g.multiplier) == toString(multipliers[r]));
      CHECK(toString(analysis.symbols[0].parameters[i].status) == "maximal");
    }
  const SymbolVerdict& verdict = analysis.symbols[0].verdict;
  CHECK(verdict.stableInit);
  CHECK(verdict.stableTraining);
  CHECK(verdict.nontrivial);
  CHECK(toString(verdict.regime) == "feature_learning");
}

const Rational h = half;

}  // namespace

TEST_CASE("Table 3 of TP5 comes out for SGD and Adam", "[analysis][tp5]") {
  checkRows("sgd", Gauge::plain, {{"W1", 0, 1, -1}, {"b1", 0, 1, -1}, {"W2", -h, 0, -1}, {"W3", -1, -1, 0}},
            {0, 0, 0, 0});
  checkRows("adam", Gauge::plain, {{"W1", 0, 0, -1}, {"b1", 0, 0, -1}, {"W2", -h, -1, -1}, {"W3", -1, -1, 0}},
            {0, 0, 0, 0});
}

TEST_CASE("Table 8 of TP5 comes out for SGD and Adam", "[analysis][tp5]") {
  checkRows("sgd", Gauge::readout, {{"W1", 0, 1, -1}, {"b1", 0, 1, -1}, {"W2", -h, 0, -1}, {"W3", 0, 1, -1}},
            {0, 0, 0, -1});
  checkRows("adam", Gauge::readout, {{"W1", 0, 0, -1}, {"b1", 0, 0, -1}, {"W2", -h, -1, -1}, {"W3", 0, 0, -1}},
            {0, 0, 0, -1});
}

TEST_CASE("Table 9 of TP5 comes out for SGD and Adam", "[analysis][tp5]") {
  checkRows("sgd", Gauge::sgd, {{"W1", -h, 0, -h}, {"b1", -h, 0, -h}, {"W2", -h, 0, -1}, {"W3", -h, 0, -h}},
            {h, h, 0, -h});
  checkRows("adam", Gauge::sgd, {{"W1", -h, -h, -h}, {"b1", -h, -h, -h}, {"W2", -h, -1, -1}, {"W3", -h, -h, -h}},
            {h, h, 0, -h});
}
