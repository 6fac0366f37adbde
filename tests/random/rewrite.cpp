#include "tests/random/rewrite.h"

#include <algorithm>

#include "dsl/syntax/parse.h"
#include "dsl/syntax/print.h"
#include "dsl/syntax/tokens.h"

namespace tpc::tests {

using ast::ExprPtr;

std::optional<ast::Program> parsed(const std::string& text) {
  SourceMap sources;
  DiagnosticSink sink;
  return parse(sources, sources.add("program.tp", text), sink);
}

ExprPtr expression(const std::string& text) {
  SourceMap sources;
  DiagnosticSink sink;
  const std::optional<ExprPtr> made = parseExpression(sources, sources.add("expression.tp", text), sink);
  return made ? *made : nullptr;
}

ExprPtr rewritten(const ExprPtr& old, const Rewrite& rewrite) {
  auto next = std::make_shared<ast::Expr>(*old);
  if (auto* call = std::get_if<ast::Call>(&next->node)) {
    // Of most functions the first argument alone is a tensor for certain; the others may be sizes and flags.
    static const std::set<std::string> ofTensors = {"max", "min", "where", "concat", "einsum", "mse", "cross_entropy"};
    static const std::set<std::string> ofNone = {"ones", "zeros", "eye", "onehot", "iota", "tiny"};
    const bool every = ofTensors.count(call->callee.text) != 0, any = ofNone.count(call->callee.text) == 0;
    for (size_t i = 0; i < call->arguments.size(); ++i) {
      ast::Argument& argument = call->arguments[i];
      if (any && (i == 0 || every) && !argument.name && !argument.value->is<ast::String>())
        argument.value = rewritten(argument.value, rewrite);
    }
  } else if (auto* index = std::get_if<ast::Index>(&next->node)) {
    index->base = rewritten(index->base, rewrite);
  } else if (auto* unary = std::get_if<ast::Unary>(&next->node)) {
    unary->operand = rewritten(unary->operand, rewrite);
  } else if (auto* binary = std::get_if<ast::Binary>(&next->node)) {
    binary->left = rewritten(binary->left, rewrite);
    if (binary->op != ast::BinaryOp::power) binary->right = rewritten(binary->right, rewrite);
  }
  ExprPtr replaced = rewrite(next);
  return replaced ? replaced : next;
}

void rewrite(ast::Block& block, const Rewrite& with) {
  for (ast::Statement& statement : block.statements) {
    if (auto* assign = std::get_if<ast::Assign>(&statement.node)) assign->value = rewritten(assign->value, with);
    if (auto* output = std::get_if<ast::Output>(&statement.node)) output->value = rewritten(output->value, with);
    if (auto* loss = std::get_if<ast::Loss>(&statement.node)) loss->value = rewritten(loss->value, with);
    if (auto* repeat = std::get_if<ast::Repeat>(&statement.node)) rewrite(repeat->body, with);
  }
}

void forEach(ast::Block& block, const std::function<void(ast::Block&, size_t)>& visit) {
  for (size_t i = 0; i < block.statements.size(); ++i) {
    if (auto* repeat = std::get_if<ast::Repeat>(&block.statements[i].node)) forEach(repeat->body, visit);
    visit(block, i);
  }
}

std::set<std::string> wordsOf(const std::string& text) {
  std::set<std::string> words;
  for (const syntax::Token& token : syntax::tokenize(text).tokens)
    if (token.kind == syntax::Token::Kind::word) words.insert(text.substr(token.begin, token.end - token.begin));
  return words;
}

int mentions(const std::string& text, const std::string& name) {
  int count = 0;
  for (const syntax::Token& token : syntax::tokenize(text).tokens)
    count += token.kind == syntax::Token::Kind::word && text.compare(token.begin, token.end - token.begin, name) == 0;
  return count;
}

std::string withName(const std::string& text, const std::string& name, const std::string& other) {
  std::string made;
  size_t copied = 0;
  for (const syntax::Token& token : syntax::tokenize(text).tokens) {
    if (token.kind != syntax::Token::Kind::word || text.substr(token.begin, token.end - token.begin) != name) continue;
    made += text.substr(copied, token.begin - copied) + other;
    copied = token.end;
  }
  return made + text.substr(copied);
}

std::string withoutNames(const std::string& text) {
  std::string made;
  size_t copied = 0;
  for (const syntax::Token& token : syntax::tokenize(text).tokens) {
    if (token.kind != syntax::Token::Kind::word) continue;
    made += text.substr(copied, token.begin - copied) + "_";
    copied = token.end;
  }
  return made + text.substr(copied);
}

bool isNumbered(const ast::Expr& expression) {
  static const std::set<std::string> numbered = {"auto",   "attention", "linear",   "mlp",
                                                 "swiglu", "rmsnorm",   "layernorm"};
  const std::set<std::string> words = wordsOf(print(expression));
  return std::any_of(words.begin(), words.end(), [](const std::string& word) { return numbered.count(word) != 0; });
}

}  // namespace tpc::tests
