#include "runtime/format/arrays.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/format/npy.h"

namespace tpc {

namespace {

std::nullopt_t no(std::string& reason, std::string why) {
  reason = std::move(why);
  return std::nullopt;
}

// The number of elements; empty where an axis is empty or there are too many.
std::optional<int64_t> countOf(const std::vector<int64_t>& shape, std::string& reason) {
  int64_t count = 1;
  for (int64_t length : shape) {
    if (length < 1) return no(reason, "an axis of it is empty");
    if (length > ArrayLimits::elements / count)
      return no(reason, "it holds more than " + std::to_string(ArrayLimits::elements) + " numbers");
    count *= length;
  }
  return count;
}

bool areNumbers(const NumberArray& array, std::string& reason) {
  for (double value : array.values)
    if (std::isnan(value)) return reason = "it holds NaN", false;
  return true;
}

// ---- .npy -----------------------------------------------------------------------------------------------------------

template <typename T>
void convert(std::string_view bytes, std::vector<double>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));  // little endian, as this machine is
    values[i] = double(value);
  }
}

// From the first index running fastest to the last.
void turn(NumberArray& array) {
  const std::vector<double> columns = array.values;
  std::vector<int64_t> index(array.shape.size(), 0);
  for (double& value : array.values) {
    int64_t from = 0;
    for (size_t axis = array.shape.size(); axis-- > 0;) from = from * array.shape[axis] + index[axis];
    value = columns[size_t(from)];
    for (size_t axis = array.shape.size(); axis-- > 0;) {
      if (++index[axis] < array.shape[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

std::optional<NumberArray> readNpy(std::string_view bytes, std::string& reason) {
  const std::optional<NpyFile> file = splitNpy(bytes, ArrayLimits::rank, reason);
  if (!file) return std::nullopt;

  struct Type {
    std::string_view descr;
    size_t size;
    void (*convert)(std::string_view, std::vector<double>&);
  };
  static constexpr Type types[] = {{"<f4", 4, convert<float>},
                                   {"<f8", 8, convert<double>},
                                   {"<i4", 4, convert<int32_t>},
                                   {"<i8", 8, convert<int64_t>},
                                   {"|b1", 1, convert<uint8_t>}};
  const Type* type = nullptr;
  for (const Type& each : types)
    if (each.descr == file->descr) type = &each;
  if (!type) {
    if (file->descr.find('O') != std::string::npos) return no(reason, "it holds objects, which are not read");
    return no(reason, "it holds `" + file->descr.substr(0, 40) + "`, and read are <f4, <f8, <i4, <i8 and |b1");
  }
  const std::optional<int64_t> count = countOf(file->shape, reason);
  if (!count) return std::nullopt;
  if (file->data.size() != size_t(*count) * type->size)
    return no(reason, "it holds " + std::to_string(file->data.size()) + " bytes of numbers, and its shape asks for " +
                          std::to_string(size_t(*count) * type->size));
  NumberArray array;
  array.shape = file->shape;
  array.values.resize(size_t(*count));
  type->convert(file->data, array.values);
  if (file->descr == "<i8")
    for (double value : array.values)
      if (std::abs(value) > 9007199254740992.0) return no(reason, "it holds a whole number beyond 2^53");
  if (file->descr == "|b1")
    for (double value : array.values)
      if (value > 1) return no(reason, "it holds a truth value that is neither 0 nor 1");
  if (file->fortran) turn(array);
  if (!areNumbers(array, reason)) return std::nullopt;
  return array;
}

// ---- text -----------------------------------------------------------------------------------------------------------

std::optional<NumberArray> readNumbers(std::string_view text, std::string& reason) {
  NumberArray array;
  int64_t rows = 0, columns = 0;
  size_t lineNumber = 0;
  while (!text.empty()) {
    ++lineNumber;
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
    line = line.substr(0, line.find('#'));
    const auto inLine = [&](const std::string& what) { return what + " in line " + std::to_string(lineNumber); };
    int64_t here = 0;
    bool expects = false;  // after a comma
    for (size_t at = 0;;) {
      while (at < line.size() && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r')) ++at;
      if (at == line.size()) break;
      if (line[at] == ',' || line[at] == ';') {
        if (here == 0 || expects) return no(reason, inLine("a number is missing"));
        expects = true;
        ++at;
        continue;
      }
      if (line[at] == '+') ++at;
      double value = 0;
      const auto [end, error] = std::from_chars(line.data() + at, line.data() + line.size(), value);
      const size_t after = size_t(end - line.data());
      const bool ends = after >= line.size() || std::string_view(" \t\r,;").find(line[after]) != std::string_view::npos;
      if (error != std::errc() || !ends) {
        const size_t stop = std::min(line.find_first_of(" \t\r,;", at), line.size());
        return no(reason,
                  inLine("`" + std::string(line.substr(at, std::min<size_t>(stop - at, 40))) + "` is no number"));
      }
      at = after;
      expects = false;
      ++here;
      if (int64_t(array.values.size()) >= ArrayLimits::elements)
        return no(reason, "it holds more than " + std::to_string(ArrayLimits::elements) + " numbers");
      array.values.push_back(value);
    }
    if (here == 0) continue;
    if (rows > 0 && here != columns)
      return no(reason, inLine(std::to_string(here) + " numbers") + ", and " + std::to_string(columns) + " before it");
    columns = here;
    ++rows;
  }
  if (rows == 0) return no(reason, "it holds no number");
  array.shape = {rows, columns};
  if (!areNumbers(array, reason)) return std::nullopt;
  return array;
}

std::optional<NumberArray> readArray(std::string_view name, std::string_view bytes, std::string& reason) {
  if (name.ends_with(".npy")) return readNpy(bytes, reason);
  if (name.ends_with(".csv") || name.ends_with(".txt")) return readNumbers(bytes, reason);
  return no(reason, "constants are read from .npy, .csv and .txt");
}

}  // namespace tpc
