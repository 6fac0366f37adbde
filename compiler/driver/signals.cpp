#include "compiler/driver/signals.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace tpc {

namespace {

constexpr char whereToReport[] =
    "tpc: this is a defect of tpc, not of your program\n"
    "     please report it with the program and the command that show it, as CONTRIBUTING.md in the sources says\n";

void say(const char* text) { [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text)); }

// A document is written beside its name first, so an interrupt leaves none that is half written.
extern "C" void onInterrupt(int signal) { _exit(128 + signal); }

extern "C" void onFault(int) {
  say("tpc: stopped by a fault inside\n");
  say(whereToReport);
  _exit(exit_code::defect);
}

}  // namespace

void installSignalHandlers() {
  // A fault by a stack that ran out needs another one to be told on.
  static char stack[1 << 16];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);

  struct sigaction action {};
  action.sa_handler = onInterrupt;
  for (int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  // A reader that has seen enough (`tpc ... | head`) is no reason to die of a signal: the write fails and is answered.
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
#if !defined(__SANITIZE_ADDRESS__)
  action.sa_handler = onFault;
  action.sa_flags = SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(signal, &action, nullptr);
#endif
}

int reportDefect(const char* what) {
  std::fflush(stdout);
  say("tpc: ");
  say(what);
  say("\n");
  say(whereToReport);
  return exit_code::defect;
}

}  // namespace tpc
