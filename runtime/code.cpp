#include "runtime/code.h"

#include <sys/mman.h>

#include <cstring>
#include <sstream>

namespace tpc {

std::unique_ptr<Code> Code::load(const std::vector<uint8_t>& bytes, std::string& error) {
  constexpr size_t page = 4096;
  const size_t size = (bytes.size() + page) / page * page;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return error = "there is not enough memory for the code", nullptr;
  if (!bytes.empty()) std::memcpy(memory, bytes.data(), bytes.size());
  if (mprotect(memory, size, PROT_READ | PROT_EXEC) != 0) {
    munmap(memory, size);
    return error = "this system does not let a program run code that it was given", nullptr;
  }
  __builtin___clear_cache(static_cast<char*>(memory), static_cast<char*>(memory) + size);
  return std::unique_ptr<Code>(new Code(memory, size));
}

Code::~Code() { munmap(memory_, size_); }

std::string missingInstructions(const std::string& target) {
  std::istringstream words(target);
  for (std::string word; words >> word;) {
#if defined(__x86_64__)
    const bool there = word == "avx"        ? __builtin_cpu_supports("avx")
                       : word == "avx2"     ? __builtin_cpu_supports("avx2")
                       : word == "fma"      ? __builtin_cpu_supports("fma")
                       : word == "avx512f"  ? __builtin_cpu_supports("avx512f")
                       : word == "avx512vl" ? __builtin_cpu_supports("avx512vl")
                       : word == "avx512dq" ? __builtin_cpu_supports("avx512dq")
                       : word == "avx512bw" ? __builtin_cpu_supports("avx512bw")
                                            : word == "x86-64";
#else
    const bool there = false;
#endif
    if (!there) return word;
  }
  return {};
}

}  // namespace tpc
