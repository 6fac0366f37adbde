// The command line.  It reads options and writes answers; what the commands do is in commands.cpp.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <new>

#include "compiler/driver/commands.h"
#include "compiler/driver/completion.h"
#include "compiler/driver/files.h"
#include "compiler/driver/format.h"
#include "compiler/driver/help.h"
#include "compiler/driver/plan_commands.h"
#include "compiler/driver/signals.h"
#include "compiler/report/version.h"
#include "dsl/source/suggest.h"
#include "llvm/Support/ErrorHandling.h"

namespace tpc {
namespace {

const std::vector<std::string> laterCommands = {"check",   "train",   "sweep",  "generate",
                                                "predict", "compile", "report", "verify"};
const std::vector<std::string> commandNames = {"analyze", "plan",     "explain", "diff",      "rules",
                                               "library", "examples", "fmt",     "completion"};

bool wantsColor(int file) {
  const char* noColor = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(file) && !(noColor && *noColor) && !(terminal && std::strcmp(terminal, "dumb") == 0);
}

int usageError(const std::string& message, const std::string& command = "") {
  std::cerr << "tpc: " << message << "\n     tpc " << command << (command.empty() ? "" : " ")
            << "--help says what there is\n";
  return exit_code::usage;
}

// `name=value` of -D and of --base and --target; empty with the mistake in words.
std::optional<std::pair<std::string, int64_t>> readDefine(const char* option, const std::string& text,
                                                          std::string& mistake) {
  const size_t equals = text.find('=');
  int64_t value = 0;
  if (equals != 0 && equals != std::string::npos) {
    const char* begin = text.data() + equals + 1;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(begin, end, value);
    if (error == std::errc() && rest == end && value >= 1) return std::pair(text.substr(0, equals), value);
  }
  mistake = std::string(option) + " takes name=value with a whole number from 1 on, not `" + text + "`";
  return std::nullopt;
}

struct CommandLine {
  CommandOptions options;
  FormatOptions formatting;
  std::vector<std::string> defines;
  std::vector<std::string> base, target;
  std::string name, format = "text", gauge = "plain", alignment = "full", output;
  PlanOptions plan;
};

void addProgramOptions(CLI::App& command, CommandLine& line) {
  command.add_option("-D", line.defines, "the number that a size takes; repeatable")
      ->type_name("NAME=NUMBER")
      ->allow_extra_args(false);
  command.add_option("--grow", line.options.pipeline.grow, "sizes that grow, besides those that the file says")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--fix", line.options.pipeline.fix, "sizes that stay, whatever the file says")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--optimizer", line.options.pipeline.optimizer,
                  "an optimizer of the library or of the file; 'adamw; layers.*=sgd' by parameter (adamw)")
      ->type_name("NAME");
  command
      .add_option("--parametrization", line.options.pipeline.parametrization,
                  "auto solves; sp, ntp, mfp or FILE.json are judged as given (auto)")
      ->type_name("NAME");
  command.add_option("--gauge", line.gauge, "one of the equivalent forms: plain, readout, sgd, unit (plain)")
      ->check(CLI::IsMember({"plain", "readout", "sgd", "unit"}));
  command.add_option("--alignment", line.alignment, "what training aligns: full, ev, none (full)")
      ->check(CLI::IsMember({"full", "ev", "none"}));
  command.add_option("--criterion", line.options.criterion, "over depth: auto, diversity, complete (auto)")
      ->check(CLI::IsMember({"auto", "diversity", "complete"}));
}

void addOutputOption(CLI::App& command, CommandLine& line) {
  command.add_option("-o", line.output, "the file to write, whole or not at all")->type_name("FILE");
}

int deliver(const Answer& answer, const std::string& path) {
  std::cerr << answer.messages;
  // The canonical text of an empty program is a document too.
  if (answer.document.empty() && (path.empty() || answer.exitCode != exit_code::done)) return answer.exitCode;
  if (!path.empty()) {
    std::string reason;
    if (!writeWhole(path, answer.document, reason)) {
      std::cerr << "tpc: cannot write " << path << ": " << reason << "\n";
      return exit_code::machine;
    }
    return answer.exitCode;
  }
  for (size_t done = 0; done < answer.document.size();) {
    const ssize_t count = write(STDOUT_FILENO, answer.document.data() + done, answer.document.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPIPE) return answer.exitCode;  // the reader has seen enough
    if (count < 0) {
      std::cerr << "tpc: cannot write to standard output: " << std::strerror(errno) << "\n";
      return exit_code::machine;
    }
    done += size_t(count);
  }
  return answer.exitCode;
}

// "no option `--optimiser`; did you mean `--optimizer`?"
std::string unexpected(const CLI::App& command, const std::string& otherwise) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& word : command.remaining()) {
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string hint = didYouMean(word.substr(0, word.find('=')), known);
    return "no option `" + word + "`" + (hint.empty() ? "" : "; " + hint);
  }
  return otherwise;
}

