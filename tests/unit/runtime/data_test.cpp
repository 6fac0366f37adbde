// Data: which file feeds which input, in which order, and what is said of what does not fit.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "runtime/batches.h"
#include "runtime/data/dataset.h"
#include "runtime/data/number_file.h"
#include "runtime/data/order.h"
#include "runtime/data/tokens.h"
#include "tests/catch.h"
#include "tests/unit/runtime/folder.h"

namespace tpc {
namespace {

ProgramTable classifier(int64_t batch = 4) {
  ProgramTable table;
  table.model = "classifier";
  table.batch = batch;
  table.inputs = {{.name = "image", .shape = {batch, 4}, .batchAxis = 0},
                  {.name = "label", .shape = {batch}, .batchAxis = 0, .target = true, .integer = true, .below = 3}};
  return table;
}

ProgramTable language(int64_t length, int64_t symbols, int64_t batch = 2) {
  ProgramTable table;
  table.model = "language";
  table.batch = batch;
  const ProgramInput token{
      .name = "token", .shape = {batch, length}, .batchAxis = 0, .integer = true, .below = symbols};
  table.inputs = {token, token};
  table.inputs[1].name = "next", table.inputs[1].target = true;
  return table;
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& data) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string file = "\x93NUMPY";
  file += '\1', file += '\0', file += char(header.size() & 255), file += char(header.size() >> 8);
  return file + header + data;
}

template <typename T>
std::string bytesOf(std::vector<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string packed(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data())), stream.avail_in = uInt(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data()), stream.avail_out = uInt(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string mistakeOf(const ProgramTable& table, const DataRequest& request) {
  Mistake mistake;
  return bindData(table, request, mistake) ? "" : mistake.code + ": " + mistake.message;
}

struct Row {
  std::vector<float> real;
  std::vector<int32_t> whole;
};
Row rowOf(const Samples& samples, int64_t index, size_t reals, size_t wholes, uint64_t epoch = 0) {
  Row row{std::vector<float>(reals), std::vector<int32_t>(wholes)};
  Mistake mistake;
  REQUIRE(samples.fill(index, epoch, {row.real.data(), row.whole.data()}, mistake));
  return row;
}

}  // namespace

TEST_CASE("an order is a permutation, another one for each epoch, name and seed", "[data][order]") {
  for (int64_t count : {1, 2, 3, 7, 64, 1000, 4097}) {
    std::vector<int64_t> first, second;
    for (int64_t i = 0; i < count; ++i) {
      first.push_back(Order(1, "batches", 0, count)[i]);
      second.push_back(Order(1, "batches", 1, count)[i]);
    }
    const std::set<int64_t> all(first.begin(), first.end());
    CHECK(int64_t(all.size()) == count);
    CHECK((*all.begin() == 0 && *all.rbegin() == count - 1));
    if (count < 64) continue;
    CHECK(first != second);
    CHECK(first[5] == Order(1, "batches", 0, count)[5]);
    CHECK((Order(2, "batches", 0, count)[5] != first[5] || Order(2, "batches", 0, count)[6] != first[6]));
    // No trace of the order that was: neighbours are as far apart as chance has them, a third of the count.
    double distance = 0;
    for (int64_t i = 1; i < count; ++i) distance += std::abs(double(first[size_t(i)] - first[size_t(i - 1)]));
    if (count >= 1000) CHECK(std::abs(distance / double(count - 1) / double(count) - 1.0 / 3) < 0.05);
  }
}

TEST_CASE("columns of a table feed the inputs in the program's order", "[data]") {
  const TestFolder folder;
  const std::string path = folder.write("table.csv", "1,2,3,4,0\n5,6,7,8,1\n9,10,11,12,2\n");
  Mistake mistake;
  const auto data = bindData(classifier(), {.data = {path}, .validationPart = 0}, mistake);
  REQUIRE(data);
  CHECK(data->training->count() == 3);
  CHECK(rowOf(*data->training, 1, 4, 1).real == std::vector<float>{5, 6, 7, 8});
  CHECK(rowOf(*data->training, 2, 4, 1).whole == std::vector<int32_t>{2});

  // A column by the name of an input that takes one number is that input's, wherever it stands.
  const std::string named = folder.write("named.csv.gz", packed("label;a;b;c;d\r\n2;1;2;3;4\r\n\r\n1;5;6;7;8\r\n"));
  const auto other = bindData(classifier(), {.data = {named}, .validationPart = 0}, mistake);
  REQUIRE(other);
  CHECK(rowOf(*other->training, 0, 4, 1).real == std::vector<float>{1, 2, 3, 4});
  CHECK(rowOf(*other->training, 0, 4, 1).whole == std::vector<int32_t>{2});
}

TEST_CASE("arrays feed inputs by name, grouped axes allowed, turned ones not", "[data]") {
  const TestFolder folder;
  folder.write("image.npy", npy("<f8", "(3, 2, 2)", bytesOf<double>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})));
  folder.write("y.npy", npy("<i8", "(3,)", bytesOf<int64_t>({2, 1, 0})));
  Mistake mistake;
  const auto data = bindData(
      classifier(), {.data = {folder / "image.npy", "label=" + folder / "y.npy"}, .validationPart = 0}, mistake);
  REQUIRE(data);
  CHECK(rowOf(*data->training, 2, 4, 1).real == std::vector<float>{8, 9, 10, 11});
  CHECK(rowOf(*data->training, 0, 4, 1).whole == std::vector<int32_t>{2});

  ProgramTable picture = classifier();
  picture.inputs[0].shape = {4, 32, 32, 3};
  folder.write("chw.npy", npy("|u1", "(3, 3, 32, 32)", std::string(3 * 3 * 32 * 32, '\1')));
  CHECK(mistakeOf(picture, {.data = {"image=" + folder / "chw.npy", "label=" + folder / "y.npy"}}) ==
        "TPC0503: `image` is [batch, 32, 32, 3], and " + folder / "chw.npy" +
            " holds [3, 3, 32, 32], the first axis counting samples");
}

