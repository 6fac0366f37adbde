// Random programs with repeats in repeats.
//
// What is drawn: carried values, functions that stand in other scopes, parameters of every sharing, indices as values,
// collected values, and what reads them.
#pragma once

#include <cstdint>
#include <string>

namespace tpc {

std::string randomProgram(uint64_t seed);

}  // namespace tpc
