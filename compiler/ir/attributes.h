// The attributes of operations as the tables of graph.h have them, and back.
#pragma once

#include "compiler/ir/dialect.h"

namespace tpc::tp {

template <typename T>
std::vector<int> ints(const T& values) {
  return {values.begin(), values.end()};
}

template <typename T>
mlir::DenseI64ArrayAttr intsAttribute(mlir::MLIRContext* context, const T& values) {
  return mlir::DenseI64ArrayAttr::get(context, std::vector<int64_t>(values.begin(), values.end()));
}

// Of a verified operation: every label is in 0 .. 255, every group in range.
inline Contraction labelsOf(ContractOp op) {
  Contraction labels;
  labels.a.assign(op.getA().begin(), op.getA().end());
  labels.b.assign(op.getB().begin(), op.getB().end());
  labels.result.assign(op.getLabels().begin(), op.getLabels().end());
  return labels;
}

inline Regroup groupsOf(ReshapeOp op) {
  Regroup groups;
  llvm::ArrayRef<int64_t> flat = op.getGroups();
  for (size_t i = 0; i + 1 < flat.size(); i += 2) groups.groups.emplace_back(uint8_t(flat[i]), uint8_t(flat[i + 1]));
  return groups;
}

}  // namespace tpc::tp
