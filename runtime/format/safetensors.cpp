#include "runtime/format/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runtime/format/whole_file.h"

namespace tpc {
namespace {

// clang-format off
constexpr struct { StoredType type; std::string_view name; size_t size; } storedTypes[] = {
    {StoredType::f64, "F64", 8}, {StoredType::f32, "F32", 4}, {StoredType::f16, "F16", 2}, {StoredType::bf16, "BF16", 2},
    {StoredType::i64, "I64", 8}, {StoredType::i32, "I32", 4}, {StoredType::i16, "I16", 2}, {StoredType::i8, "I8", 1},
    {StoredType::u64, "U64", 8}, {StoredType::u32, "U32", 4}, {StoredType::u16, "U16", 2}, {StoredType::u8, "U8", 1},
    {StoredType::boolean, "BOOL", 1},
};
// clang-format on

constexpr uint64_t largestHeader = 100'000'000;  // the format's own bound
constexpr size_t largestRank = 64;

// Reads the header's events; nothing of it is kept but what is asked for.
struct HeaderReader : nlohmann::json_sax<nlohmann::json> {
  enum class Where : uint8_t { start, top, metadata, tensor, shape, offsets, done } where = Where::start;
  std::vector<StoredTensor> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string word, error;
  StoredTensor tensor;
  bool hasType = false, hasShape = false, hasMetadata = false;
  std::vector<uint64_t> offsets;

  bool no(std::string why) {
    if (error.empty()) error = std::move(why);
    return false;
  }
  bool unexpected() { return no(where == Where::top ? "`" + word + "` is no tensor" : "its header cannot be read"); }

  bool null() override { return unexpected(); }
  bool boolean(bool) override { return unexpected(); }
  bool number_float(double, const std::string&) override { return unexpected(); }
  bool binary(nlohmann::json::binary_t&) override { return unexpected(); }
  bool number_integer(int64_t) override { return unexpected(); }
  bool number_unsigned(uint64_t value) override {
    if (where == Where::shape) {
      if (value > uint64_t(INT64_MAX)) return no("`" + tensor.name + "`: an axis is too long");
      if (tensor.shape.size() == largestRank) return no("`" + tensor.name + "` has too many axes");
      tensor.shape.push_back(int64_t(value));
      return true;
    }
    if (where == Where::offsets && offsets.size() < 2) return offsets.push_back(value), true;
    return unexpected();
  }
  bool string(std::string& text) override {
    if (where == Where::metadata) return metadata.emplace_back(word, text), true;
    if (where != Where::tensor || word != "dtype" || hasType) return unexpected();
    for (const auto& [type, name, size] : storedTypes)
      if (name == text) return tensor.type = type, hasType = true;
    return no("`" + tensor.name + "` is of the type `" + text.substr(0, 20) + "`, which is not read");
  }
  bool start_object(size_t) override {
    if (where == Where::start) return where = Where::top, true;
    if (where != Where::top) return unexpected();
    if (word == "__metadata__") {
      if (hasMetadata) return no("its header has two `__metadata__`");
      return where = Where::metadata, hasMetadata = true;
    }
    tensor = {.name = word};
    hasType = hasShape = false;
    offsets.clear();
    return where = Where::tensor, true;
  }
  bool key(std::string& text) override { return word = text, true; }
  bool end_object() override {
    if (where == Where::top) return where = Where::done, true;
    if (where == Where::tensor) {
      if (!hasType || !hasShape || offsets.size() != 2)
        return no("`" + tensor.name + "` lacks its type, shape or offsets");
      if (offsets[0] > offsets[1]) return no("`" + tensor.name + "` ends before it begins");
      tensor.begin = offsets[0];
      tensor.byteCount = offsets[1] - offsets[0];
      tensors.push_back(std::move(tensor));
    }
    return where = Where::top, true;
  }
  bool start_array(size_t) override {
    if (where != Where::tensor) return unexpected();
    if (word == "shape" && !hasShape) return where = Where::shape, hasShape = true;
    if (word == "data_offsets" && offsets.empty()) return where = Where::offsets, true;
    return unexpected();
  }
  bool end_array() override { return where = Where::tensor, true; }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return no("its header is no JSON");
  }
};

}  // namespace

std::string_view toString(StoredType type) {
  for (const auto& each : storedTypes)
    if (each.type == type) return each.name;
  return "";
}

size_t sizeOf(StoredType type) {
  for (const auto& each : storedTypes)
    if (each.type == type) return each.size;
  return 0;
}

