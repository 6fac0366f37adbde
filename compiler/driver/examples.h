// The programs of examples/, embedded, so that whoever has the program alone can read and copy them.
#pragma once

#include <span>
#include <string_view>

namespace tpc {

struct ExampleFile {
  std::string_view name;  // "gpt"
  std::string_view text;
};

// All files, in alphabetical order of their names.
std::span<const ExampleFile> exampleFiles();

// What the first line of an example says that it is: "a decoder that grows in width and in depth".
std::string_view aboutExample(const ExampleFile& example);

}  // namespace tpc
