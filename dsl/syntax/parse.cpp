// From raw statements to the tree: each head through the grammar, blocks where they belong, and what may stand where.
#include "dsl/syntax/parse.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dsl/source/suggest.h"
#include "dsl/syntax/grammar.h"
#include "dsl/syntax/precedence.h"
#include "dsl/syntax/statements.h"
#include "dsl/syntax/tokens.h"

namespace tpc {

using namespace ast;
using syntax::RawBlock;
using syntax::RawStatement;

namespace {

// What encloses a statement.  `if` does not count: what is chosen statically may stand wherever the `if` may.
enum class Scope { program, function, optimizer, repeat, repeatInFunction };

struct Builder {
  std::string_view text;
  FileId file;
  DiagnosticSink found;  // in the order of finding; reported in the order of the text

  Span span(uint32_t begin, uint32_t end) const { return {file, begin, end}; }
  std::string firstWord(const RawStatement& raw) const {
    uint32_t end = raw.begin;
    while (end < raw.headEnd && syntax::isWordPart(text[end])) ++end;
    return std::string(text.substr(raw.begin, end - raw.begin));
  }
  Span firstWordSpan(const RawStatement& raw) const {
    return span(raw.begin, raw.begin + static_cast<uint32_t>(firstWord(raw).size()));
  }

  Block block(const RawBlock& raw, Scope scope) {
    Block result;
    result.span = span(raw.begin, raw.end);
    result.commentsAtEnd = raw.commentsAtEnd;
    for (const RawStatement& rawStatement : raw.statements)
      if (std::optional<Statement> s = statement(rawStatement, scope)) result.statements.push_back(std::move(*s));
    return result;
  }

  // The mistakes inside blocks that are not read further.
  void problemsOf(const RawBlock& raw) {
    for (const RawStatement& s : raw.statements) {
      if (s.problem) found.report(*s.problem);
      if (s.block) problemsOf(*s.block);
      if (s.otherwise) problemsOf(*s.otherwise);
    }
  }

  std::optional<Statement> statement(const RawStatement& raw, Scope scope) {
    if (found.errorCount() >= SyntaxLimits::errors) return std::nullopt;
    Statement result{.node = Return{},
                     .span = span(raw.begin, raw.end),
                     .head = span(raw.begin, raw.headEnd),
                     .commentsBefore = raw.commentsBefore,
                     .commentAfter = raw.commentAfter,
                     .blankLineBefore = raw.blankLineBefore};
    std::string word = firstWord(raw);
    if (raw.problem) {
      found.report(*raw.problem);
      // What stands in its block is still read.
      if (raw.block && word != "train") block(*raw.block, inside(word, scope));
      if (raw.otherwise) block(*raw.otherwise, scope);
      return std::nullopt;
    }
    if (word == "train") return train(raw, scope, std::move(result));
    if (word == "else") return misplaced(raw, scope, "`else` has no `if` before it");
    if (word == "model") return misplaced(raw, scope, "`model` stands once, before all statements");
    if (raw.headEnd == raw.begin) {
      if (raw.block) block(*raw.block, scope);
      found.error("TPC0107", "a block belongs to a statement before its `{`", span(raw.begin, raw.begin + 1));
      return std::nullopt;
    }
    // A misplaced statement is still read: one mistake does not hide another.
    std::size_t before = found.errorCount();
    place(raw, word, scope);

    auto where = scope == Scope::optimizer ? syntax::Where::optimizer : syntax::Where::program;
    std::optional<Statement::Node> node;
    if (found.errorCount() == before) node = syntax::parseHead(text, result.head, where, found);
    std::optional<Block> body;
    if (raw.block) body = block(*raw.block, inside(word, scope));
    std::optional<Block> otherwise;
    if (raw.otherwise) otherwise = block(*raw.otherwise, scope);
    if (!node) return std::nullopt;
    if (!attach(raw, *node, std::move(body), std::move(otherwise))) return std::nullopt;
    result.node = std::move(*node);
    return result;
  }

  static Scope inside(const std::string& word, Scope scope) {
    if (word == "fn") return Scope::function;
    if (word == "optimizer") return Scope::optimizer;
    if (word == "repeat")
      return scope == Scope::function || scope == Scope::repeatInFunction ? Scope::repeatInFunction
             : scope == Scope::optimizer                                  ? Scope::optimizer
                                                                          : Scope::repeat;
    return scope;
  }

  std::optional<Statement> misplaced(const RawStatement& raw, Scope scope, std::string message) {
    found.error("TPC0111", std::move(message), firstWordSpan(raw));
    if (raw.block) block(*raw.block, scope);
    return std::nullopt;
  }