TEST_CASE("bytes are divided by 255, --standardize measures the training part", "[data]") {
  const TestFolder folder;
  std::string idx(4, '\0');
  idx[2] = 8, idx[3] = 3;
  idx += std::string("\0\0\0\2\0\0\0\2\0\0\0\2", 12) + std::string("\0\x33\x66\xff\0\0\0\0", 8);
  const std::string images = folder.write("train-images-idx3-ubyte", idx);
  std::string labels("\0\0\x08\1\0\0\0\2\1\2", 10);
  const std::string answers = folder.write("labels.idx.gz", packed(labels));
  Mistake mistake;
  const DataRequest request{.data = {"image=" + images, "label=" + answers}, .validationPart = 0};
  const auto data = bindData(classifier(), request, mistake);
  REQUIRE(data);
  const std::vector<float> found = rowOf(*data->training, 0, 4, 1).real;
  CHECK(found[1] == Approx(0.2));
  CHECK(found[3] == 1);

  const std::string table = folder.write("t.csv", "1,1,1,3,0\n3,3,3,1,1\n");
  const auto scaled = bindData(classifier(), {.data = {table}, .validationPart = 0, .standardize = true}, mistake);
  REQUIRE(scaled);
  CHECK(rowOf(*scaled->training, 0, 4, 1).real == std::vector<float>{-1, -1, -1, 1});
  CHECK(scaled->scaling[0].shift == 2);
  CHECK(scaled->scaling[0].factor == 1);
}

