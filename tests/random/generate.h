// Random programs of the language: what people write, in combinations that nobody thought of.
//
//     size n = 16 -> inf
//     input x [batch, 8]
//     target y [batch] in 5
//     param W1 [8, n]
//     a1 = tanh(x @ W1)
//     param A2 [n, 4]
//     param B2 [4, n] init 0
//     param s2 [] init 1
//     a2 = a1 + s2 * ((gelu(a1) @ A2) @ B2)
//     ...
//
// Every program is right: its names, shapes and sizes fit.  The same seed gives the same text everywhere.
#pragma once

#include <cstdint>
#include <string>

namespace tpc::tests {

struct Generated {
  std::string text;
  std::string optimizer;
};

// Tame programs have the inits, powers and multipliers that somebody means to train; wild ones have any.
enum class Manner { tame, wild };

Generated randomProgram(uint64_t seed, Manner manner);

}  // namespace tpc::tests