namespace {

// Empty where the tensors fill `size` bytes one after the other and each is as long as its shape asks for.  `tensors`
// come sorted by where they begin; counts are set.
std::string mistakeIn(std::vector<StoredTensor>& tensors, uint64_t size) {
  uint64_t end = 0;
  for (StoredTensor& tensor : tensors) {
    uint64_t count = 1;
    const uint64_t bytes = sizeOf(tensor.type);
    const bool empty = std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
    for (int64_t length : tensor.shape) {
      if (empty) break;
      if (uint64_t(length) > uint64_t(INT64_MAX) / bytes / count)
        return "`" + tensor.name + "` is larger than any file";
      count *= uint64_t(length);
    }
    tensor.count = empty ? 0 : int64_t(count);
    if (tensor.byteCount != bytes * uint64_t(tensor.count))
      return "`" + tensor.name + "` has " + std::to_string(tensor.byteCount) + " bytes, and its shape asks for " +
             std::to_string(bytes * uint64_t(tensor.count));
    if (tensor.begin != end)
      return "`" + tensor.name + "` " + (tensor.begin < end ? "overlaps the tensor before it" : "begins after a hole");
    end = tensor.begin + tensor.byteCount;
    if (end > size) return "it ends in `" + tensor.name + "`: it is truncated";
  }
  if (end != size) return std::to_string(size - end) + " bytes at its end belong to no tensor";
  return {};
}

bool readAt(int file, uint64_t offset, void* out, size_t count, std::string& reason) {
  char* bytes = static_cast<char*>(out);
  while (count > 0) {
    const ssize_t done = pread(file, bytes, count, off_t(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return reason = std::strerror(errno), false;
    if (done == 0) return reason = "it became shorter while it was read", false;
    bytes += done, offset += uint64_t(done), count -= size_t(done);
  }
  return true;
}

}  // namespace

std::unique_ptr<SafetensorsFile> SafetensorsFile::open(const std::string& path, Mistake& mistake) {
  std::unique_ptr<SafetensorsFile> result(new SafetensorsFile);
  result->path_ = path;
  // Without blocking: the open of a pipe that nobody writes to would not return.
  result->file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (result->file_ < 0 || fstat(result->file_, &status) != 0) {
    fails(mistake, Fault::usage, "", "cannot read " + path + ": " + std::strerror(errno));
    return nullptr;
  }
  if (!S_ISREG(status.st_mode)) {
    fails(mistake, Fault::usage, "", "cannot read " + path + ": it is not a regular file");
    return nullptr;
  }
  result->size_ = uint64_t(status.st_size);
  if (!result->readHeader(mistake)) return nullptr;
  return result;
}

SafetensorsFile::~SafetensorsFile() {
  if (file_ >= 0) ::close(file_);
}

bool SafetensorsFile::readHeader(Mistake& mistake) {
  const auto no = [&](const std::string& why) {
    return fails(mistake, Fault::content, "TPC0510", "`" + path_ + "` is no safetensors file: " + why);
  };
  unsigned char first[8];
  std::string reason;
  if (size_ < 8) return no("it is shorter than 8 bytes");
  if (!readAt(file_, 0, first, 8, reason)) return no(reason);
  uint64_t length = 0;
  for (int i = 8; i-- > 0;) length = length << 8 | first[i];
  if (length > size_ - 8 || length > largestHeader)
    return no("its header is longer than the file, or than the format allows");
  std::string text;
  try {
    text.resize(size_t(length));
    if (!readAt(file_, 8, text.data(), text.size(), reason)) return no(reason);
    if (text.empty() || text[0] != '{') return no("its header does not begin with {");
    HeaderReader reader;
    if (!nlohmann::json::sax_parse(text, &reader) || reader.where != HeaderReader::Where::done)
      return no(reader.error.empty() ? "its header cannot be read" : reader.error);
    tensors_ = std::move(reader.tensors);
    metadata_ = std::move(reader.metadata);
  } catch (const std::bad_alloc&) {
    return fails(mistake, Fault::machine, "", "there is not enough memory for the header of " + path_);
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.byteCount, a.name) < std::tie(b.begin, b.byteCount, b.name);
  });
  if (const std::string why = mistakeIn(tensors_, size_ - 8 - length); !why.empty()) return no(why);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].begin += 8 + length;
    byName_.push_back(i);
  }
  std::sort(byName_.begin(), byName_.end(), [&](size_t a, size_t b) { return tensors_[a].name < tensors_[b].name; });
  for (size_t i = 1; i < byName_.size(); ++i)
    if (tensors_[byName_[i]].name == tensors_[byName_[i - 1]].name)
      return no("it has two tensors `" + tensors_[byName_[i]].name + "`");
  return true;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto at = std::lower_bound(byName_.begin(), byName_.end(), name,
                                   [&](size_t i, std::string_view wanted) { return tensors_[i].name < wanted; });
  return at != byName_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

