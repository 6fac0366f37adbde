#include "runtime/format/whole_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace tpc {
namespace {

constexpr char partPrefix[] = ".tpc-", partSuffix[] = ".part";

std::string folderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// A new file in the folder of `path`, whatever else is written there at the same time; its name in `name`.
int openBeside(const std::string& path, std::string& name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = folderOf(path) + partPrefix + std::to_string(getpid()) + "-" + std::to_string(attempt) + partSuffix;
    const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

// The new name itself must survive a machine that stops.  Not every file system syncs folders; those that do not keep
// names anyway.
void syncFolder(const std::string& folder) {
  const int opened = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  fsync(opened);
  ::close(opened);
}

// A signal may come at any time, so the name has a place of its own and a flag that says when it is whole.
char unfinishedFile[PATH_MAX];
volatile std::sig_atomic_t hasUnfinishedFile = 0;

void noteUnfinished(const std::string& path) {
  hasUnfinishedFile = 0;
  if (path.empty() || path.size() >= sizeof unfinishedFile) return;
  std::strcpy(unfinishedFile, path.c_str());
  std::atomic_signal_fence(std::memory_order_release);
  hasUnfinishedFile = 1;
}

}  // namespace

void removeUnfinishedFile() {
  if (hasUnfinishedFile) unlink(unfinishedFile);
}

WholeFile::WholeFile(const std::string& path) {
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  target_ = path;
  if (exists && !S_ISREG(status.st_mode)) {
    device_ = true;
    file_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // A link stays one: what it points to is replaced.
    char resolved[PATH_MAX];
    if (exists && realpath(path.c_str(), resolved)) target_ = resolved;
    if (exists) permissions_ = status.st_mode & 07777;
    file_ = openBeside(target_, beside_);
    if (file_ >= 0) noteUnfinished(beside_);
  }
  if (file_ < 0) {
    beside_.clear();
    failed();
  }
}

WholeFile::~WholeFile() { close(); }

bool WholeFile::failed() {
  if (good_) reason_ = std::strerror(errno);
  return good_ = false;
}

bool WholeFile::write(const void* data, size_t count) {
  const char* bytes = static_cast<const char*>(data);
  while (good_ && count > 0) {
    const ssize_t done = ::write(file_, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done == 0) errno = ENOSPC;
    if (done <= 0) return failed();
    bytes += done;
    count -= size_t(done);
  }
  return good_;
}

bool WholeFile::commit() {
  if (good_ && !device_) {
    if (permissions_ >= 0 && fchmod(file_, mode_t(permissions_)) != 0) failed();
    // Without it a machine that stops now could keep the new name and not what it stands for.
    if (good_ && fsync(file_) != 0) failed();
  }
  if (file_ >= 0) {
    if (::close(file_) != 0 && good_) failed();
    file_ = -1;
  }
  if (good_ && !device_) {
    if (std::rename(beside_.c_str(), target_.c_str()) != 0) failed();
    else beside_.clear();
    if (good_) syncFolder(folderOf(target_));
  }
  close();
  return good_;
}

void WholeFile::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  if (!beside_.empty()) unlink(beside_.c_str());
  beside_.clear();
  if (!device_) noteUnfinished("");
}

void removeStaleParts(const std::string& folder) {
  DIR* opened = opendir(folder.c_str());
  if (!opened) return;
  std::vector<std::string> stale;
  while (const dirent* entry = readdir(opened)) {
    const std::string name = entry->d_name;
    if (!name.starts_with(partPrefix) || !name.ends_with(partSuffix)) continue;
    const long process = std::strtol(name.c_str() + std::strlen(partPrefix), nullptr, 10);
    if (process > 0 && process != getpid() && kill(pid_t(process), 0) != 0 && errno == ESRCH) stale.push_back(name);
  }
  closedir(opened);
  for (const std::string& name : stale) unlink((folder + "/" + name).c_str());
}

}  // namespace tpc
