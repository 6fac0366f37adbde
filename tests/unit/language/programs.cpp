#include "tests/unit/language/programs.h"

#include "compiler/ir/build.h"
#include "compiler/ir/flatten.h"
#include "compiler/transform/differentiate.h"
#include "compiler/transform/simplify.h"
#include "dsl/source/render.h"
#include "dsl/syntax/parse.h"
#include "mlir/IR/Verifier.h"
#include "tests/catch.h"

namespace tpc {

Program::Program(const std::string& text, uint64_t seed, double low, double high, const ImportOptions& options)
    : random_(seed) {
  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add("test.tp", text);
  std::optional<ast::Program> parsed = parse(sources, file, diagnostics);
  INFO(render(diagnostics, sources));
  REQUIRE(parsed);
  auto context = tp::makeContext();
  std::optional<ImportedModule> module = import(*parsed, options, sources, diagnostics, *context);
  INFO(render(diagnostics, sources));
  REQUIRE(module);
  REQUIRE(differentiate(*module->module));
  simplify(*module->module);
  REQUIRE(mlir::succeeded(mlir::verify(*module->module)));
  graph = flatten(*module->module).graph;
  INFO(toString(graph));
  REQUIRE(violation(graph) == "");

  for (const Symbol& symbol : graph.symbols) bindings.numbers.push_back(symbol.number);
  for (const Input& input : graph.inputs) {
    const int64_t below = input.integer ? *input.below.at(bindings.numbers) : 0;
    bindings.inputs.push_back(
        drawn(input.node, [&] { return below > 0 ? double(random_() % uint64_t(below)) : uniform(low, high); }));
  }
  for (uint32_t i = 0; i < graph.parameters.size(); ++i) {
    const Parameter& parameter = graph.parameters[i];
    if (parameter.init.kind == Init::Kind::values || parameter.init.kind == Init::Kind::eye) {
      InitialValue first = initialValue(graph, i, bindings.numbers, {}, seed);
      REQUIRE(first.error == "");
      bindings.parameters.push_back(first.value);
    } else {
      bindings.parameters.push_back(drawn(parameter.node, [&] { return uniform(low, high); }));
    }
  }
}

template <typename Draw>
TensorPtr Program::drawn(NodeId node, Draw draw) {
  Tensor tensor;
  tensor.shape = *shapeAt(graph, node, bindings.numbers);
  tensor.values.resize(size_t(elementCount(tensor.shape)));
  for (double& value : tensor.values) value = draw();
  return std::make_shared<Tensor>(std::move(tensor));
}

Tensor Program::value(const Bindings& where, NodeId node) {
  Evaluation run = evaluate(graph, where, std::vector<NodeId>{node});
  INFO(run.error);
  REQUIRE(run.error.empty());
  return *run.values[node];
}

void Program::checkGradients(double tolerance) {
  for (size_t p = 0; p < graph.parameters.size(); ++p) {
    const Parameter& parameter = graph.parameters[p];
    if (parameter.ownership == Ownership::frozen) continue;
    INFO("parameter " << parameter.name);
    const TensorPtr direction = drawn(parameter.node, [&] { return uniform(-1, 1); });
    auto lossAt = [&](double t) {
      Bindings moved = bindings;
      Tensor tensor = *bindings.parameters[p];
      for (size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] += t * direction->values[i];
      moved.parameters[p] = std::make_shared<const Tensor>(std::move(tensor));
      return value(moved, graph.loss).values[0];
    };
    const double t = 1e-5;
    const double expected = (lossAt(t) - lossAt(-t)) / (2 * t);
    double found = 0;
    if (parameter.gradient != none) {
      const Tensor gradient = value(bindings, parameter.gradient);
      for (size_t i = 0; i < gradient.values.size(); ++i) found += gradient.values[i] * direction->values[i];
    }
    CHECK(found == Approx(expected).epsilon(tolerance).margin(tolerance));
  }
}

Tensor Program::at(const std::string& name) {
  for (NodeId id = 0; id < graph.forwardEnd; ++id)
    if (graph.nodes[id].name != none && graph.names[graph.nodes[id].name] == name) return value(bindings, id);
  for (const Output& output : graph.outputs)
    if (output.name == name) return value(bindings, output.node);
  FAIL("there is no value " << name);
  return {};
}

const Parameter& Program::parameter(const std::string& name) const {
  for (const Parameter& parameter : graph.parameters)
    if (parameter.name == name) return parameter;
  FAIL("there is no parameter " << name);
  return graph.parameters.front();
}

Tensor& Program::values(const std::string& name) {
  for (size_t i = 0; i < graph.parameters.size(); ++i)
    if (graph.parameters[i].name == name) return const_cast<Tensor&>(*bindings.parameters[i]);
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.inputs[i].name == name) return const_cast<Tensor&>(*bindings.inputs[i]);
  FAIL("there is no parameter or input " << name);
  static Tensor nothing;
  return nothing;
}

std::string parametersOf(const Graph& graph) {
  std::string text;
  for (const Parameter& parameter : graph.parameters) {
    text += (text.empty() ? "" : "; ") + parameter.name + " [";
    for (int axis = 0; axis < graph.rank(parameter.node); ++axis)
      text += (axis ? ", " : "") + toString(graph.length(parameter.node, axis), graph.symbols);
    text += "]";
  }
  return text;
}

}  // namespace tpc
