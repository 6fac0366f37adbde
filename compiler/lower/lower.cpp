// The way down, each call with what holds after it.
#include "compiler/lower/lower.h"

#include <algorithm>
#include <new>

#include "compiler/lower/bind.h"
#include "compiler/lower/code.h"
#include "compiler/lower/emit.h"
#include "compiler/lower/optimizer.h"
#include "compiler/lower/schedule.h"

namespace tpc {
namespace {

using namespace loops;

struct Lowering {
  const Graph& graph;
  const std::vector<OptimizerProgram>& optimizers;
  const LowerOptions& options;
  const ProgramTable& table;
  CompiledProgram compiled{};
  Arena arena{};
  Binding binding{graph};
  KernelTable kernels{};

  const OptimizerProgram& optimizerOf(const ProgramParameter& parameter) const {
    for (const OptimizerProgram& each : optimizers)
      if (each.name == parameter.optimizer) return each;
    throw Failure{"`" + parameter.name + "` has no optimizer"};
  }

  bool trains(size_t p) const {
    return options.training && table.parameters[p].trains && graph.parameters[p].gradient != none;
  }

  // Parameters, states, inputs and multipliers have their places.  From here on nobody moves them.
  void placePersistent() {
    binding.numbers = options.numbers;
    for (size_t p = 0; p < table.parameters.size(); ++p) {
      const ProgramParameter& parameter = table.parameters[p];
      const int64_t count = volume(parameter.shape);
      CompiledParameter one;
      one.at = arena.allocate(count);
      if (options.training && parameter.trains)
        for (size_t k = 0; k < parameter.states.size(); ++k) one.states.push_back(arena.allocate(count));
      binding.parameterAt.push_back(one.at);
      binding.parameterMultipliers.push_back(parameter.multiplier);
      compiled.parameters.push_back(std::move(one));
    }
    for (const ProgramInput& input : table.inputs) {
      binding.inputAt.push_back(arena.allocate(volume(input.shape)));
      compiled.inputs.push_back(binding.inputAt.back());
    }
    for (size_t m = 0; m < graph.freeMultipliers.size(); ++m) {
      const double value = m < options.multipliers.size() ? options.multipliers[m] : 1;
      binding.multiplierAt.push_back(arena.allocate(1));
      compiled.constants.push_back({binding.multiplierAt.back(), {float(value)}});
    }
    if (options.training) compiled.clip = arena.allocate(1);
    if (options.training && options.accumulate) compiled.adds = arena.allocate(1), compiled.share = arena.allocate(1);
  }

  // sum x^2, over few entries at a time where there are many.
  OpId sumOfSquares(Maker& make, OpId x) {
    const std::vector<int64_t> shape = make.program.ops[x].shape;
    OpId squares = make.pointwise(OpKind::map, uint8_t(MapFn::square), {x}, shape);
    std::vector<int> inner, outer;
    for (int axis = 0; axis < int(shape.size()); ++axis)
      (volume(shape) > 4096 && axis + 1 < int(shape.size()) ? outer : inner).push_back(axis);
    OpId sum = make.reduce(ReduceFn::sum, squares, inner);
    while (!make.program.ops[sum].shape.empty())
      sum = make.reduce(ReduceFn::sum, sum, {int(make.program.ops[sum].shape.size()) - 1});
    return sum;
  }

  // sum = (sum or nothing) + gradient, in a place that outlives the batch.
  OpId accumulated(Maker& make, OpId gradient) {
    const std::vector<int64_t> shape = make.program.ops[gradient].shape;
    make.phase = 0;
    const OpId sum = make.persistent(arena.allocate(volume(shape)), shape);
    const OpId before = make.pointwise(
        OpKind::select, 0,
        {make.spread(make.persistent(compiled.adds, {}), shape), sum, make.spread(make.number(0), shape)}, shape);
    const OpId copy =
        make.copy(make.pointwise(OpKind::add, 0, {before, gradient}, shape), *make.program.ops[sum].storage);
    return make.memory(*make.program.ops[sum].storage, shape, {copy});
  }

  // What norms and updates read, each by itself: a step without norms runs no loop of theirs.
  OpId shareOf(Maker& make, OpId gradient) {
    if (!options.accumulate) return gradient;
    const std::vector<int64_t> shape = make.program.ops[gradient].shape;
    return make.pointwise(OpKind::mul, 0, {gradient, make.spread(make.persistent(compiled.share, {}), shape)}, shape);
  }

  struct Step {
    LoopProgram program{};
    std::vector<OpId> kept{};
    std::vector<OpId> gradients{}, norms{};  // per parameter; none where it does not train
  };

