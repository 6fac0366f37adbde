#include "runtime/data/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>

namespace tpc {
namespace {

constexpr size_t chunk = 1 << 18;

std::nullopt_t unreadable(const std::string& path, const std::string& why, Mistake& mistake) {
  fails(mistake, Fault::usage, "TPC0501", "cannot read the data " + path + ": " + why);
  return std::nullopt;
}

std::optional<std::string> readPacked(int file, const std::string& path, uint64_t limit, Mistake& mistake) {
  const gzFile packed = gzdopen(dup(file), "rb");
  if (!packed) return unreadable(path, "there is not enough memory to unpack it", mistake);
  std::string bytes, why;
  std::vector<char> buffer(chunk);
  while (true) {
    const int count = gzread(packed, buffer.data(), unsigned(buffer.size()));
    if (count < 0) {
      int error = 0;
      why = std::string("it cannot be unpacked, ") + gzerror(packed, &error);
      break;
    }
    if (count == 0) {
      if (!gzeof(packed)) why = "it cannot be unpacked";
      break;
    }
    if (bytes.size() + size_t(count) > limit) {
      why = "it unpacks to more than " + std::to_string(limit) + " bytes";
      break;
    }
    bytes.append(buffer.data(), size_t(count));
  }
  // A file that ends too early is told only here.
  const int closed = gzclose(packed);
  if (why.empty() && closed != Z_OK) why = "it ends too early";
  if (why.empty()) return bytes;
  fails(mistake, Fault::content, "TPC0502", "`" + path + "`: " + why);
  return std::nullopt;
}

}  // namespace

uint64_t largestFileInMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || size <= 0) return uint64_t(1) << 30;
  return uint64_t(pages) * uint64_t(size) / 2;
}

std::optional<std::string> readBytes(const std::string& path, uint64_t limit, Mistake& mistake) {
  // Without blocking: the open of a pipe that nobody writes to would not return.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return unreadable(path, std::strerror(errno), mistake);
  struct Closed {
    int file;
    ~Closed() { close(file); }
  } closed{file};
  struct stat status {};
  if (fstat(file, &status) != 0) return unreadable(path, std::strerror(errno), mistake);
  if (S_ISDIR(status.st_mode)) return unreadable(path, "it is a folder", mistake);
  if (!S_ISREG(status.st_mode)) return unreadable(path, "it is not a regular file", mistake);
  if (uint64_t(status.st_size) > limit)
    return unreadable(path, "it is larger than " + std::to_string(limit) + " bytes, half of this machine's memory",
                      mistake);
  try {
    if (path.ends_with(".gz")) return readPacked(file, path, limit, mistake);
    std::string bytes;
    bytes.reserve(size_t(status.st_size));
    std::vector<char> buffer(chunk);
    while (true) {
      const ssize_t count = read(file, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return unreadable(path, std::strerror(errno), mistake);
      if (count == 0) return bytes;
      if (bytes.size() + size_t(count) > limit) return unreadable(path, "it grows while it is read", mistake);
      bytes.append(buffer.data(), size_t(count));
    }
  } catch (const std::bad_alloc&) {
    fails(mistake, Fault::machine, "", "there is not enough memory for " + path);
    return std::nullopt;
  }
}

std::optional<std::vector<std::string>> filesUnder(const std::string& path, Mistake& mistake) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error || !fs::exists(status))
    return unreadable(path, error ? error.message() : "No such file or directory", mistake);
  if (!fs::is_directory(status)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().filename().string().starts_with('.')) {
      if (at->is_directory(ignored)) at.disable_recursion_pending();
      continue;
    }
    if (at->is_regular_file(ignored)) files.push_back(at->path().string());
  }
  if (error) return unreadable(path, error.message(), mistake);
  if (files.empty()) return unreadable(path, "the folder holds no files", mistake);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tpc
