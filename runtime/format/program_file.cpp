// One list of fields per struct, which writing and reading both follow.
#include "runtime/format/program_file.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace tpc {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they stand in memory");

constexpr char magic[8] = {'t', 'p', 'c', '.', 't', 'p', 'x', '\n'};
constexpr uint32_t version = 1;
constexpr size_t headerSize = sizeof magic + sizeof version + 2 * sizeof(uint64_t);

uint64_t checksum(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char each : bytes) hash = (hash ^ uint8_t(each)) * 0x100000001b3ull;
  return hash;
}

struct Refused {
  std::string reason;
};

struct Writer {
  std::string bytes{};
  void raw(const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); }
  template <typename T>
  void number(T& value) {
    raw(&value, sizeof value);
  }
  template <typename T>
  void count(T& list) {
    uint64_t size = list.size();
    number(size);
  }
};

struct Reader {
  std::string_view rest;
  void raw(void* data, size_t size) {
    if (size > rest.size()) throw Refused{"it ends before it is complete"};
    std::memcpy(data, rest.data(), size);
    rest.remove_prefix(size);
  }
  template <typename T>
  void number(T& value) {
    raw(&value, sizeof value);
  }
  template <typename T>
  void count(T& list) {
    uint64_t size = 0;
    number(size);
    // Every entry takes at least a byte, so that a length cannot ask for more memory than the file is long.
    if (size > rest.size()) throw Refused{"it holds a list that is longer than the file"};
    list.resize(size);
  }
};

template <typename A, typename T>
void field(A& archive, T& value);

template <typename A, typename... T>
void all(A& archive, T&... values) {
  (field(archive, values), ...);
}

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsPair : std::false_type {};
template <typename T, typename U>
struct IsPair<std::pair<T, U>> : std::true_type {};

// clang-format off
template <typename A> void fields(A& a, FirstValues& x) { all(a, x.kind, x.number, x.values); }
template <typename A> void fields(A& a, ProgramState& x) { all(a, x.name, x.first, x.startsAsParameter); }
template <typename A> void fields(A& a, ProgramParameter& x) {
  all(a, x.name, x.shape, x.stackedAxes, x.first, x.multiplier, x.trains, x.optimizer, x.states, x.hyper);
}
template <typename A> void fields(A& a, ProgramInput& x) { all(a, x.name, x.shape, x.batchAxis, x.target, x.integer, x.below); }
template <typename A> void fields(A& a, ProgramOutput& x) { all(a, x.name, x.shape, x.batchAxis, x.metric); }
template <typename A> void fields(A& a, ProgramTable& x) { all(a, x.model, x.sizes, x.parameters, x.inputs, x.outputs, x.batch); }
template <typename A> void fields(A& a, Place& x) { all(a, x.offset, x.layers); }
template <typename A> void fields(A& a, CompiledKernel& x) { all(a, x.name, x.entry, x.places, x.extent, x.grain, x.scratch); }
template <typename A> void fields(A& a, ProductShape& x) {
  all(a, x.transposedA, x.transposedB, x.m, x.n, x.k, x.lda, x.ldb, x.ldc);
}
template <typename A> void fields(A& a, StridedAxis& x) { all(a, x.length, x.a, x.b, x.result); }
template <typename A> void fields(A& a, CompiledProduct& x) { all(a, x.shape, x.outer, x.summed, x.rows, x.columns); }
template <typename A> void fields(A& a, CompiledContraction& x) { all(a, x.kept, x.summed); }
template <typename A> void fields(A& a, CompiledIndexing& x) { all(a, x.shape.before, x.shape.length, x.shape.count, x.shape.after); }
template <typename A> void fields(A& a, CompiledDropout& x) { all(a, x.name, x.rate, x.count, x.loops); }
template <typename A> void fields(A& a, CompiledLoop& x) { all(a, x.trips, x.reversed, x.index); }
template <typename A> void fields(A& a, Launch& x) { all(a, x.kind, x.of, x.body, x.places); }
template <typename A> void fields(A& a, ScalarStep& x) { all(a, x.kind, x.fn, x.hyper, x.number, x.a, x.b, x.c); }
template <typename A> void fields(A& a, CompiledParameter& x) { all(a, x.at, x.states, x.gradient, x.scalars, x.results); }
template <typename A> void fields(A& a, CompiledValue& x) { all(a, x.at, x.shape, x.strides); }
template <typename A> void fields(A& a, CompiledConstant& x) { all(a, x.at, x.values); }
template <typename A> void fields(A& a, CompiledProgram& x) {
  all(a, x.target, x.code, x.kernels, x.products, x.contractions, x.indexings, x.dropouts, x.loops, x.gradients, x.norms,
      x.updates, x.evaluation, x.parameters, x.inputs, x.constants, x.loss, x.evaluatedLoss, x.metrics, x.outputs, x.clip,
      x.adds, x.share, x.arena, x.persistent, x.gradientFloats, x.flops);
}
template <typename A> void fields(A& a, ProgramFile& x) { all(a, x.source, x.table, x.program); }
// clang-format on

