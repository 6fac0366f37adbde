// Units in their order, with places, as launches.  Private to the room.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/lower/bind.h"
#include "compiler/lower/kernel.h"
#include "runtime/format/compiled.h"

namespace tpc::loops {

// Kernels of all lists of launches; equal ones are one.
struct KernelTable {
  std::vector<Kernel> kernels{};
  std::map<std::string, uint32_t> byKey{};
  uint32_t find(Kernel kernel);
};

// Launches by phase, in one list each.
struct Schedule {
  std::vector<Launch> phases[3];
  double flops = 0;  // of the products, trips counted
};

// Groups, places and orders the program; its tables go into `compiled`.  `kept` must stand until the end.  The end of
// the arena is raised where the temporary values, from `begin` on, reach beyond it.
Schedule scheduled(LoopProgram& program, const std::vector<OpId>& kept, int64_t begin, KernelTable& kernels,
                   CompiledProgram& compiled);

// Where a value stands, or a view of one.
CompiledValue standing(const LoopProgram& program, OpId id);

}  // namespace tpc::loops
