// parse(print(program)) is the program: on what people write, on awkward cases, and on random trees.
#include <filesystem>
#include <random>
#include <set>

#include "dsl/library/library.h"
#include "dsl/syntax/precedence.h"
#include "dsl/syntax/tokens.h"
#include "tests/unit/dsl/reading.h"

using namespace tpc;
using namespace tpc::ast;

namespace {

// In any order: one inside of an expression moves before its statement.
std::multiset<std::string> commentsOf(const std::string& text) {
  std::multiset<std::string> comments;
  for (const syntax::Comment& comment : syntax::tokenize(text).comments)
    comments.insert(text.substr(comment.begin, comment.end - comment.begin));
  return comments;
}

void checkRoundTrip(const std::string& text) {
  Reading first(text);
  INFO(text << "\n" << first.messages());
  REQUIRE(first.program);
  std::string printed = print(*first.program);
  Reading second(printed);
  INFO(printed << "\n" << second.messages());
  REQUIRE(second.program);
  CHECK(same(*first.program, *second.program));
  CHECK(commentsOf(text) == commentsOf(printed));
  CHECK(print(*second.program) == printed);
}

}  // namespace

TEST_CASE("library and examples survive printing", "[dsl][print]") {
  for (const LibraryFile& file : libraryFiles()) checkRoundTrip(std::string(file.text));
  std::size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TPC_SOURCE_DIR) + "/examples")) {
    if (entry.path().extension() != ".tp") continue;
    checkRoundTrip(readFile("examples/" + entry.path().filename().string()));
    ++examples;
  }
  CHECK(examples >= 4);
}

TEST_CASE("only the parentheses that are needed are written", "[dsl][print]") {
  CHECK(canonical("((a) + (b * c))") == "a + b * c");
  CHECK(canonical("(a + b) * c") == "(a + b) * c");
  CHECK(canonical("a - (b - c)") == "a - (b - c)");
  CHECK(canonical("a + (b + c)") == "a + (b + c)");
  CHECK(canonical("(-a)^2 + -(a^2)") == "(-a)^2 + -a^2");
  CHECK(canonical("(a^b)^c") == "(a^b)^c");
  CHECK(canonical("a^(b^c)") == "a^b^c");
  CHECK(canonical("2^(-1)") == "2^-1");
  CHECK(canonical("n ^ (- 1 / 2) * (a - b)") == "n^(-1/2) * (a - b)");
  CHECK(canonical("n^( (a+b)^2 - c ) + d") == "n^((a+b)^2-c) + d");
  CHECK(canonical("-(a*b)") == "-(a * b)");
  CHECK(canonical("a - -b") == "a - -b");
  CHECK(canonical("a @ b @ c * d") == "(a @ b @ c) * d");
  CHECK(canonical("(a < b) == (c < d)") == "(a < b) == (c < d)");
  CHECK(canonical("(a + b)[0][1:2]") == "(a + b)[0][1:2]");
  CHECK(canonical("split(x,(a,),( b , c ))") == "split(x, (a,), (b, c))");
  CHECK(canonical("frozen   f ( x )") == "frozen f(x)");
}

TEST_CASE("awkward programs survive printing", "[dsl][print]") {
  checkRoundTrip("");
  checkRoundTrip("# only a comment");
  checkRoundTrip("model a");
  checkRoundTrip("model a # why\n\n# then\nh = 1 # after\n# end");
  checkRoundTrip(
      "param fixed [n] init fixed\nparam a [] init fixed fixed\nparam b [n] init fixed(2) + 1\nparam c [n] init "
      "(fixed(2))\n");
  checkRoundTrip("param w [...] init fixed -1\nparam v [n] init -1 from \"x\"");
  checkRoundTrip("param d [n] init (fixed)[0]\nparam e [n] init (fixed) - 1\nparam f [n] init (fixed)^2");
  checkRoundTrip("if a { } else { if b { } }");
  checkRoundTrip("if a { } else { # why\n if b { } }");
  checkRoundTrip("if a { x = 1 } else if b { x = 2 } else { x = 3 }");
  checkRoundTrip("fn g(x [..., c], y [] = 2, z = x) { return x, y }");
  checkRoundTrip("optimizer o(lr) { state m [fan_in, fan_in] = eye, v = param; update = -lr * m }");
  checkRoundTrip("train { # all\n lr = 1 # rate\n\n steps = -3 }\ntrain { }");
  checkRoundTrip("h = x[:, ::2, 1:, :1, a:b:c, new, ..., t]\nq, _ = split(x, 3, axis = -1)\na -= 1; b /= 2");
  checkRoundTrip("h = frozen + frozen f(frozen)\nstate = update\nupdate = state");
  checkRoundTrip(
      "size n = 1 -> inf, m = 2\nlet a = n * m, b = -a\nconst T [n] in m from \"f\" : \"g\"\nclaim p(M)\nimport \"a "
      "b\"");
  checkRoundTrip("h = f(a, # first\n b) # second\n");
  checkRoundTrip("\xEF\xBB\xBFh = 1\r\n\r\n\r\ng = 2\r\n");
}

