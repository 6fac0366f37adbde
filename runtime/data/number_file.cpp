#include "runtime/data/number_file.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <new>

#include "runtime/data/bytes.h"
#include "runtime/format/npy.h"
#include "runtime/format/safetensors.h"

namespace tpc {
namespace {

std::nullopt_t no(std::string& reason, std::string why) {
  reason = std::move(why);
  return std::nullopt;
}

std::string_view withoutPacking(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name;
}

// The number of elements where all of them fit into `bytes` bytes; empty with the reason.
std::optional<int64_t> countOf(const std::vector<int64_t>& shape, size_t size, size_t bytes, std::string& reason) {
  if (shape.empty()) return no(reason, "it holds one number, and the first axis of data counts samples");
  int64_t count = 1;
  for (int64_t length : shape) {
    if (length < 1) return no(reason, "an axis of it is empty");
    if (length > int64_t(bytes / size) / count)
      return no(reason, "it is truncated: its shape asks for more than it holds");
    count *= length;
  }
  if (size_t(count) * size != bytes)
    return no(reason, "it holds " + std::to_string(bytes) + " bytes of numbers, and its shape asks for " +
                          std::to_string(size_t(count) * size));
  return count;
}

template <typename Integer>
Integer load(const char* at, bool bigEndian) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof value > 1)
    if (bigEndian) {
      auto* first = reinterpret_cast<unsigned char*>(&value);
      std::reverse(first, first + sizeof value);
    }
  return value;
}

double numberAt(const char* at, NumberKind kind, bool bigEndian) {
  switch (kind) {
    case NumberKind::boolean:
    case NumberKind::u8: return load<uint8_t>(at, bigEndian);
    case NumberKind::i8: return load<int8_t>(at, bigEndian);
    case NumberKind::u16: return load<uint16_t>(at, bigEndian);
    case NumberKind::i16: return load<int16_t>(at, bigEndian);
    case NumberKind::u32: return load<uint32_t>(at, bigEndian);
    case NumberKind::i32: return load<int32_t>(at, bigEndian);
    case NumberKind::i64: return double(load<int64_t>(at, bigEndian));
    case NumberKind::f16: return halfToFloat(load<uint16_t>(at, bigEndian));
    case NumberKind::f32: return std::bit_cast<float>(load<uint32_t>(at, bigEndian));
    case NumberKind::f64: return std::bit_cast<double>(load<uint64_t>(at, bigEndian));
  }
  return 0;
}

std::optional<NumberFile> readNpyData(std::string bytes, std::string& reason) {
  static constexpr struct {
    std::string_view descr;
    NumberKind kind;
  } types[] = {{"<f4", NumberKind::f32}, {"<f8", NumberKind::f64},    {"<f2", NumberKind::f16},
               {"|u1", NumberKind::u8},  {"|i1", NumberKind::i8},     {"<u2", NumberKind::u16},
               {"<i2", NumberKind::i16}, {"<u4", NumberKind::u32},    {"<i4", NumberKind::i32},
               {"<i8", NumberKind::i64}, {"|b1", NumberKind::boolean}};
  constexpr size_t largestRank = 16;
  const std::optional<NpyFile> file = splitNpy(bytes, largestRank, reason);
  if (!file) return std::nullopt;
  const auto* type =
      std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return t.descr == file->descr; });
  if (type == std::end(types)) {
    if (file->descr.find('O') != std::string::npos) return no(reason, "it holds objects, which are not read");
    return no(reason,
              "it holds `" + file->descr.substr(0, 40) + "`, and read are whole and real numbers in little endian");
  }
  if (file->fortran && file->shape.size() > 1)
    return no(reason, "its first index runs fastest; store it in C order, numpy.ascontiguousarray");
  if (!countOf(file->shape, sizeOf(type->kind), file->data.size(), reason)) return std::nullopt;
  NumberFile result{.shape = file->shape, .kind = type->kind, .begin = size_t(file->data.data() - bytes.data())};
  result.bytes = std::move(bytes);
  return result;
}

// 0 0 TYPE RANK, then each length in four bytes, big endian, then the numbers.
std::optional<NumberFile> readIdx(std::string bytes, std::string& reason) {
  static constexpr struct {
    uint8_t code;
    NumberKind kind;
  } types[] = {{0x08, NumberKind::u8},  {0x09, NumberKind::i8},  {0x0B, NumberKind::i16},
               {0x0C, NumberKind::i32}, {0x0D, NumberKind::f32}, {0x0E, NumberKind::f64}};
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) return no(reason, "it is no IDX file");
  const auto* type =
      std::find_if(std::begin(types), std::end(types), [&](const auto& t) { return t.code == uint8_t(bytes[2]); });
  if (type == std::end(types)) return no(reason, "its type of numbers is not known");
  const size_t rank = uint8_t(bytes[3]);
  if (rank == 0 || rank > 16) return no(reason, "it has " + std::to_string(rank) + " axes");
  const size_t begin = 4 + 4 * rank;
  if (bytes.size() < begin) return no(reason, "it ends in its header");
  NumberFile result{.kind = type->kind, .bigEndian = true, .begin = begin};
  for (size_t axis = 0; axis < rank; ++axis) result.shape.push_back(load<uint32_t>(bytes.data() + 4 + 4 * axis, true));
  if (!countOf(result.shape, sizeOf(type->kind), bytes.size() - begin, reason)) return std::nullopt;
  result.bytes = std::move(bytes);
  return result;
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

