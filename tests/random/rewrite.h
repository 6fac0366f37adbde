// Rewriting syntax trees: what the moves and the shrinker of this folder share.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dsl/syntax/ast.h"

namespace tpc::tests {

std::optional<ast::Program> parsed(const std::string& text);

// An expression as text makes it.
ast::ExprPtr expression(const std::string& text);

// Every expression that stands for a tensor, innermost first; what the function returns takes its place, null keeps it.
// Shapes, indices, arguments by name, inits, functions and optimizers are left alone.
using Rewrite = std::function<ast::ExprPtr(const ast::ExprPtr&)>;
ast::ExprPtr rewritten(const ast::ExprPtr& expression, const Rewrite& rewrite);
void rewrite(ast::Block& block, const Rewrite& rewrite);

// Every statement outside of functions and optimizers, those of repeats included, with the block that it stands in.
void forEach(ast::Block& block, const std::function<void(ast::Block&, size_t)>& visit);

// The words of a text, strings left out.
std::set<std::string> wordsOf(const std::string& text);

// How often a name is mentioned.
int mentions(const std::string& text, const std::string& name);

// The text with every mention of one name replaced.
std::string withName(const std::string& text, const std::string& name, const std::string& other);

// The text with every word a dash, so that what differs in names alone is equal.
std::string withoutNames(const std::string& text);

// Does it make parameters or free multipliers, which are numbered in the order of the text?
bool isNumbered(const ast::Expr& expression);

}  // namespace tpc::tests
