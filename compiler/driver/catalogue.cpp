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
    {"TPC0501", "the data cannot be read",
     "The file is not there, may not be read, is no regular file, or is larger than half of the machine's memory. Token files (.bin) are not taken into memory and may be of any size.",
     "$ tpc train mlp.tp --data digit.csv --lr 3e-3",
     "$ tpc train mlp.tp --data digits.csv --lr 3e-3"},
    {"TPC0502", "a file of data is broken",
     "What its header says and what it holds do not agree, a line has another number of columns than the one before it, or a word stands where a number should. Read are .npy, IDX and CSV, each also as .gz, token files of nanoGPT and llm.c (.bin), and texts.",
     "$ printf '1,2\n3\n' > x.csv; tpc train mlp.tp --data x.csv --lr 3e-3",
     "$ printf '1,2\n3,4\n' > x.csv; tpc train mlp.tp --data x.csv --lr 3e-3"},
    {"TPC0503", "the data does not fit the program",
     "An array has the shape of its input with the samples as first axis; neighbouring axes may be grouped otherwise, [8, 8] for [64]. A table has as many columns as the inputs and targets take numbers, in the order of the program, unless a column has the name of an input of one number. A text feeds one input of whole numbers [batch, length] and one target like it. Whole numbers stay below what their input says.",
     "$ tpc train mlp.tp --data label=labels.npy --data image=labels.npy --lr 3e-3",
     "$ tpc train mlp.tp --data label=labels.npy --data image=images.npy --lr 3e-3"},
    {"TPC0504", "nothing feeds an input",
     "Every input and target of the program needs data: by a table whose columns are enough for all of them, by --data NAME=FILE for each, by a text, or by `--data teacher`.",
     "$ tpc train mlp.tp --data image=images.npy --lr 3e-3",
     "$ tpc train mlp.tp --data image=images.npy --data label=labels.npy --lr 3e-3"},
    {"TPC0505", "the loss is not a finite number",
     "A training that meets NaN or infinity stops before the parameters take part in it, and keeps its last checkpoint. The message names the value of the program in which it first appeared: look at its logarithms, roots and divisions, or take a smaller learning rate, a warm-up or --clip.",
     "$ tpc train gpt.tp --data book.txt --lr 30",
     "$ tpc train gpt.tp --data book.txt --lr 3e-3 --warmup 100 --clip 1"},
    {"TPC0506", "the program cannot be run at these sizes",
     "An axis has no whole length there (n / d with d that does not divide n), or a value is larger than the machine can hold.",
     "$ tpc train gpt.tp --target n=100 --data book.txt --lr 3e-3",
     "$ tpc train gpt.tp --target n=128 --data book.txt --lr 3e-3"},
    {"TPC0507", "the program does not answer such a question",
     "tpc generate takes a program with one input of tokens [batch, length] and an output [batch, length, symbols] whose every position sees none that come later. tpc predict takes an output whose first axis is `batch`.",
     "$ tpc generate mlp.tp --weights mlp.run/best.safetensors",
     "$ tpc predict mlp.tp --weights mlp.run/best.safetensors --data digits.csv"},
    {"TPC0510", "a file is no safetensors file, or no checkpoint of tpc",
     "Its header does not describe what the file holds: it is truncated, was made by something else, or was changed. A checkpoint has besides the record of its training. tpc writes checkpoints under another name and renames them when they are whole, so a training that is stopped in any way leaves a whole one.",
     "$ echo nothing > w.safetensors; tpc generate gpt.tp --weights w.safetensors",
     "$ tpc generate gpt.tp --weights gpt.run/best.safetensors"},
    {"TPC0511", "weights do not fit the program",
     "A parameter is missing in the file, has another shape there, or holds whole numbers; or the training that should go on had other data. The sizes of a training are part of it: give the same -D, or none, since a checkpoint knows them. A file of names says what parameters are called in the weights of others.",
     "$ tpc train gpt.tp --data book.txt --lr 3e-3 --weights gpt2.safetensors",
     "$ tpc train gpt.tp --data book.txt --lr 3e-3 --weights gpt2.safetensors --names gpt2.names"},
    {"TPC0512", "a file of names cannot be used",
     "Each line says `ours = theirs`, and after it `transposed`, `rows a:b` or `columns a:b` where the matrix there is turned or holds more; `{i}` stands for the number of a layer; `#` begins a comment.",
     "$ echo 'E wte.weight' > gpt2.names; tpc train gpt.tp --data book.txt --lr 3e-3 --weights gpt2.safetensors --names gpt2.names",
     "$ echo 'E = wte.weight' > gpt2.names; tpc train gpt.tp --data book.txt --lr 3e-3 --weights gpt2.safetensors --names gpt2.names"},
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
