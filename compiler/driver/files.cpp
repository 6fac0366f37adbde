#include "compiler/driver/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "compiler/driver/signals.h"
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

namespace {

// A new file in the folder of `path`, whatever else is written there at the same time; its name in `name`.
int openBeside(const std::string& path, std::string& name) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = folder + ".tpc-" + std::to_string(getpid()) + "-" + std::to_string(attempt) + ".part";
    const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

bool writeAll(int file, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += size_t(count);
  }
  return true;
}

}  // namespace

bool writeWhole(const std::string& path, const std::string& text, std::string& reason) {
  const auto failed = [&] {
    reason = std::strerror(errno);
    return false;
  };
  // A pipe or a device takes no new name: it is written as it is.
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return failed();
    const bool good = writeAll(file, text) || failed();
    return (close(file) == 0 || failed()) && good;
  }

  // A link stays one: what it points to is replaced.
  char resolved[PATH_MAX];
  const std::string target = exists && realpath(path.c_str(), resolved) ? resolved : path;
  std::string beside;
  const int file = openBeside(target, beside);
  if (file < 0) return failed();
  removeOnInterrupt(beside.c_str());
  bool good = writeAll(file, text) && (!exists || fchmod(file, status.st_mode & 07777) == 0);
  // Without it a machine that stops now could keep the new name and not what it stands for.
  good = (good && fsync(file) == 0) || failed();
  if (close(file) != 0 && good) good = failed();
  if (good && std::rename(beside.c_str(), target.c_str()) != 0) good = failed();
  if (!good) unlink(beside.c_str());
  removeOnInterrupt("");
  return good;
}

}  // namespace tpc