const std::string* SafetensorsFile::metadata(std::string_view key) const {
  for (const auto& [name, value] : metadata_)
    if (name == key) return &value;
  return nullptr;
}

template <typename Real>
bool SafetensorsFile::readAs(const StoredTensor& tensor, Real* out, Mistake& mistake) const {
  const size_t size = sizeOf(tensor.type);
  constexpr size_t chunk = 1 << 14;
  alignas(8) char bytes[chunk * 8];
  for (int64_t begin = 0; begin < tensor.count; begin += chunk) {
    const size_t width = size_t(std::min<int64_t>(chunk, tensor.count - begin));
    std::string reason;
    if (!readAt(file_, tensor.begin + uint64_t(begin) * size, bytes, width * size, reason))
      return fails(mistake, Fault::content, "TPC0510", "cannot read `" + tensor.name + "` of " + path_ + ": " + reason);
    const auto convert = [&]<typename Stored>(Stored, auto number) {
      for (size_t i = 0; i < width; ++i) {
        Stored stored;
        std::memcpy(&stored, bytes + i * sizeof stored, sizeof stored);
        out[begin + int64_t(i)] = Real(number(stored));
      }
    };
    switch (tensor.type) {
      case StoredType::f64: convert(double(), [](double x) { return x; }); break;
      case StoredType::f32: convert(float(), [](float x) { return x; }); break;
      case StoredType::f16: convert(uint16_t(), halfToFloat); break;
      case StoredType::bf16: convert(uint16_t(), bfloatToFloat); break;
      default:
        return fails(mistake, Fault::content, "TPC0511",
                     "`" + tensor.name + "` of " + path_ + " holds " + std::string(toString(tensor.type)) +
                         ", and weights are F64, F32, F16 or BF16");
    }
  }
  return true;
}

bool SafetensorsFile::read(const StoredTensor& tensor, float* out, Mistake& mistake) const {
  return readAs(tensor, out, mistake);
}
bool SafetensorsFile::read(const StoredTensor& tensor, double* out, Mistake& mistake) const {
  return readAs(tensor, out, mistake);
}

namespace {

std::string headerOf(std::span<const TensorToStore> tensors,
                     std::span<const std::pair<std::string, std::string>> metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty())
    for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  uint64_t begin = 0;
  for (const TensorToStore& tensor : tensors) {
    const uint64_t end = begin + sizeOf(tensor.type) * uint64_t(tensor.count);
    header[tensor.name] = {{"dtype", toString(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the bytes behind it are aligned
  return text;
}

template <typename Real>
bool writeTensor(WholeFile& file, const TensorToStore& tensor) {
  const Real* data = static_cast<const Real*>(tensor.data);
  if (tensor.type == (sizeof(Real) == 8 ? StoredType::f64 : StoredType::f32))
    return file.write(data, size_t(tensor.count) * sizeof(Real));
  constexpr int64_t chunk = 1 << 14;
  std::vector<char> bytes(size_t(chunk) * 8);
  for (int64_t begin = 0; begin < tensor.count; begin += chunk) {
    const int64_t width = std::min(chunk, tensor.count - begin);
    const auto convert = [&](auto stored) {
      for (int64_t i = 0; i < width; ++i) {
        const auto value = stored(data[begin + i]);
        std::memcpy(bytes.data() + size_t(i) * sizeof value, &value, sizeof value);
      }
    };
    switch (tensor.type) {
      case StoredType::f64: convert([](Real x) { return double(x); }); break;
      case StoredType::f16: convert([](Real x) { return floatToHalf(float(x)); }); break;
      case StoredType::bf16: convert([](Real x) { return floatToBfloat(float(x)); }); break;
      default: convert([](Real x) { return float(x); }); break;
    }
    if (!file.write(bytes.data(), size_t(width) * sizeOf(tensor.type))) return false;
  }
  return true;
}

}  // namespace

bool writeSafetensors(const std::string& path, std::span<const TensorToStore> tensors,
                      std::span<const std::pair<std::string, std::string>> metadata, Mistake& mistake) {
  const std::string header = headerOf(tensors, metadata);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = uint8_t(header.size() >> 8 * i);
  WholeFile file(path);
  file.write(length, 8);
  file.write(header.data(), header.size());
  for (const TensorToStore& tensor : tensors)
    if (!(tensor.isDouble ? writeTensor<double>(file, tensor) : writeTensor<float>(file, tensor))) break;
  if (file.commit()) return true;
  return fails(mistake, Fault::machine, "", "cannot write " + path + ": " + file.reason());
}

}  // namespace tpc
