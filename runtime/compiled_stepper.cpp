// Launches run in order; each is cut into blocks that do not depend on the number of threads.
//
// Between steps only the first `persistent` floats of the arena count: parameters, states, constants, inputs.  A step
// is three lists, so that nothing has changed yet when the loss and the gradients' norm are looked at.
#include "runtime/compiled_stepper.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "kernels/elementary.h"
#include "kernels/indexing.h"
#include "kernels/product.h"
#include "kernels/random.h"
#include "runtime/code.h"
#include "runtime/pool.h"

namespace tpc {
namespace {

using Entry = void (*)(float* const* places, int64_t first, int64_t last);

constexpr size_t line = 64;

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};

// Evaluated in order; the numbers of one parameter's optimizer.
std::vector<double> scalarsOf(const std::vector<ScalarStep>& steps, const std::vector<double>& hyper, int64_t step) {
  std::vector<double> values;
  for (const ScalarStep& s : steps) {
    const auto a = [&] { return values[s.a]; };
    const auto b = [&] { return values[s.b]; };
    double value = 0;
    switch (s.kind) {
      case ScalarKind::number: value = s.number; break;
      case ScalarKind::hyper: value = s.hyper < hyper.size() ? hyper[s.hyper] : s.number; break;
      case ScalarKind::step: value = double(step); break;
      case ScalarKind::add: value = a() + b(); break;
      case ScalarKind::sub: value = a() - b(); break;
      case ScalarKind::mul: value = a() * b(); break;
      case ScalarKind::map: value = elementary(Elementary(s.fn), a(), s.number); break;
      case ScalarKind::maximum: value = larger(a(), b()); break;
      case ScalarKind::minimum: value = smaller(a(), b()); break;
      case ScalarKind::compare: value = comparison(Comparison(s.fn), a(), b()); break;
      case ScalarKind::select: value = a() != 0 ? b() : values[s.c]; break;
    }
    values.push_back(value);
  }
  return values;
}

struct DropoutDraw {
  bool training = false;
  uint64_t seed = 0;
  int64_t step = 1;
};

class CompiledStepper final : public Stepper {
 public:
  CompiledStepper(CompiledProgram program, ProgramTable table, int threads)
      : program_(std::move(program)), table_(std::move(table)), pool_(std::max(1, threads)) {}

  bool prepare(std::string& error) {
    const std::string missing = missingInstructions(program_.target);
    if (!missing.empty()) return error = "the code uses " + missing + ", which this machine does not have", false;
    code_ = Code::load(program_.code, error);
    if (!code_) return false;
    const size_t bytes = (size_t(std::max<int64_t>(program_.arena, 1)) * sizeof(float) + line - 1) / line * line;
    arena_.reset(static_cast<float*>(std::aligned_alloc(line, bytes)));
    if (!arena_) return error = "there is not enough memory for " + std::to_string(bytes) + " bytes", false;
    std::memset(arena_.get(), 0, bytes);
    int64_t scratch = 0;
    for (const CompiledKernel& kernel : program_.kernels) {
      entries_.push_back(reinterpret_cast<Entry>(code_->at(kernel.entry)));
      scratch = std::max(scratch, kernel.scratch);
    }
    scratch = (scratch + 15) / 16 * 16 + 16;
    scratch_.resize(size_t(pool_.threads()) * scratch + 16);
    scratchStride_ = scratch;
    for (const CompiledConstant& constant : program_.constants)
      std::copy(constant.values.begin(), constant.values.end(), arena_.get() + constant.at);
    trips_.assign(program_.loops.size(), 0);
    states_.resize(table_.parameters.size());
    for (size_t p = 0; p < table_.parameters.size(); ++p) {
      const CompiledParameter& parameter = program_.parameters[p];
      const int64_t count = countOf(table_.parameters[p].shape);
      parameters_.push_back({ElementType::f32, count, arena_.get() + parameter.at});
      for (int64_t at : parameter.states) states_[p].push_back({ElementType::f32, count, arena_.get() + at});
    }
    return true;
  }

  const ProgramTable& table() const override { return table_; }
  std::span<const StepBuffer> parameters() override { return parameters_; }
  std::span<const StepBuffer> states(size_t p) override { return states_[p]; }

