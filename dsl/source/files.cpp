#include "dsl/source/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tpc {

std::optional<std::string> readFile(const std::string& path, size_t limit, std::string& reason) {
  auto failed = [&] {
    reason = std::strerror(errno);
    return std::nullopt;
  };
  // Without blocking: the open of a pipe that nobody writes to would not return.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failed();
  struct Closed {
    int file;
    ~Closed() { close(file); }
  } closed{file};
  struct stat status {};
  if (fstat(file, &status) != 0) return failed();
  if (!S_ISREG(status.st_mode)) {
    reason = S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file";
    return std::nullopt;
  }
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    if (count == 0) return text;
    text.append(buffer, size_t(count));
    if (text.size() > limit) {
      reason = "it is larger than " + std::to_string(limit) + " bytes";
      return std::nullopt;
    }
  }
}

std::string pathBeside(std::string_view from, const std::string& path) {
  return (std::filesystem::path(from).parent_path() / path).lexically_normal().string();
}

}  // namespace tpc
