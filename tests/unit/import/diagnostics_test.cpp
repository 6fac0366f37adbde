// Each mistake of meaning by its code and its words.
#include <set>

#include "tests/catch.h"
#include "tests/unit/import/imported.h"

namespace tpc {

namespace {

const std::string head =
    "size n = 64 -> inf, g = 4 -> inf, d = 8, classes = 10\ninput x [batch, d]\ntarget y [batch] in classes\nparam W "
    "[d, n]\nparam V [n, classes]\nh = x @ W\n";
const std::string tail = "\nloss = cross_entropy(h @ V, y)\n";

struct Case {
  const char* text;
  const char* code;
  const char* says;
};

const Case cases[] = {
    {"z = hh", "TPC0201", "unknown name `hh`"},
    {"z = rellu(h)", "TPC0202", "did you mean `relu`?"},
    {"size n = 3", "TPC0203", "the size `n` is declared twice"},
    {"param W [d, n] init 1", "TPC0261", "different inits"},
    {"size q = 0", "TPC0205", "whole number from 1 to 2^40"},
    {"param Q [h]", "TPC0206", "a size is expected here"},
    {"let q = n / g", "TPC0207", "let n = H * g"},
    {"let q = n / 7", "TPC0208", "n = 64"},
    {"let q = d - n", "TPC0209", "positive differences"},
    {"let q = d - classes", "TPC0209", "-2"},
    {"z = h[-1]", "TPC0251", "count from the beginning"},
    {"size batch = 2 -> inf", "TPC0210", "never grows"},
    {"z = h + x", "TPC0211", "axes of length n and d do not match"},
    {"z = h @ x", "TPC0212", "n and batch"},
    {"z = h @ 3", "TPC0213", "write `*`"},
    {"fn f(z [a, b, c]) = z\nz = f(h)", "TPC0214", "[batch, n]"},
    {"fn f(z [a, a]) = z\nz = f(h)", "TPC0215", "axis 1"},
    {"z = linear(h)", "TPC0216", "`out` of `linear` is missing"},
    {"z = linear(h, n, bais = true)", "TPC0217", "did you mean `bias`?"},
    {"z = softmax(h, 1)", "TPC0218", "takes 1 argument"},
    {"z = linear(h, n, out = n)", "TPC0219", "given twice"},
    {"z = linear(h, n, bias = 3)", "TPC0220", "`true` or `false`"},
    {"fn f(z) = f(z)\nz = f(h)", "TPC0221", "calls itself"},
    {"fn f(z) = z @ W\nz = f(h)", "TPC0224", "functions see sizes"},
    {"if h > 0 { z = h }", "TPC0225", "where(condition, a, b)"},
    {"if n > 10 { z = h }", "TPC0226", "a size that grows"},
    {"repeat 3 { h = x }", "TPC0228", "before the repeat"},
    {"a, b = h", "TPC0230", "2 names are given 1 value"},
    {"n = h", "TPC0231", "cannot be assigned"},
    {"claim orthogonal(mean(h))", "TPC0285", "last two axes"},
    {"z = polar(h)", "TPC0240", "`polar`"},
    {"z = dropout(h, 1)", "TPC0288", "below 1"},
    {"z = windows(x, 9)", "TPC0289", "does not fit"},
    {"z = windows(h, 3)", "TPC0289", "no length"},
    {"z = einsum(\"b n\", h)", "TPC0241", "`->`"},
    {"z = einsum(\"b n m -> b\", h)", "TPC0242", "3 axes"},
    {"z = einsum(\"a b, a c -> b c\", h, V)", "TPC0243", "batch and n"},
    {"z = einsum(\"b n -> q\", h)", "TPC0244", "no operand has"},
    {"z = rearrange(h, \"b (p q) -> b p q\")", "TPC0245", "both unknown"},
    {"z = sum(h, axis = 2)", "TPC0246", "no axis 2"},
    {"z = sum(h, axis = d)", "TPC0247", "length d"},
    {"z = sum(h, axis = (0, 0))", "TPC0248", "given twice"},
    {"z = sum(h, 0)", "TPC0249", "axis = 0"},
    {"z = h[0, 0, 0]", "TPC0250", "3 axes are indexed"},
    {"z = x[:, 9]", "TPC0251", "outside the axis"},
    {"z = W[x]", "TPC0252", "integers"},
    {"z = x[:, 3:3]", "TPC0253", "empty"},
    {"z = V[y]\nparam Q [3, n]\nq = Q[y]", "TPC0254", "integers below classes"},
    {"z = h ^ h", "TPC0255", "exp(p * log(x))"},
    {"z = h / 0", "TPC0256", "zero"},
    {"z = sqrt(0 - 1)", "TPC0257", "negative"},
    {"param Q [n] init normal(h)", "TPC0258", "width"},
    {"param Q [n, n] init eye(d)", "TPC0259", "[d, d]"},
    {"param Q [n, n] init W @ V", "TPC0260", "made of numbers"},
    {"param W [n, n]", "TPC0261", "one name is one parameter"},
    {"z = auto(q) * h", "TPC0262", "power of a size"},
    {"z = h + relu", "TPC0263", "the function `relu`"},
    {"z = concat(h, x, axis = 0)", "TPC0264", "agree elsewhere"},
    {"z = split(x, 3)", "TPC0265", "3 equal pieces"},
    {"z = transpose(1)", "TPC0266", "last two axes"},
    {"output z = h\noutput z = h", "TPC0267", "given twice"},
    {"const c [n] = zeros(d)", "TPC0268", "declared as [n]"},
    {"optimizer o(lr) { state m = lr\n update = m }", "TPC0272", "starts as a number"},
    {"param unused [n]", "TPC0236", "unused parameter `unused`"},
    {"loss = mean(h)", "TPC0235", "second"},
    {"repeat 3 as l { shared(k) param Q [n]\n h *= Q }", "TPC0275", "no repeat"},
    {"train { optimiser = adam }", "TPC0282", "did you mean `optimizer`?"},
};

}  // namespace

TEST_CASE("every mistake is told by its code, in the user's words", "[import][errors]") {
  for (const Case& one : cases) {
    Imported program = imported(head + one.text + tail);
    INFO(one.text << "\n" << program.codes << "\n" << program.messages);
    CHECK(program.codes.find(one.code) != std::string::npos);
    CHECK(program.messages.find(one.says) != std::string::npos);
    CHECK_FALSE(program.graph);
  }
}

TEST_CASE("at least forty mistakes are told apart", "[import][errors]") {
  std::set<std::string> codes;
  for (const Case& one : cases) codes.insert(one.code);
  CHECK(codes.size() >= 40);
}

TEST_CASE("all codes that are used stand in the catalogue, each once", "[import][errors]") {
  std::set<std::string_view> known;
  for (const DiagnosticCode& code : importCodes()) CHECK(known.insert(code.code).second);
  for (const Case& one : cases) CHECK(known.contains(one.code));
}

TEST_CASE("a loss is missing, has axes", "[import][errors]") {
  CHECK(imported(head).codes.find("TPC0234") != std::string::npos);
  CHECK(imported(head + "loss = h @ V").codes.find("TPC0233") != std::string::npos);
}

TEST_CASE("several mistakes are told at once, and none twice", "[import][errors]") {
  Imported program = imported(head + "z = hh\nq = z + 1\nr = h + x\n" + tail);
  CHECK(program.codes == "TPC0201 TPC0211");
}

TEST_CASE("what does not reach the loss is a warning", "[import][errors]") {
  Imported program =
      imported(head + "input q [n]\nparam U [n]\noutput z = h * U\nparam T [n]\nh += stop_gradient(T)" + tail);
  CHECK(program.codes == "TPC0237 TPC0237 TPC0238");
  CHECK(program.graph);
}

TEST_CASE("options that name no size are refused", "[import][errors]") {
  CHECK(imported(head + tail, {.defines = {{"m", 3}}, .grow = {}, .fix = {}}).codes == "TPC0204");
  CHECK(imported(head + tail, {.defines = {{"n", 0}}, .grow = {}, .fix = {}}).codes == "TPC0205");
}

TEST_CASE("calls that double at every level stop at the limit, in time", "[import][limits]") {
  std::string text = head;
  text += "fn f0(z) = z + z\n";
  for (int i = 1; i < 40; ++i)
    text += "fn f" + std::to_string(i) + "(z) = f" + std::to_string(i - 1) + "(f" + std::to_string(i - 1) + "(z))\n";
  Imported program = imported(text + "h = f39(h)" + tail);
  CHECK(program.codes == "TPC0223");
}

TEST_CASE("calls that double at every level and make nothing stop too", "[import][limits]") {
  std::string text = head + "fn f0(z) = z\n";
  for (int i = 1; i < 40; ++i)
    text += "fn f" + std::to_string(i) + "(z) = f" + std::to_string(i - 1) + "(f" + std::to_string(i - 1) + "(z))\n";
  CHECK(imported(text + "h = f39(h)" + tail).codes == "TPC0223");
}

TEST_CASE("long expressions inside long expressions do not exhaust the stack", "[import][limits]") {
  std::string sum;
  for (int i = 0; i < 900; ++i) sum += " + z";
  std::string text = head + "fn f0(z) = z" + sum + "\n";
  for (int i = 1; i < 60; ++i)
    text += "fn f" + std::to_string(i) + "(z) = f" + std::to_string(i - 1) + "(z)" + sum + "\n";
  CHECK(imported(text + "h = f59(h)" + tail).codes == "TPC0222");
}

TEST_CASE("a tensor with too many axes is refused", "[import][limits]") {
  std::string axes;
  for (int i = 0; i < 5000; ++i) axes += "new, ";
  CHECK(imported(head + "z = h[" + axes + "0]" + tail).codes == "TPC0280");
}

}  // namespace tpc
