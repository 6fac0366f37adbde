// Whether a compiled program can be what it says.  Numbers are bounded first, so that no sum of them overflows.
#include <algorithm>
#include <cmath>

#include "kernels/elementary.h"
#include "runtime/format/program_file.h"

namespace tpc {
namespace {

constexpr int64_t most = int64_t(1) << 40;  // floats of an arena, entries of anything
constexpr size_t mostAxes = 64, mostPlaces = 60;

struct Contradiction {
  std::string message;
};

void expect(bool holds, const char* otherwise) {
  if (!holds) throw Contradiction{otherwise};
}

int64_t bounded(int64_t number, int64_t least = 0) {
  expect(number >= least && number <= most, "a number is out of all bounds");
  return number;
}

// a * b and a + b of bounded numbers, bounded again.
int64_t product(int64_t a, int64_t b) {
  expect(a == 0 || b <= most / a, "a tensor is too large");
  return a * b;
}

int64_t countOf(const std::vector<int64_t>& shape) {
  expect(shape.size() <= mostAxes, "a tensor has too many axes");
  int64_t count = 1;
  for (int64_t length : shape) count = product(count, bounded(length, 1));
  return count;
}

struct Checker {
  const CompiledProgram& program;
  const ProgramTable& table;
  std::vector<uint32_t> open{};  // the loops around a launch

  void inside(int64_t at, int64_t count) const {
    bounded(at), bounded(count);
    expect(at + count <= program.arena, "a value stands outside of the arena");
  }

  // The last entry that a walk over these axes reaches, counted from its first.
  static int64_t reach(const std::vector<StridedAxis>& axes, int64_t StridedAxis::*stride) {
    expect(axes.size() <= mostAxes, "a loop has too many axes");
    int64_t last = 0;
    for (const StridedAxis& axis : axes) {
      const int64_t step = bounded(axis.*stride), length = bounded(axis.length, 1);
      last = bounded(last + product(step, length - 1));
    }
    return last;
  }

  // `extent` entries at the place, whichever layers the loops around are at.
  void stands(const Place& place, int64_t extent) const {
    int64_t low = bounded(place.offset), high = place.offset;
    expect(place.layers.size() <= mostAxes, "a place moves with too many loops");
    for (auto [loop, stride] : place.layers) {
      expect(std::find(open.begin(), open.end(), loop) != open.end(),
             "a place moves with a loop that is not around it");
      expect(stride >= -most && stride <= most, "a number is out of all bounds");
      const int64_t moved = product(std::abs(stride), program.loops[loop].trips - 1);
      (stride < 0 ? low -= moved : high += moved);
      expect(low >= 0 && high <= most, "a value stands outside of the arena");
    }
    inside(high, extent);
  }

  void places(const Launch& launch, std::initializer_list<int64_t> extents) const {
    expect(launch.places.size() == extents.size(), "a launch has not as many places as it needs");
    size_t i = 0;
    for (int64_t extent : extents) stands(launch.places[i++], extent);
  }

  void productLaunch(const Launch& launch) const {
    expect(launch.of < program.products.size(), "a launch is of nothing");
    const CompiledProduct& one = program.products[launch.of];
    const ProductShape& s = one.shape;
    for (int64_t number : {s.m, s.n, s.k, s.lda, s.ldb, s.ldc, one.rows, one.columns}) bounded(number, 1);
    const auto matrix = [&](bool transposed, int64_t rows, int64_t columns, int64_t lead) {
      if (transposed) std::swap(rows, columns);
      expect(lead >= columns, "a matrix' rows overlap");
      return bounded(product(rows - 1, lead) + columns);
    };
    const auto last = [&](int64_t StridedAxis::*stride) {
      return reach(one.outer, stride) + reach(one.summed, stride);
    };
    places(launch, {last(&StridedAxis::result) + matrix(false, s.m, s.n, s.ldc),
                    last(&StridedAxis::a) + matrix(s.transposedA, s.m, s.k, s.lda),
                    last(&StridedAxis::b) + matrix(s.transposedB, s.k, s.n, s.ldb)});
  }

  void launchOf(const Launch& launch) const {
    const auto walk = [&] {
      expect(launch.of < program.contractions.size(), "a launch is of nothing");
      return &program.contractions[launch.of];
    };
    const auto extent = [](const CompiledContraction& c, int64_t StridedAxis::*stride) {
      return bounded(reach(c.kept, stride) + reach(c.summed, stride) + 1);
    };
    const auto indexing = [&] {
      expect(launch.of < program.indexings.size(), "a launch is of nothing");
      const GatherShape& shape = program.indexings[launch.of].shape;
      for (int64_t number : {shape.before, shape.length, shape.count, shape.after}) bounded(number, 1);
      return &shape;
    };
    switch (launch.kind) {
      case LaunchKind::kernel: {
        expect(launch.of < program.kernels.size(), "a launch is of nothing");
        expect(launch.places.size() == program.kernels[launch.of].places,
               "a launch has not as many places as it needs");
        for (const Place& place : launch.places) stands(place, 0);
        return;
      }
      case LaunchKind::product: return productLaunch(launch);
      case LaunchKind::contraction: {
        const CompiledContraction* c = walk();
        return places(launch,
                      {extent(*c, &StridedAxis::result), extent(*c, &StridedAxis::a), extent(*c, &StridedAxis::b)});
      }
      case LaunchKind::argmax: {
        const CompiledContraction* c = walk();
        return places(launch, {extent(*c, &StridedAxis::result), extent(*c, &StridedAxis::a)});
      }
      case LaunchKind::gather:
      case LaunchKind::scatterAdd: {
        const GatherShape* s = indexing();
        const int64_t whole = product(product(s->before, s->length), s->after);
        const int64_t rows = product(product(s->before, s->count), s->after);
        if (launch.kind == LaunchKind::gather) return places(launch, {rows, whole, s->count});
        return places(launch, {whole, s->count, rows});
      }
      case LaunchKind::checkIndex: return places(launch, {indexing()->count});
      case LaunchKind::dropout: {
        expect(launch.of < program.dropouts.size(), "a launch is of nothing");
        const CompiledDropout& dropout = program.dropouts[launch.of];
        expect(dropout.rate >= 0 && dropout.rate < 1, "a dropout drops everything");
        for (uint32_t loop : dropout.loops) expect(loop < program.loops.size(), "a dropout is in a loop that is none");
        return places(launch, {bounded(dropout.count, 1)});
      }
      case LaunchKind::loop: break;
    }
    expect(false, "a launch is of no kind");
  }

