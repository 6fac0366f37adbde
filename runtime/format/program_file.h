// A compiled program as a file, `.tpx`: what trains on a machine that has no compiler.
//
//     magic and version, length and checksum of the rest, then the program's table and the compiled program
//
// A `.tpx` holds machine code and is run as such: it is to be trusted as a program is.  What is checked is everything
// else: a file that is truncated, damaged, of another version or inconsistent is refused with a reason before any of
// its code runs, and no number in it makes the runtime itself read or write outside of the arena.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/format/compiled.h"
#include "runtime/format/program.h"

namespace tpc {

struct ProgramFile {
  std::string source{};  // what it was compiled from: a hash, for messages
  ProgramTable table{};
  CompiledProgram program{};
};

std::string toBytes(const ProgramFile& file);

// Empty with the reason.
std::optional<ProgramFile> readProgramFile(std::string_view bytes, std::string& reason);

// The first thing in which the program contradicts itself or its table; empty: nothing.
std::string violation(const CompiledProgram& program, const ProgramTable& table);

}  // namespace tpc
