#include "compiler/driver/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dsl/syntax/parse.h"

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
  // A pipe or a device takes no new name: it is written as it is.
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  const bool direct = exists && !S_ISREG(status.st_mode);
  const std::string beside = direct ? path : path + "." + std::to_string(getpid()) + ".part";
  const int flags = direct ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL;
  const int file = open(beside.c_str(), flags | O_CLOEXEC, 0666);
  bool good = file >= 0;
  for (size_t done = 0; good && done < text.size();) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    good = count > 0;
    if (good) done += size_t(count);
  }
  if (good && exists && !direct) good = fchmod(file, status.st_mode & 07777) == 0;
  if (!good) reason = std::strerror(errno);
  if (file >= 0 && close(file) != 0 && good) good = false, reason = std::strerror(errno);
  if (good && !direct && std::rename(beside.c_str(), path.c_str()) != 0) good = false, reason = std::strerror(errno);
  if (!good && !direct && file >= 0) unlink(beside.c_str());
  return good;
}

}  // namespace tpc