int run(int argc, char** argv) {
  if (argc > 1) {
    const std::string command = argv[1];
    if (std::find(laterCommands.begin(), laterCommands.end(), command) != laterCommands.end()) {
      std::cerr << "tpc: `tpc " << command << "` comes in a later version\n";
      return exit_code::usage;
    }
    const bool known = std::find(commandNames.begin(), commandNames.end(), command) != commandNames.end();
    if (!known && command[0] != '-') {
      const std::string hint = didYouMean(command, commandNames);
      return usageError("no command `" + command + "`" + (hint.empty() ? "" : "; " + hint));
    }
  }

  CommandLine line;
  CLI::App app{"tpc: a compiler for Tensor Programs.  From a network in text to how every value scales, and why.",
               "tpc"};
  app.set_version_flag("--version", "tpc " + std::string(version));
  app.footer(helpFooter());
  app.require_subcommand(1);

  CLI::App& analyze =
      *app.add_subcommand("analyze", "sizes of every value; init, learning rate, multiplier of every parameter");
  analyze.add_option("FILE", line.options.file, "a program; - is standard input")->required();
  addProgramOptions(analyze, line);
  analyze.add_option("--format", line.format, "text, json (text)")->check(CLI::IsMember({"text", "json"}));
  analyze.add_option("--compare", line.options.compare, "parametrizations side by side, such as sp,ntp,auto")
      ->delimiter(',')
      ->allow_extra_args(false);
  analyze.add_flag("--full", line.options.full, "values and derivations too, in JSON");
  addOutputOption(analyze, line);

  CLI::App& plan = *app.add_subcommand("plan", "numbers at the sizes to train at, from those that were tuned");
  plan.add_option("FILE", line.options.file, "a program; - is standard input")->required();
  addProgramOptions(plan, line);
  plan.add_option("--base", line.base, "sizes of the tuned run, name=value (the numbers in the file)")
      ->delimiter(',')
      ->allow_extra_args(false);
  plan.add_option("--target", line.target, "sizes to train at, name=value (those after -D)")
      ->delimiter(',')
      ->allow_extra_args(false);
  const CLI::Validator positive(
      [](const std::string& text) {
        double value = 0;
        return CLI::detail::lexical_cast(text, value) && value > 0 && std::isfinite(value)
                   ? std::string()
                   : "takes a number above 0, not `" + text + "`";
      },
      "NUMBER");
  plan.add_option("--lr", line.plan.lr, "the learning rate that was tuned (the train block's)")->check(positive);
  plan.add_option("--eps", line.plan.eps, "epsilon of the tuned run (the optimizer's own)")->check(positive);
  plan.add_option("--weight-decay", line.plan.weightDecay,
                  "weight decay of the tuned run, as it multiplies the learning rate")
      ->check(CLI::Validator(
          [](const std::string& text) {
            double value = 0;
            return CLI::detail::lexical_cast(text, value) && value >= 0 && std::isfinite(value)
                       ? std::string()
                       : "takes a number from 0 on, not `" + text + "`";
          },
          "NUMBER"));
  plan.add_option("--precision", line.plan.precision,
                  "formats whose range is checked at the target: fp16, bf16, fp8_e4m3, fp8_e5m2")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"fp16", "bf16", "fp8_e4m3", "fp8_e5m2"}));
  plan.add_option("--format", line.format, "text, json, markdown, torch (text)")
      ->check(CLI::IsMember({"text", "json", "markdown", "torch"}));
  addOutputOption(plan, line);

  CLI::App& diff = *app.add_subcommand("diff", "what differs between two plans in JSON");
  std::string second;
  diff.add_option("BEFORE", line.options.file, "a file of tpc plan --format json")->required();
  diff.add_option("AFTER", second, "another")->required();
  diff.add_option("--format", line.format, "text, json (text)")->check(CLI::IsMember({"text", "json"}));
  addOutputOption(diff, line);

  CLI::App& explain =
      *app.add_subcommand("explain", "the numbered derivation of a value or parameter; or one rule, one diagnostic");
  explain.add_option("FILE", line.options.file, "a program; or, alone, a rule or the code of a diagnostic")->required();
  explain.add_option("NAME", line.name, "a value (h, h#2, @16:10), a parameter or a free multiplier");
  addProgramOptions(explain, line);
  explain.add_option("--format", line.format, "text, or dot: the derivation as a graph for Graphviz (text)")
      ->check(CLI::IsMember({"text", "dot"}));
  addOutputOption(explain, line);

  CLI::App& rules = *app.add_subcommand("rules", "the calculus as Markdown");
  addOutputOption(rules, line);

  CLI::App& library = *app.add_subcommand("library", "the standard library, or one function of it");
  library.add_option("NAME", line.name, "a function or an optimizer");
  addOutputOption(library, line);

  CLI::App& example = *app.add_subcommand("examples", "the programs to learn from, or one of them");
  example.add_option("NAME", line.name, "an example");
  addOutputOption(example, line);

  CLI::App& fmt = *app.add_subcommand("fmt", "the canonical text of a program, comments kept");
  fmt.add_option("FILE", line.formatting.files, "programs; - is standard input")->required();
  fmt.add_flag("--check", line.formatting.check, "write nothing; name the files that differ and exit with 1");
  fmt.add_flag("--in-place", line.formatting.inPlace, "each file takes its canonical text");
  addOutputOption(fmt, line);

  CLI::App& completion = *app.add_subcommand("completion", "a script that completes tpc's words in your shell");
  completion.add_option("SHELL", line.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  addOutputOption(completion, line);

  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->footer(helpFooter(command->get_name()));
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return deliver({exit_code::done, app.help(), ""}, "");
  } catch (const CLI::CallForVersion&) {
    return deliver({exit_code::done, "tpc " + std::string(version) + "\n", ""}, "");
  } catch (const CLI::ExtrasError& error) {
    const std::vector<CLI::App*> commands = app.get_subcommands();
    return usageError(unexpected(commands.empty() ? app : *commands.front(), error.what()),
                      commands.empty() ? "" : commands.front()->get_name());
  } catch (const CLI::ParseError& error) {
    return usageError(error.what(), app.get_subcommands().empty() ? "" : app.get_subcommands().front()->get_name());
  }

  std::string mistake;
  const auto readAll = [&](const char* option, const std::vector<std::string>& texts, auto& into) {
    for (const std::string& text : texts) {
      const auto read = readDefine(option, text, mistake);
      if (!read) return false;
      into.push_back(*read);
    }
    return true;
  };
  if (!readAll("-D", line.defines, line.options.pipeline.defines) || !readAll("--base", line.base, line.plan.base) ||
      !readAll("--target", line.target, line.plan.target))
    return usageError(mistake);
  line.options.gauge = std::map<std::string, Gauge>{
      {"plain", Gauge::plain}, {"readout", Gauge::readout}, {"sgd", Gauge::sgd}, {"unit", Gauge::unit}}[line.gauge];
  line.options.pipeline.alignment = std::map<std::string, Alignment>{
      {"full", Alignment::full}, {"ev", Alignment::ev}, {"none", Alignment::none}}[line.alignment];
  if (line.options.pipeline.parametrization != "auto" && line.gauge != "plain")
    return usageError("a given parametrization is printed in the gauge it was given in: --gauge goes with auto alone");
  line.options.format = line.format;
  line.options.json = line.format == "json";
  line.options.color = !line.options.json && line.output.empty() && wantsColor(STDOUT_FILENO);
  line.options.colorErrors = wantsColor(STDERR_FILENO);

  if (analyze) return deliver(analyzeCommand(line.options), line.output);
  if (plan) return deliver(planCommand(line.options, line.plan), line.output);
  if (diff) return deliver(diffCommand(line.options.file, second, line.options.json), line.output);
  if (explain) {
    return deliver(line.name.empty() ? explainWordCommand(line.options.file) : explainCommand(line.options, line.name),
                   line.output);
  }
  if (rules) return deliver(rulesCommand(), line.output);
  if (library) return deliver(libraryCommand(line.name), line.output);
  if (example) return deliver(examplesCommand(line.name), line.output);
  if (completion) return deliver({exit_code::done, completionScript(app, line.name), ""}, line.output);
  line.formatting.colorErrors = line.options.colorErrors;
  if (line.formatting.check + line.formatting.inPlace + !line.output.empty() > 1) {
    return usageError("fmt takes one of --check, --in-place and -o", "fmt");
  }
  return deliver(formatCommand(line.formatting), line.output);
}

}  // namespace
}  // namespace tpc

// Before the libraries' own initializers, which can already find no memory.
__attribute__((section(".preinit_array"), used)) static void (*const beforeLibraries)() = tpc::installSignalHandlers;

int main(int argc, char** argv) {
  // MLIR does not throw where memory ends.
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { _exit(tpc::reportOutOfMemory()); });
  try {
    return tpc::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return tpc::reportOutOfMemory();
  } catch (const std::exception& error) {
    return tpc::reportDefect(error.what());
  } catch (...) {
    return tpc::reportDefect("stopped by an unknown exception");
  }
}
