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

// What was derived of one parameter, multiplier or named value along one symbol, or the symbol's verdict.
struct Derived {
  std::map<std::string, Size> sizes;
  std::string words;  // roles, status, verdicts
  friend bool operator==(const Derived&, const Derived&) = default;
};
std::string toString(const Derived& derived);

// Everything derived, under keys such as "n: parameter W".  Names go through `twin` where one is given, so that a
// program and its twin have the same keys.
using DerivedByName = std::map<std::string, Derived>;
DerivedByName derivedOf(const Analysed& analysed, const Twin* twin = nullptr);

// The entries in which the two differ, one a line; empty where they agree.
std::string difference(const DerivedByName& a, const DerivedByName& b);

}  // namespace tpc::programs
