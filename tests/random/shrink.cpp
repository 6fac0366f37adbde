#include "tests/random/shrink.h"

#include <algorithm>
#include <set>
#include <vector>

#include "dsl/syntax/print.h"
#include "tests/random/rewrite.h"

namespace tpc::tests {
namespace {

// Declarations that nothing mentions any more are mistakes of a program; they go with what mentioned them.
void dropUnused(ast::Program& program) {
  for (bool changed = true; changed;) {
    changed = false;
    const std::string text = print(program);
    forEach(program.body, [&](ast::Block& block, size_t i) {
      if (changed) return;
      std::string name;
      if (const auto* param = block.statements[i].as<ast::Param>()) name = param->name.text;
      if (const auto* input = block.statements[i].as<ast::Input>()) name = input->name.text;
      if (name.empty() || mentions(text, name) > 1) return;
      block.statements.erase(block.statements.begin() + long(i));
      changed = true;
    });
  }
}

// What the program divides by, or takes the logarithm of, whatever it is called there.  A smaller divisor is another
// program, not a smaller one: W / sqrt(mean(W^2) + tiny(1e-8)) must not become W / W.
std::set<std::string> divisors(const std::string& text) {
  std::set<std::string> found;
  std::optional<ast::Program> program = parsed(text);
  if (!program) return found;
  rewrite(program->body, [&](const ast::ExprPtr& e) {
    const auto* binary = e->as<ast::Binary>();
    if (binary && binary->op == ast::BinaryOp::divide) found.insert(withoutNames(print(*binary->right)));
    const auto* call = e->as<ast::Call>();
    if (call && (call->callee.text == "log" || call->callee.text == "sqrt")) found.insert(withoutNames(print(*e)));
    return ast::ExprPtr();
  });
  return found;
}

// Every program that is one step smaller.
std::vector<std::string> smaller(const std::string& text) {
  std::vector<std::string> all;
  const std::optional<ast::Program> program = parsed(text);
  if (!program) return all;
  const std::set<std::string> known = divisors(text);
  const auto offer = [&](ast::Program& changed) {
    dropUnused(changed);
    std::string made = print(changed);
    if (made.size() >= print(*program).size()) return;
    const std::set<std::string> now = divisors(made);
    if (std::includes(known.begin(), known.end(), now.begin(), now.end())) all.push_back(std::move(made));
  };
  int statements = 0, expressions = 0;
  ast::Program counting = *program;
  forEach(counting.body, [&](ast::Block&, size_t) { ++statements; });
  rewrite(counting.body, [&](const ast::ExprPtr&) { return ++expressions, ast::ExprPtr(); });
  for (int which = statements; which-- > 0;) {
    int at = 0;
    ast::Program changed = *program, spliced = *program, without = *program;
    forEach(changed.body, [&](ast::Block& block, size_t i) {
      if (at++ == which) block.statements.erase(block.statements.begin() + long(i));
    });
    offer(changed);
    at = 0;
    ast::Program joined = *program;
    std::string from, to;
    forEach(joined.body, [&](ast::Block& block, size_t i) {
      const auto* assign = block.statements[i].as<ast::Assign>();
      if (at++ != which || !assign || assign->targets.size() != 1 || !assign->value->is<ast::NameRef>()) return;
      from = assign->targets[0].text, to = assign->value->as<ast::NameRef>()->name;
      block.statements.erase(block.statements.begin() + long(i));
    });
    if (!from.empty())
      if (std::optional<ast::Program> renamed = parsed(withName(print(joined), from, to))) offer(*renamed);
    at = 0;
    bool splices = false;
    forEach(spliced.body, [&](ast::Block& block, size_t i) {
      if (at++ != which || !block.statements[i].is<ast::Repeat>()) return;
      const std::vector<ast::Statement> inner = block.statements[i].as<ast::Repeat>()->body.statements;
      block.statements.erase(block.statements.begin() + long(i));
      block.statements.insert(block.statements.begin() + long(i), inner.begin(), inner.end());
      splices = true;
    });
    if (splices) offer(spliced);
    at = 0;
    forEach(without.body, [&](ast::Block& block, size_t i) {
      auto* param = std::get_if<ast::Param>(&block.statements[i].node);
      if (at++ == which && param) param->init = nullptr, param->initFixed = false, param->frozen = false;
    });
    offer(without);
  }
  for (int which = 0; which < expressions; ++which)
    for (int child = 0; child < 2; ++child) {
      int at = 0;
      ast::Program changed = *program;
      rewrite(changed.body, [&](const ast::ExprPtr& e) -> ast::ExprPtr {
        if (at++ != which) return nullptr;
        if (const auto* binary = e->as<ast::Binary>()) return child == 0 ? binary->left : binary->right;
        if (const auto* unary = e->as<ast::Unary>()) return unary->operand;
        if (const auto* index = e->as<ast::Index>()) return index->base;
        if (const auto* call = e->as<ast::Call>(); call && !call->arguments.empty())
          return child == 0 ? call->arguments.front().value : call->arguments.back().value;
        return nullptr;
      });
      offer(changed);
    }
  return all;
}

}  // namespace

std::string shrunk(const std::string& text, const std::function<bool(const std::string&)>& fails) {
  std::string best = text;
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::string& each : smaller(best))
      if (fails(each)) {
        best = each, changed = true;
        break;
      }
  }
  return best;
}

}  // namespace tpc::tests
