// A training that is asked to stop finishes its step, writes its checkpoint and leaves.
//
// The first SIGINT, SIGTERM or SIGHUP is noted; a second one ends the process at once, by the same exit code, and takes
// away what is half written.
#pragma once

namespace tpc {

// Until it goes out of scope signals are noted instead of what they did before.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  static int signal();  // the one that came; 0: none
};

}  // namespace tpc
