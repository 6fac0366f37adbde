#include "runtime/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <iterator>

#include "runtime/format/whole_file.h"

namespace tpc {
namespace {

constexpr int noted[] = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t came = 0;
struct sigaction before[std::size(noted)];

extern "C" void onStop(int signal) {
  if (came) {
    removeUnfinishedFile();
    _exit(128 + signal);
  }
  came = signal;
}

}  // namespace

Interrupts::Interrupts() {
  came = 0;
  struct sigaction action {};
  action.sa_handler = onStop;
  for (size_t i = 0; i < std::size(noted); ++i) {
    sigaction(noted[i], nullptr, &before[i]);
    // `nohup tpc train ...` asked to outlive its terminal.
    if (before[i].sa_handler != SIG_IGN) sigaction(noted[i], &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  for (size_t i = 0; i < std::size(noted); ++i) sigaction(noted[i], &before[i], nullptr);
}

int Interrupts::signal() { return came; }

}  // namespace tpc
