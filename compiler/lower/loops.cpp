#include "compiler/lower/loops.h"

#include <algorithm>

namespace tpc::loops {
namespace {

template <typename K>
void addTo(std::vector<std::pair<K, int64_t>>& sum, const std::vector<std::pair<K, int64_t>>& terms, int64_t factor) {
  for (auto [key, coefficient] : terms) {
    auto at = std::lower_bound(sum.begin(), sum.end(), key, [](const auto& one, K key) { return one.first < key; });
    if (at == sum.end() || at->first != key) at = sum.insert(at, {key, 0});
    at->second += coefficient * factor;
    if (at->second == 0) sum.erase(at);
  }
}

}  // namespace

void Index::add(const Index& other, int64_t factor) {
  constant += other.constant * factor;
  addTo(terms, other.terms, factor);
  addTo(trips, other.trips, factor);
}

Map composed(const Map& view, const Map& outer) {
  Map result;
  for (const Index& index : view) {
    Index one{index.constant, {}, index.trips};
    for (auto [axis, coefficient] : index.terms) one.add(outer[size_t(axis)], coefficient);
    result.push_back(std::move(one));
  }
  return result;
}

Index accessOf(const Storage& storage, const Map& map) {
  Index access{storage.offset, {}, {}};
  access.add({0, {}, storage.trips}, 1);
  for (size_t axis = 0; axis < map.size(); ++axis) access.add(map[axis], storage.strides[axis]);
  return access;
}

std::vector<int64_t> rowMajor(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
  return strides;
}

int64_t volume(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t length : shape) count *= length;
  return count;
}

namespace {

// Cheaper computed again than read.
bool isFree(const LoopProgram& program, const Op& op) {
  const auto free = [&](OpId each) { return program.ops[each].free; };
  switch (op.kind) {
    case Kind::number:
    case Kind::iota: return true;
    case Kind::view: return free(op.operands[0]);
    case Kind::pointwise:
      if (op.op == OpKind::map) switch (MapFn(op.fn)) {
          case MapFn::neg:
          case MapFn::square:
          case MapFn::abs:
          case MapFn::sign:
          case MapFn::relu:
          case MapFn::step: break;
          default: return false;
        }
      return std::all_of(op.operands.begin(), op.operands.end(), free);
    default: return false;
  }
}

}  // namespace

OpId LoopProgram::append(Op op) {
  op.free = isFree(*this, op);
  ops.push_back(std::move(op));
  return OpId(ops.size() - 1);
}

Map identityMap(const std::vector<int64_t>& shape) {
  Map map;
  for (size_t axis = 0; axis < shape.size(); ++axis) map.push_back(shape[axis] == 1 ? Index{} : Index::axis(int(axis)));
  return map;
}

bool takesLong(OpKind kind, uint8_t fn) {
  if (kind != OpKind::map) return false;
  switch (MapFn(fn)) {
    case MapFn::neg:
    case MapFn::square:
    case MapFn::abs:
    case MapFn::sign:
    case MapFn::relu:
    case MapFn::step:
    case MapFn::isFinite:
    case MapFn::round: return false;
    default: return true;
  }
}

std::pair<OpId, Map> behindViews(const LoopProgram& program, OpId id, Map map) {
  while (program.ops[id].kind == Kind::view) {
    map = composed(program.ops[id].index, map);
    id = program.ops[id].operands[0];
  }
  return {id, std::move(map)};
}

}  // namespace tpc::loops
