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
#include "compiler/driver/train_commands.h"
#include "compiler/report/version.h"
#include "dsl/source/suggest.h"
#include "llvm/Support/ErrorHandling.h"

namespace tpc {
namespace {

const std::vector<std::string> laterCommands = {"check", "sweep", "compile", "report", "verify"};
const std::vector<std::string> commandNames = {"analyze", "plan",  "explain", "train",    "generate", "predict",
                                               "diff",    "rules", "library", "examples", "fmt",      "completion"};

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
  std::string name, format = "text", gauge = "plain", alignment = "full", criterion = "auto", output;
  PlanOptions plan;
  TrainCommandOptions train;
  GenerateOptions generate;
  PredictOptions predict;
};

// What a number must be; said by the option that it is given to.
template <typename Number>
CLI::Validator numberThat(const char* what, bool (*holds)(Number)) {
  return CLI::Validator(
      [=](const std::string& text) {
        Number value{};
        return CLI::detail::lexical_cast(text, value) && holds(value)
                   ? std::string()
                   : std::string("takes ") + what + ", not `" + text + "`";
      },
      "NUMBER");
}
const CLI::Validator aboveZero =
    numberThat<double>("a number above 0", [](double value) { return value > 0 && std::isfinite(value); });
const CLI::Validator fromZero =
    numberThat<double>("a number from 0 on", [](double value) { return value >= 0 && std::isfinite(value); });
const CLI::Validator partOfOne =
    numberThat<double>("a number from 0 to 1", [](double value) { return value >= 0 && value <= 1; });
constexpr int64_t largestCount = int64_t(1) << 40;
const CLI::Validator wholeFromOne =
    numberThat<int64_t>("a whole number from 1 on", [](int64_t value) { return value >= 1 && value <= largestCount; });
const CLI::Validator wholeFromZero =
    numberThat<int64_t>("a whole number from 0 on", [](int64_t value) { return value >= 0 && value <= largestCount; });

// The numbers of the tuned run and the sizes between which they are carried.
void addPlanOptions(CLI::App& command, CommandLine& line) {
  command.add_option("--base", line.base, "sizes of the tuned run, name=value (the numbers in the file)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--target", line.target, "sizes to train at, name=value (those after -D)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--lr", line.plan.lr, "the learning rate that was tuned (the train block's)")->check(aboveZero);
  command.add_option("--eps", line.plan.eps, "epsilon of the tuned run (the optimizer's own)")->check(aboveZero);
  command
      .add_option("--weight-decay", line.plan.weightDecay,
                  "weight decay of the tuned run, as it multiplies the learning rate")
      ->check(fromZero);
}

void addRunOptions(CLI::App& command, RunOptions& run, const char* aboutWeights) {
  command.add_option("--weights", run.weights, aboutWeights)->type_name("FILE")->allow_extra_args(false);
  command.add_option("--names", run.names, "a file that says what the parameters are called in the weights")
      ->type_name("FILE");
  command
      .add_option("--backend", run.backend,
                  "compiled: machine code, in single precision; interpreter: the definition, in double (compiled)")
      ->check(CLI::IsMember({"compiled", "interpreter"}));
  command.add_option("--threads", run.threads, "of the compiled code; the bits do not depend on it (all)")
      ->check(wholeFromOne);
}

void addTrainOptions(CLI::App& command, TrainCommandOptions& train) {
  command
      .add_option(
          "--data", train.data,
          "a text, a folder, token files (.bin), .npy, .csv, IDX, each also as .gz, by name=FILE where a name is "
          "needed; or `teacher`; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--validation-data", train.validationData, "data held back, likewise (a part of the data)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--validation", train.validation, "which part of the data is held back (0.1)")->check(partOfOne);
  command.add_option("--validation-samples", train.validationSamples, "of it at most so many each time (1024)")
      ->check(wholeFromOne);
  command.add_flag("--standardize", train.standardize, "real inputs from files get mean 0 and standard deviation 1");
  command.add_option("--steps", train.steps, "updates in all (1000)")->check(wholeFromOne);
  command.add_option("--batch", train.batch, "samples a step (32)")->check(wholeFromOne);
  command.add_option("--accumulate", train.accumulate, "batches whose gradients make one update (1)")
      ->check(wholeFromOne);
  command.add_option("--schedule", train.schedule, "constant, linear, cosine, wsd (constant)")
      ->check(CLI::IsMember({"constant", "linear", "cosine", "wsd"}));
  command.add_option("--warmup", train.warmup, "steps over which the learning rate rises (0)")->check(wholeFromZero);
  command
      .add_option("--last-factor", train.lastFactor,
                  "where linear, cosine and wsd end, as a part of the learning rate (0)")
      ->check(partOfOne);
  command.add_option("--decay-part", train.decayPart, "the part of the steps over which wsd descends (0.2)")
      ->check(partOfOne);
  command.add_option("--clip", train.clip, "the gradients' global norm is at most this (0: no bound)")->check(fromZero);
  command.add_option("--seed", train.seed, "of first values, order and dropout (0)")->type_name("NUMBER");
  command.add_option("--evaluate-every", train.evaluateEvery, "steps between evaluations (a tenth of all)")
      ->check(wholeFromOne);
  command.add_option("--checkpoint-every", train.checkpointEvery, "steps between checkpoints (as evaluations)")
      ->check(wholeFromOne);
  command.add_option("--log-every", train.logEvery, "steps between entries of log.jsonl (10)")->check(wholeFromOne);
  command.add_option("--patience", train.patience, "evaluations without a better loss after which it ends (0: never)")
      ->check(wholeFromZero);
  command.add_option("-o", train.folder, "the folder of the training (MODEL.run)")->type_name("FOLDER");
  command.add_flag("--resume", train.resume, "go on from the folder's last checkpoint");
  command.add_flag("--overwrite", train.overwrite, "begin anew where the folder holds a training");
  command.add_option("--export", train.exportFile, "weights alone, the best ones, for others")->type_name("FILE");
  command.add_option("--export-type", train.exportType, "f32, f16, bf16 (f32)")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
}

void addGenerateOptions(CLI::App& command, GenerateOptions& generate) {
  command.add_option("--prompt", generate.prompt, "the text that goes on");
  command.add_option("--length", generate.length, "how many tokens (200)")->check(wholeFromOne);
  command.add_option("--temperature", generate.temperature, "of the choice; 0 takes the likeliest (1)")
      ->check(fromZero);
  command.add_option("--top-k", generate.topK, "among the k likeliest (0: among all)")->check(wholeFromZero);
  command.add_option("--seed", generate.seed, "of the choice (0)")->type_name("NUMBER");
}

void addPredictOptions(CLI::App& command, PredictOptions& predict) {
  command.add_option("--data", predict.data, "what to predict on, as for tpc train; targets are not read")
      ->type_name("FILE")
      ->required()
      ->allow_extra_args(false);
  command.add_option("--output", predict.output, "an output of the program (the first)")->type_name("NAME");
  command.add_flag("--argmax", predict.argmax, "the index of the largest number, not the numbers");
  command.add_option("--batch", predict.batch, "samples at a time (32)")->check(wholeFromOne);
}

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
  command.add_option("--criterion", line.criterion, "over depth: auto, diversity, complete (auto)")
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
  addPlanOptions(plan, line);
  plan.add_option("--precision", line.plan.precision,
                  "formats whose range is checked at the target: fp16, bf16, fp8_e4m3, fp8_e5m2")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"fp16", "bf16", "fp8_e4m3", "fp8_e5m2"}));
  plan.add_option("--format", line.format, "text, json, markdown, torch (text)")
      ->check(CLI::IsMember({"text", "json", "markdown", "torch"}));
  addOutputOption(plan, line);

  CLI::App& train = *app.add_subcommand("train", "a program trained on data, its plan applied");
  train.add_option("FILE", line.options.file, "a program; - is standard input")->required();
  addTrainOptions(train, line.train);
  addPlanOptions(train, line);
  addRunOptions(train, line.train.run, "start from these weights");
  addProgramOptions(train, line);

  CLI::App& generate = *app.add_subcommand("generate", "a text that goes on as a trained program has it");
  generate.add_option("FILE", line.options.file, "a program; - is standard input")->required();
  addGenerateOptions(generate, line.generate);
  addRunOptions(generate, line.generate.run, "a checkpoint, or weights of others; repeatable");
  addProgramOptions(generate, line);
  addOutputOption(generate, line);

  CLI::App& predict = *app.add_subcommand("predict", "an output of a trained program, for every sample of data");
  predict.add_option("FILE", line.options.file, "a program; - is standard input")->required();
  addPredictOptions(predict, line.predict);
  addRunOptions(predict, line.predict.run, "a checkpoint, or weights of others; repeatable");
  addProgramOptions(predict, line);
  addOutputOption(predict, line);
  for (CLI::App* command : {&generate, &predict}) command->get_option("--weights")->required();

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
  line.options.pipeline.criterion = std::map<std::string, Criterion>{{"auto", Criterion::automatic},
                                                                     {"diversity", Criterion::diversity},
                                                                     {"complete", Criterion::complete}}[line.criterion];
  if (line.options.pipeline.parametrization != "auto" && line.gauge != "plain")
    return usageError("a given parametrization is printed in the gauge it was given in: --gauge goes with auto alone");
  line.options.format = line.format;
  line.options.json = line.format == "json";
  line.options.color = !line.options.json && line.output.empty() && wantsColor(STDOUT_FILENO);
  line.options.colorErrors = wantsColor(STDERR_FILENO);

  if (analyze) return deliver(analyzeCommand(line.options), line.output);
  if (plan) return deliver(planCommand(line.options, line.plan), line.output);
  if (train) {
    if (line.train.resume && line.train.overwrite)
      return usageError("train takes one of --resume and --overwrite", "train");
    line.train.plan = line.plan;
    return deliver(trainCommand(line.options, line.train), "");
  }
  if (generate) return deliver(generateCommand(line.options, line.generate), line.output);
  if (predict) {
    line.predict.npy = line.output.ends_with(".npy");
    return deliver(predictCommand(line.options, line.predict), line.output);
  }
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
