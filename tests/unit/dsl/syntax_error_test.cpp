// Each mistake with the code and the words that its reader gets.
#include <chrono>

#include "tests/unit/dsl/reading.h"

using namespace tpc;

namespace {

struct Mistake {
  const char* text;
  const char* code;
  const char* message;
  const char* at;  // line:column
};

const Mistake mistakes[] = {
    {"modle mlp", "TPC0103", "expected `=`, found `mlp`", "1:7"},
    {"model", "TPC0103", "expected one name after `model`", "1:1"},
    {"h = 1\nmodel mlp", "TPC0111", "`model` stands once, before all statements", "2:1"},
    {"size n = x", "TPC0103", "expected an integer, found `x`", "1:10"},
    {"size n = 2.5", "TPC0103", "expected an integer, found `2.5`", "1:10"},
    {"size n = 256 -> int", "TPC0103", "expected `inf`, found `int`", "1:17"},
    {"size n = 256 m = 3", "TPC0103", "expected an operator or the end of the statement, found `m`", "1:14"},
    {"size = 3", "TPC0103", "expected the name of a size, found `=`", "1:6"},
    {"let H = ", "TPC0103", "expected an expression, found the end of the statement", "1:8"},
    {"input image", "TPC0103", "expected a shape, found the end of the statement", "1:12"},
    {"input image [batch, pixels", "TPC0105", "`[` is not closed", "1:13"},
    {"input image [batch,, n]", "TPC0103", "expected a size, found `,`", "1:20"},
    {"target label [batch] in", "TPC0103", "expected an expression, found the end of the statement", "1:24"},
    {"param W [n] init", "TPC0103", "expected a start value, found the end of the statement", "1:17"},
    {"param W [n] from x", "TPC0103", "expected a text in quotes, found `x`", "1:18"},
    {"shared W [n]", "TPC0103", "expected `param`, found `W`", "1:8"},
    {"param auto [n]", "TPC0110", "`auto` has a meaning of its own and cannot be a name", "1:7"},
    {"inf = 3", "TPC0110", "`inf` has a meaning of its own and cannot be a name", "1:1"},
    {"const T [3]", "TPC0103", "expected `=` or `from`, found the end of the statement", "1:12"},
    {"h = relu(x +)", "TPC0103", "expected an expression, found `)`", "1:13"},
    {"h = x @ @ y", "TPC0103", "expected an expression, found `@`", "1:9"},
    {"h = f(x y)", "TPC0103", "expected `,` or `)`, found `y`", "1:9"},
    {"h = f(, x)", "TPC0103", "expected an argument or `)`, found `,`", "1:7"},
    {"h = f(x, *)", "TPC0103", "expected an argument, found `*`", "1:10"},
    {"h = x[]", "TPC0103", "expected an index, found `]`", "1:7"},
    {"h = x[1, 2", "TPC0105", "`[` is not closed", "1:6"},
    {"h = (a + b]", "TPC0105", "`(` is closed by `]`", "1:11"},
    {"h = a)", "TPC0105", "`)` closes nothing", "1:6"},
    {"}", "TPC0105", "`}` closes nothing", "1:1"},
    {"repeat L {\n h = 1", "TPC0105", "`{` is not closed", "1:10"},
    {"repeat L as { }", "TPC0103", "expected a name, found `{`", "1:12"},
    {"repeat L", "TPC0107", "expected `{` after the size of a repeat", "1:1"},
    {"{ h = 1 }", "TPC0107", "a block belongs to a statement before its `{`", "1:1"},
    {"h = 1 { y = 2 }", "TPC0103", "expected the end of the statement, found `{`", "1:7"},
    {"else { y = 2 }", "TPC0111", "`else` has no `if` before it", "1:1"},
    {"h = a < b < c", "TPC0108", "comparisons do not chain", "1:11"},
    {"h = 1e999", "TPC0109", "no number of the machine holds `1e999`", "1:5"},
    {"h = $x", "TPC0102", "no statement has the character `$`", "1:5"},
    {"h = \xC3\xA4 + 1", "TPC0102", "no statement has the character `\xC3\xA4`", "1:5"},
    {"h = \"abc", "TPC0106", "the text is not closed on its line", "1:5"},
    {"h = 3 4", "TPC0103", "expected an operator or the end of the statement, found `4`", "1:7"},
    {"h + 1", "TPC0103", "expected `=`, found `+`", "1:3"},
    {"= 3", "TPC0103", "expected a statement, found `=`", "1:1"},
    {"fn f(x) { y = x }", "TPC0112", "`f` does not end with a return", "1:4"},
    {"fn f(x) { return x; y = x }", "TPC0112", "`f` does not end with a return", "1:4"},
    {"fn f(x) { if x { return x }; return x }", "TPC0112", "a return that is not the last statement of `f`", "1:18"},
    {"fn f(x) = x { }", "TPC0107", "a function has either `= expression` or a block", "1:13"},
    {"fn f(x)", "TPC0107", "expected `=` or `{` after the arguments of a function", "1:1"},
    {"fn f x", "TPC0103", "expected `(`, found `x`", "1:6"},
    {"return 3", "TPC0111", "`return` stands in a function", "1:1"},
    {"fn f(x) { input y [n]; return x }", "TPC0111", "`input` stands in the program, not in a function", "1:11"},
    {"repeat L { fn f(x) = x }", "TPC0111", "a function is declared in the program, not in a repeat", "1:12"},
    {"collect y", "TPC0111", "`collect` stands in a repeat", "1:1"},
    {"optimizer o(lr) { m = 0 }", "TPC0112", "`o` does not say what its update is", "1:11"},
    {"optimizer o(lr) { update = lr; update = 3 }", "TPC0112", "`o` says twice what its update is", "1:32"},
    {"optimizer o(lr) { param w [n]; update = w }", "TPC0111", "an optimizer has no parameters of its own", "1:19"},
    {"optimizer o(lr) { state m; update = m }", "TPC0103", "expected `=`, found the end of the statement", "1:26"},
    {"train lr = 3", "TPC0107", "`train` is followed by its options in braces", "1:1"},
    {"train { lr 3 }", "TPC0103", "expected `=`, found `3`", "1:12"},
    {"claim M", "TPC0107", "a claim is a call, as `claim doubly_stochastic(M)`", "1:7"},
    {"output = h", "TPC0103", "expected a name, found `=`", "1:8"},
    {"loss mean(x)", "TPC0103", "expected `=`, found `mean`", "1:6"},
    {"import blocks", "TPC0103", "expected a text in quotes, found `blocks`", "1:8"},
};

}  // namespace

