// parse(print(program)) is the program: on what people write, on awkward cases, and on random trees.
#include <random>

#include "dsl/library/library.h"
#include "dsl/syntax/precedence.h"
#include "tests/unit/dsl/reading.h"

using namespace tpc;
using namespace tpc::ast;

namespace {

void checkRoundTrip(const std::string& text) {
  Reading first(text);
  INFO(text << "\n" << first.messages());
  REQUIRE(first.program);
  std::string printed = print(*first.program);
  Reading second(printed);
  INFO(printed << "\n" << second.messages());
  REQUIRE(second.program);
  CHECK(same(*first.program, *second.program));
  CHECK(print(*second.program) == printed);
}

}  // namespace

TEST_CASE("library and examples survive printing", "[dsl][print]") {
  for (const LibraryFile& file : libraryFiles()) checkRoundTrip(std::string(file.text));
  for (const char* name : {"mlp", "resmlp", "gpt", "tied"})
    checkRoundTrip(readFile("examples/" + std::string(name) + ".tp"));
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
      "# top\nmodel m  # named\n\n# about n\nsize n = 4  # width\n\nrepeat L {  # layers\n  # inside\n  h = 1  # one\n "
      " # last\n}\n# end\n";
  CHECK(print(*reading.program) == expected);
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
