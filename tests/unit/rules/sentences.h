// Which rule decides, asked of programs of a few lines.
//
//     decidedBy("u = x @ W", "u")                            {"matmul.fresh"}
//     decidedBy("u = relu(x @ W) @ transpose(W)", "u")       {"add.largest", "matmul.z-dot"}
#pragma once

#include <set>
#include <string>

#include "compiler/driver/pipeline.h"

namespace tpc::rules {

using Rules = std::set<std::string>;

// The lines with what they may use around them; whatever they do not is left out, the loss reads `u`.
//
//     size n -> inf;  inputs x, z [batch, n], s [batch, 4];  parameters of size one U, U2 [4, n], W, W2 [n, n], v [n]
struct Lines {
  std::string text;
  std::string tail = "loss = mean(u^2)\n";
  std::string optimizer = "adam";
  Alignment alignment = Alignment::full;
  std::optional<Rational> lr = {};          // of every parameter, in place of the plan's
  std::optional<Rational> multiplier = {};  // of `auto`, in place of the plan's
};
std::string program(const Lines& lines);
Analysed analysed(const Lines& lines);

// The rules of the steps about that value which its size rests on.
Rules decidedBy(const Lines& lines, const std::string& value, Aspect aspect = Aspect::init);
// All rules that the derivation wrote down about that value, whether its size rests on them or not.
Rules writtenOf(const Lines& lines, const std::string& value);
// The rule of a parameter's init, learning rate or update, or of the free multiplier `auto`.
std::string initRule(const Lines& lines, const std::string& parameter);
std::string lrRule(const Lines& lines, const std::string& parameter);
std::string updateRule(const Lines& lines, const std::string& parameter);
std::string multiplierRule(const Lines& lines);
// The rules of the steps of that aspect about the value or parameter.
Rules rulesOf(const Lines& lines, const std::string& value, Aspect aspect);

Rules only(const std::string& rule);
bool has(const Rules& rules, const std::string& rule);

}  // namespace tpc::rules