TEST_CASE("what is held back is never trained on, and is the same for every seed", "[data]") {
  const TestFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + ",0,0,0,1\n";
  const std::string path = folder.write("t.csv", text);
  Mistake mistake;
  std::set<float> held[2];
  for (uint64_t seed : {0, 1}) {
    const auto data = bindData(classifier(), {.data = {path}, .validationPart = 0.2, .seed = seed}, mistake);
    REQUIRE(data);
    REQUIRE(data->training->count() == 80);
    REQUIRE(data->validation->count() == 20);
    std::set<float> trained;
    for (int64_t i = 0; i < 80; ++i) trained.insert(rowOf(*data->training, i, 4, 1).real[0]);
    for (int64_t i = 0; i < 20; ++i) {
      held[seed].insert(rowOf(*data->validation, i, 4, 1).real[0]);
      CHECK(trained.count(rowOf(*data->validation, i, 4, 1).real[0]) == 0);
    }
    CHECK(trained.size() + held[seed].size() == 100);
  }
  CHECK(held[0] == held[1]);
}

TEST_CASE("a text is windows of itself, and what comes next is one further", "[data][tokens]") {
  const TestFolder folder;
  const std::string text = "the cat sat on the mat, and the dog sat on the cat; so it was, and so it is.";
  const std::string path = folder.write("text.txt", text);
  Mistake mistake;
  const auto data = bindData(language(5, 256), {.data = {path}, .validationPart = 0}, mistake);
  REQUIRE(data);
  CHECK(data->isText);
  CHECK(data->alphabet == "");
  std::set<int> begins;
  for (uint64_t epoch = 0; epoch < 20; ++epoch)
    for (int64_t i = 0; i < data->training->count(); ++i) {
      std::vector<int32_t> token(5), next(5);
      REQUIRE(data->training->fill(i, epoch, {token.data(), next.data()}, mistake));
      const std::string piece(token.begin(), token.end());
      CHECK(text.find(piece) != std::string::npos);
      CHECK(std::equal(token.begin() + 1, token.end(), next.begin()));
      if (i == 0) begins.insert(int(text.find(piece)));
    }
  CHECK(begins.size() > 2);  // texts begin elsewhere in each epoch

  // Fewer symbols than bytes: the distinct ones are the alphabet.
  const auto few = bindData(language(5, 64), {.data = {path}, .validationPart = 0.3}, mistake);
  REQUIRE(few);
  const std::set<char> distinct(text.begin(), text.end());
  CHECK(few->alphabet == std::string(distinct.begin(), distinct.end()));
  CHECK(mistakeOf(language(5, 8), {.data = {path}}) ==
        "TPC0503: the text has 17 different bytes, and the program knows 8 symbols");
  CHECK_THAT(mistakeOf(language(5, 64),
                       {.data = {folder.write("other.txt", "the CAT sat on the mat")}, .alphabet = few->alphabet}),
             Catch::Contains("`C` at its byte 4 is none of the alphabet"));
  CHECK_THAT(mistakeOf(language(500, 256), {.data = {path}}), Catch::Contains("one sample needs 501"));
}

TEST_CASE("a folder gives its texts, by name, and passes over what is none", "[data][tokens]") {
  const TestFolder folder;
  folder.write("b/second.txt", "22222");
  folder.write("a/first.txt", "11111");
  folder.write("c.txt.gz", packed("33333"));
  folder.write("picture.png", std::string("\x89PNG\0\0\0", 7));
  folder.write("broken.gz", packed("never seen").substr(0, 14));
  folder.write(".hidden", "hidden");
  std::vector<std::string> notes;
  Mistake mistake;
  const auto tokens = Tokens::open({folder.path}, 256, "", notes, mistake);
  REQUIRE(tokens);
  std::vector<int32_t> all(size_t(tokens->size()));
  REQUIRE(tokens->read(0, tokens->size(), all.data(), mistake));
  CHECK(std::string(all.begin(), all.end()) == "111112222233333");
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], Catch::Contains("2 files that are no text passed over"));
  REQUIRE(tokens->read(4, 3, all.data(), mistake));
  CHECK(std::string(all.begin(), all.begin() + 3) == "122");
}

