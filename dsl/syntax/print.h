// A syntax tree as canonical text, as `tpc fmt` writes it.
//
// Promise: parse(print(program)) is the same program, for every program that the parser made.  Comments and single
// empty lines between statements and comments are kept.
#pragma once

#include <string>

#include "dsl/syntax/ast.h"

namespace tpc {

std::string print(const ast::Program& program);
std::string print(const ast::Expr& expression);
std::string print(const ast::Statement& statement);

// The same tree, wherever its pieces stand and whatever comments stand between them.
bool same(const ast::Program& a, const ast::Program& b);
bool same(const ast::Expr& a, const ast::Expr& b);

}  // namespace tpc
