// A program as whoever trains it sees it: its parameters, what it reads and what it gives, at numbers.  No operations.
//
//     parameter  layers.w  [6, 384, 384]  one stack of layers, normal with std 0.051, adamw with states m and v
//     input      token     [32, 256]      whole numbers below 256, one row a sample
//     output     logits    [32, 256, 256]
//
// The compiler writes this table once per binding of sizes; the runtime draws first values, binds data and names
// checkpoints by it, and needs nothing else of the program but the code that steps it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tpc {

enum class FirstKind : uint8_t {
  normal,    // mean zero, standard deviation `number`
  uniform,   // mean zero, standard deviation `number`: on [-a, a] with a = number * sqrt 3
  constant,  // every entry `number`
  eye,       // ones on the diagonal of the last two axes
  values,    // `values`, repeated over the layers where they are those of one
};

struct FirstValues {
  FirstKind kind = FirstKind::normal;
  double number = 0;
  std::vector<double> values{};
};

struct ProgramState {
  std::string name{};  // `m`
  double first = 0;
  bool startsAsParameter = false;
};

struct ProgramParameter {
  std::string name{};  // `layers.attention.wq`
  std::vector<int64_t> shape{};
  int stackedAxes = 0;  // how many of the first axes count layers
  FirstValues first{};
  double multiplier = 1;  // on every use of it: the program reads multiplier * parameter
  bool trains = true;
  std::string optimizer{};             // empty where it does not train
  std::vector<ProgramState> states{};  // of its shape each
  std::vector<std::pair<std::string, double>>
      hyper{};  // the optimizer's numbers, `lr` and others, as the plan gives them
};

struct ProgramInput {
  std::string name{};
  std::vector<int64_t> shape{};
  int batchAxis = -1;  // none: one value for the whole batch
  bool target = false;
  bool integer = false;  // int32 in 0 .. below - 1; else float
  int64_t below = 0;
};

struct ProgramOutput {
  std::string name{};
  std::vector<int64_t> shape{};
  int batchAxis = -1;
  bool metric = false;
};

struct ProgramTable {
  std::string model{};
  std::vector<std::pair<std::string, int64_t>> sizes{};  // of every symbol, `batch` among them
  std::vector<ProgramParameter> parameters{};            // in the program's order
  std::vector<ProgramInput> inputs{};                    // inputs and targets in the program's order
  std::vector<ProgramOutput> outputs{};                  // outputs and metrics in the program's order
  int64_t batch = 1;
};

}  // namespace tpc