  void place(const RawStatement& raw, const std::string& word, Scope scope) {
    static const std::array ofProgram = {"size",   "input",  "target", "import",   "train",
                                         "output", "metric", "loss",   "optimizer"};
    bool isOfProgram = std::find(ofProgram.begin(), ofProgram.end(), word) != ofProgram.end();
    bool inFunction = scope == Scope::function || scope == Scope::repeatInFunction;
    const char* place = scope == Scope::optimizer ? "an optimizer" : inFunction ? "a function" : "a repeat";
    if (scope != Scope::program && isOfProgram)
      found.error("TPC0111", "`" + word + "` stands in the program, not in " + place, firstWordSpan(raw));
    else if (scope != Scope::program && word == "fn")
      found.error("TPC0111", std::string("a function is declared in the program, not in ") + place, firstWordSpan(raw));
    else if (word == "return" && !inFunction)
      found.error("TPC0111", "`return` stands in a function", firstWordSpan(raw));
    else if (word == "collect" && scope != Scope::repeat && scope != Scope::repeatInFunction)
      found.error("TPC0111", "`collect` stands in a repeat", firstWordSpan(raw), "",
                  "only there a value has one version for each layer");
    else if (scope == Scope::optimizer &&
             (word == "param" || word == "shared" || word == "frozen" || word == "trained"))
      found.error("TPC0111", "an optimizer has no parameters of its own", firstWordSpan(raw), "",
                  "what it keeps from step to step is a `state`");
  }

  std::optional<Statement> train(const RawStatement& raw, Scope scope, Statement result) {
    if (scope != Scope::program) return misplaced(raw, scope, "`train` stands in the program");
    std::string_view head = text.substr(raw.begin, raw.headEnd - raw.begin);
    if (head != "train" || !raw.block) {
      found.error("TPC0107", "`train` is followed by its options in braces", result.head, "",
                  "train { optimizer = adamw, lr = 3e-3 }");
      return std::nullopt;
    }
    std::size_t before = found.errorCount();
    problemsOf(*raw.block);
    if (found.errorCount() != before) return std::nullopt;
    takeComments(*raw.block, result.commentsBefore);
    Span insideBraces = span(raw.block->begin + 1, raw.block->end - 1);
    std::optional<Train> entries = syntax::parseTrainEntries(text, insideBraces, found);
    if (!entries) return std::nullopt;
    result.node = std::move(*entries);
    return result;
  }

  static void takeComments(const RawBlock& raw, std::vector<std::string>& into) {
    auto take = [&](const std::string& comment) {
      if (!comment.empty()) into.push_back(comment);
    };
    for (const RawStatement& s : raw.statements) {
      std::for_each(s.commentsBefore.begin(), s.commentsBefore.end(), take);
      take(s.commentAfter);
      if (s.block) takeComments(*s.block, into);
    }
    std::for_each(raw.commentsAtEnd.begin(), raw.commentsAtEnd.end(), take);
  }

  bool attach(const RawStatement& raw, Statement::Node& node, std::optional<Block> body,
              std::optional<Block> otherwise) {
    auto missing = [&](const char* what) {
      if (body) return false;
      found.error("TPC0107", std::string(what), span(raw.begin, raw.headEnd), "", "a block stands in { }");
      return true;
    };
    if (auto* fn = std::get_if<Fn>(&node)) {
      if (fn->isExpression) {
        if (!body) return true;
        found.error("TPC0107", "a function has either `= expression` or a block",
                    span(raw.block->begin, raw.block->begin + 1));
        return false;
      }
      if (missing("expected `=` or `{` after the arguments of a function")) return false;
      fn->body = std::move(*body);
      return checkReturns(*fn, raw);
    }
    if (auto* optimizer = std::get_if<Optimizer>(&node)) {
      if (missing("expected `{` after the arguments of an optimizer")) return false;
      optimizer->body = std::move(*body);
      return checkUpdate(*optimizer, raw);
    }
    if (auto* repeat = std::get_if<Repeat>(&node)) {
      if (missing("expected `{` after the size of a repeat")) return false;
      repeat->body = std::move(*body);
      return true;
    }
    if (auto* choice = std::get_if<If>(&node)) {
      if (missing("expected `{` after the condition")) return false;
      choice->body = std::move(*body);
      choice->otherwise = std::move(otherwise);
      return true;
    }
    if (!body) return true;
    found.error("TPC0103", "expected the end of the statement, found `{`", span(raw.block->begin, raw.block->begin + 1),
                "", "blocks belong to fn, optimizer, repeat, if, else and train");
    return false;
  }