TEST_CASE("comments stay where they were", "[dsl][print]") {
  std::string text =
      "# top\nmodel m  # named\n\n# about n\nsize n = 4  # width\n\nrepeat L {  # layers\n  # inside\n  h = 1  # "
      "one\n\n  # last\n}  \n# end\n";
  Reading reading(text);
  REQUIRE(reading.program);
  std::string expected =
      "# top\nmodel m  # named\n\n# about n\nsize n = 4  # width\n\nrepeat L {  # layers\n  # inside\n  h = 1  # "
      "one\n\n  # last\n}\n# end\n";
  CHECK(print(*reading.program) == expected);
}

TEST_CASE("an empty line sets comments apart", "[dsl][print]") {
  std::string text =
      "# about the file\n\n# about the model\nmodel m\n# a\n\n# b\n\nh = 1\nif a {\n  # only\n\n  # comments\n}\n\n# "
      "c\n\n# "
      "d\n";
  Reading reading(text);
  REQUIRE(reading.program);
  CHECK(print(*reading.program) == text);
  checkRoundTrip("\n\n\n# a\n\n\n\n# b\n\n\n\nh = f( # c\n\n # d\n\n x)\n\n\n# e\n\n\n");
  checkRoundTrip("train {\n # a\n\n lr = 1\n\n # b\n\n}\nif a {\n\n # c\n\n} else {\n\n # d\n x = 1\n\n\n # e\n\n}");
}

TEST_CASE("comments behind neighbouring statements stand in one column", "[dsl][print]") {
  std::string text =
      "size n = 4 -> inf # grows\nsize d = 64 # stays\n\nh = 1 # alone\nrepeat L { # not with its body\n a = 1 # 1\n "
      "abc = 1 # 2\n}\n";
  Reading reading(text);
  REQUIRE(reading.program);
  CHECK(print(*reading.program) ==
        "size n = 4 -> inf  # grows\nsize d = 64        # stays\n\nh = 1       # alone\nrepeat L {  # not with its "
        "body\n  a = 1    # 1\n  abc = 1  # 2\n}\n");
  std::string longLine = "h = " + std::string(90, 'a') + "  # long\n";
  Reading second(longLine + "g = 1 # short\n");
  REQUIRE(second.program);
  CHECK(print(*second.program) == longLine + "g = 1  # short\n");
}

namespace {

// Random trees, made without the parser.
struct Maker {
  std::mt19937 random;
  int pick(int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }

  ExprPtr make(Expr::Node node) { return syntax::makeExpr(std::move(node), {}); }
  Name name() {
    static const char* names[] = {"a", "size", "x1", "_y", "input", "fixed", "frozen", "in", "update"};
    return {names[pick(9)], {}};
  }
  ExprPtr leaf() {
    switch (pick(6)) {
      case 0: return make(Number{"1e-5", 1e-5, false});
      case 1: return make(Number{"3", 3, true});
      case 2: return make(String{"b t -> t b"});
      case 3: return make(Hole{});
      case 4: return make(pick(2) ? Auto{} : Auto{{name(), name()}});
      default: return make(NameRef{name().text});
    }
  }
  ExprPtr expression(int depth) {
    if (depth == 0 || pick(5) == 0) return leaf();
    switch (pick(8)) {
      case 0: return make(Unary{UnaryOp::minus, expression(depth - 1)});
      case 1: {
        Call call{pick(3) == 0, name(), {}};
        for (int i = pick(3); i > 0; --i)
          call.arguments.push_back({pick(2) ? std::optional(name()) : std::nullopt, expression(depth - 1), {}});
        return make(call);
      }
      case 2: {
        Index index{expression(depth - 1), {}};
        for (int i = 1 + pick(2); i > 0; --i) {
          IndexEntry entry;
          entry.kind = static_cast<IndexEntry::Kind>(pick(4));
          if (entry.kind == IndexEntry::Kind::expression) entry.value = expression(depth - 1);
          if (entry.kind == IndexEntry::Kind::range) {
            if (pick(2)) entry.begin = expression(depth - 1);
            if (pick(2)) entry.end = expression(depth - 1);
            if (pick(3) == 0) entry.step = expression(depth - 1);
          }
          index.entries.push_back(entry);
        }
        // A lone `new` is the word, whatever is in scope.
        return make(index);
      }
      case 3: {
        Tuple tuple;
        for (int i = 1 + pick(3); i > 0; --i) tuple.elements.push_back(expression(depth - 1));
        return make(tuple);
      }
      default: return make(Binary{static_cast<BinaryOp>(pick(12)), expression(depth - 1), expression(depth - 1), {}});
    }
  }

