// From operands and operators in a row to a tree.
//
// The grammar reads  2 * -x ^ 2 + 1  as a flat row; how strongly each operator binds is this table, as in Python:
//
//     loosest    == != < <= > >=     (one at most: a < b < c is an error)
//                + -
//                * / @
//                - before an operand
//     tightest   ^                   (to the right: a^b^c is a^(b^c); 2^-1 is allowed)
//
// A row and a stack instead of one grammar rule for each level: the parser recurses only where brackets do.
#pragma once

#include <string>
#include <vector>

#include "dsl/syntax/ast.h"

namespace tpc::syntax {

// Thrown in this folder only, from within the grammar; parse.cpp's callers never see it.
struct SyntaxError {
  std::string code, message;
  Span span;
  std::string label = {}, help = {};
};

struct RowItem {
  ast::ExprPtr operand;  // or, where null,
  bool prefix = false;   // a minus before an operand, or
  ast::BinaryOp op{};    // an operator between two
  Span span;
};

int bindingStrength(ast::BinaryOp op);
inline constexpr int comparisonStrength = 1, prefixStrength = 4, powerStrength = 5;

ast::ExprPtr treeOf(const std::vector<RowItem>& row);

// Makes a node and refuses one that is too high.
ast::ExprPtr makeExpr(ast::Expr::Node node, Span span);

}  // namespace tpc::syntax