  StepResult step(const StepRequest& request) override {
    StepResult result;
    if (program_.loss.at < 0) return result.error = "it was compiled without a loss", result;
    result.error = bind(request.inputs, true);
    if (!result.error.empty()) return result;
    if (request.parts > 1 && !accumulates()) return result.error = "it was compiled without sums of gradients", result;
    if (accumulates()) {
      arena_.get()[program_.adds] = request.part > 0 ? 1 : 0;
      arena_.get()[program_.share] = 1 / float(std::max(request.parts, 1));
    }
    draw_ = {true, request.seed + uint64_t(request.part), request.step};
    run(program_.gradients);
    result.error = error_;
    if (!result.error.empty()) return result;
    result.loss = arena_.get()[program_.loss.at];
    for (const CompiledValue& metric : program_.metrics) result.metrics.push_back(single(metric));
    if (!std::isfinite(result.loss) || request.part + 1 < request.parts) return result;
    float factor = 1;
    if (request.clip > 0 || request.measure) {
      run(program_.norms);
      double squares = 0;
      for (const CompiledParameter& parameter : program_.parameters)
        if (parameter.gradient >= 0) squares += arena_.get()[parameter.gradient];
      result.gradientNorm = std::sqrt(squares);
      if (!std::isfinite(result.gradientNorm)) return result;
      if (request.clip > 0 && result.gradientNorm > request.clip) factor = float(request.clip / result.gradientNorm);
    }
    if (program_.clip >= 0) arena_.get()[program_.clip] = factor;
    static const std::vector<double> nothing;
    for (size_t p = 0; p < program_.parameters.size(); ++p) {
      const CompiledParameter& parameter = program_.parameters[p];
      const std::vector<double> values =
          scalarsOf(parameter.scalars, p < request.hyper.size() ? request.hyper[p] : nothing, request.step);
      for (auto [from, at] : parameter.results) arena_.get()[at] = float(values[from]);
    }
    run(program_.updates);
    result.error = error_;
    result.updated = result.error.empty();
    return result;
  }

  bool accumulates() const override { return program_.adds >= 0; }

  EvaluateResult evaluate(std::span<const void* const> inputs) override {
    EvaluateResult result;
    result.error = bind(inputs, true);
    if (!result.error.empty()) return result;
    draw_ = {};
    run(program_.evaluation);
    result.error = error_;
    result.loss = program_.evaluatedLoss.at < 0 ? std::numeric_limits<double>::quiet_NaN()
                                                : double(arena_.get()[program_.evaluatedLoss.at]);
    for (size_t i = 0; i < table_.outputs.size() && i < program_.outputs.size(); ++i)
      if (table_.outputs[i].metric) result.metrics.push_back(single(program_.outputs[i]));
    return result;
  }

  std::vector<float> fetch(std::span<const void* const> inputs, size_t output, std::string& error) override {
    std::vector<float> values;
    error = output < program_.outputs.size() && program_.outputs[output].at >= 0 ? bind(inputs, false)
                                                                                 : "it was not compiled";
    if (!error.empty()) return values;
    draw_ = {};
    run(program_.evaluation);
    error = error_;
    if (!error.empty()) return values;
    const CompiledValue& value = program_.outputs[output];
    values.reserve(size_t(countOf(value.shape)));
    gatherInto(values, value, 0, arena_.get() + value.at);
    return values;
  }

  StepMemory memory() const override {
    StepMemory memory;
    int64_t parameters = 0, states = 0;
    for (size_t p = 0; p < table_.parameters.size(); ++p) {
      const int64_t count = countOf(table_.parameters[p].shape);
      parameters += count;
      states += count * int64_t(program_.parameters[p].states.size());
    }
    memory.parameters = parameters * int64_t(sizeof(float));
    memory.states = states * int64_t(sizeof(float));
    memory.gradients = program_.gradientFloats * int64_t(sizeof(float));
    memory.values = (program_.arena - parameters - states - program_.gradientFloats) * int64_t(sizeof(float));
    return memory;
  }
  double flops() const override { return program_.flops; }

 private:
  static int64_t countOf(const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t length : shape) count *= length;
    return count;
  }

  double single(const CompiledValue& value) const {
    if (value.at < 0 || countOf(value.shape) != 1) return std::numeric_limits<double>::quiet_NaN();
    return arena_.get()[value.at];
  }

