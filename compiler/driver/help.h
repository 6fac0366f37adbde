// The examples at the end of `tpc COMMAND --help`: the quickest way to learn a command is to see it used.
#pragma once

#include <string>

namespace tpc {

// Of `tpc --help`, with the exit codes.
std::string helpFooter();

// Of one command; every command has some.
std::string helpFooter(const std::string& command);

}  // namespace tpc
