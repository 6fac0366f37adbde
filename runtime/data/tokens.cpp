#include "runtime/data/tokens.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/data/bytes.h"

namespace tpc {
namespace {

bool isBinary(const std::string& path) { return path.ends_with(".bin"); }

bool readAt(int file, int64_t offset, void* out, size_t count) {
  char* bytes = static_cast<char*>(out);
  while (count > 0) {
    const ssize_t done = pread(file, bytes, count, off_t(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done, offset += done, count -= size_t(done);
  }
  return true;
}

bool broken(const std::string& path, const std::string& why, Mistake& mistake) {
  return fails(mistake, Fault::content, "TPC0502", "`" + path + "`: " + why);
}

std::string shown(unsigned char byte) {
  if (byte > 32 && byte < 127) return std::string("`") + char(byte) + "`";
  return "byte " + std::to_string(byte);
}

}  // namespace

std::optional<Tokens::Part> Tokens::openBinary(const std::string& path, Mistake& mistake) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) {
    fails(mistake, Fault::usage, "TPC0501", "cannot read the data " + path + ": " + std::strerror(errno));
    return std::nullopt;
  }
  Part part{.path = path, .file = std::shared_ptr<const int>(new int(opened), [](const int* file) {
                            ::close(*file);
                            delete file;
                          })};
  struct stat status {};
  if (fstat(opened, &status) != 0 || !S_ISREG(status.st_mode)) {
    fails(mistake, Fault::usage, "TPC0501", "cannot read the data " + path + ": it is not a regular file");
    return std::nullopt;
  }
  const int64_t size = status.st_size;
  constexpr int64_t headerBytes = 1024;
  int32_t header[3] = {};
  const bool hasHeader = size >= headerBytes && readAt(opened, 0, header, sizeof header) &&
                         (header[0] == 20240520 || header[0] == 20240801);
  part.width = hasHeader && header[0] == 20240801 ? 4 : 2;
  part.offset = hasHeader ? headerBytes : 0;
  if (hasHeader && header[1] != (part.width == 4 ? 7 : 1)) {
    broken(path, "its version " + std::to_string(header[1]) + " of llm.c's format is not known", mistake);
    return std::nullopt;
  }
  const int64_t bytes = size - part.offset;
  part.count = bytes / part.width;
  if (bytes % part.width != 0) {
    broken(path, "it ends within a token", mistake);
    return std::nullopt;
  }
  if (hasHeader && header[2] != part.count) {
    broken(path, "its header says " + std::to_string(header[2]) + " tokens, and it holds " + std::to_string(part.count),
           mistake);
    return std::nullopt;
  }
  return part;
}

bool Tokens::take(Part part, Mistake& mistake) {
  const bool text = part.width == 1;
  if (!parts_.empty() && text != isText_)
    return broken(part.path, "texts and token files cannot be one row of data", mistake);
  isText_ = text;
  part.begin = size_;
  size_ += part.count;
  if (part.count > 0) parts_.push_back(std::move(part));
  return true;
}

std::optional<Tokens> Tokens::open(const std::vector<std::string>& paths, int64_t below, std::string alphabet,
                                   std::vector<std::string>& notes, Mistake& mistake) {
  Tokens tokens;
  for (const std::string& path : paths) {
    const std::optional<std::vector<std::string>> files = filesUnder(path, mistake);
    if (!files) return std::nullopt;
    const bool folder = files->size() != 1 || files->front() != path;
    size_t passedOver = 0;
    for (const std::string& file : *files) {
      if (isBinary(file) && !folder) {
        std::optional<Part> part = openBinary(file, mistake);
        if (!part || !tokens.take(std::move(*part), mistake)) return std::nullopt;
        continue;
      }
      Mistake here;
      std::optional<std::string> text = readBytes(file, largestFileInMemory() - uint64_t(tokens.size_), here);
      // Of a folder only what is text is meant: a picture or an archive among the files is passed over.
      if (folder && (!text ? here.fault != Fault::machine : text->find('\0') != std::string::npos)) {
        ++passedOver;
        continue;
      }
      if (!text) return mistake = here, std::nullopt;
      const int64_t count = int64_t(text->size());
      if (!tokens.take({.path = file, .text = std::move(*text), .count = count}, mistake)) return std::nullopt;
    }
    if (passedOver > 0)
      notes.push_back(path + ": " + std::to_string(passedOver) +
                      (passedOver == 1 ? " file that is" : " files that are") + " no text passed over");
  }
  if (!tokens.finish(below, std::move(alphabet), mistake)) return std::nullopt;
  return tokens;
}

std::optional<Tokens> Tokens::ofText(std::string text, int64_t below, std::string alphabet, Mistake& mistake) {
  Tokens tokens;
  const int64_t count = int64_t(text.size());
  if (!tokens.take({.path = "text", .text = std::move(text), .count = count}, mistake) ||
      !tokens.finish(below, std::move(alphabet), mistake))
    return std::nullopt;
  return tokens;
}

bool Tokens::finish(int64_t below, std::string alphabet, Mistake& mistake) {
  below_ = below;
  if (!isText_) {
    // One pass over all of it: a token that the program does not know shall not stop the training in its tenth hour.
    constexpr int64_t chunk = 1 << 16;
    std::vector<int32_t> tokens(chunk);
    for (int64_t first = 0; first < size_; first += chunk)
      if (!read(first, std::min(chunk, size_ - first), tokens.data(), mistake)) return false;
    return true;
  }
  std::array<bool, 256> present{};
  for (const Part& part : parts_)
    for (unsigned char byte : part.text) present[byte] = true;
  if (alphabet.empty() && below < 256)
    for (int byte = 0; byte < 256; ++byte)
      if (present[size_t(byte)]) alphabet += char(byte);
  alphabet_ = std::move(alphabet);
  if (int64_t(alphabet_.size()) > below)
    return fails(mistake, Fault::content, "TPC0503",
                 "the text has " + std::to_string(alphabet_.size()) + " different bytes, and the program knows " +
                     std::to_string(below) + " symbols",
                 "give the size that counts its symbols a larger number, 256 for any text");
  symbol_.fill(-1);
  if (alphabet_.empty())
    for (int byte = 0; byte < 256; ++byte) symbol_[size_t(byte)] = int16_t(byte);
  for (size_t i = 0; i < alphabet_.size(); ++i) symbol_[uint8_t(alphabet_[i])] = int16_t(i);
  for (const Part& part : parts_)
    for (size_t i = 0; i < part.text.size(); ++i)
      if (const auto byte = uint8_t(part.text[i]); symbol_[byte] < 0)
        return broken(part.path,
                      shown(byte) + " at its byte " + std::to_string(i) +
                          " is none of the alphabet that the program was trained with",
                      mistake);
  return true;
}

bool Tokens::readPart(const Part& part, int64_t first, int64_t count, int32_t* out, Mistake& mistake) const {
  if (part.width == 1) {
    for (int64_t i = 0; i < count; ++i) out[i] = symbol_[uint8_t(part.text[size_t(first + i)])];
    return true;
  }
  // Read to the end of the place for the result and widened from its front: the shorter numbers are never overwritten
  // before they were read.
  char* bytes = reinterpret_cast<char*>(out) + size_t(count) * sizeof(int32_t) - size_t(count * part.width);
  if (!readAt(*part.file, part.offset + first * part.width, bytes, size_t(count * part.width)))
    return broken(part.path, "it became shorter while it was read", mistake);
  for (int64_t i = 0; i < count; ++i) {
    uint32_t token = 0;
    std::memcpy(&token, bytes + i * part.width, size_t(part.width));
    if (token >= uint64_t(below_))
      return fails(mistake, Fault::content, "TPC0503",
                   "`" + part.path + "`: its token " + std::to_string(first + i) + " is " + std::to_string(token) +
                       ", and the program knows those below " + std::to_string(below_));
    out[i] = int32_t(token);
  }
  return true;
}

bool Tokens::read(int64_t first, int64_t count, int32_t* out, Mistake& mistake) const {
  auto part = std::upper_bound(parts_.begin(), parts_.end(), first,
                               [](int64_t at, const Part& each) { return at < each.begin + each.count; });
  while (count > 0 && part != parts_.end()) {
    const int64_t here = std::min(count, part->begin + part->count - first);
    if (!readPart(*part, first - part->begin, here, out, mistake)) return false;
    first += here, count -= here, out += here;
    ++part;
  }
  return true;
}

}  // namespace tpc
