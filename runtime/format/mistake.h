// Why something could not be done, for whoever asked: what is wrong in one sentence, what would mend it, whose turn it
// is.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace tpc {

enum class Fault : uint8_t {
  usage,    // what was asked for cannot be
  content,  // a file says something wrong
  machine,  // memory, disk
};

struct Mistake {
  Fault fault = Fault::content;
  std::string code{};  // `TPC0502`; empty: a sentence without one
  std::string message{}, help{};
};

inline bool fails(Mistake& mistake, Fault fault, std::string code, std::string message, std::string help = "") {
  mistake = {fault, std::move(code), std::move(message), std::move(help)};
  return false;
}

}  // namespace tpc