TEST_CASE("token files of nanoGPT and llm.c are read where they are asked for", "[data][tokens]") {
  const TestFolder folder;
  std::vector<uint16_t> tokens(300);
  std::iota(tokens.begin(), tokens.end(), uint16_t(7));
  std::vector<int32_t> header(256);
  header[0] = 20240520, header[1] = 1, header[2] = 300;
  std::vector<uint32_t> wide(tokens.begin(), tokens.end());
  const std::string plain = folder.write("plain.bin", bytesOf(tokens));
  const std::string gpt2 = folder.write("gpt2.bin", bytesOf(header) + bytesOf(tokens));
  header[0] = 20240801, header[1] = 7;
  const std::string llama = folder.write("llama.bin", bytesOf(header) + bytesOf(wide));
  for (const std::string& path : {plain, gpt2, llama}) {
    std::vector<std::string> notes;
    Mistake mistake;
    const auto read = Tokens::open({path}, 400, "", notes, mistake);
    REQUIRE(read);
    CHECK(read->size() == 300);
    std::vector<int32_t> some(100);
    REQUIRE(read->read(150, 100, some.data(), mistake));
    for (int i = 0; i < 100; ++i) REQUIRE(some[size_t(i)] == 157 + i);
    CHECK(!Tokens::open({path}, 306, "", notes, mistake));
    CHECK_THAT(mistake.message, Catch::Contains("its token 299 is 306, and the program knows those below 306"));
  }
  std::vector<std::string> notes;
  Mistake mistake;
  CHECK(!Tokens::open({folder.write("odd.bin", "123")}, 400, "", notes, mistake));
  CHECK_THAT(mistake.message, Catch::Contains("it ends within a token"));
  header[2] = 1 << 30;
  CHECK(!Tokens::open({folder.write("lies.bin", bytesOf(header) + bytesOf(wide))}, 400, "", notes, mistake));
  CHECK_THAT(mistake.message, Catch::Contains("its header says 1073741824 tokens, and it holds 300"));
}

TEST_CASE("a teacher answers any program, the same for the same seed", "[data][teacher]") {
  Mistake mistake;
  const auto data = bindData(classifier(), {.data = {"teacher:1000"}}, mistake);
  const auto again = bindData(classifier(), {.data = {"teacher:1000"}}, mistake);
  const auto other = bindData(classifier(), {.data = {"teacher:1000"}, .seed = 5}, mistake);
  REQUIRE((data && again && other));
  CHECK(data->training->count() == 1000);
  CHECK(data->validation->count() == 100);
  std::array<int, 3> seen{};
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const Row row = rowOf(*data->training, i, 4, 1);
    CHECK(rowOf(*again->training, i, 4, 1).real == row.real);
    ++seen.at(size_t(row.whole[0]));
    for (float x : row.real) sum += x, squares += x * x;
  }
  CHECK(rowOf(*other->training, 3, 4, 1).real != rowOf(*data->training, 3, 4, 1).real);
  CHECK(std::abs(sum / 4000) < 0.05);
  CHECK(squares / 4000 == Approx(1).margin(0.1));
  for (int count : seen) CHECK(count > 30);

  // A language: the same symbol is followed by four at most, the likeliest half of the time.
  const auto chain = bindData(language(64, 20), {.data = {"teacher:100"}}, mistake);
  REQUIRE(chain);
  std::map<int, std::map<int, int>> follows;
  for (int64_t i = 0; i < 100; ++i) {
    std::vector<int32_t> token(64), next(64);
    REQUIRE(chain->training->fill(i, 0, {token.data(), next.data()}, mistake));
    for (size_t t = 0; t < 64; ++t) ++follows[token[t]][next[t]];
    CHECK(std::equal(token.begin() + 1, token.end(), next.begin()));
  }
  for (const auto& [symbol, after] : follows) CHECK(after.size() <= 4);
  CHECK_THAT(mistakeOf(classifier(), {.data = {"teacher:x"}}), Catch::Contains("teacher:10000"));
}

