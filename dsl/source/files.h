// Files that a program names: `import "blocks.tp"`, `const mask [t] from "mask.npy"`.
//
// Who reads them is given from outside, so that a test can hand over texts and a fuzzer nothing at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tpc {

// The whole file, of at most `limit` bytes; empty with a reason in words.
using FileReader =
    std::function<std::optional<std::string>(const std::string& path, size_t limit, std::string& reason)>;

// From the disk.  Regular files alone: a pipe or a device could be endless, or never answer.
std::optional<std::string> readFile(const std::string& path, size_t limit, std::string& reason);

// Where `path` lies when the file called `from` names it: `models/gpt.tp` and `../blocks.tp` give `blocks.tp`.
std::string pathBeside(std::string_view from, const std::string& path);

}  // namespace tpc