  // A function ends with its only return.  Looks at the raw statements: one with a mistake of its own still counts.
  bool checkReturns(const Fn& fn, const RawStatement& raw) {
    const std::vector<RawStatement>& statements = raw.block->statements;
    if (statements.empty() || firstWord(statements.back()) != "return") {
      found.error("TPC0112", "`" + fn.name.text + "` does not end with a return", fn.name.span, "",
                  "the last statement of a function is `return` with its value");
      return false;
    }
    for (std::size_t i = 0; i < statements.size(); ++i) {
      bool isLast = i + 1 == statements.size();
      if (!isLast && firstWord(statements[i]) == "return") return lateReturn(fn, statements[i]);
      if (const RawStatement* nested = nestedReturn(statements[i])) return lateReturn(fn, *nested);
    }
    return true;
  }
  const RawStatement* nestedReturn(const RawStatement& raw) const {
    for (const std::optional<RawBlock>* inner : {&raw.block, &raw.otherwise}) {
      if (!*inner) continue;
      for (const RawStatement& s : (*inner)->statements) {
        if (firstWord(s) == "return") return &s;
        if (const RawStatement* deeper = nestedReturn(s)) return deeper;
      }
    }
    return nullptr;
  }
  bool lateReturn(const Fn& fn, const RawStatement& at) {
    found.error("TPC0112", "a return that is not the last statement of `" + fn.name.text + "`", firstWordSpan(at), "",
                "give the value a name in each branch, and return it at the end");
    return false;
  }

  bool checkUpdate(const Optimizer& optimizer, const RawStatement& raw) {
    const RawStatement* first = nullptr;
    for (const RawStatement& s : raw.block->statements) {
      if (firstWord(s) != "update") continue;
      if (first) {
        found.error("TPC0112", "`" + optimizer.name.text + "` says twice what its update is", firstWordSpan(s));
        return false;
      }
      first = &s;
    }
    if (first) return true;
    found.error("TPC0112", "`" + optimizer.name.text + "` does not say what its update is", optimizer.name.span, "",
                "its last statement is `update = ...`: what is added to the parameter");
    return false;
  }

  Program program(RawBlock raw) {
    Program result;
    if (!raw.statements.empty() && firstWord(raw.statements.front()) == "model" && !raw.statements.front().problem) {
      const RawStatement& head = raw.statements.front();
      model(head, result);
      result.commentsBefore = head.commentsBefore;
      result.commentAfter = head.commentAfter;
      raw.statements.erase(raw.statements.begin());
    }
    result.body = block(raw, Scope::program);
    return result;
  }

  void model(const RawStatement& raw, Program& into) {
    Span head = span(raw.begin, raw.headEnd);
    syntax::Tokens tokens = syntax::tokenize(text.substr(raw.begin, raw.headEnd - raw.begin));
    bool good = tokens.tokens.size() == 3 && tokens.tokens[1].kind == syntax::Token::Kind::word;
    if (good && !raw.block) {
      Span name = span(raw.begin + tokens.tokens[1].begin, raw.begin + tokens.tokens[1].end);
      into.model = Name{std::string(text.substr(name.begin, name.end - name.begin)), name};
      return;
    }
    found.error("TPC0103", "expected one name after `model`", head, "",
                "letters, digits and `_`, as in `model my_gpt`");
    if (raw.block) block(*raw.block, Scope::program);
  }
};

void reportInOrder(const DiagnosticSink& found, DiagnosticSink& diagnostics) {
  std::vector<std::pair<uint32_t, std::size_t>> order;  // where it stands; ties in the order of finding
  for (std::size_t i = 0; i < found.all().size(); ++i)
    order.emplace_back(found.all()[i].span ? found.all()[i].span->begin : 0, i);
  std::sort(order.begin(), order.end());
  std::size_t shown = std::min<std::size_t>(order.size(), SyntaxLimits::errors);
  for (std::size_t i = 0; i < shown; ++i) diagnostics.report(found.all()[order[i].second]);
  if (shown == SyntaxLimits::errors)
    diagnostics.error("TPC0113", "too many errors; the rest of the file was not read", std::nullopt);
}

}  // namespace

std::optional<Program> parse(SourceMap& sources, FileId file, DiagnosticSink& diagnostics) {
  std::string_view text = sources.text(file);
  std::optional<RawBlock> raw = syntax::splitStatements(text, file, diagnostics);
  if (!raw) return std::nullopt;
  Builder builder{text, file, {}};
  Program program = builder.program(std::move(*raw));
  if (!builder.found.hasErrors()) return program;
  reportInOrder(builder.found, diagnostics);
  return std::nullopt;
}

std::optional<ExprPtr> parseExpression(SourceMap& sources, FileId file, DiagnosticSink& diagnostics) {
  // The splitter checks what the grammar relies on: the characters and the nesting.
  std::string_view text = sources.text(file);
  std::optional<RawBlock> raw = syntax::splitStatements(text, file, diagnostics);
  if (!raw) return std::nullopt;
  for (const RawStatement& s : raw->statements)
    if (s.problem) {
      diagnostics.report(*s.problem);
      return std::nullopt;
    }
  return syntax::parseExpressionText(text, {file, 0, static_cast<uint32_t>(text.size())}, diagnostics);
}

}  // namespace tpc
