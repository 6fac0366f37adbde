// Tensors in files: what is written is read back, and no bytes do harm.
#include <cmath>
#include <cstring>
#include <random>

#include "runtime/format/safetensors.h"
#include "tests/catch.h"
#include "tests/unit/runtime/folder.h"

namespace tpc {
namespace {

std::string fileOf(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = char(header.size() >> 8 * i & 255);
  return bytes + header + data;
}

// What is said of a file with these bytes; "" where it is taken.
std::string said(const TestFolder& folder, const std::string& bytes) {
  Mistake mistake;
  return SafetensorsFile::open(folder.write("some.safetensors", bytes), mistake) ? "" : mistake.message;
}

constexpr char one[] = R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})";
const std::string eight(8, '\0');

}  // namespace

TEST_CASE("what is written is read back, names, shapes, types and all", "[safetensors]") {
  const TestFolder folder;
  const std::vector<float> w = {1.5f, -2, 0, 3.25f, 1e-30f, 65504};
  const std::vector<double> v = {1.0 / 3, -7e300};
  const TensorToStore tensors[] = {{"W", {2, 3}, StoredType::f32, false, w.data(), 6},
                                   {"W/m", {2}, StoredType::f64, true, v.data(), 2},
                                   {"half", {6}, StoredType::f16, false, w.data(), 6},
                                   {"empty", {0, 4}, StoredType::f32, false, w.data(), 0}};
  const std::pair<std::string, std::string> metadata[] = {{"tpc", "{\"step\": 3}"}};
  Mistake mistake;
  REQUIRE(writeSafetensors(folder / "a.safetensors", tensors, metadata, mistake));
  const auto file = SafetensorsFile::open(folder / "a.safetensors", mistake);
  REQUIRE(file);
  CHECK(file->tensors().size() == 4);
  CHECK(*file->metadata("tpc") == "{\"step\": 3}");
  CHECK(file->find("W")->shape == std::vector<int64_t>{2, 3});
  CHECK(file->find("nothing") == nullptr);
  std::vector<float> back(6);
  REQUIRE(file->read(*file->find("W"), back.data(), mistake));
  CHECK(back == w);
  std::vector<double> doubles(2);
  REQUIRE(file->read(*file->find("W/m"), doubles.data(), mistake));
  CHECK(doubles == v);
  REQUIRE(file->read(*file->find("half"), back.data(), mistake));
  CHECK(back == std::vector<float>{1.5f, -2, 0, 3.25f, 0, 65504});
  const std::string bytes = folder.read("a.safetensors");
  REQUIRE(writeSafetensors(folder / "b.safetensors", tensors, metadata, mistake));
  CHECK(folder.read("b.safetensors") == bytes);
}

TEST_CASE("the formats of 16 bits round to the nearest, halves to even", "[safetensors]") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float half = halfToFloat(uint16_t(bits)), brain = bfloatToFloat(uint16_t(bits));
    if (!std::isnan(half)) CHECK(floatToHalf(half) == bits);
    else CHECK(std::isnan(halfToFloat(floatToHalf(half))));
    if (!std::isnan(brain)) CHECK(floatToBfloat(brain) == bits);
    else CHECK(std::isnan(bfloatToFloat(floatToBfloat(brain))));
  }
  CHECK(halfToFloat(floatToHalf(1 + 0x1p-11f)) == 1);  // between 1 and the next, 1 is even
  CHECK(halfToFloat(floatToHalf(1 + 3 * 0x1p-11f)) == 1 + 0x1p-9f);
  CHECK(halfToFloat(floatToHalf(1 + 0x1.1p-11f)) == 1 + 0x1p-10f);
  CHECK(std::isinf(halfToFloat(floatToHalf(65520))));
  CHECK(halfToFloat(floatToHalf(65519)) == 65504);
  CHECK(halfToFloat(floatToHalf(0x1p-25f)) == 0);
  CHECK(halfToFloat(floatToHalf(0x1.8p-25f)) == 0x1p-24f);
  CHECK(bfloatToFloat(floatToBfloat(1 + 0x1p-8f)) == 1);
  CHECK(bfloatToFloat(floatToBfloat(1 + 3 * 0x1p-8f)) == 1 + 0x1p-6f);
}