  // Values, gradients, their norms, updates.
  Step bindStep(const std::vector<NodeId>& metrics) {
    Step step;
    std::vector<NodeId> wanted{graph.loss};
    wanted.insert(wanted.end(), metrics.begin(), metrics.end());
    const size_t values = wanted.size();
    for (size_t p = 0; p < table.parameters.size(); ++p)
      if (trains(p)) wanted.push_back(graph.parameters[p].gradient);
    const std::vector<OpId> made = bindGraph(binding, wanted, arena, step.program);
    step.kept.assign(made.begin(), made.begin() + ptrdiff_t(values));
    Maker make{step.program};
    size_t next = values;
    for (size_t p = 0; p < table.parameters.size(); ++p) {
      step.gradients.push_back(none), step.norms.push_back(none);
      if (!trains(p)) continue;
      OpId gradient = made[next++];
      const ProgramParameter& parameter = table.parameters[p];
      if (step.program.ops[gradient].shape != parameter.shape)
        throw Failure{"`" + parameter.name + "` has another shape in the table than in the program"};
      compiled.gradientFloats += volume(parameter.shape);
      if (parameter.multiplier != 1) {
        make.phase = 0;
        gradient =
            make.pointwise(OpKind::mul, 0, {gradient, make.spread(make.number(parameter.multiplier), parameter.shape)},
                           parameter.shape);
        step.program.ops[gradient].pinned = true;
      }
      if (options.accumulate) gradient = accumulated(make, gradient);
      step.gradients[p] = gradient;
      make.phase = 1;
      const OpId norm = sumOfSquares(make, shareOf(make, gradient));
      step.program.ops[norm].pinned = true;
      compiled.parameters[p].gradient = arena.allocate(1);
      const OpId place = make.persistent(compiled.parameters[p].gradient, {});
      make.copy(norm, *step.program.ops[place].storage);
      make.phase = 2;
      appendUpdate(optimizerOf(parameter), parameter, shareOf(make, gradient), compiled.clip, arena, step.program,
                   compiled.parameters[p]);
    }
    return step;
  }

  void run() {
    placePersistent();
    std::vector<NodeId> metrics, outputs;
    for (const Output& output : graph.outputs) {
      outputs.push_back(output.node);
      if (output.metric) metrics.push_back(output.node);
    }
    for (NodeId id : options.wanted) {
      if (graph.nodes[id].region != none) throw Failure{"a value inside of a repeat has no single place"};
      outputs.push_back(id);
    }
    Step step;
    const bool training = options.training && graph.loss != none;
    if (training) step = bindStep(metrics);
    LoopProgram evaluation;
    std::vector<OpId> evaluated;
    if (options.outputs) {
      std::vector<NodeId> wanted = outputs;
      if (graph.loss != none) wanted.push_back(graph.loss);
      evaluated = bindGraph(binding, wanted, arena, evaluation);
    }
    // Every place that outlives a step is given; the rest of the arena is used again and again.
    compiled.persistent = compiled.arena = arena.floats;
    if (training) {
      Schedule schedule = scheduled(step.program, step.kept, arena.floats, kernels, compiled);
      compiled.gradients = std::move(schedule.phases[0]);
      compiled.norms = std::move(schedule.phases[1]);
      compiled.updates = std::move(schedule.phases[2]);
      compiled.flops = schedule.flops;
      compiled.loss = standing(step.program, step.kept[0]);
      for (size_t i = 0; i < metrics.size(); ++i) compiled.metrics.push_back(standing(step.program, step.kept[i + 1]));
    }
    if (options.outputs) {
      Schedule schedule = scheduled(evaluation, evaluated, arena.floats, kernels, compiled);
      compiled.evaluation = std::move(schedule.phases[0]);
      for (size_t i = 0; i < outputs.size(); ++i) compiled.outputs.push_back(standing(evaluation, evaluated[i]));
      if (graph.loss != none) compiled.evaluatedLoss = standing(evaluation, evaluated.back());
    }
    emit();
  }

  // Each distinct loop once, in machine code.
  void emit() {
    const mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(mlir::UnknownLoc::get(&loweringContext())));
    for (size_t i = 0; i < kernels.kernels.size(); ++i)
      emitKernel(*module, "k" + std::to_string(i), kernels.kernels[i]);
    MachineCode code = machineCode(*module, {options.mlir, options.llvm, options.assembly});
    for (size_t i = 0; i < kernels.kernels.size(); ++i) {
      const Kernel& kernel = kernels.kernels[i];
      const std::string name = "k" + std::to_string(i);
      compiled.kernels.push_back(
          {name, code.entries.at(name), kernel.placeCount, kernel.extent(), kernel.grain(), kernel.scratch()});
    }
    compiled.code = std::move(code.bytes);
    compiled.target = std::move(code.target);
  }
};

}  // namespace

std::optional<CompiledProgram> lower(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                     const LowerOptions& options, const ProgramTable& table, std::string& error) {
  if (table.parameters.size() != graph.parameters.size() || table.inputs.size() != graph.inputs.size()) {
    error = "the table is of another program";
    return std::nullopt;
  }
  try {
    Lowering lowering{graph, optimizers, options, table};
    lowering.run();
    return std::move(lowering.compiled);
  } catch (const Failure& failure) {
    error = failure.message;
  } catch (const std::bad_alloc&) {
    error = "there is not enough memory for these sizes";
  }
  return std::nullopt;
}

}  // namespace tpc
