#include "compiler/driver/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dsl/syntax/parse.h"
#include "runtime/format/whole_file.h"

namespace tpc {

std::optional<std::string> readText(const std::string& path, std::string& reason) {
  const bool standardInput = path == "-";
  const int file = standardInput ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    reason = std::strerror(errno);
    return std::nullopt;
  }
  std::string text;
  char buffer[1 << 16];
  while (text.size() <= SyntaxLimits::fileBytes) {
    const ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      reason = std::strerror(errno);
      if (!standardInput) close(file);
      return std::nullopt;
    }
    if (count == 0) break;
    text.append(buffer, size_t(count));
  }
  if (!standardInput) close(file);
  return text;
}

bool writeWhole(const std::string& path, const std::string& text, std::string& reason) {
  WholeFile file(path);
  file.write(text.data(), text.size());
  if (file.commit()) return true;
  reason = file.reason();
  return false;
}

}  // namespace tpc
