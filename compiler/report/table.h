// Columns of text, each as wide as its widest entry: the form of every table that `tpc` prints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tpc {

// Characters on the screen, not bytes.
size_t widthOf(std::string_view text);

// Rows under each other, entries left-aligned, two spaces between, nothing behind the last.
std::string alignedRows(const std::vector<std::vector<std::string>>& rows, std::string_view indent = "  ");

// What comes from a file may hold control characters; a terminal gets none of them.
std::string printableLine(std::string_view text);

// `1 step`, `3 steps`.
std::string counted(size_t count, std::string_view noun);

}  // namespace tpc
