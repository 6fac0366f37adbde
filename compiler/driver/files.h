// Reading a program and writing a document, with the answers that exit codes need.
#pragma once

#include <optional>
#include <string>

namespace tpc {

// The text of a file, or of standard input for `-`; empty with a reason where it cannot be read.  Never more than a
// little over the largest program that the parser takes, so that /dev/zero ends too.
std::optional<std::string> readText(const std::string& path, std::string& reason);

// The document at `path`, whole or not at all: it is written beside and then takes the name.
bool writeWhole(const std::string& path, const std::string& text, std::string& reason);

}  // namespace tpc