  static void gatherInto(std::vector<float>& out, const CompiledValue& value, size_t axis, const float* at) {
    if (axis == value.shape.size()) return out.push_back(*at);
    for (int64_t i = 0; i < value.shape[axis]; ++i) gatherInto(out, value, axis + 1, at + i * value.strides[axis]);
  }

  // The batch into the arena.  A target may be missing where only an output is asked for.
  std::string bind(std::span<const void* const> inputs, bool all) {
    for (size_t i = 0; i < table_.inputs.size(); ++i) {
      const ProgramInput& input = table_.inputs[i];
      if (program_.inputs[i] < 0) continue;
      float* to = arena_.get() + program_.inputs[i];
      const int64_t count = countOf(input.shape);
      if (i >= inputs.size() || inputs[i] == nullptr) {
        if (all || !input.target) return "`" + input.name + "` is given no values";
        std::fill(to, to + count, 0.0f);
        continue;
      }
      if (!input.integer) {
        std::memcpy(to, inputs[i], size_t(count) * sizeof(float));
        continue;
      }
      const int32_t* from = static_cast<const int32_t*>(inputs[i]);
      for (int64_t j = 0; j < count; ++j) {
        if (from[j] < 0 || from[j] >= input.below)
          return "`" + input.name + "` holds " + std::to_string(from[j]) + ", not a whole number in 0 .. " +
                 std::to_string(input.below - 1);
        to[j] = float(from[j]);
      }
    }
    return {};
  }

  float* resolve(const Place& place) const {
    int64_t offset = place.offset;
    for (auto [loop, stride] : place.layers) offset += trips_[loop] * stride;
    return arena_.get() + offset;
  }

  void run(const std::vector<Launch>& launches) {
    error_.clear();
    runRange(launches, 0, launches.size());
  }

  void runRange(const std::vector<Launch>& launches, size_t begin, size_t end) {
    for (size_t i = begin; i < end && error_.empty(); ++i) {
      const Launch& launch = launches[i];
      if (launch.kind != LaunchKind::loop) {
        runOne(launch);
        continue;
      }
      const CompiledLoop& loop = program_.loops[launch.of];
      for (int64_t round = 0; round < loop.trips; ++round) {
        trips_[launch.of] = loop.reversed ? loop.trips - 1 - round : round;
        if (loop.index >= 0) arena_.get()[loop.index] = float(trips_[launch.of]);
        runRange(launches, i + 1, i + 1 + launch.body);
      }
      trips_[launch.of] = 0;
      i += launch.body;
    }
  }

  void runOne(const Launch& launch) {
    constexpr size_t most = 64;
    float* places[most];
    const size_t count = launch.places.size();
    for (size_t i = 0; i < count; ++i) places[i] = resolve(launch.places[i]);
    switch (launch.kind) {
      case LaunchKind::kernel: {
        const CompiledKernel& kernel = program_.kernels[launch.of];
        const Entry entry = entries_[launch.of];
        const int64_t blocks = (kernel.extent + kernel.grain - 1) / kernel.grain;
        pool_.run(blocks, [&](int64_t block, int thread) {
          float* mine[most];
          std::copy(places, places + count, mine);
          mine[count] =
              scratch_.data() + 16 - (uintptr_t(scratch_.data()) / sizeof(float)) % 16 + thread * scratchStride_;
          entry(mine, block * kernel.grain, std::min((block + 1) * kernel.grain, kernel.extent));
        });
        return;
      }
      case LaunchKind::product: return runProduct(program_.products[launch.of], places);
      case LaunchKind::contraction: {
        const CompiledContraction& c = program_.contractions[launch.of];
        return contractStrided(places[0], places[1], places[2], c.kept, c.summed);
      }
      case LaunchKind::argmax: {
        const CompiledContraction& c = program_.contractions[launch.of];
        return argmaxStrided(places[0], places[1], c.kept, c.summed);
      }
      case LaunchKind::gather:
        return expectInside(gatherRows(places[0], places[1], places[2], program_.indexings[launch.of].shape));
      case LaunchKind::scatterAdd: {
        const GatherShape& shape = program_.indexings[launch.of].shape;
        constexpr int64_t columns = 64;
        std::atomic<bool> inside{true};
        pool_.run((shape.after + columns - 1) / columns, [&](int64_t block, int) {
          if (!scatterAddRows(places[0], places[1], places[2], shape, block * columns,
                              std::min((block + 1) * columns, shape.after)))
            inside = false;
        });
        return expectInside(inside);
      }
      case LaunchKind::checkIndex: {
        const GatherShape& shape = program_.indexings[launch.of].shape;
        return expectInside(indicesInside(places[0], shape.count, shape.length));
      }
      case LaunchKind::dropout: return drop(program_.dropouts[launch.of], places[0]);
      case LaunchKind::loop: return;
    }
  }

