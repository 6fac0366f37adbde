// An analysed program at numbers into a compiled one: machine code, launches, one arena.
//
//     LowerOptions options{.numbers = {512, 128, ..}, .multipliers = {0.125, ..}};
//     std::optional<CompiledProgram> program = lower(graph, optimizers, options, table, error);
//
// The same graph that was analysed and that the interpreter runs; what its operations mean is compiler/interpret's
// page, in float instead of double.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "runtime/format/compiled.h"
#include "runtime/format/program.h"

namespace tpc {

struct LowerOptions {
  std::vector<int64_t> numbers{};     // of the symbols, `batch` among them
  std::vector<double> multipliers{};  // per free multiplier; empty: all 1
  bool training = true;               // with gradients and updates
  bool accumulate = false;            // with sums of gradients over several batches, at the cost of their memory
  bool outputs = true;                // with the program's outputs and metrics, for evaluation
  std::vector<NodeId> wanted{};       // more values of an evaluation, outside of repeats: outputs behind the table's
  std::string* mlir = nullptr;        // listings that are wanted
  std::string* llvm = nullptr;
  std::string* assembly = nullptr;
};

// Empty with the reason in words where an operation has no lowering or the sizes do not fit.  The table's parameters,
// inputs and outputs stand in the graph's order.
std::optional<CompiledProgram> lower(const Graph& graph, const std::vector<OptimizerProgram>& optimizers,
                                     const LowerOptions& options, const ProgramTable& table, std::string& error);

}  // namespace tpc
