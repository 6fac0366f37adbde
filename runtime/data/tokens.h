// A long row of whole numbers: the bytes of texts, or the tokens of a `.bin` file as nanoGPT and llm.c write them.
//
//     nanoGPT   uint16 after uint16, nothing else
//     llm.c     256 int32 first: 20240520, 1, count (uint16 follow), or 20240801, 7, count (uint32 follow)
//
// Texts are taken into memory, token files are read where they are asked for.  Where the program knows fewer than 256
// symbols, a text's distinct bytes are its alphabet, numbered in their order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/format/mistake.h"

namespace tpc {

class Tokens {
 public:
  // Files and folders, one after the other.  `below`: how many symbols the program knows; a token beyond is refused
  // with its place.  `alphabet`: that of a training before, or empty for that of this text.
  static std::optional<Tokens> open(const std::vector<std::string>& paths, int64_t below, std::string alphabet,
                                    std::vector<std::string>& notes, Mistake& mistake);
  static std::optional<Tokens> ofText(std::string text, int64_t below, std::string alphabet, Mistake& mistake);

  int64_t size() const { return size_; }
  const std::string& alphabet() const { return alphabet_; }  // empty: a byte is its own number, or they are no bytes
  bool isText() const { return isText_; }

  // first .. first + count - 1
  bool read(int64_t first, int64_t count, int32_t* out, Mistake& mistake) const;

 private:
  struct Part {
    std::string path;
    std::string text{};                 // of a text
    std::shared_ptr<const int> file{};  // of a token file: closed with the last copy
    int64_t begin = 0, count = 0;       // of its tokens, in the row and in number
    int64_t offset = 0;                 // bytes before them
    int width = 1;                      // bytes of each
  };
  static std::optional<Part> openBinary(const std::string& path, Mistake& mistake);
  bool take(Part part, Mistake& mistake);
  bool finish(int64_t below, std::string alphabet, Mistake& mistake);
  bool readPart(const Part& part, int64_t first, int64_t count, int32_t* out, Mistake& mistake) const;

  std::vector<Part> parts_;
  int64_t size_ = 0;
  int64_t below_ = 0;
  bool isText_ = true;
  std::string alphabet_;
  std::array<int16_t, 256> symbol_{};  // of a byte; -1: none
};

}  // namespace tpc
