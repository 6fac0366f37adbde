// A program's twin: the same under other names and with its statements in another order.
//
//     param U [d, n]                    param V_4 [n_2, 1]
//     param V [n, 1]                    size n_2 = 64 -> inf, d_0 = 8
//     size n = 64 -> inf, d = 8         param U_7 [d_0, n_2]
//
// Names and order mean nothing, so everything derived of the two must agree; what hashes a name, or takes the first of
// several that bind alike, shows here.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/driver/pipeline.h"

namespace tpc::programs {

struct Twin {
  std::string text;
  std::map<std::string, std::string> names;  // as they were -> as they are
  std::set<std::string> scopes;              // functions and repeats of the program: what its names can stand in

  // A path of names, `layers.W`, as the twin calls it.
  std::string renamed(const std::string& path) const;
};

// The text must parse.
Twin twinOf(const std::string& text, uint64_t seed);

// Everything derived, one sorted line for each parameter, multiplier and named value along each symbol.  Names go
// through `twin` where one is given, so that the lines of a program and of its twin are the same.
std::vector<std::string> derivedLines(const Analysed& analysed, const Twin* twin = nullptr);

// The lines of either list that the other lacks, `-` and `+` before them; empty where the two agree.
std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace tpc::programs
