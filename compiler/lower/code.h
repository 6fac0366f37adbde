// MLIR's functions as machine code for this machine, in one piece that stands anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mlir/IR/BuiltinOps.h"

namespace tpc::loops {

struct MachineCode {
  std::vector<uint8_t> bytes{};
  std::map<std::string, uint64_t> entries{};  // per function: where in the bytes it begins
  std::string target{};                       // the instruction sets it uses
};

struct CodeListings {
  std::string* mlir = nullptr;
  std::string* llvm = nullptr;
  std::string* assembly = nullptr;
};

// Throws Failure.
MachineCode machineCode(mlir::ModuleOp module, const CodeListings& listings);

mlir::MLIRContext& loweringContext();

}  // namespace tpc::loops
