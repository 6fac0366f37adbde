#include "dsl/syntax/statements.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dsl/syntax/parse.h"
#include "dsl/syntax/tokens.h"

namespace tpc::syntax {
namespace {

using Kind = Token::Kind;

// A statement of these begins with the word and goes on with a name, so two words in a row show it wherever it stands.
constexpr std::array namedDeclarations = {"model", "size", "let",    "input",  "target",    "param",
                                          "const", "fn",   "output", "metric", "optimizer", "state"};
constexpr std::array modifiers = {"shared", "frozen", "trained"};
constexpr std::array operators = {
    "+", "-", "*", "/", "^", "@", "=", "<", ">", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "->", ":", ","};
constexpr std::array assignments = {"=", "+=", "-=", "*=", "/="};

template <typename Words>
bool isOneOf(std::string_view text, const Words& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

struct Splitter {
  std::string_view text;
  FileId file;
  std::vector<Token> tokens;
  std::vector<Comment> comments;
  std::size_t at = 0;           // the next token
  std::size_t nextComment = 0;  // the next comment that belongs to nobody yet
  std::optional<Diagnostic> fatal;

  std::string_view spelling(std::size_t i) const {
    return text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin);
  }
  bool isSymbol(std::size_t i, std::string_view symbol) const {
    return tokens[i].kind == Kind::symbol && spelling(i) == symbol;
  }
  bool isWord(std::size_t i, std::string_view word) const {
    return tokens[i].kind == Kind::word && spelling(i) == word;
  }
  bool isEnd(std::size_t i) const { return tokens[i].kind == Kind::end; }
  Span spanOf(std::size_t i) const { return {file, tokens[i].begin, tokens[i].end}; }

  bool isModifier(std::size_t i) const { return tokens[i].kind == Kind::word && isOneOf(spelling(i), modifiers); }

  // A declaration that shows as one in the middle of anything: two words in a row, which no expression has.
  bool declarationAt(std::size_t i) const {
    if (tokens[i].kind != Kind::word) return false;
    if (isModifier(i)) return isWord(i + 1, "param") || isModifier(i + 1) || (isWord(i, "shared") && sharedBy(i));
    if (isWord(i, "import")) return tokens[i + 1].kind == Kind::string;
    return isOneOf(spelling(i), namedDeclarations) && tokens[i + 1].kind == Kind::word;
  }
  bool sharedBy(std::size_t i) const {  // shared(NAME) param
    return isSymbol(i + 1, "(") && tokens[i + 2].kind == Kind::word && isSymbol(i + 3, ")") &&
           (isWord(i + 4, "param") || isModifier(i + 4));
  }
  // `loss =` and `update =` show as a beginning only outside brackets, where nothing else is followed by `=`.
  bool endingAt(std::size_t i) const { return (isWord(i, "loss") || isWord(i, "update")) && isSymbol(i + 1, "="); }
  bool assignmentAt(std::size_t i) const {
    return tokens[i].kind == Kind::word && tokens[i + 1].kind == Kind::symbol && isOneOf(spelling(i + 1), assignments);
  }

  // Whether a statement may end behind token i of the one that begins at `start`.
  bool complete(std::size_t start, std::size_t i) const {
    switch (tokens[i].kind) {
      case Kind::symbol: return isSymbol(i, ")") || isSymbol(i, "]");
      case Kind::word:
        if (i == start) return !isReserved(spelling(i));
        // After a word that connects something must follow, so no statement ends there.
        return !isOneOf(spelling(i), connectingWords()) && !isModifier(i);
      default: return true;
    }
  }

  // A bracket at token `open` has no partner; token i shows it.  The lines between were taken for its inside: give
  // back those that look like statements, so that their mistakes are reported too.
  std::size_t resumeAfter(std::size_t open, std::size_t i) const {
    for (std::size_t k = open + 1; k < i; ++k) {
      if (!tokens[k].firstOnLine || tokens[k].kind != Kind::word) continue;
      if (declarationAt(k) || isWord(k, "return") || isWord(k, "repeat") || isWord(k, "if") || isWord(k, "collect"))
        return k;
      if (!assignmentAt(k)) continue;
      // `heads = H,` is an argument; `q = f(x,` opens what it does not close, so it is a statement.
      std::size_t last = k;
      int open = 0;
      for (std::size_t t = k; t < i && (t == k || !tokens[t].firstOnLine); ++t) {
        last = t;
        open += (isSymbol(t, "(") || isSymbol(t, "[")) - (isSymbol(t, ")") || isSymbol(t, "]"));
      }
      if (open > 0 || !isSymbol(last, ",")) return k;
    }
    return i;
  }

  void setProblem(RawStatement& raw, std::string code, std::string message, Span span, std::string label = {},
                  std::string help = {}) {
    if (raw.problem) return;
    raw.problem = std::make_unique<Diagnostic>(Diagnostic{.code = std::move(code),
                                                          .message = std::move(message),
                                                          .span = span,
                                                          .label = std::move(label),
                                                          .help = std::move(help)});
  }

  bool tooDeep(unsigned depth, std::size_t i) {
    if (depth < SyntaxLimits::nesting) return false;
    if (!fatal)
      fatal =
          Diagnostic{.code = "TPC0104",
                     .message = "brackets and blocks are nested deeper than " + std::to_string(SyntaxLimits::nesting),
                     .span = spanOf(i),
                     .help = "give inner parts names of their own"};
    return true;
  }

  // Finds the end of the head that begins at `at`; leaves `at` at the first token that is not of it.
  void head(RawStatement& raw, unsigned depth) {
    std::size_t start = at;
    std::vector<std::size_t> open;
    bool awaitsParam = isModifier(start);
    std::size_t last = start;  // the last token of the head
    for (;; ++at) {
      if (fatal) return;
      const Token& token = tokens[at];
      bool atBrace = isSymbol(at, "{") || isSymbol(at, "}") || isSymbol(at, ";");
      if (!open.empty()) {
        if (isEnd(at) || atBrace || (token.firstOnLine && declarationAt(at))) {
          std::size_t bracket = open.front();
          // A mistake further on belongs to a statement that is given back.
          if (raw.problem && raw.problem->span->begin > tokens[bracket].begin) raw.problem.reset();
          setProblem(raw, "TPC0105", "`" + std::string(spelling(bracket)) + "` is not closed", spanOf(bracket), "", "");
          at = resumeAfter(bracket, at);
          last = at - 1;
          break;
        }
      } else if (at > start) {
        if (isEnd(at) || atBrace) break;
        if (token.firstOnLine) {
          bool goesOn = tokens[at - 1].kind == Kind::symbol && isOneOf(spelling(at - 1), operators);
          if (!goesOn || declarationAt(at)) break;
          if (assignmentAt(at) && !isSymbol(at - 1, ",")) break;
        } else if (!awaitsParam && (declarationAt(at) || endingAt(at)) && complete(start, at - 1)) {
          break;
        }
      }
      if (isWord(at, "param")) awaitsParam = false;
      if (token.kind == Kind::unknown)
        setProblem(raw, "TPC0102", "no statement has the character `" + std::string(spelling(at)) + "`", spanOf(at));
      if (token.kind == Kind::openString)
        setProblem(raw, "TPC0106", "the text is not closed on its line", spanOf(at), "", "end it with `\"`");
      if (isSymbol(at, "(") || isSymbol(at, "[")) {
        if (tooDeep(depth + static_cast<unsigned>(open.size()), at)) return;
        open.push_back(at);
      } else if (isSymbol(at, ")") || isSymbol(at, "]")) {
        if (open.empty()) {
          setProblem(raw, "TPC0105", "`" + std::string(spelling(at)) + "` closes nothing", spanOf(at));
        } else {
          bool pair = isSymbol(open.back(), "(") == isSymbol(at, ")");
          if (!pair)
            setProblem(raw, "TPC0105",
                       "`" + std::string(spelling(open.back())) + "` is closed by `" + std::string(spelling(at)) + "`",
                       spanOf(at));
          open.pop_back();
        }
      }
      last = at;
    }
    raw.headEnd = raw.end = tokens[last].end;
  }

  bool sameLine(uint32_t a, uint32_t b) const { return text.substr(a, b - a).find('\n') == std::string_view::npos; }

  std::string comment(std::size_t i) const {
    return std::string(text.substr(comments[i].begin, comments[i].end - comments[i].begin));
  }
  bool isEmptyLine(uint32_t from, uint32_t to) const {
    std::string_view between = from < to ? text.substr(from, to - from) : std::string_view();
    return std::all_of(between.begin(), between.end(), isBlank) && std::count(between.begin(), between.end(), '\n') > 1;
  }
  // Whole lines; an empty one stands for an empty line below a comment.
  void takeCommentsBefore(uint32_t offset, std::vector<std::string>& into) {
    while (nextComment < comments.size() && comments[nextComment].begin < offset) {
      into.push_back(comment(nextComment));
      uint32_t end = comments[nextComment++].end;
      bool another = nextComment < comments.size() && comments[nextComment].begin < offset;
      if (isEmptyLine(end, another ? comments[nextComment].begin : offset)) into.emplace_back();
    }
  }
  void takeCommentsAtEnd(uint32_t after, uint32_t offset, RawBlock& block) {
    if (!block.statements.empty() && nextComment < comments.size() && comments[nextComment].begin < offset &&
        isEmptyLine(after, comments[nextComment].begin))
      block.commentsAtEnd.emplace_back();
    takeCommentsBefore(offset, block.commentsAtEnd);
    if (!block.commentsAtEnd.empty() && block.commentsAtEnd.back().empty()) block.commentsAtEnd.pop_back();
  }
  // The comment on the line where `offset` is, if no token stands between.
  void takeCommentAfter(uint32_t offset, std::string& into) {
    if (nextComment >= comments.size() || comments[nextComment].begin < offset) return;
    if (comments[nextComment].begin > tokens[at].begin || !sameLine(offset, comments[nextComment].begin)) return;
    if (into.empty()) into = comment(nextComment++);
  }

  bool blankLineBetween(uint32_t from, uint32_t to) const {
    // Only up to the first comment: an empty line below it belongs to the comment.
    if (nextComment < comments.size() && comments[nextComment].begin < to) to = comments[nextComment].begin;
    std::string_view between = from < to ? text.substr(from, to - from) : std::string_view();
    return std::count(between.begin(), between.end(), '\n') > 1;
  }

  RawStatement statement(unsigned depth, uint32_t after, bool first) {
    RawStatement raw;
    raw.begin = tokens[at].begin;
    raw.blankLineBefore = !first && blankLineBetween(after, raw.begin);
    takeCommentsBefore(raw.begin, raw.commentsBefore);
    bool isIf = isWord(at, "if");
    if (!isSymbol(at, "{")) {
      head(raw, depth);
    } else {
      raw.headEnd = raw.end = raw.begin;  // a block without a head: the grammar says what is missing
    }
    if (fatal) return raw;
    takeCommentsBefore(raw.headEnd, raw.commentsBefore);
    if (isSymbol(at, "{")) {
      std::size_t brace = at;
      uint32_t braceEnd = tokens[at].end;
      if (tooDeep(depth, at)) return raw;
      ++at;
      takeCommentAfter(braceEnd, raw.commentAfter);
      raw.block = block(raw, depth + 1, brace);
      if (isIf) alternative(raw, depth);
    }
    takeCommentAfter(raw.end, raw.commentAfter);
    return raw;
  }

  void alternative(RawStatement& raw, unsigned depth) {
    if (fatal || !isWord(at, "else") || !(isSymbol(at + 1, "{") || isWord(at + 1, "if"))) return;
    ++at;
    if (tooDeep(depth, at)) return;
    if (isSymbol(at, "{")) {
      std::size_t brace = at++;
      raw.otherwise = block(raw, depth + 1, brace);
      return;
    }
    RawBlock chain;
    chain.begin = tokens[at].begin;
    chain.statements.push_back(statement(depth + 1, tokens[at].begin, true));
    chain.end = raw.end = chain.statements.back().end;
    raw.otherwise = std::move(chain);
  }

  // The statements up to the closing brace of `owner`, which is taken too.
  RawBlock block(RawStatement& owner, unsigned depth, std::size_t brace) {
    RawBlock result;
    result.begin = tokens[brace].begin;
    uint32_t after = statements(result, depth, tokens[brace].end);
    if (fatal) return result;
    if (isSymbol(at, "}")) {
      takeCommentsAtEnd(after, tokens[at].begin, result);
      result.end = owner.end = tokens[at].end;
      ++at;
    } else {
      result.end = owner.end = tokens[at - 1].end;
      takeCommentsAtEnd(after, tokens[at].begin, result);
      setProblem(owner, "TPC0105", "`{` is not closed", spanOf(brace));
    }
    return result;
  }

  // Gives the end of the last statement, or of the comment behind it.
  uint32_t statements(RawBlock& into, unsigned depth, uint32_t after) {
    while (!fatal && !isEnd(at) && !isSymbol(at, "}")) {
      if (isSymbol(at, ";")) {
        ++at;
        continue;
      }
      into.statements.push_back(statement(depth, after, into.statements.empty()));
      after = into.statements.back().end;
      if (after < tokens[at].begin && nextComment > 0)
        after = std::max(after, std::min(comments[nextComment - 1].end, tokens[at].begin));
    }
    return after;
  }
};

}  // namespace

const std::vector<std::string>& reservedWords() {
  static const std::vector<std::string> words = {"model",     "size",    "let",   "input", "target", "param",  "shared",
                                                 "frozen",    "trained", "const", "fn",    "output", "metric", "loss",
                                                 "optimizer", "repeat",  "if",    "else",  "import", "train",  "return",
                                                 "collect",   "claim",   "state", "update"};
  return words;
}

const std::vector<std::string>& connectingWords() {
  static const std::vector<std::string> words = {"in", "as", "init", "from", "fixed"};
  return words;
}

const std::vector<std::string>& takenNames() {
  static const std::vector<std::string> words = {"auto", "inf", "new", "true", "false", "_"};
  return words;
}

bool isReserved(std::string_view word) { return isOneOf(word, reservedWords()); }

std::optional<RawBlock> splitStatements(std::string_view text, FileId file, DiagnosticSink& diagnostics) {
  if (text.size() > SyntaxLimits::fileBytes) {
    diagnostics.error("TPC0101", "the file is larger than " + std::to_string(SyntaxLimits::fileBytes) + " bytes",
                      std::nullopt);
    return std::nullopt;
  }
  if (std::size_t bad = firstBadByte(text); bad != std::string_view::npos) {
    auto at = static_cast<uint32_t>(bad);
    diagnostics.error("TPC0102", "the file is not UTF-8 text", Span{file, at, at + 1}, "this byte");
    return std::nullopt;
  }
  Tokens found = tokenize(text);
  // The look-ahead of declarationAt is at most four tokens.
  Token end = found.tokens.back();
  for (int i = 0; i < 4; ++i) found.tokens.push_back(end);
  Splitter splitter{text, file, std::move(found.tokens), std::move(found.comments), 0, 0, {}};

  RawBlock all;
  uint32_t after = 0;
  unsigned strays = 0;
  for (;;) {
    after = splitter.statements(all, 0, after);
    if (splitter.fatal) {
      diagnostics.report(*splitter.fatal);
      return std::nullopt;
    }
    if (splitter.isEnd(splitter.at)) break;
    if (strays++ == SyntaxLimits::errors) break;  // nobody reads further
    RawStatement stray;
    stray.begin = splitter.tokens[splitter.at].begin;
    stray.end = stray.headEnd = after = splitter.tokens[splitter.at].end;
    splitter.setProblem(stray, "TPC0105", "`}` closes nothing", splitter.spanOf(splitter.at));
    all.statements.push_back(std::move(stray));
    ++splitter.at;
  }
  all.end = static_cast<uint32_t>(text.size());
  splitter.takeCommentsAtEnd(after, all.end, all);
  return all;
}

}  // namespace tpc::syntax
