// A compiled program: machine code of its kernels, the order in which they are launched, and where in one arena every
// value stands.  Plain data, made by compiler/lower and run by the runtime without a compiler.
//
//     kernels   k0: relu(a + b) over [64, 128]
//     gradients product x W1 -> a;  k0 a b1 -> h;  ..        one list a step, loops inside
//     updates   k7 gradient, W1, m, v -> W1, m, v            one launch a parameter
//     arena     W1 at 0, b1 at 100352, ..                    in floats, every place on a cache line
//
// All values are floats, row-major unless strides say otherwise; integers are floats that are whole.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/indexing.h"
#include "kernels/product.h"

namespace tpc {

// A place in the arena; inside loops it moves with their indices.
struct Place {
  int64_t offset = 0;                                     // floats
  std::vector<std::pair<uint32_t, int64_t>> layers = {};  // (loop, floats for one more layer)
  friend bool operator==(const Place&, const Place&) = default;
};

// void kernel(float* const* places, int64_t first, int64_t last): the units first .. last - 1 of `extent`, whole blocks
// of `grain`.  Behind the places of the launch stands one to write to, of `scratch` floats, of the thread's own.
struct CompiledKernel {
  std::string name{};
  uint64_t entry = 0;  // offset in the code
  uint32_t places = 0;
  int64_t extent = 1, grain = 1, scratch = 0;
};

// A matrix product for each combination of the outer axes; those that are summed add up in one result.
struct CompiledProduct {
  ProductShape shape{};
  std::vector<StridedAxis> outer{}, summed{};
  int64_t rows = 1, columns = 1;  // of one block: the work of one thread at a time
};

struct CompiledContraction {
  std::vector<StridedAxis> kept{}, summed{};
};

struct CompiledIndexing {
  GatherShape shape{};
};

struct CompiledDropout {
  std::string name{};
  double rate = 0;
  int64_t count = 1;
  std::vector<uint32_t> loops{};  // around it, outermost first
};

struct CompiledLoop {
  int64_t trips = 1;
  bool reversed = false;
  int64_t index = -1;  // where the layer's index is wanted as a number
};

enum class LaunchKind : uint8_t {
  kernel,       // kernels[of](places)
  product,      // products[of](c, a, b)
  contraction,  // contractions[of](c, a, b)
  argmax,       // contractions[of](result, a): `summed` is the axis
  gather,       // indexings[of](result, table, index)
  scatterAdd,   // indexings[of](result, index, updates)
  checkIndex,   // indexings[of](index)
  dropout,      // dropouts[of](mask)
  loop,         // loops[of]: the next `body` launches
};
inline constexpr int launchKindCount = int(LaunchKind::loop) + 1;

struct Launch {
  LaunchKind kind{};
  uint32_t of = 0;
  uint32_t body = 0;
  std::vector<Place> places{};
};

// What an optimizer computes of its numbers and of the step alone, in double: 1 - b2^step in float would lose digits.
enum class ScalarKind : uint8_t { number, hyper, step, add, sub, mul, map, maximum, minimum, compare, select };
inline constexpr int scalarKindCount = int(ScalarKind::select) + 1;
struct ScalarStep {
  ScalarKind kind{};
  uint8_t fn = 0;                // of map and compare
  uint32_t hyper = 0;            // index into ProgramParameter::hyper
  double number = 0;             // or a power
  uint32_t a = 0, b = 0, c = 0;  // earlier steps
};

struct CompiledParameter {
  int64_t at = 0;
  std::vector<int64_t> states{};
  int64_t gradient = -1;  // where its squared norm is left; -1: it does not train
  std::vector<ScalarStep> scalars{};
  std::vector<std::pair<uint32_t, int64_t>> results{};  // (scalar step, where its float goes)
};

struct CompiledValue {
  int64_t at = -1;  // -1: nothing was compiled for it
  std::vector<int64_t> shape{}, strides{};
};

struct CompiledConstant {
  int64_t at = 0;
  std::vector<float> values{};
};

struct CompiledProgram {
  std::string target{};  // the instruction sets that the code uses, as GCC names them: "avx2 fma"
  std::vector<uint8_t> code{};
  std::vector<CompiledKernel> kernels{};
  std::vector<CompiledProduct> products{};
  std::vector<CompiledContraction> contractions{};
  std::vector<CompiledIndexing> indexings{};
  std::vector<CompiledDropout> dropouts{};
  std::vector<CompiledLoop> loops{};
  std::vector<Launch> gradients{}, norms{}, updates{}, evaluation{};
  std::vector<CompiledParameter> parameters{};  // as ProgramTable's
  std::vector<int64_t> inputs{};                // per ProgramTable::inputs; -1: nothing reads it
  std::vector<CompiledConstant> constants{};
  CompiledValue loss{}, evaluatedLoss{};
  std::vector<CompiledValue> metrics{};  // of a step, per metric
  std::vector<CompiledValue> outputs{};  // of an evaluation, per ProgramTable::outputs
  int64_t clip = -1;                     // where the factor of all gradients stands
  // Where sums over several batches are kept: whether this one adds to the sum, and the share of each; -1: they are
  // not.
  int64_t adds = -1, share = -1;
  int64_t arena = 0, persistent = 0;  // floats; the first `persistent` outlive a step
  int64_t gradientFloats = 0;
  double flops = 0;  // of a step's products
};

}  // namespace tpc