TEST_CASE("a syntax error says what holds, what should, and where", "[dsl][error]") {
  for (const Mistake& mistake : mistakes) {
    Reading reading(mistake.text);
    INFO(mistake.text << "\n" << reading.messages());
    CHECK(!reading.program);
    REQUIRE(reading.diagnostics.all().size() == 1);
    const Diagnostic& found = reading.diagnostics.all().front();
    CHECK(found.code == mistake.code);
    CHECK(found.message == mistake.message);
    REQUIRE(found.span);
    CHECK(reading.sources.at(*found.span) == std::string("test.tp:") + mistake.at);
  }
}

TEST_CASE("every code that is reported is explained", "[dsl][error]") {
  for (const Mistake& mistake : mistakes) {
    auto codes = syntaxCodes();
    CHECK(std::any_of(codes.begin(), codes.end(), [&](const DiagnosticCode& c) { return c.code == mistake.code; }));
  }
}

TEST_CASE("one run reports the first mistake of every statement", "[dsl][error]") {
  Reading reading(
      "h = (a + b\ng = 3 + * 2\nif c { y = ; z = x ** 2 }\nk = relu(x\nparam W [n\nq = f(x,\n  heads = 3,\nr = $\nok = "
      "1\n");
  std::string lines;
  for (const Diagnostic& d : reading.diagnostics.all())
    lines += std::to_string(reading.sources.position(*d.span).line) + " ";
  INFO(reading.messages());
  CHECK(lines == "1 2 3 3 4 5 6 8 ");
}

TEST_CASE("help names the slip", "[dsl][error]") {
  auto help = [](const char* text) { return Reading(text).diagnostics.all().at(0).help; };
  CHECK(help("modle mlp") == "did you mean `model`?");
  CHECK(help("pram W [n]") == "did you mean `param`?");
  CHECK(help("h = x ** 2") == "a power is written `^`");
  CHECK(help("h = x.relu()") == "there are no methods: write f(x), not x.f()");
  CHECK(help("param = 3") == "`param` is a word where a statement begins; give the value another name");
  CHECK(help("f(x)") == "a call alone does nothing; give its value a name");
}

TEST_CASE("limits are errors, not crashes", "[dsl][limits]") {
  auto code = [](std::string text) {
    Reading reading(std::move(text));
    CHECK(!reading.program);
    return reading.diagnostics.all().at(0).code;
  };
  CHECK(code(std::string(SyntaxLimits::fileBytes + 1, ' ')) == "TPC0101");
  CHECK(code("h = 1\x01") == "TPC0102");
  CHECK(code("h = \xFF") == "TPC0102");
  CHECK(code("# \xC0\x80") == "TPC0102");
  std::string sum = "y = x", powers = "y = x", minuses = "y = ", indices = "y = x", blocks, elses = "if a { }";
  for (int i = 0; i < 1100; ++i)
    sum += " + x", powers += "^x", minuses += "-", indices += "[0]", blocks += "if a {\n", elses += " else if a { }";
  CHECK(code("y = " + std::string(100000, '(')) == "TPC0104");
  CHECK(code("y = " + std::string(500000, '[')) == "TPC0104");
  CHECK(code(sum) == "TPC0104");
  CHECK(code(powers) == "TPC0104");
  CHECK(code(minuses + "x") == "TPC0104");
  CHECK(code(indices) == "TPC0104");
  CHECK(code(blocks) == "TPC0104");
  CHECK(code(elses) == "TPC0104");
  CHECK(code("y = " + std::string(400000, '-')) == "TPC0103");
}

TEST_CASE("the errors of a file are bounded", "[dsl][limits]") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "h = +\n";
  Reading reading(text);
  CHECK(reading.diagnostics.all().size() == SyntaxLimits::errors + 1);
  CHECK(reading.diagnostics.all().back().code == "TPC0113");
}

TEST_CASE("hostile texts of a megabyte are read in time", "[dsl][limits]") {
  for (std::string line : {"h = (\n",
                           "h = (]\n",
                           "a ",
                           "# c\n",
                           "{",
                           "}",
                           "if a { }\n",
                           "else ",
                           "param w [n] ",
                           "\"",
                           "h =\n",
                           "x[",
                           "a,",
                           "a = b +\n",
                           "train { a = 1 }\n",
                           "fn f() { return 1 }\n",
                           ";",
                           "-",
                           "0",
                           "new "}) {
    std::string text;
    while (text.size() + line.size() <= SyntaxLimits::fileBytes) text += line;
    auto start = std::chrono::steady_clock::now();
    Reading reading(text);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    INFO("a megabyte of " << line);
    CHECK(seconds.count() < 10);
    if (reading.program) CHECK(print(*reading.program).size() < 3 * SyntaxLimits::fileBytes);
  }
}
