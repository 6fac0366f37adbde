// A process that ends by a promised exit code, never by a signal.
#pragma once

namespace tpc {

namespace exit_code {
inline constexpr int done = 0;
inline constexpr int negative = 1;  // a negative answer that was asked for
inline constexpr int usage = 2;
inline constexpr int program = 3;  // the program or the data is wrong
inline constexpr int machine = 4;  // memory, disk, device
inline constexpr int defect = 70;  // of tpc itself
}  // namespace exit_code

// Interrupts end with 130 and 143, faults of tpc's own with 70 and where to report them, memory that runs out with 4.
void installSignalHandlers();

// Says that there is no memory; returns exit_code::machine.
int reportOutOfMemory();

// Prints what went wrong inside tpc and where to report it; returns exit_code::defect.
int reportDefect(const char* what);

}  // namespace tpc
