// What a program says, statement by statement.
#include "tests/unit/dsl/reading.h"

using namespace tpc;
using namespace tpc::ast;

TEST_CASE("operators bind as in Python", "[dsl][precedence]") {
  CHECK(grouped("a + b * c") == "(a + (b * c))");
  CHECK(grouped("a - b - c") == "((a - b) - c)");
  CHECK(grouped("a / b * c @ d") == "(((a / b) * c) @ d)");
  CHECK(grouped("-a^2") == "(-(a ^ 2))");
  CHECK(grouped("-a * b") == "((-a) * b)");
  CHECK(grouped("a * -b + c") == "((a * (-b)) + c)");
  CHECK(grouped("a^b^c") == "(a ^ (b ^ c))");
  CHECK(grouped("2^-1^2 * x") == "((2 ^ (-(1 ^ 2))) * x)");
  CHECK(grouped("n^(-1/2) * h") == "((n ^ ((-1) / 2)) * h)");
  CHECK(grouped("a + b == c * d") == "((a + b) == (c * d))");
  CHECK(grouped("h @ E[token] - 1") == "((h @ E[token]) - 1)");
  CHECK(grouped("--a") == "(-(-a))");
}

TEST_CASE("a statement ends at the newline outside brackets, and goes on behind an operator or a comma",
          "[dsl][split]") {
  Reading reading("a = f(x,\n  y)\nb = a +\n  1\nsize n = 1,\n  m = 2\nc = 1; d = 2\n");
  REQUIRE(reading.program);
  CHECK(reading.program->body.statements.size() == 5);
  CHECK(reading.statement(2).as<Size>()->entries.size() == 2);
}

TEST_CASE("before a word of declaration a statement may begin on the same line", "[dsl][split]") {
  Reading reading("param wq [c, h]   param wk [c] init 0 shared param wv []  h = x  output y = h loss = y");
  REQUIRE(!reading.program);  // `h = x` is no declaration
  Reading good("param wq [c, h]   param wk [c] init 0 shared(a) param wv []  output y = h loss = y");
  INFO(good.messages());
  REQUIRE(good.program);
  CHECK(good.program->body.statements.size() == 5);
  CHECK(good.statement(2).as<Param>()->sharedBy->text == "a");
}

TEST_CASE("words are reserved only where a statement begins", "[dsl][split]") {
  Reading reading(
      "param input [n, n]\nparam param [n]\nh = input + size * loss\nsize in = 3, as = 4 -> inf\nlet let = in\n"
      "repeat as as as { h = update }\nfn fn(fn) = fn\nupdate = 3\nstate = 4");
  INFO(reading.messages());
  REQUIRE(reading.program);
  CHECK(reading.program->body.statements.size() == 9);
  CHECK(reading.statement(0).as<Param>()->name.text == "input");
}

TEST_CASE("blocks stand on one line or on many", "[dsl][split]") {
  Reading reading(
      "if bias { param b [out] init 0; y += b }\nif a {\n y = 1\n}\nelse if b { y = 2 } else { y = 3 }\nz = 1");
  INFO(reading.messages());
  REQUIRE(reading.program);
  REQUIRE(reading.program->body.statements.size() == 3);
  const If& choice = *reading.statement(1).as<If>();
  REQUIRE(choice.otherwise);
  const If& second = *choice.otherwise->statements.at(0).as<If>();
  CHECK(second.otherwise->statements.size() == 1);
  CHECK(reading.statement(0).as<If>()->body.statements.size() == 2);
}

TEST_CASE("declarations keep all that was written", "[dsl][statement]") {
  Reading reading(R"(size n = 256 -> inf, k = 3
input token [batch, context] in vocab
shared(layers) frozen param W [2 * c, ...] init fixed normal(n^(-1/2)) from "w.npy"
const T [8] in vocab from "t.npz" : "table"
const M [2] = ones(2)
train { optimizer = adamw, lr = 3e-3 steps = 100
  data = "x.txt"; batch = 4 }
import "blocks.tp"
claim doubly_stochastic(M)
a, _ = split(x, (1, 2), axis = -1)
repeat L as layers { collect y }
)");
  INFO(reading.messages());
  REQUIRE(reading.program);
  CHECK(reading.statement(0).as<Size>()->entries[0].grows);
  CHECK(!reading.statement(0).as<Size>()->entries[1].grows);
  CHECK(reading.statement(1).as<Input>()->below->isName("vocab"));
  const Param& param = *reading.statement(2).as<Param>();
  CHECK(param.shared);
  CHECK(param.frozen);
  CHECK(!param.trained);
  CHECK(param.initFixed);
  CHECK(param.from->text == "w.npy");
  CHECK(param.shape.entries.at(1).ellipsis);
  CHECK(reading.statement(3).as<Const>()->member->text == "table");
  CHECK(reading.statement(4).as<Const>()->value);
  const Train& train = *reading.statement(5).as<Train>();
  REQUIRE(train.entries.size() == 5);
  CHECK(train.entries[2].name.text == "steps");
  CHECK(reading.statement(8).as<Assign>()->targets.at(1).text == "_");
}

