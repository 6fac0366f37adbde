// The `tp` dialect: programs with symbolic lengths as MLIR.  TpOps.td lists its operations; build.h makes them.
//
// Names, positions and gradients survive every transformation as attributes:
//
//     tp.name      the variable an operation's value was assigned to, by its path
//     tp.gradient  the operation was made by differentiation
//     tp.id        a number for the operation's value, so that `tp.adjoint` can speak of it
//
// A span is the operation's location; see build.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "llvm/ADT/Hashing.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tpc {

// For MLIR's uniquing of types and attributes.
llvm::hash_code hash_value(const Length& length);
llvm::hash_code hash_value(const std::vector<Length>& lengths);
llvm::hash_code hash_value(const std::vector<std::pair<SymbolId, Rational>>& powers);

}  // namespace tpc

#include "TpDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "TpTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "TpAttributes.h.inc"
#define GET_OP_CLASSES
#include "TpOps.h.inc"

namespace tpc::tp {

inline constexpr llvm::StringLiteral nameAttribute = "tp.name";
inline constexpr llvm::StringLiteral gradientAttribute = "tp.gradient";
inline constexpr llvm::StringLiteral idAttribute = "tp.id";
inline constexpr llvm::StringLiteral symbolsAttribute = "tp.symbols";

inline const std::vector<Length>& lengthsOf(mlir::Value value) {
  return llvm::cast<Tensor>(value.getType()).getLengths();
}

}  // namespace tpc::tp
