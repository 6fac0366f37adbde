// A program under construction, for the tests of this folder.
#pragma once

#include "compiler/ir/build.h"
#include "compiler/ir/flatten.h"
#include "compiler/transform/differentiate.h"
#include "compiler/transform/simplify.h"
#include "mlir/IR/Verifier.h"
#include "tests/catch.h"

namespace tpc {

inline const Length batch = Length::symbol(0), n = Length::symbol(1), depth = Length::symbol(2);

struct Made {
  std::unique_ptr<mlir::MLIRContext> context = tp::makeContext();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      tp::module(context.get(), {{"batch", false, 3}, {"n", true, 4}, {"L", true, 3}});
  mlir::OpBuilder b{context.get()};
  mlir::Location at = b.getUnknownLoc();

  Made() { tp::beginProgram(b, *module, "test"); }

  mlir::Value parameter(const std::string& name, const std::vector<Length>& shape, bool stacked = false,
                        bool frozen = false) {
    Parameter parameter;
    parameter.name = name;
    if (frozen) parameter.ownership = Ownership::frozen;
    return tp::parameter(b, at, parameter, shape, stacked);
  }
  mlir::Value input(const std::string& name, const std::vector<Length>& shape, int below = 0) {
    Input input;
    input.name = name;
    if (below > 0) input.integer = true, input.below = Length::number(below);
    return tp::input(b, at, input, shape);
  }
  mlir::Value constant(double number, const std::vector<Length>& shape) {
    return tp::fill(b, at, tp::number(b, at, number), shape);
  }
  mlir::Value sum(mlir::Value x) {
    std::vector<int> axes;
    for (size_t i = 0; i < tp::lengthsOf(x).size(); ++i) axes.push_back(int(i));
    return tp::reduce(b, at, ReduceFn::sum, x, axes);
  }
  void lossOfSum(mlir::Value x) { tp::loss(b, at, sum(x)); }

  // The graph with its gradient; every invariant that must hold of any such graph is checked.
  Graph differentiated() {
    REQUIRE(mlir::succeeded(mlir::verify(*module)));
    REQUIRE(differentiate(*module));
    simplify(*module);
    std::string text;
    llvm::raw_string_ostream out(text);
    module->print(out);
    INFO(text);
    REQUIRE(mlir::succeeded(mlir::verify(*module)));
    Graph graph = flatten(*module).graph;
    INFO(toString(graph));
    REQUIRE(violation(graph) == "");
    for (NodeId id = 0; id < graph.forwardEnd; ++id) {
      if (graph.nodes[id].gradient) FAIL("a gradient stands in the forward program");
      if (graph.gradientOf[id] != none && graph.nodes[graph.gradientOf[id]].shape != graph.nodes[id].shape)
        FAIL("an adjoint of another shape");
    }
    for (NodeId id = graph.forwardEnd; id < graph.nodes.size(); ++id)
      if (!graph.nodes[id].gradient) FAIL("a forward node stands behind the gradient");
    return graph;
  }
};

}  // namespace tpc
