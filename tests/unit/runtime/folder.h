// A folder of its own for a test, taken away at its end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tpc {

struct TestFolder {
  std::string path;
  TestFolder() {
    char name[] = "/tmp/tpc-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& file) const { return path + "/" + file; }
  std::string write(const std::string& file, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(*this / file).parent_path());
    std::ofstream(*this / file, std::ios::binary) << bytes;
    return *this / file;
  }
  std::string read(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(*this / file, std::ios::binary).rdbuf();
    return text.str();
  }
};

}  // namespace tpc