TEST_CASE("what does not fit is told in the program's names", "[data]") {
  const TestFolder folder;
  const std::string four = folder.write("four.csv", "1,2,3,4\n");
  CHECK(mistakeOf(classifier(), {.data = {four}}) ==
        "TPC0503: " + four + " has 4 columns, and the program asks for 5: 4 of `image`, 1 of `label`");
  CHECK(mistakeOf(classifier(), {.data = {}}) == "TPC0504: no data is given");
  const std::string x = folder.write("x.npy", npy("<f4", "(2, 4)", bytesOf<float>({1, 2, 3, 4, 5, 6, 7, 8})));
  const std::string y = folder.write("y.npy", npy("<i4", "(3,)", bytesOf<int32_t>({0, 1, 2})));
  CHECK(mistakeOf(classifier(), {.data = {"image=" + x}}) == "TPC0504: nothing feeds `label`");
  CHECK(mistakeOf(classifier(), {.data = {"image=" + x, "label=" + y}}) ==
        "TPC0503: " + x + " has 2 samples, and " + y + " 3");
  CHECK(mistakeOf(classifier(), {.data = {"picture=" + x, "label=" + y}}) ==
        "TPC0503: `classifier` has no input `picture`, but `image`, `label`");
  CHECK_THAT(mistakeOf(classifier(), {.data = {x}}), Catch::Contains("nothing says which input " + x + " feeds"));
  const std::string bad = folder.write("bad.csv", "1,2,3,4,0\n1,2,3,4,3\n");
  CHECK(mistakeOf(classifier(), {.data = {bad}}) ==
        "TPC0503: " + bad + " has 3 in its row 1, and `label` takes whole numbers from 0 to 2");
  const std::string half = folder.write("half.csv", "1,2,3,4,0.5\n");
  CHECK_THAT(mistakeOf(classifier(), {.data = {half}}), Catch::Contains("has 0.5 in its row 0"));
  const std::string nan = folder.write("nan.npy", npy("<f4", "(1, 4)", bytesOf<float>({1, 2, NAN, 4})));
  const std::string one = folder.write("one.npy", npy("<i4", "(1,)", bytesOf<int32_t>({0})));
  CHECK_THAT(mistakeOf(classifier(), {.data = {"image=" + nan, "label=" + one}}),
             Catch::Contains("has nan in its row 0"));
  CHECK_THAT(mistakeOf(classifier(), {.data = {folder.write("t.txt", "text")}}),
             Catch::Contains("a text feeds one input"));
  CHECK_THAT(mistakeOf(classifier(), {.data = {folder / "missing.csv"}}), Catch::Contains("No such file"));
  CHECK_THAT(mistakeOf(classifier(), {.data = {folder.path}}), Catch::Contains("a text feeds"));
}