TEST_CASE("a file that lies is refused with the reason", "[safetensors][hostile]") {
  const TestFolder folder;
  CHECK(said(folder, fileOf(one, eight)) == "");
  CHECK(said(folder, fileOf(std::string(one) + "   ", eight)) == "");
  const std::pair<std::string, std::string> cases[] = {
      {"", "it is shorter than 8 bytes"},
      {"12345", "it is shorter than 8 bytes"},
      {"\xff\xff\xff\xff\xff\xff\xff\xff{}", "its header is longer than the file"},
      {fileOf("", ""), "its header does not begin with {"},
      {fileOf("[]", ""), "its header does not begin with {"},
      {fileOf("{", ""), "its header is no JSON"},
      {fileOf("{} {}", ""), "its header is no JSON"},
      {fileOf(std::string(50000, '{'), ""), "header"},
      {fileOf("{\"a\":" + std::string(50000, '['), ""), "`a` is no tensor"},
      {fileOf(R"({"W": 3})", ""), "`W` is no tensor"},
      {fileOf(R"({"W": {}})", ""), "`W` lacks its type, shape or offsets"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [0]}})", eight), "lacks"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 9]}})", eight), "header"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", eight), "ends before it begins"},
      {fileOf(R"({"W": {"dtype": "F33", "shape": [2], "data_offsets": [0, 8]}})", eight), "of the type `F33`"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", eight), "header"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}})", eight), "header"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}})", eight),
       "has 8 bytes, and its shape asks for 12"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}})", eight),
       "has 8 bytes, and its shape asks for 4"},
      {fileOf(
           R"({"W": {"dtype": "F32", "shape": [4611686018427387904, 4611686018427387904, 4], "data_offsets": [0, 8]}})",
           eight),
       "larger than any file"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [9223372036854775808], "data_offsets": [0, 8]}})", eight),
       "an axis is too long"},
      {fileOf(R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})", eight + "1234"),
       "begins after a hole"},
      {fileOf(
           R"({"W": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "v": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})",
           eight + "1234"),
       "overlaps"},
      {fileOf(
           R"({"W": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "W": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})",
           eight),
       "two tensors `W`"},
      {fileOf(one, "1234"), "it ends in `W`: it is truncated"},
      {fileOf(one, eight + "1"), "1 bytes at its end belong to no tensor"},
      {fileOf(R"({"__metadata__": {"a": 1}})", ""), "header"},
      {fileOf(R"({"__metadata__": {}, "__metadata__": {}})", ""), "two `__metadata__`"},
  };
  for (const auto& [bytes, reason] : cases) {
    INFO(bytes.substr(0, 120));
    CHECK_THAT(said(folder, bytes), Catch::Contains(reason));
  }
  Mistake mistake;
  CHECK(!SafetensorsFile::open(folder.path, mistake));
  CHECK_THAT(mistake.message, Catch::Contains("not a regular file"));
  CHECK(!SafetensorsFile::open(folder / "missing", mistake));
  CHECK(mistake.fault == Fault::usage);
}

TEST_CASE("bytes that are damaged at random never do harm", "[safetensors][hostile]") {
  const TestFolder folder;
  const std::string good = fileOf(
      R"({"__metadata__": {"tpc": "x"}, "W": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "v": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [8, 16]}})",
      eight + eight);
  std::mt19937 random(1);
  for (int round = 0; round < 800; ++round) {
    std::string bytes = good;
    const size_t changes = 1 + random() % 3;
    for (size_t i = 0; i < changes; ++i) bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    Mistake mistake;
    const auto file = SafetensorsFile::open(folder.write("some.safetensors", bytes), mistake);
    if (!file) continue;
    for (const StoredTensor& tensor : file->tensors()) {
      std::vector<float> values(size_t(tensor.count));
      file->read(tensor, values.data(), mistake);
    }
  }
}

TEST_CASE("a disk that is full leaves the old file as it was", "[safetensors]") {
  const TestFolder folder;
  const std::vector<float> w(6);
  const TensorToStore tensors[] = {{"W", {6}, StoredType::f32, false, w.data(), 6}};
  Mistake mistake;
  CHECK(!writeSafetensors("/dev/full", tensors, {}, mistake));
  CHECK(mistake.fault == Fault::machine);
  CHECK_THAT(mistake.message, Catch::Contains("cannot write /dev/full: No space left on device"));
  CHECK(!writeSafetensors(folder / "nowhere/a", tensors, {}, mistake));
  CHECK_THAT(mistake.message, Catch::Contains("No such file or directory"));
}

}  // namespace tpc