template <typename A, typename T>
void field(A& archive, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    archive.count(value);
    archive.raw(value.data(), value.size());
  } else if constexpr (std::is_same_v<T, bool>) {
    uint8_t byte = value;
    archive.number(byte);
    if (byte > 1) throw Refused{"it holds a truth value that is neither"};
    value = byte == 1;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    archive.number(value);
  } else if constexpr (IsVector<T>::value) {
    using Entry = typename T::value_type;
    archive.count(value);
    if constexpr (std::is_arithmetic_v<Entry>) {
      // In one piece: the code and the tables.
      if constexpr (std::is_same_v<A, Reader>)
        if (value.size() * sizeof(Entry) > archive.rest.size()) throw Refused{"it ends before it is complete"};
      archive.raw(value.data(), value.size() * sizeof(Entry));
    } else {
      for (Entry& entry : value) field(archive, entry);
    }
  } else if constexpr (IsPair<T>::value) {
    all(archive, value.first, value.second);
  } else {
    fields(archive, value);
  }
}

}  // namespace

std::string toBytes(const ProgramFile& file) {
  Writer payload;
  ProgramFile copy = file;
  field(payload, copy);
  Writer whole;
  whole.raw(magic, sizeof magic);
  uint32_t number = version;
  whole.number(number);
  uint64_t length = payload.bytes.size(), sum = checksum(payload.bytes);
  whole.number(length);
  whole.number(sum);
  return whole.bytes + payload.bytes;
}

std::optional<ProgramFile> readProgramFile(std::string_view bytes, std::string& reason) {
  try {
    if (bytes.size() < headerSize || std::memcmp(bytes.data(), magic, sizeof magic) != 0)
      throw Refused{"it is no compiled program"};
    Reader reader{bytes.substr(sizeof magic)};
    uint32_t number = 0;
    uint64_t length = 0, sum = 0;
    reader.number(number);
    if (number != version) throw Refused{"it was written by another version of tpc"};
    reader.number(length);
    reader.number(sum);
    if (length != reader.rest.size())
      throw Refused{length > reader.rest.size() ? "it ends before it is complete" : "something stands behind its end"};
    if (checksum(reader.rest) != sum) throw Refused{"it is damaged: its checksum is another"};
    ProgramFile file;
    field(reader, file);
    if (!reader.rest.empty()) throw Refused{"something stands behind its end"};
    const std::string wrong = violation(file.program, file.table);
    if (!wrong.empty()) throw Refused{"it contradicts itself: " + wrong};
    return file;
  } catch (const Refused& refused) {
    reason = refused.reason;
  } catch (const std::bad_alloc&) {
    reason = "there is not enough memory for it";
  }
  return std::nullopt;
}

}  // namespace tpc
