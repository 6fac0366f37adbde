// The bytes of files that a user names as data: whole, unpacked where they are `.gz`, and never more than there is room
// for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/format/mistake.h"

namespace tpc {

// The largest file that is taken into memory: half of the machine's, so that training keeps the other half.
uint64_t largestFileInMemory();

// Regular files alone.  A `.gz` that unpacks to more than `limit` is refused before it does.
std::optional<std::string> readBytes(const std::string& path, uint64_t limit, Mistake& mistake);

// The file itself, or the regular files of a folder and of those in it, by name in the order of their bytes; names that
// begin with a dot are passed over.
std::optional<std::vector<std::string>> filesUnder(const std::string& path, Mistake& mistake);

}  // namespace tpc
