// Building by hand: interning, listing, and the invariants that `violation` names.
#include "compiler/graph/graph.h"

#include <ctime>

#include "tests/catch.h"

using namespace tpc;

namespace {

// h = relu(x @ W) summed, by hand.
struct Small {
  Graph graph;
  Length n = Length::symbol(0), batch = Length::number(8);
  NodeId x, W, product, h, sum;
  Small() {
    graph.symbols = {{"n", true, 64}};
    GraphBuilder build(graph);
    graph.inputs.push_back({.name = "x", .node = 0});
    graph.parameters.push_back({.name = "W", .node = 1});
    graph.contractions.push_back({{0, 1}, {1, 2}, {0, 2}});
    graph.axes.push_back({{0, 1}});
    x = build.append(OpKind::input, {}, std::vector{batch, n}, {.attribute = 0});
    W = build.append(OpKind::parameter, {}, std::vector{n, n}, {.attribute = 0});
    product = build.append(OpKind::contract, std::vector{x, W}, std::vector{batch, n}, {.attribute = 0});
    h = build.append(OpKind::map, std::vector{product}, std::vector{batch, n}, {.fn = uint8_t(MapFn::relu)});
    graph.nodes[h].name = build.name("h");
    sum = build.append(OpKind::reduce, std::vector{h}, std::vector<Length>{}, {.attribute = 0});
    graph.loss = sum;
    graph.forwardEnd = NodeId(graph.nodes.size());
  }
};

}  // namespace

TEST_CASE("a graph built by hand is whole and lists itself", "[graph]") {
  Small small;
  CHECK(violation(small.graph) == "");
  CHECK(toString(small.graph) ==
        "0  input : 8 n\n1  parameter : n n\n2  contract 0 1 : 8 n\n3  map relu 2 : 8 n = h\n4  reduce sum 3 :\n");
}

TEST_CASE("lengths, shapes and names are interned, also by a second builder", "[graph]") {
  Small small;
  const size_t shapes = small.graph.shapes.size();
  GraphBuilder again(small.graph);
  CHECK(again.shape(std::vector{small.batch, small.n}) == small.graph.nodes[small.x].shape);
  CHECK(again.length(small.n) == small.graph.shape(small.W)[0]);
  CHECK(again.name("h") == small.graph.nodes[small.h].name);
  CHECK(small.graph.shapes.size() == shapes);
}

TEST_CASE("operands may be given as those of an earlier node", "[graph]") {
  Small small;
  GraphBuilder build(small.graph);
  for (int i = 0; i < 100; ++i)
    build.append(OpKind::contract, small.graph.operands(small.product), small.graph.nodes[small.product].shape,
                 {.attribute = 0});
  CHECK(violation(small.graph) == "");
}

TEST_CASE("what is wrong with a graph is said at its node", "[graph]") {
  Small small;
  SECTION("shapes of elementwise operands") {
    small.graph.nodes[small.h].shape = small.graph.nodes[small.W].shape;
    CHECK(violation(small.graph) == "node 3 (map): operands and result differ in shape");
  }
  SECTION("labels of a contraction") {
    small.graph.contractions[0].result = {0, 1};
    CHECK(violation(small.graph) == "node 2 (contract): a label of one operand alone is summed");
  }
  SECTION("operands that come later") {
    small.graph.operandPool[small.graph.nodes[small.h].firstOperand] = small.sum;
    CHECK(violation(small.graph) == "node 3 (map): an operand does not come before it");
  }
  SECTION("a missing attribute") {
    small.graph.nodes[small.sum].attribute = none;
    CHECK(violation(small.graph) == "node 4 (reduce): its axes are missing");
  }
}

TEST_CASE("a body's values are not read from outside", "[graph][repeat]") {
  Small small;
  GraphBuilder build(small.graph);
  const NodeId argument =
      build.append(OpKind::bodyArgument, {}, std::vector{small.batch, small.n}, {.attribute = 0, .region = 0});
  const NodeId next = build.append(OpKind::map, std::vector{argument}, std::vector{small.batch, small.n},
                                   {.fn = uint8_t(MapFn::tanh), .region = 0});
  const NodeId repeat = build.append(OpKind::repeat, std::vector{small.h}, std::vector<Length>{}, {.attribute = 0});
  small.graph.repeats.push_back({.node = repeat,
                                 .bodyBegin = argument,
                                 .bodyEnd = repeat,
                                 .trips = Length::number(3),
                                 .name = "layers",
                                 .carried = 1,
                                 .arguments = {argument},
                                 .yields = {next}});
  build.append(OpKind::repeatResult, std::vector{repeat}, std::vector{small.batch, small.n}, {.attribute = 0});
  CHECK(violation(small.graph) == "");
  build.append(OpKind::map, std::vector{next}, std::vector{small.batch, small.n}, {.fn = uint8_t(MapFn::tanh)});
  CHECK(violation(small.graph) == "node 9 (map): it reads a value inside a body from outside");
}

TEST_CASE("three hundred thousand nodes are built in a moment", "[graph]") {
  Small small;
  GraphBuilder build(small.graph);
  const std::clock_t begin = std::clock();  // of this process: other work on the machine does not count
  NodeId last = small.h;
  for (int i = 0; i < 300000; ++i) {
    last = build.append(OpKind::add, std::vector{last, small.h}, std::vector{small.batch, small.n}, {});
    small.graph.nodes[last].name = build.name("v" + std::to_string(i));
  }
  const double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
  CHECK(violation(small.graph) == "");
  CHECK(seconds < 10);
}