  template <typename Each>
  auto some(int least, Each each) {
    std::vector<decltype(each())> all;
    for (int i = least + pick(3); i > 0; --i) all.push_back(each());
    return all;
  }
  Shape shape() {
    return {some(0,
                 [&] {
                   return pick(5) ? ShapeEntry{false, expression(2), {}} : ShapeEntry{true, nullptr, {}};
                 }),
            {}};
  }
  std::vector<Parameter> parameters() {
    return some(0, [&] {
      Parameter one{name(), std::nullopt, nullptr, {}};
      if (pick(2)) one.shape = shape();
      if (pick(2)) one.defaultValue = expression(2);
      return one;
    });
  }
  std::string comment() { return "# why " + std::to_string(pick(1000)); }
  std::vector<std::string> comments() {
    return pick(3) ? std::vector<std::string>() : some(1, [&] { return comment(); });
  }

  // `in` says what may stand there: 'p' the program, 'f' a function, 'r' a repeat.
  Block block(char in, int depth) {
    Block made;
    for (int i = pick(4); i > 0; --i) made.statements.push_back(statement(in, depth));
    made.commentsAtEnd = comments();
    return made;
  }
  Statement bare(Statement::Node node) {
    Statement made;
    made.node = std::move(node);
    return made;
  }
  Statement statement(char in, int depth) {
    Statement made = bare(node(in, depth));
    made.commentsBefore = comments();
    if (pick(4) == 0) made.commentAfter = comment();
    made.blankLineBefore = pick(3) == 0;
    return made;
  }
  Statement::Node ofProgram(int depth) {
    switch (pick(9)) {
      case 0: return Size{some(1, [&] { return SizeEntry{name(), {"12", 12, true}, {}, pick(2) == 0}; })};
      case 1: return Input{pick(2) == 0, name(), shape(), pick(2) ? expression(1) : nullptr};
      case 2: return Output{name(), expression(3)};
      case 3: return Metric{name(), expression(3)};
      case 4: return Loss{expression(3)};
      case 5: return Import{{"a b.tp"}, {}};
      case 6: return Train{some(0, [&] { return TrainEntry{name(), expression(2)}; })};
      case 7: {
        Fn fn{name(), parameters(), pick(2) == 0, {}};
        if (!fn.isExpression) fn.body = block('f', depth - 1);
        fn.body.statements.push_back(bare(Return{some(1, [&] { return expression(3); })}));
        if (fn.isExpression) std::get<Return>(fn.body.statements.back().node).values.resize(1);
        return fn;
      }
      default: {
        Optimizer optimizer{name(), parameters(), {}};
        optimizer.body.statements.push_back(bare(State{some(1, [&] {
          return StateEntry{name(), pick(2) ? std::optional(shape()) : std::nullopt, expression(1)};
        })}));
        optimizer.body.statements.push_back(bare(Update{expression(3)}));
        return optimizer;
      }
    }
  }
  Statement::Node node(char in, int depth) {
    if (in == 'p' && depth > 0 && pick(2)) return ofProgram(depth);
    switch (pick(depth > 0 ? 8 : 6)) {
      case 0: return Let{some(1, [&] { return LetEntry{name(), expression(2)}; })};
      case 1: {
        Param param;
        param.shared = pick(3) == 0, param.frozen = pick(3) == 0, param.trained = pick(3) == 0;
        param.name = name(), param.shape = shape();
        if (param.shared && pick(2)) param.sharedBy = name();
        if (pick(2)) param.init = expression(2), param.initFixed = pick(2) == 0;
        if (pick(4) == 0) param.from = String{"w.npy"};
        return param;
      }
      case 2: {
        Const made;
        made.name = name(), made.shape = shape();
        if (pick(2)) made.below = expression(1);
        if (pick(2)) made.value = expression(2);
        else made.from = String{"t.npz"};
        if (made.from && pick(2)) made.member = String{"t"};
        return made;
      }
      case 3:
        if (in == 'r') return Collect{some(1, [&] { return name(); })};
        return Claim{make(Call{false, name(), {}})};
      case 4:
      case 5: return Assign{some(1, [&] { return Name{"h", {}}; }), static_cast<AssignOp>(pick(5)), expression(4)};
      case 6: return Repeat{expression(2), pick(2) ? std::optional(name()) : std::nullopt, block('r', depth - 1)};
      default: {
        If choice{expression(2), block(in, depth - 1), std::nullopt};
        if (pick(2)) choice.otherwise = block(in, depth - 1);
        return choice;
      }
    }
  }
};

}  // namespace

