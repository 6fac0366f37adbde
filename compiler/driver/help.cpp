#include "compiler/driver/help.h"

#include <algorithm>
#include <string_view>

namespace tpc {

namespace {

struct Example {
  std::string_view command, arguments, about;
  bool first = false;  // shown by `tpc --help` too
};

constexpr Example examples[] = {
    {"analyze", "mlp.tp", "sizes of every value, and what each parameter needs", true},
    {"analyze", "mlp.tp --optimizer sgd --gauge readout", "for another optimizer, in an equivalent form"},
    {"analyze", "gpt.tp --optimizer 'adamw; layers.*=sgd'", "an optimizer for each parameter"},
    {"analyze", "gpt.tp -D d=128 --fix L", "at other numbers; the depth stays"},
    {"analyze", "mlp.tp --parametrization sp", "a parametrization that is given, judged"},
    {"analyze", "mlp.tp --compare sp,ntp,auto", "several side by side"},
    {"analyze", "gpt.tp --format json --full -o gpt.json", "all of it for programs"},
    {"plan", "mlp.tp --target n=4096 --lr 3e-3", "numbers, from the sizes in the file to n = 4096", true},
    {"plan", "mlp.tp --base n=128 --target n=4096 --lr 3e-3 --weight-decay 0.1", "from those of a smaller run"},
    {"plan", "mlp.tp -D n=4096 --format torch -o plan.py", "groups of parameters for PyTorch"},
    {"plan", "mlp.tp -D n=4096 --format json -o plan.json", "for programs"},
    {"train", "gpt.tp --data book.txt --lr 3e-3", "on a text, byte by byte; into gpt.run/", true},
    {"train", "gpt.tp --data book.txt --lr 3e-3 --resume", "goes on where it was stopped"},
    {"train", "mlp.tp --data digits.csv --standardize --lr 3e-3", "on a table: columns in the order of the inputs"},
    {"train", "mlp.tp --data image=x.npy --data label=y.npy --lr 3e-3", "on arrays, by name"},
    {"train", "gpt.tp -D n=512 --data book.txt --lr 3e-3 --schedule cosine --warmup 100", "wider, by the plan"},
    {"train", "mlp.tp --data teacher --lr 3e-3", "on what a random teacher answers"},
    {"generate", "gpt.tp --weights gpt.run/best.safetensors", "a text that goes on", true},
    {"generate", "gpt.tp --weights gpt.run/best.safetensors --prompt 'The ' --temperature 0", "always the likeliest"},
    {"predict", "mlp.tp --weights mlp.run/best.safetensors --data digits.csv --argmax", "a class for each row"},
    {"predict", "mlp.tp --weights mlp.run/best.safetensors --data x.npy -o logits.npy", "as an array"},
    {"diff", "before.json after.json", "what differs between two plans"},
    {"explain", "gpt.tp layers.attention.wq", "the derivation behind one parameter", true},
    {"explain", "gpt.tp h#2", "behind the value that `h` has from its second assignment on"},
    {"explain", "matmul.fresh", "one rule of the calculus"},
    {"explain", "TPC0212", "one diagnostic: what it means and how to mend it"},
    {"rules", "", "every rule with its source, as Markdown"},
    {"library", "", "the whole standard library"},
    {"library", "attention", "one function of it: the library is written in the language", true},
    {"examples", "", "what there is"},
    {"examples", "gpt > gpt.tp", "a program to begin with", true},
    {"fmt", "mlp.tp", "the canonical text, comments kept"},
    {"fmt", "--in-place *.tp", "each file takes its canonical text", true},
    {"fmt", "--check *.tp", "names the files that differ; exit code 1 if there are any"},
    {"completion", "bash > ~/.local/share/bash-completion/completions/tpc", "for good"},
    {"completion", "zsh", "its first lines say where to put it"},
};

std::string line(const Example& example, size_t width) {
  std::string text = "  tpc " + std::string(example.command);
  if (!example.arguments.empty()) text += " " + std::string(example.arguments);
  text.resize(std::max(width, text.size()), ' ');
  return text + "  " + std::string(example.about) + "\n";
}

template <typename Wanted>
std::string lines(Wanted wanted) {
  size_t width = 0;
  for (const Example& example : examples) {
    if (wanted(example)) width = std::max(width, 7 + example.command.size() + example.arguments.size());
  }
  std::string text = "Examples:\n";
  for (const Example& example : examples) {
    if (wanted(example)) text += line(example, width);
  }
  return text;
}

}  // namespace

std::string helpFooter() {
  return lines([](const Example& example) { return example.first; }) +
         "\n"
         "Exit codes: 0 done; 1 the answer is no (no stable plan exists, a file is not formatted); 2 usage;\n"
         "            3 the program or the data is wrong; 4 the machine could not (memory, disk); 70 a defect of tpc;\n"
         "            130 and 143 after an interrupt";
}

std::string helpFooter(const std::string& command) {
  return lines([&](const Example& example) { return example.command == command; });
}

}  // namespace tpc