  void list(const std::vector<Launch>& launches, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Launch& launch = launches[i];
      if (launch.kind != LaunchKind::loop) {
        launchOf(launch);
        continue;
      }
      expect(launch.of < program.loops.size() && open.size() < mostAxes, "a launch is of nothing");
      expect(launch.body <= end - i - 1, "a loop's body ends beyond the loop around it");
      expect(std::find(open.begin(), open.end(), launch.of) == open.end(), "a loop runs inside of itself");
      open.push_back(launch.of);
      list(launches, i + 1, i + 1 + launch.body);
      open.pop_back();
      i += launch.body;
    }
  }

  void value(const CompiledValue& value) const {
    if (value.at == -1) return;
    expect(value.shape.size() == value.strides.size(), "a value has not as many strides as axes");
    countOf(value.shape);
    int64_t last = 0;
    for (size_t axis = 0; axis < value.shape.size(); ++axis)
      last = bounded(last + product(bounded(value.strides[axis]), value.shape[axis] - 1));
    inside(value.at, last + 1);
  }

  void parameter(const CompiledParameter& one, const ProgramParameter& named) const {
    const int64_t count = countOf(named.shape);
    inside(one.at, count);
    expect(named.first.kind <= FirstKind::values, "a parameter starts in no known way");
    expect(named.stackedAxes >= 0 && size_t(named.stackedAxes) <= named.shape.size(),
           "a parameter has more layers than axes");
    expect(one.states.empty() || one.states.size() == named.states.size(),
           "a parameter has not the states that it names");
    for (int64_t at : one.states) inside(at, count);
    if (one.gradient != -1) inside(one.gradient, 1);
    for (size_t i = 0; i < one.scalars.size(); ++i) {
      const ScalarStep& step = one.scalars[i];
      expect(int(step.kind) < scalarKindCount, "a number is computed in no known way");
      const bool leaf =
          step.kind == ScalarKind::number || step.kind == ScalarKind::hyper || step.kind == ScalarKind::step;
      expect(leaf || (step.a < i && step.b < i && step.c < i), "a number is computed of later ones");
      expect(step.kind != ScalarKind::map || step.fn < elementaryCount, "a function is none");
      expect(step.kind != ScalarKind::compare || step.fn <= uint8_t(Comparison::ge), "a comparison is none");
    }
    for (auto [from, at] : one.results) {
      expect(from < one.scalars.size(), "a number that is not computed is written");
      inside(at, 1);
    }
  }

  void run() {
    bounded(program.arena), bounded(program.persistent), bounded(program.gradientFloats);
    expect(program.persistent <= program.arena, "more outlives a step than there is");
    for (const CompiledKernel& kernel : program.kernels) {
      expect(kernel.entry < program.code.size(), "a kernel begins outside of the code");
      expect(kernel.places <= mostPlaces, "a kernel has too many places");
      bounded(kernel.extent, 1), bounded(kernel.grain, 1), bounded(kernel.scratch);
    }
    for (const CompiledLoop& loop : program.loops) {
      bounded(loop.trips, 1);
      if (loop.index != -1) inside(loop.index, 1);
    }
    for (const auto* launches : {&program.gradients, &program.norms, &program.updates, &program.evaluation})
      list(*launches, 0, launches->size());
    expect(program.parameters.size() == table.parameters.size(), "it has not as many parameters as its table");
    for (size_t p = 0; p < table.parameters.size(); ++p) parameter(program.parameters[p], table.parameters[p]);
    expect(program.inputs.size() == table.inputs.size(), "it has not as many inputs as its table");
    for (size_t i = 0; i < table.inputs.size(); ++i)
      if (program.inputs[i] != -1) inside(program.inputs[i], countOf(table.inputs[i].shape));
    for (const CompiledConstant& constant : program.constants) inside(constant.at, int64_t(constant.values.size()));
    value(program.loss), value(program.evaluatedLoss);
    for (const CompiledValue& each : program.metrics) value(each);
    for (const CompiledValue& each : program.outputs) value(each);
    const auto batched = [](int axis, const std::vector<int64_t>& shape) {
      return axis >= -1 && axis < int(shape.size());
    };
    for (const ProgramOutput& output : table.outputs) {
      countOf(output.shape);
      expect(batched(output.batchAxis, output.shape), "an output's batch is no axis of it");
    }
    for (const ProgramInput& input : table.inputs)
      expect(batched(input.batchAxis, input.shape) && input.below >= 0 && input.below <= most,
             "an input's numbers are none");
    bounded(table.batch, 1);
    for (int64_t at : {program.clip, program.adds, program.share})
      if (at != -1) inside(at, 1);
    expect((program.adds == -1) == (program.share == -1), "sums of gradients are half there");
  }
};

}  // namespace

std::string violation(const CompiledProgram& program, const ProgramTable& table) {
  try {
    Checker{program, table}.run();
  } catch (const Contradiction& contradiction) {
    return contradiction.message;
  }
  return {};
}

}  // namespace tpc
