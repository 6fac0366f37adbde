// Moves: ways to write a program differently that its exponents must not notice, or must answer in a stated way.
//
//     h = tanh(x @ W)      h = tanh(transpose(transpose(x @ W)))      h = tanh(x @ (3 * W))
//
// A move changes one place, chosen by the seed, where there is one to change.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compiler/driver/pipeline.h"
#include "tests/programs/twin.h"

namespace tpc::tests {

// How the moved program's exponents follow from the original's.
enum class Answer {
  same,        // everything that both have a name for
  lossScaled,  // gradients and epsilons one half higher, learning rates lower by half the homogeneity
  doubled,     // every exponent twice as large: n is the square of what grows now
};

struct Moved {
  std::string before, after;  // both are to be analysed: some moves compare two ways of writing
  Answer answer = Answer::same;
  // Parameters that became several, by their new names; where those agree the old one must agree with them, and
  // otherwise nothing is said: the one had to serve them all.
  std::map<std::string, std::vector<std::string>> parts{};
  std::set<std::string> ignored{};  // names that mean something else after the move
  bool otherRoles = false;          // a role tells of the first use alone
  bool ofLayers = false;            // layers that differ are not analysed in a repeat, and may be outside of it
  std::optional<programs::Twin> twin{};
};

struct Move {
  const char* name;
  std::optional<Moved> (*make)(const std::string& text, const Analysed& analysed, uint64_t seed);
};
std::span<const Move> allMoves();

// What does not follow, one line each; empty where all is as it must be.  `kinds` gets what is wrong in short, such as
// "parameter lr", so that a smaller program can be asked for the same mistake.
std::string violationOf(const Moved& moved, const Analysed& before, const Analysed& after,
                        std::set<std::string>* kinds = nullptr);

}  // namespace tpc::tests