  void expectInside(bool inside) {
    if (!inside) error_ = "an index is not a whole number inside of its axis";
  }

  // Blocks of the result; every one of them sums over all of `summed`, in order.
  void runProduct(const CompiledProduct& product, float* const* places) {
    const ProductShape& whole = product.shape;
    const int64_t rowBlocks = (whole.m + product.rows - 1) / product.rows;
    const int64_t columnBlocks = (whole.n + product.columns - 1) / product.columns;
    int64_t outer = 1, summed = 1;
    for (const StridedAxis& axis : product.outer) outer *= axis.length;
    for (const StridedAxis& axis : product.summed) summed *= axis.length;
    pool_.run(outer * rowBlocks * columnBlocks, [&](int64_t block, int) {
      const int64_t column = block % columnBlocks * product.columns;
      block /= columnBlocks;
      const int64_t row = block % rowBlocks * product.rows;
      block /= rowBlocks;
      ProductShape shape = whole;
      shape.m = std::min(product.rows, whole.m - row), shape.n = std::min(product.columns, whole.n - column);
      float* c = places[0] + row * whole.ldc + column;
      const float* a = places[1] + row * (whole.transposedA ? 1 : whole.lda);
      const float* b = places[2] + column * (whole.transposedB ? whole.ldb : 1);
      for (size_t i = product.outer.size(); i-- > 0;) {
        const StridedAxis& axis = product.outer[i];
        const int64_t at = block % axis.length;
        block /= axis.length;
        a += at * axis.a, b += at * axis.b, c += at * axis.result;
      }
      for (int64_t s = 0; s < summed; ++s) {
        const float *as = a, *bs = b;
        int64_t rest = s;
        for (size_t i = product.summed.size(); i-- > 0;) {
          const StridedAxis& axis = product.summed[i];
          const int64_t at = rest % axis.length;
          rest /= axis.length;
          as += at * axis.a, bs += at * axis.b;
        }
        tpc::product(c, as, bs, shape, s > 0);
      }
    });
  }

  // As the interpreter draws it: keyed by (seed, the place's name with the step and the outer layers, layer, element).
  void drop(const CompiledDropout& dropout, float* mask) {
    if (!draw_.training) return void(std::fill(mask, mask + dropout.count, 1.0f));
    std::string name = dropout.name + "@" + std::to_string(draw_.step);
    for (size_t i = 0; i + 1 < dropout.loops.size(); ++i) name += "/" + std::to_string(trips_[dropout.loops[i]]);
    const RandomStream stream(draw_.seed, name, dropout.loops.empty() ? 0 : uint32_t(trips_[dropout.loops.back()]));
    const float kept = float(1 / (1 - dropout.rate));
    constexpr int64_t grain = 16384;
    pool_.run((dropout.count + grain - 1) / grain, [&](int64_t block, int) {
      for (int64_t i = block * grain; i < std::min((block + 1) * grain, dropout.count); ++i)
        mask[i] = stream.uniform(uint64_t(i)) >= dropout.rate ? kept : 0.0f;
    });
  }

  CompiledProgram program_;
  ProgramTable table_;
  Pool pool_;
  std::unique_ptr<Code> code_;
  std::vector<Entry> entries_;
  std::unique_ptr<float, Free> arena_;
  std::vector<float> scratch_;
  int64_t scratchStride_ = 0;
  std::vector<int64_t> trips_;
  std::vector<StepBuffer> parameters_;
  std::vector<std::vector<StepBuffer>> states_;
  DropoutDraw draw_;
  std::string error_;
};

}  // namespace

std::unique_ptr<Stepper> compiledStepper(CompiledProgram program, ProgramTable table, int threads, std::string& error) {
  auto stepper = std::make_unique<CompiledStepper>(std::move(program), std::move(table), threads);
  if (!stepper->prepare(error)) return nullptr;
  return stepper;
}

}  // namespace tpc
