// Numbers of files: what is read, and that no bytes do harm.
#include <cstring>
#include <random>

#include "runtime/format/arrays.h"
#include "tests/catch.h"

namespace tpc {

namespace {

template <typename T>
std::string bytesOf(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string text = header + std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string file = "\x93NUMPY";
  file += char(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += char(text.size() >> (8 * i) & 255);
  return file + text + data;
}

std::string header(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

using Values = std::vector<double>;

Values read(const std::string& file) {
  std::string reason;
  std::optional<NumberArray> array = readNpy(file, reason);
  INFO(reason);
  REQUIRE(array);
  return array->values;
}

std::string refusal(const std::string& file) {
  std::string reason;
  CHECK_FALSE(readNpy(file, reason));
  CHECK_FALSE(reason.empty());
  return reason;
}

}  // namespace

TEST_CASE("arrays of numpy: floats, integers, truth values", "[arrays]") {
  CHECK(read(npy(header("<f4", "(3,)"), bytesOf<float>({1, 2.5, -3}))) == Values{1, 2.5, -3});
  CHECK(read(npy(header("<f8", "(2, 2)"), bytesOf<double>({1, 2, 3, 4}))) == Values{1, 2, 3, 4});
  CHECK(read(npy(header("<i4", "(2,)"), bytesOf<int32_t>({-7, 8}))) == Values{-7, 8});
  CHECK(read(npy(header("<i8", "(2,)"), bytesOf<int64_t>({-7, int64_t(1) << 53}))) == Values{-7, 9007199254740992.0});
  CHECK(read(npy(header("|b1", "(2,)"), bytesOf<uint8_t>({0, 1}))) == Values{0, 1});
  CHECK(read(npy(header("<f8", "()"), bytesOf<double>({4}))) == Values{4});
  CHECK(read(npy(header("<f8", "(1L,)"), bytesOf<double>({4}), 2)) == Values{4});
  CHECK(read(npy("{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"<f8\"}", bytesOf<double>({4}), 3)) == Values{4});
}

TEST_CASE("an array whose first index runs fastest is turned", "[arrays]") {
  CHECK(read(npy(header("<f8", "(2, 3)", true), bytesOf<double>({1, 4, 2, 5, 3, 6}))) == Values{1, 2, 3, 4, 5, 6});
  CHECK(read(npy(header("<i4", "(2, 1, 2)", true), bytesOf<int32_t>({1, 3, 2, 4}))) == Values{1, 2, 3, 4});
}

TEST_CASE("what is not plain numbers is refused by name", "[arrays]") {
  CHECK(refusal(npy(header("|O", "(3,)"), "xxx")).find("objects") != std::string::npos);
  CHECK(refusal(npy(header(">f8", "(1,)"), bytesOf<double>({1}))).find(">f8") != std::string::npos);
  CHECK(refusal(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", bytesOf<double>({1})))
            .find("structures") != std::string::npos);
  CHECK(refusal(npy(header("<c16", "(1,)"), bytesOf<double>({1, 1}))).find("<c16") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(1,)"), bytesOf<double>({NAN}))).find("NaN") != std::string::npos);
  CHECK(refusal(npy(header("<i8", "(1,)"), bytesOf<int64_t>({(int64_t(1) << 53) + 2}))).find("2^53") !=
        std::string::npos);
  CHECK(refusal(npy(header("|b1", "(1,)"), "\x02")).find("truth value") != std::string::npos);
}

TEST_CASE("shapes and sizes are checked against each other before anything is taken", "[arrays]") {
  CHECK(refusal(npy(header("<f8", "(2,)"), bytesOf<double>({1}))).find("asks for 16") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(1,)"), bytesOf<double>({1, 2}))).find("asks for 8") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(0,)"), "")).find("empty") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(-1,)"), "")).find("empty") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(4294967296, 4294967296)"), "")).find("more than") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(9223372036854775807, 9223372036854775807, 4)"), "")).find("more than") !=
        std::string::npos);
  CHECK(refusal(npy(header("<f8", "(99999999999999999999,)"), "")).find("header") != std::string::npos);
  CHECK(refusal(npy(header("<f8", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"), bytesOf<double>({1}))).find("axes") !=
        std::string::npos);
}

TEST_CASE("a header that is cut off, or says something else, is refused", "[arrays]") {
  const std::string good = npy(header("<f8", "(2,)"), bytesOf<double>({1, 2}));
  for (size_t length = 0; length < good.size(); ++length) refusal(good.substr(0, length));
  refusal("\x93NUMPY\x04" + good.substr(7));
  refusal(npy("{'descr': '<f8', 'shape': (1,)}", bytesOf<double>({1})));
  refusal(npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", bytesOf<double>({1})));
  refusal(npy(header("<f8", "(1 1)"), bytesOf<double>({1})));
  refusal(npy("__import__('os')", bytesOf<double>({1})));
}

TEST_CASE("bytes that are changed anywhere never do harm", "[arrays][fuzz]") {
  std::mt19937_64 random(1);
  const std::string good = npy(header("<i4", "(2, 3)", true), bytesOf<int32_t>({1, 2, 3, 4, 5, 6}));
  const std::string text = "1, 2.5; -3e2\t4 # end\n5 6 7 8\n";
  int read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = round % 2 ? good : text;
    for (int change = 0; change < 1 + round % 4; ++change) bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    std::string reason;
    const std::optional<NumberArray> array = round % 2 ? readNpy(bytes, reason) : readNumbers(bytes, reason);
    read += array.has_value();
    if (!array) continue;
    int64_t count = 1;
    for (int64_t length : array->shape) count *= length;
    CHECK(count == int64_t(array->values.size()));
  }
  CHECK(read > 100);  // else nothing but the first byte was tried
}

TEST_CASE("texts of numbers", "[arrays]") {
  std::string reason;
  auto numbers = [&](const char* text) { return readNumbers(text, reason); };
  CHECK(numbers("1, 2\n# a comment\n\n3,4 # another\r\n")->values == Values{1, 2, 3, 4});
  CHECK(numbers("1, 2\n3,4")->shape == std::vector<int64_t>{2, 2});
  CHECK(numbers("1\t+2;-3e-1\n")->values == Values{1, 2, -0.3});
  CHECK(numbers("-inf 0\n")->shape == std::vector<int64_t>{1, 2});
  for (const char* wrong : {"", "# none\n", "1, 2\n3\n", "1,,2", ",1", "1 2x", "a", "nan", "0x10", "1e999"}) {
    INFO(wrong);
    CHECK_FALSE(numbers(wrong));
    CHECK_FALSE(reason.empty());
  }
  numbers("1, 2\n3, x\n");
  CHECK(reason == "`x` is no number in line 2");
  CHECK_FALSE(readArray("a.json", "1", reason));
}

}  // namespace tpc
