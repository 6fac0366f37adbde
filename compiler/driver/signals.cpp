#include "compiler/driver/signals.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "runtime/format/whole_file.h"

#if defined(__SANITIZE_ADDRESS__)
#define TPC_UNDER_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TPC_UNDER_SANITIZER
#endif
#endif

namespace tpc {

namespace {

constexpr char whereToReport[] =
    "tpc: this is a defect of tpc, not of your program\n"
    "     please report it with the program and the command that show it, as CONTRIBUTING.md in the sources says\n";

void say(const char* text) { [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text)); }

// A document is written beside its name first, so an interrupt leaves none that is half written.
extern "C" void onInterrupt(int signal) {
  removeUnfinishedFile();
  _exit(128 + signal);
}

extern "C" void onNoMoreTime(int) {
  removeUnfinishedFile();
  say("tpc: the processor time that this shell allows is used up\n");
  _exit(exit_code::machine);
}

// MLIR takes what it allocates without looking, so where memory ends it faults.  Where not even a MiB is to be had, the
// fault is memory's.
extern "C" void onFault(int) {
  constexpr size_t little = size_t(1) << 20;
  if (mmap(nullptr, little, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
    _exit(reportOutOfMemory());
  }
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
  // `nohup tpc ...` asked to outlive its terminal.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = onNoMoreTime;
  sigaction(SIGXCPU, &action, nullptr);
  // A reader that has seen enough (`tpc ... | head`), or a file that may not grow further, is no reason to die of a
  // signal: the write fails and is answered.
  action.sa_handler = SIG_IGN;
  for (int signal : {SIGPIPE, SIGXFSZ}) sigaction(signal, &action, nullptr);
#if !defined(TPC_UNDER_SANITIZER)  // which tells a fault better
  action.sa_handler = onFault;
  action.sa_flags = SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(signal, &action, nullptr);
#endif
}

int reportOutOfMemory() {
  say("tpc: out of memory\n");
  return exit_code::machine;
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
