#include "dsl/syntax/precedence.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "dsl/syntax/parse.h"

namespace tpc {

const char* ast::spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::add: return "+";
    case BinaryOp::subtract: return "-";
    case BinaryOp::multiply: return "*";
    case BinaryOp::divide: return "/";
    case BinaryOp::power: return "^";
    case BinaryOp::matmul: return "@";
    case BinaryOp::equal: return "==";
    case BinaryOp::notEqual: return "!=";
    case BinaryOp::less: return "<";
    case BinaryOp::lessEqual: return "<=";
    case BinaryOp::greater: return ">";
    case BinaryOp::greaterEqual: return ">=";
  }
  return "?";
}

namespace syntax {
namespace {

using ast::BinaryOp;
using ast::ExprPtr;

struct Pending {
  bool prefix;
  BinaryOp op;
  Span span;
  int strength() const { return prefix ? prefixStrength : bindingStrength(op); }
};

void reduce(std::vector<ExprPtr>& operands, std::vector<Pending>& pending) {
  Pending top = pending.back();
  pending.pop_back();
  ExprPtr right = operands.back();
  operands.pop_back();
  if (top.prefix) {
    operands.push_back(
        makeExpr(ast::Unary{ast::UnaryOp::minus, right}, {top.span.file, top.span.begin, right->span.end}));
    return;
  }
  ExprPtr left = operands.back();
  operands.pop_back();
  Span span{top.span.file, left->span.begin, right->span.end};
  operands.push_back(makeExpr(ast::Binary{top.op, left, right, top.span}, span));
}

unsigned heightAbove(const ExprPtr& child) { return child ? child->height + 1u : 0u; }

unsigned heightOf(const ast::Expr::Node& node) {
  unsigned height = 0;
  auto above = [&](const ExprPtr& child) { height = std::max(height, heightAbove(child)); };
  if (auto* call = std::get_if<ast::Call>(&node)) {
    for (const ast::Argument& argument : call->arguments) above(argument.value);
  } else if (auto* index = std::get_if<ast::Index>(&node)) {
    above(index->base);
    for (const ast::IndexEntry& e : index->entries) above(e.value), above(e.begin), above(e.end), above(e.step);
  } else if (auto* unary = std::get_if<ast::Unary>(&node)) {
    above(unary->operand);
  } else if (auto* binary = std::get_if<ast::Binary>(&node)) {
    above(binary->left), above(binary->right);
  } else if (auto* tuple = std::get_if<ast::Tuple>(&node)) {
    for (const ExprPtr& element : tuple->elements) above(element);
  }
  return height;
}

}  // namespace

int bindingStrength(BinaryOp op) {
  switch (op) {
    case BinaryOp::power: return powerStrength;
    case BinaryOp::multiply:
    case BinaryOp::divide:
    case BinaryOp::matmul: return 3;
    case BinaryOp::add:
    case BinaryOp::subtract: return 2;
    default: return comparisonStrength;
  }
}

ExprPtr makeExpr(ast::Expr::Node node, Span span) {
  unsigned height = heightOf(node);
  if (height > SyntaxLimits::height)
    throw SyntaxError{
        "TPC0104", "the expression is more than " + std::to_string(SyntaxLimits::height) + " operations deep",
        Span{span.file, span.begin, span.begin + 1}, "begins here", "give inner parts names of their own"};
  return std::make_shared<const ast::Expr>(ast::Expr{std::move(node), span, static_cast<uint16_t>(height)});
}

ExprPtr treeOf(const std::vector<RowItem>& row) {
  std::vector<ExprPtr> operands;
  std::vector<Pending> pending;
  for (const RowItem& item : row) {
    if (item.operand) {
      operands.push_back(item.operand);
      continue;
    }
    if (item.prefix) {
      pending.push_back({true, {}, item.span});
      continue;
    }
    int strength = bindingStrength(item.op);
    while (!pending.empty() && (pending.back().strength() > strength ||
                                (pending.back().strength() == strength && strength != powerStrength))) {
      if (strength == comparisonStrength && pending.back().strength() == comparisonStrength)
        throw SyntaxError{"TPC0108", "comparisons do not chain", item.span, "a second comparison",
                          "compare twice and multiply the results"};
      reduce(operands, pending);
    }
    pending.push_back({false, item.op, item.span});
  }
  while (!pending.empty()) reduce(operands, pending);
  assert(operands.size() == 1 && "the grammar puts an operator between any two operands");
  return operands.back();
}

}  // namespace syntax
}  // namespace tpc
