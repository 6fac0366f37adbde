#include "compiler/driver/completion.h"

#include <algorithm>
#include <vector>

#include "compiler/driver/examples.h"
#include "dsl/library/library.h"

namespace tpc {

namespace {

// What may follow a word: these words, or a file.
struct Candidates {
  std::vector<std::string> words;
  bool files = false;
};

struct Flag {
  std::string name;  // "--gauge", "-o"
  std::string about;
  bool takesValue = false;
  Candidates values;
};

struct Command {
  std::string name, about;
  std::vector<Flag> flags;
  Candidates arguments;
};

// "--gauge TEXT:{plain,readout}" says its choices; whoever adds some says them once, in the check of the option.
std::vector<std::string> choicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{'), close = type.find('}');
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  for (size_t begin = open + 1; begin <= close;) {
    const size_t end = std::min(type.find(',', begin), close);
    choices.push_back(type.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

void addArgument(const std::string& command, const CLI::Option& option, Candidates& into) {
  const std::string name = option.get_name(true);
  into.words = choicesOf(option);
  if (name == "FILE" || name == "BEFORE" || name == "AFTER") into.files = true;
  if (name != "NAME") return;
  if (command == "library") {
    for (const LibraryFile& file : libraryFiles()) into.words.emplace_back(file.name);
  } else if (command == "examples") {
    for (const ExampleFile& file : exampleFiles()) into.words.emplace_back(file.name);
  }
}

std::vector<Command> commandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Command& command = commands.emplace_back(Command{sub->get_name(), sub->get_description(), {}, {}});
    for (const CLI::Option* option : sub->get_options()) {
      if (!option->nonpositional()) {
        Candidates found;
        addArgument(command.name, *option, found);
        if (found.files) command.arguments.files = true;
        command.arguments.words.insert(command.arguments.words.end(), found.words.begin(), found.words.end());
        continue;
      }
      std::vector<std::string> names;
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      const bool takesValue = option->get_items_expected_max() > 0;
      const std::vector<std::string> choices = choicesOf(*option);
      for (const std::string& name : names) {
        command.flags.push_back({name, option->get_description(), takesValue, {choices, takesValue && name == "-o"}});
      }
    }
  }
  return commands;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> namesOf(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  return names;
}

// bash and zsh choose by the same two words: the command and the word before.
std::string cases(const std::vector<Command>& commands) {
  std::string text;
  for (const Command& command : commands) {
    std::vector<std::string> flags;
    for (const Flag& flag : command.flags) {
      flags.push_back(flag.name);
      if (!flag.takesValue) continue;
      text += "    " + command.name + ":" + flag.name + ") offer='" + joined(flag.values.words) + "'" +
              (flag.values.files ? " files=1" : "") + " ;;\n";
    }
    text += "    " + command.name + ":*) offer='" + joined(command.arguments.words) + "' flags='" + joined(flags) +
            "'" + (command.arguments.files ? " files=1" : "") + " ;;\n";
  }
  return text;
}

std::string bashScript(const std::vector<Command>& commands) {
  return "# Completion of tpc for bash: source <(tpc completion bash)\n"
         "_tpc() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} offer='' flags='' files=''\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    mapfile -t COMPREPLY < <(compgen -W '" +
         joined(namesOf(commands)) +
         " --help --version' -- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]}:$before in\n" +
         cases(commands) +
         "  esac\n"
         "  if [[ $word == -* ]]; then offer=$flags files=''; fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$offer\" -- \"$word\"; [[ -n $files ]] && compgen -f -- \"$word\")\n"
         "}\n"
         "complete -o filenames -F _tpc tpc\n";
}

std::string zshScript(const std::vector<Command>& commands) {
  return "#compdef tpc\n"
         "# Completion of tpc for zsh: source <(tpc completion zsh), after compinit\n"
         "_tpc() {\n"
         "  local before=${words[CURRENT-1]} command=${words[2]} flags='' files=''\n"
         "  if ((CURRENT == 2)); then\n"
         "    compadd -- " +
         joined(namesOf(commands)) +
         " --help --version\n"
         "    return\n"
         "  fi\n"
         "  local current=$PREFIX offer=''\n"
         "  case $command:$before in\n" +
         cases(commands) +
         "  esac\n"
         "  if [[ $current == -* ]]; then offer=$flags files=''; fi\n"
         "  compadd -- ${=offer}\n"
         "  [[ -n $files ]] && _files\n"
         "}\n"
         "compdef _tpc tpc\n";
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("\\'") : std::string(1, c);
  return result + "'";
}

std::string fishScript(const std::vector<Command>& commands) {
  std::string text = "# Completion of tpc for fish: tpc completion fish | source\ncomplete -c tpc -f\n";
  for (const Command& command : commands) {
    text += "complete -c tpc -n __fish_use_subcommand -a " + command.name + " -d " + quoted(command.about) + "\n";
  }
  for (const Command& command : commands) {
    const std::string begin = "complete -c tpc -n '__fish_seen_subcommand_from " + command.name + "'";
    if (command.arguments.files) text += begin + " -F\n";
    if (!command.arguments.words.empty()) text += begin + " -a " + quoted(joined(command.arguments.words)) + "\n";
    for (const Flag& flag : command.flags) {
      const bool isLong = flag.name.starts_with("--");
      text += begin + (isLong ? " -l " + flag.name.substr(2) : " -s " + flag.name.substr(1));
      if (flag.takesValue) text += flag.values.files ? " -r -F" : " -x";
      if (!flag.values.words.empty()) text += " -a " + quoted(joined(flag.values.words));
      text += " -d " + quoted(flag.about) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completionScript(const CLI::App& app, const std::string& shell) {
  const std::vector<Command> commands = commandsOf(app);
  return shell == "zsh" ? zshScript(commands) : shell == "fish" ? fishScript(commands) : bashScript(commands);
}

}  // namespace tpc
