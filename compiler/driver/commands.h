// The commands behind the command line: each gives what it prints and the exit code that goes with it.
#pragma once

#include <string>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/driver/pipeline.h"

namespace tpc {

struct CommandOptions {
  std::string file;  // `-` for standard input
  PipelineOptions pipeline;
  Gauge gauge = Gauge::plain;
  std::vector<std::string> compare;  // parametrizations to show side by side
  std::string format = "text";
  bool json = false, full = false;
  bool color = false;        // of the document
  bool colorErrors = false;  // of standard error
};

struct Answer {
  int exitCode = 0;
  std::string document;  // to standard output or to the file of -o
  std::string messages;  // to standard error
};

Answer analyzeCommand(const CommandOptions& options);

// A value or parameter of a file; `name` alone: a rule or the code of a diagnostic.
Answer explainCommand(const CommandOptions& options, const std::string& name);
Answer explainWordCommand(const std::string& word);

Answer rulesCommand();

// All of the library, or one function or optimizer of it.
Answer libraryCommand(const std::string& name);

// What examples there are, or the text of one.
Answer examplesCommand(const std::string& name);

}  // namespace tpc
