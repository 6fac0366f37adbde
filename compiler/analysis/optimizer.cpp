// What an update is made of, read off the optimizer's own program.
//
//     momentum   update = -lr * m,  m = b m + grad           entry: lr + g        p = 1
//     adam       update = -lr * m / (sqrt(v) + eps), ...     entry: lr            p = 0
//
// The update's size is a max-plus function of the sizes of the gradient, the parameter and the hyperparameters.  It is
// evaluated with the gradient at several sizes (eps follows the gradient, as the plan makes it): the slope is p, and a
// function that is not a line there is refused.
#include <set>

#include "compiler/analysis/run.h"

namespace tpc {
namespace {

Size updateAt(const OptimizerProgram& optimizer, Rational gradient, Rational parameter) {
  const Graph& graph = optimizer.graph;
  std::vector<Size> size(graph.nodes.size(), Size::zero());
  std::vector<Size> state(graph.nodes.size(), Size::zero());
  for (auto [argument, next] : optimizer.states) {
    const OptimizerArgument& facts = graph.arguments[graph.nodes[argument].attribute];
    state[argument] = facts.startsAsParam ? Size::power(parameter) : facts.number == 0 ? Size::zero() : Size::power(0);
  }
  for (int round = 0; round < 4; ++round) {
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      const Node& node = graph.nodes[id];
      auto operands = graph.operands(id);
      switch (node.kind) {
        case OpKind::argument: {
          const OptimizerArgument& argument = graph.arguments[node.attribute];
          switch (argument.role) {
            case ArgumentRole::grad: size[id] = Size::power(gradient); break;
            case ArgumentRole::param: size[id] = Size::power(parameter); break;
            case ArgumentRole::state: size[id] = state[id]; break;
            case ArgumentRole::hyper:
              size[id] = argument.name == "decay" ? Size::zero()
                         : argument.name == "eps" ? Size::power(gradient)
                                                  : Size::power(0);
              break;
            default: size[id] = Size::power(0);
          }
          break;
        }
        case OpKind::number: {
          const Number& number = graph.numbers[node.attribute];
          size[id] = number.kind != Number::Kind::plain || number.coefficient == 0 ? Size::zero() : Size::power(0);
          break;
        }
        case OpKind::add:
        case OpKind::sub:
        case OpKind::maximum:
        case OpKind::minimum: size[id] = max(size[operands[0]], size[operands[1]]); break;
        case OpKind::mul: size[id] = size[operands[0]] + size[operands[1]]; break;
        case OpKind::select: size[id] = max(size[operands[1]], size[operands[2]]); break;
        case OpKind::compare: size[id] = Size::power(0); break;
        case OpKind::broadcast:
        case OpKind::stopGradient: size[id] = size[operands[0]]; break;
        case OpKind::map: {
          Rational power = MapFn(node.fn) == MapFn::pow ? graph.rationals[node.attribute] : Rational(0);
          size[id] = mapSize(factsOf(MapFn(node.fn), power), size[operands[0]], Sign::unknown);
          break;
        }
        default: return Size::notAnalysed();
      }
    }
    for (auto [argument, next] : optimizer.states) state[argument] = max(state[argument], size[next]);
  }
  return size[optimizer.update];
}

}  // namespace

OptimizerFacts factsOf(const OptimizerProgram& optimizer) {
  OptimizerFacts facts;
  for (const OptimizerArgument& argument : optimizer.graph.arguments) {
    facts.hasEps |= argument.role == ArgumentRole::hyper && argument.name == "eps";
    facts.hasDecay |= argument.role == ArgumentRole::hyper && argument.name == "decay";
  }
  auto at = [&](Rational gradient, Rational parameter) { return updateAt(optimizer, gradient, parameter); };
  const Size base = at(0, 0), up = at(1, 0), down = at(-2, 0), withParameter = at(0, 1);
  if (!base.isPower() || !up.isPower() || !down.isPower()) {
    facts.analysed = false;
    facts.why = "the update of `" + optimizer.name + "` uses an operation whose effect on sizes is not known";
    return facts;
  }
  facts.entry = base.exponent;
  facts.homogeneity = up.exponent - base.exponent;
  if (down.exponent != base.exponent - facts.homogeneity * Rational(2)) {
    facts.analysed = false;
    facts.why = "the update of `" + optimizer.name + "` is not homogeneous in the gradient";
  }
  if (withParameter != base) {
    facts.analysed = false;
    facts.why = "the update of `" + optimizer.name + "` depends on the parameter's size beyond weight decay";
  }
  return facts;
}

}  // namespace tpc