TEST_CASE("arrays that lie are refused with the reason", "[data][hostile]") {
  const TestFolder folder;
  const auto said = [&](const std::string& name, const std::string& bytes) {
    Mistake mistake;
    return readNumberFile(folder.write(name, bytes), 1 << 20, mistake) ? "" : mistake.message;
  };
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"a.npy", "", "no .npy file"},
      {"a.npy", npy("<f4", "(4,)", "123"), "truncated"},
      {"a.npy", npy("<f4", "(1,)", "12345678"), "holds 8 bytes of numbers, and its shape asks for 4"},
      {"a.npy", npy("<f4", "(4611686018427387904, 4611686018427387904, 16)", "1234"), "truncated"},
      {"a.npy", npy("<f4", "(-1,)", ""), "an axis of it is empty"},
      {"a.npy", npy("<f4", "()", "1234"), "the first axis of data counts samples"},
      {"a.npy", npy("|O", "(1,)", "12345678"), "it holds objects"},
      {"a.npy", npy("<c8", "(1,)", "12345678"), "it holds `<c8`"},
      {"a.idx", std::string("\0\0\x08\0", 4), "it has 0 axes"},
      {"a.idx", std::string("\0\0\x08\xff", 4), "it has 255 axes"},
      {"a.idx", std::string("\0\0\x07\1\0\0\0\1", 8) + "1", "type of numbers"},
      {"a.idx", std::string("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), "truncated"},
      {"a.idx", std::string("\0\0\x08\2\0\0\0\1", 8), "ends in its header"},
      {"a.csv", "", "holds no number"},
      {"a.csv", "x,y\n", "holds no number"},
      {"a.csv", "1,2\n3\n", "1 columns in line 2, and 2 before it"},
      {"a.csv", "1,2\n3,\n", "a number is missing in line 2"},
      {"a.csv", "1,2\n3,inf\n", "`inf` is no number in line 2"},
      {"a.csv", "1,2\n3,1e999\n", "is no number in line 2"},
      {"a.csv.gz", packed("1,2\n").substr(0, 12), "it ends too early"},
      {"a.csv.gz", packed(std::string(size_t(1) << 21, '1')), "unpacks to more than 1048576 bytes"},
  };
  for (const auto& [name, bytes, reason] : cases) {
    INFO(name << ": " << reason);
    CHECK_THAT(said(name, bytes), Catch::Contains(reason));
  }
  CHECK_THAT(said("big.npy", std::string((1 << 20) + 1, '0')), Catch::Contains("larger than"));
  Mistake mistake;
  CHECK(!readNumberFile("/dev/zero", 1 << 20, mistake));
  CHECK_THAT(mistake.message, Catch::Contains("not a regular file"));

  std::mt19937 random(1);
  const std::string files[] = {npy("<f4", "(2, 2)", std::string(16, '\0')),
                               std::string("\0\0\x08\2\0\0\0\2\0\0\0\2abcd", 16), "a,b\n1,2\n3,4\n"};
  const NumberFormat formats[] = {NumberFormat::npy, NumberFormat::idx, NumberFormat::csv};
  volatile double seen = 0;  // every number is touched
  for (int round = 0; round < 20000; ++round) {
    const size_t which = random() % 3;
    std::string bytes = files[which], reason;
    for (size_t i = 0, changes = 1 + random() % 4; i < changes; ++i) bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const std::optional<NumberFile> read = numberFileOf(formats[which], bytes, reason);
    double sum = 0;
    for (int64_t i = 0; read && i < read->count(); ++i) sum += read->at(i);
    CHECK(read.has_value() == reason.empty());
    seen = seen + sum;
  }
}

TEST_CASE("batches are the same whether they are asked for in order or not", "[data][batches]") {
  Mistake mistake;
  const ProgramTable table = classifier(8);
  const auto data = bindData(table, {.data = {"teacher:30"}}, mistake);
  REQUIRE(data);
  std::vector<std::vector<float>> inOrder;
  {
    Batches batches(*data->training, table, 3);
    for (int64_t k = 0; k < 12; ++k) {
      const auto inputs = batches.at(k, mistake);
      REQUIRE(inputs.size() == 2);
      const auto* image = static_cast<const float*>(inputs[0]);
      inOrder.emplace_back(image, image + 32);
    }
  }
  Batches batches(*data->training, table, 3);
  for (int64_t k : {7, 2, 11, 3, 4}) {
    const auto* image = static_cast<const float*>(batches.at(k, mistake)[0]);
    CHECK(std::vector<float>(image, image + 32) == inOrder[size_t(k)]);
  }
  // An epoch has each sample once: 30 samples are the first three batches and six of the fourth.
  std::set<float> firsts;
  for (size_t i = 0; i < 30; ++i) firsts.insert(inOrder[i / 8][(i % 8) * 4]);
  CHECK(firsts.size() == 30);
}

}  // namespace tpc