TEST_CASE("calls, indices and free multipliers", "[dsl][expression]") {
  Reading reading(
      "y = auto(L, n) * frozen f(x, act = attention(_, heads = H), causal)[:, new, a:b, ..., ::2, t]\n"
      "z = auto * x == new_x");
  INFO(reading.messages());
  REQUIRE(reading.program);
  const Binary& product = *reading.statement(0).as<Assign>()->value->as<Binary>();
  CHECK(product.left->as<Auto>()->sizes.size() == 2);
  const Index& index = *product.right->as<Index>();
  REQUIRE(index.entries.size() == 6);
  using Kind = IndexEntry::Kind;
  CHECK(index.entries[0].kind == Kind::range);
  CHECK(index.entries[1].kind == Kind::newAxis);
  CHECK(index.entries[2].end->isName("b"));
  CHECK(index.entries[3].kind == Kind::ellipsis);
  CHECK(index.entries[4].step);
  CHECK(index.entries[5].kind == Kind::expression);
  const Call& call = *index.base->as<Call>();
  CHECK(call.frozen);
  CHECK(call.arguments.at(1).name->text == "act");
  CHECK(call.arguments.at(1).value->as<Call>()->arguments.at(0).value->is<Hole>());
  CHECK(!call.arguments.at(2).name);
}

TEST_CASE("numbers are kept as written", "[dsl][expression]") {
  CHECK(canonical("1e-5 + .5 + 2. + 007") == "1e-5 + .5 + 2. + 007");
  Reading reading("y = 1e-5");
  CHECK(reading.statement(0).as<Assign>()->value->as<Number>()->value == 1e-5);
  CHECK(!reading.statement(0).as<Assign>()->value->as<Number>()->integer);
}

namespace {
std::string at(const Reading& reading, Span span) { return std::string(reading.sources.slice(span)); }
}  // namespace

TEST_CASE("every node knows what was written of it", "[dsl][span]") {
  Reading reading(
      "model m\n\nh = relu( x @ W1 + (b1) )  [0, a:b ] # c\nparam W [ n , 2 * n ] init 0\nif a == b {\n h = 1 }\n"
      "fn f(x [..., c], k = 3) = x^2");
  INFO(reading.messages());
  REQUIRE(reading.program);
  CHECK(at(reading, reading.program->model->span) == "m");
  const Assign& assign = *reading.statement(0).as<Assign>();
  CHECK(at(reading, reading.statement(0).span) == "h = relu( x @ W1 + (b1) )  [0, a:b ]");
  CHECK(at(reading, assign.targets[0].span) == "h");
  CHECK(at(reading, assign.value->span) == "relu( x @ W1 + (b1) )  [0, a:b ]");
  const Index& index = *assign.value->as<Index>();
  CHECK(at(reading, index.base->span) == "relu( x @ W1 + (b1) )");
  CHECK(at(reading, index.entries[1].span) == "a:b");
  const Call& call = *index.base->as<Call>();
  CHECK(at(reading, call.callee.span) == "relu");
  CHECK(at(reading, call.arguments[0].span) == "x @ W1 + (b1)");
  const Binary& sum = *call.arguments[0].value->as<Binary>();
  CHECK(at(reading, sum.opSpan) == "+");
  CHECK(at(reading, sum.left->span) == "x @ W1");
  CHECK(at(reading, sum.right->span) == "(b1)");
  const Param& param = *reading.statement(1).as<Param>();
  CHECK(at(reading, param.shape.span) == "[ n , 2 * n ]");
  CHECK(at(reading, param.shape.entries[1].span) == "2 * n");
  CHECK(at(reading, reading.statement(2).head) == "if a == b");
  CHECK(at(reading, reading.statement(2).span) == "if a == b {\n h = 1 }");
  const Fn& fn = *reading.statement(3).as<Fn>();
  CHECK(at(reading, fn.parameters[0].span) == "x [..., c]");
  CHECK(at(reading, fn.body.statements[0].as<Return>()->values[0]->span) == "x^2");
}

TEST_CASE("what is large but within the limits is read", "[dsl][limits]") {
  std::string nested(150, '('), closed(150, ')');
  CHECK(Reading("y = " + nested + "x" + closed).program);
  std::string sum = "y = x";
  for (int i = 0; i < 900; ++i) sum += " + x";
  CHECK(Reading(sum).program);
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "y = relu(x @ W + b)\n";
  CHECK(Reading(many).program.value().body.statements.size() == 20000);
}

TEST_CASE("an expression alone, as an option gives it", "[dsl][expression]") {
  SourceMap sources;
  DiagnosticSink diagnostics;
  auto good = parseExpression(sources, sources.add("--lr", "3e-3 * n"), diagnostics);
  REQUIRE(good);
  CHECK(print(**good) == "3e-3 * n");
  CHECK(!parseExpression(sources, sources.add("--lr", "3e-3 *"), diagnostics));
  CHECK(!parseExpression(sources, sources.add("--lr", ""), diagnostics));
  CHECK(!parseExpression(sources, sources.add("--lr", std::string(5000, '(')), diagnostics));
  CHECK(diagnostics.errorCount() == 3);
}
