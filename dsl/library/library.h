// The standard library: files written in the language, embedded in the program.
//
// Users read them to learn and copy them to change them; the compiler reads the very same text.
#pragma once

#include <span>
#include <string_view>

namespace tpc {

struct LibraryFile {
  std::string_view name;  // "attention": the function or optimizer that the file is about
  std::string_view path;  // "library/attention.tp": the name under which diagnostics cite it
  std::string_view text;
};

// All files, in alphabetical order of their names.
std::span<const LibraryFile> libraryFiles();

// The text of the file with this name; empty if there is none.
std::string_view libraryText(std::string_view name);

}  // namespace tpc