bool readNumber(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

char separatorOf(std::string_view line) {
  for (char separator : {',', ';', '\t'})
    if (line.find(separator) != std::string_view::npos) return separator;
  return ' ';
}

std::vector<std::string_view> fieldsOf(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    if (separator == ' ') line = trimmed(line);
    const size_t end = line.find(separator);
    fields.push_back(trimmed(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::optional<NumberFile> readCsv(const std::string& bytes, std::string& reason) {
  NumberFile result{.kind = NumberKind::f64};
  std::vector<double> numbers;
  std::string_view text = bytes;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int64_t rows = 0;
  size_t columns = 0, lineNumber = 0;
  char separator = 0;
  while (!text.empty()) {
    ++lineNumber;
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    text = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
    if (trimmed(line).empty() || line.front() == '#') continue;
    const auto inLine = [&](const std::string& what) { return what + " in line " + std::to_string(lineNumber); };
    if (separator == 0) separator = separatorOf(line);
    const std::vector<std::string_view> fields = fieldsOf(line, separator);
    if (columns == 0) {
      columns = fields.size();
      double ignored = 0;
      // A first line of words names the columns.
      if (std::none_of(fields.begin(), fields.end(),
                       [&](std::string_view field) { return readNumber(field, ignored); })) {
        for (std::string_view field : fields) result.columns.emplace_back(field);
        continue;
      }
    }
    if (fields.size() != columns)
      return no(reason,
                inLine(std::to_string(fields.size()) + " columns") + ", and " + std::to_string(columns) + " before it");
    for (std::string_view field : fields) {
      double value = 0;
      if (!readNumber(field, value))
        return no(reason, field.empty() ? inLine("a number is missing")
                                        : inLine("`" + std::string(field.substr(0, 40)) + "` is no number"));
      numbers.push_back(value);
    }
    ++rows;
  }
  if (rows == 0) return no(reason, "it holds no number");
  result.shape = {rows, int64_t(columns)};
  result.bytes.resize(numbers.size() * sizeof(double));
  std::memcpy(result.bytes.data(), numbers.data(), result.bytes.size());
  return result;
}

}  // namespace

size_t sizeOf(NumberKind kind) {
  switch (kind) {
    case NumberKind::boolean:
    case NumberKind::u8:
    case NumberKind::i8: return 1;
    case NumberKind::u16:
    case NumberKind::i16:
    case NumberKind::f16: return 2;
    case NumberKind::u32:
    case NumberKind::i32:
    case NumberKind::f32: return 4;
    case NumberKind::i64:
    case NumberKind::f64: return 8;
  }
  return 8;
}

int64_t NumberFile::count() const {
  int64_t result = 1;
  for (int64_t length : shape) result *= length;
  return result;
}

double NumberFile::at(int64_t element) const {
  return numberAt(bytes.data() + begin + size_t(element) * sizeOf(kind), kind, bigEndian);
}

void NumberFile::copy(int64_t first, int64_t count, float* out) const {
  for (int64_t i = 0; i < count; ++i) out[i] = float(at(first + i));
}

NumberFormat numberFormatOf(std::string_view name, std::string_view firstBytes) {
  name = withoutPacking(name);
  if (name.ends_with(".npy") || firstBytes.starts_with("\x93NUMPY")) return NumberFormat::npy;
  if (name.ends_with(".csv") || name.ends_with(".tsv")) return NumberFormat::csv;
  if (name.ends_with(".idx") || name.ends_with("-ubyte")) return NumberFormat::idx;
  return NumberFormat::none;
}

std::optional<NumberFile> numberFileOf(NumberFormat format, std::string bytes, std::string& reason) {
  if (format == NumberFormat::npy) return readNpyData(std::move(bytes), reason);
  if (format == NumberFormat::idx) return readIdx(std::move(bytes), reason);
  return readCsv(bytes, reason);
}

std::optional<NumberFile> readNumberFile(const std::string& path, uint64_t limit, Mistake& mistake) {
  std::optional<std::string> bytes = readBytes(path, limit, mistake);
  if (!bytes) return std::nullopt;
  std::string reason;
  try {
    const NumberFormat format = numberFormatOf(path, std::string_view(*bytes).substr(0, 8));
    std::optional<NumberFile> result = numberFileOf(format, std::move(*bytes), reason);
    if (result) return result->path = path, std::move(result);
  } catch (const std::bad_alloc&) {
    fails(mistake, Fault::machine, "", "there is not enough memory for " + path);
    return std::nullopt;
  }
  fails(mistake, Fault::content, "TPC0502", "`" + path + "`: " + reason);
  return std::nullopt;
}

}  // namespace tpc
