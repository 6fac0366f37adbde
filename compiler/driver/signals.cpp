#include "compiler/driver/signals.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>

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

// A signal may come at any time, so the name has a place of its own and a flag that says when it is whole.
char unfinishedFile[PATH_MAX];
volatile std::sig_atomic_t hasUnfinishedFile = 0;

// A document is written beside its name first, so an interrupt leaves none that is half written.
extern "C" void onInterrupt(int signal) {
  if (hasUnfinishedFile) unlink(unfinishedFile);
  _exit(128 + signal);
}

extern "C" void onNoMoreTime(int) {
  if (hasUnfinishedFile) unlink(unfinishedFile);
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

void removeOnInterrupt(const char* path) {
  hasUnfinishedFile = 0;
  if (*path == '\0' || std::strlen(path) >= sizeof unfinishedFile) return;
  std::strcpy(unfinishedFile, path);
  std::atomic_signal_fence(std::memory_order_release);
  hasUnfinishedFile = 1;
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