TEST_CASE("random expressions survive printing", "[dsl][print][property]") {
  Maker maker{std::mt19937(7)};
  for (int i = 0; i < 3000; ++i) {
    ExprPtr made = maker.expression(5);
    std::string text = print(*made);
    Param param;
    param.name.text = "w";
    param.shape.entries.push_back({false, made, {}});
    param.init = made;
    param.initFixed = i % 2 == 0;
    Statement statement;
    statement.node = param;
    std::string declaration = print(statement);
    Reading reading("y = " + text + "\n" + declaration);
    INFO(text << "\n" << reading.messages());
    REQUIRE(reading.program);
    REQUIRE(same(*reading.statement(0).as<Assign>()->value, *made));
    REQUIRE(same(*reading.statement(1).as<Param>()->init, *made));
    REQUIRE(reading.statement(1).as<Param>()->initFixed == param.initFixed);
  }
}

TEST_CASE("random programs survive printing, with their comments", "[dsl][print][property]") {
  Maker maker{std::mt19937(5)};
  for (int i = 0; i < 1500; ++i) {
    Program made;
    if (maker.pick(2)) made.model = maker.name(), made.commentsBefore = maker.comments();
    made.body = maker.block('p', 3);
    std::string text = print(made);
    Reading reading(text);
    INFO(text << "\n" << reading.messages());
    REQUIRE(reading.program);
    REQUIRE(same(*reading.program, made));
    checkRoundTrip(text);
  }
}

TEST_CASE("a comment survives wherever it stands", "[dsl][print][property]") {
  std::string text =
      readFile("examples/gpt.tp") + readFile("dsl/library/attention.tp") + "train { lr = 1, steps = 2 }\n";
  std::mt19937 random(3);
  int parsed = 0;
  for (int i = 0; i < 400; ++i) {
    // Before any token.  What ends there may then be incomplete, but what parses keeps its comments.
    std::string commented = text;
    for (int k = 0; k < 3; ++k) {
      std::vector<syntax::Token> tokens = syntax::tokenize(commented).tokens;
      commented.insert(tokens[random() % tokens.size()].begin, "# here " + std::to_string(k) + "\n");
    }
    if (!Reading(commented).program) continue;
    checkRoundTrip(commented);
    ++parsed;
  }
  CHECK(parsed > 100);
}

TEST_CASE("random cuts and joins of programs neither crash nor hang, and what parses survives printing",
          "[dsl][property]") {
  std::string text =
      readFile("examples/gpt.tp") + readFile("dsl/library/attention.tp") + readFile("dsl/library/adamw.tp");
  std::mt19937 random(11);
  const std::string alphabet = "()[]{},;:=+-*/^@#\"\n .\\_a1<>";
  for (int i = 0; i < 1500; ++i) {
    std::string mutated = text.substr(random() % text.size(), 200);
    for (unsigned k = random() % 8; k > 0; --k) {
      std::size_t at = random() % mutated.size();
      if (random() % 2) mutated.insert(at, 1, alphabet[random() % alphabet.size()]);
      else mutated.erase(at, 1 + random() % 3);
      if (mutated.empty()) mutated = "x";
    }
    Reading reading(mutated);
    CHECK(reading.program.has_value() == reading.diagnostics.all().empty());
    reading.messages();
    if (reading.program) checkRoundTrip(mutated);
  }
}
