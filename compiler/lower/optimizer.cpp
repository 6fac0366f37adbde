// What does not depend on the entry (learning rates, 1 - b2^step) is the same number for all of them: the runtime
// computes it once a step, in double, and the loop reads it as one float.  The rest is a loop over the entries that
// reads gradient, parameter and states and writes the last two.
#include "compiler/lower/optimizer.h"

#include <algorithm>
#include <map>

#include "compiler/interpret/interpret.h"

namespace tpc::loops {
namespace {

std::optional<ScalarKind> scalarKind(OpKind kind) {
  switch (kind) {
    case OpKind::add: return ScalarKind::add;
    case OpKind::sub: return ScalarKind::sub;
    case OpKind::mul: return ScalarKind::mul;
    case OpKind::map: return ScalarKind::map;
    case OpKind::maximum: return ScalarKind::maximum;
    case OpKind::minimum: return ScalarKind::minimum;
    case OpKind::compare: return ScalarKind::compare;
    case OpKind::select: return ScalarKind::select;
    default: return std::nullopt;
  }
}

}  // namespace

void appendUpdate(const OptimizerProgram& optimizer, const ProgramParameter& parameter, OpId gradient, int64_t clipAt,
                  Arena& arena, LoopProgram& program, CompiledParameter& compiled) {
  const Graph& graph = optimizer.graph;
  const std::vector<int64_t>& shape = parameter.shape;
  const auto fail = [&](const std::string& why) { return Failure{"the optimizer `" + optimizer.name + "` " + why}; };
  Maker make{program};
  make.phase = 2;
  const auto spreadNumber = [&](int64_t at) { return make.spread(make.persistent(at, {}), shape); };

  const OpId scaled = make.pointwise(OpKind::mul, 0, {gradient, spreadNumber(clipAt)}, shape);
  std::vector<OpId> entries(graph.nodes.size(), none);      // what varies
  std::vector<uint32_t> scalars(graph.nodes.size(), none);  // what does not: a step of the runtime's
  std::map<uint32_t, OpId> given;                           // scalars that the loop reads
  std::map<NodeId, int64_t> stateAt;
  for (size_t k = 0; k < optimizer.states.size(); ++k) stateAt[optimizer.states[k].first] = compiled.states[k];

  const auto scalar = [&](ScalarStep step) {
    compiled.scalars.push_back(step);
    return uint32_t(compiled.scalars.size() - 1);
  };
  const auto entry = [&](NodeId id) {
    if (entries[id] != none) return entries[id];
    const uint32_t step = scalars[id];
    if (!given.contains(step)) {
      const int64_t at = arena.allocate(1);
      compiled.results.emplace_back(step, at);
      given[step] = spreadNumber(at);
    }
    return given[step];
  };
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    const auto operands = graph.operands(id);
    if (node.kind == OpKind::number) {
      ScalarStep step{.kind = ScalarKind::number};
      step.number = valueAt(graph.numbers[node.attribute], {});
      scalars[id] = scalar(step);
      continue;
    }
    if (node.kind == OpKind::argument) {
      const OptimizerArgument& argument = graph.arguments[node.attribute];
      switch (argument.role) {
        case ArgumentRole::grad: entries[id] = scaled; break;
        case ArgumentRole::param: entries[id] = make.persistent(compiled.at, shape); break;
        case ArgumentRole::state:
          if (!stateAt.contains(id)) throw fail("has a state `" + argument.name + "` without a next value");
          entries[id] = make.persistent(stateAt[id], shape);
          break;
        case ArgumentRole::step: scalars[id] = scalar({.kind = ScalarKind::step}); break;
        case ArgumentRole::fanIn:
        case ArgumentRole::fanOut: throw fail("reads a fan, which this version does not compile");
        case ArgumentRole::hyper: {
          ScalarStep step{.kind = ScalarKind::hyper};
          step.number = argument.number;
          const auto at = std::find_if(parameter.hyper.begin(), parameter.hyper.end(),
                                       [&](const auto& each) { return each.first == argument.name; });
          if (at == parameter.hyper.end()) step.kind = ScalarKind::number;
          step.hyper = uint32_t(at - parameter.hyper.begin());
          scalars[id] = scalar(step);
          break;
        }
      }
      continue;
    }
    if (node.kind == OpKind::broadcast || node.kind == OpKind::reshape || node.kind == OpKind::stopGradient) {
      entries[id] = entries[operands[0]], scalars[id] = scalars[operands[0]];
      continue;
    }
    const std::optional<ScalarKind> kind = scalarKind(node.kind);
    if (!kind) throw fail("uses " + std::string(toString(node.kind)) + ", which is not entry by entry");
    const double power =
        node.kind == OpKind::map && MapFn(node.fn) == MapFn::pow ? graph.rationals[node.attribute].toDouble() : 1;
    if (std::all_of(operands.begin(), operands.end(), [&](NodeId each) { return entries[each] == none; })) {
      ScalarStep step{.kind = *kind, .fn = node.fn};
      step.number = power;
      step.a = scalars[operands[0]];
      if (operands.size() > 1) step.b = scalars[operands[1]];
      if (operands.size() > 2) step.c = scalars[operands[2]];
      scalars[id] = scalar(step);
      continue;
    }
    std::vector<OpId> given;
    for (NodeId operand : operands) given.push_back(entry(operand));
    entries[id] = make.pointwise(node.kind, node.fn, given, shape, power);
  }
  const OpId before = make.persistent(compiled.at, shape);
  const OpId after = make.pointwise(OpKind::add, 0, {before, entry(optimizer.update)}, shape);
  std::vector<std::pair<OpId, Storage>> writes;
  writes.emplace_back(after, *program.ops[before].storage);
  for (const auto& [argument, next] : optimizer.states) {
    const OpId held = entries[argument];
    if (entry(next) == held) continue;  // it stays
    // A state that becomes another one as it was: read before that one moves on.
    OpId value = entry(next);
    if (program.ops[value].kind == Kind::memory) value = make.copied(value);
    writes.emplace_back(value, *program.ops[held].storage);
  }
  for (auto& [value, storage] : writes) make.copy(value, storage);
}

}  // namespace tpc::loops
