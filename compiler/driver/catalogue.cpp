#include "compiler/driver/catalogue.h"

#include <algorithm>
#include <span>

#include "compiler/analysis/codes.h"
#include "compiler/import/import.h"
#include "dsl/syntax/parse.h"

namespace tpc {

namespace {

// clang-format off
constexpr DiagnosticCode driverCodes[] = {
    {"TPC0401", "the choice of optimizers cannot be read",
     "--optimizer takes a name, or a list such as `adamw; layers.*=sgd`: the first name is for every parameter, each further entry for the parameters whose names match its pattern; the last match wins.",
     "$ tpc analyze mlp.tp --optimizer 'adamw sgd'",
     "$ tpc analyze mlp.tp --optimizer 'adamw; W3=sgd'"},
    {"TPC0402", "no parameter matches a pattern of --optimizer",
     "A parameter's name is the path of calls and repeats that leads to it; `tpc analyze FILE` lists them.",
     "$ tpc analyze mlp.tp --optimizer 'adamw; layers.*=sgd'",
     "$ tpc analyze mlp.tp --optimizer 'adamw; W*=sgd'"},
    {"TPC0404", "there is no such parametrization",
     "--parametrization takes auto (solved), sp, ntp, mfp, or a file of exponents, FILE.json.",
     "$ tpc analyze mlp.tp --parametrization mup",
     "$ tpc analyze mlp.tp --parametrization auto"},
    {"TPC0405", "a file of exponents does not say what it should",
     "{\"parameters\": {...}, \"multipliers\": {...}}, each entry in the form in which `tpc analyze --format json` prints it; `*` stands for all that are not named, and what is left out is solved.",
     "$ echo '{\"parameters\": {\"W1\": {\"lr\": \"1/2\"}}}' > half.json; tpc analyze mlp.tp --parametrization half.json",
     "$ echo '{\"parameters\": {\"W1\": {\"lr\": {\"n\": \"1/2\"}}}}' > half.json; tpc analyze mlp.tp --parametrization half.json"},
};
// clang-format on

constexpr size_t columns = 100;

// Lines of at most so many characters, broken at blanks.
std::string wrapped(std::string_view text) {
  std::string result;
  size_t column = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (column > 0 && column + 1 + end - begin > columns) result += '\n', column = 0;
    if (column > 0) result += ' ', ++column;
    result += text.substr(begin, end - begin);
    column += end - begin;
    begin = end + 1;
  }
  return result + "\n";
}

std::string indented(std::string_view text) {
  std::string result = "    ";
  for (char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result + "\n";
}

}  // namespace

std::string exampleProgram(std::string_view example) {
  const std::string text = "\n" + std::string(example) + "\n";
  const bool whole = text.find("\nsize n ") != std::string::npos, hasLoss = text.find("\nloss ") != std::string::npos;
  std::string program =
      whole ? "" : "size n = 4 -> inf, d = 2\ninput x [batch, d]\ntarget y [batch]\nparam W [d, n]\nparam v [n]";
  program += text;
  if (!whole && !hasLoss) program += "loss = mse(x @ W @ v, y)\n";
  return program;
}

const std::vector<DiagnosticCode>& diagnosticCodes() {
  static const std::vector<DiagnosticCode> codes = [] {
    std::vector<DiagnosticCode> all;
    for (std::span<const DiagnosticCode> table :
         {syntaxCodes(), importCodes(), analysisCodes(), std::span<const DiagnosticCode>(driverCodes)}) {
      all.insert(all.end(), table.begin(), table.end());
    }
    return all;
  }();
  return codes;
}

std::optional<std::string> codeExplanation(const std::string& code) {
  const std::vector<DiagnosticCode>& codes = diagnosticCodes();
  const auto found = std::find_if(codes.begin(), codes.end(), [&](const DiagnosticCode& c) { return c.code == code; });
  if (found == codes.end()) return std::nullopt;
  std::string text = code + ": " + std::string(found->title) + "\n\n" + wrapped(found->explanation);
  if (found->wrong.empty()) return text;
  const bool isCommand = found->wrong.starts_with("$ ");
  const bool isPart = !isCommand && found->wrong.find("size n ") == std::string_view::npos;
  text += std::string("\nwrong") + (isPart ? ", where x is [batch, d], W [d, n], v [n] and y [batch]" : "") + ":\n" +
          indented(found->wrong) + "mended:\n" + indented(found->mended);
  return text;
}

}  // namespace tpc
