// Machine code in memory that may be executed and not written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tpc {

class Code {
 public:
  // Empty with the reason.
  static std::unique_ptr<Code> load(const std::vector<uint8_t>& bytes, std::string& error);
  ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  void* at(uint64_t offset) const { return static_cast<uint8_t*>(memory_) + offset; }

 private:
  Code(void* memory, size_t size) : memory_(memory), size_(size) {}
  void* memory_;
  size_t size_;
};

// The first instruction set of a list such as "avx2 fma" that this machine does not have; empty: it has them all.
std::string missingInstructions(const std::string& target);

}  // namespace tpc
