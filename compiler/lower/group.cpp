#include "compiler/lower/group.h"

#include <algorithm>
#include <queue>
#include <set>

namespace tpc::loops {
namespace {

constexpr size_t mostMembers = 96;  // a loop of more spills registers and takes long to compile
constexpr size_t mostPlaces = 48;   // pointers that a loop holds
constexpr size_t mostMaps = 2;      // places in one loop at which one operation is computed

enum class Coverage { partial, rows, all };

struct Grouper {
  const LoopProgram& program;
  struct Work {
    Unit unit;
    std::set<uint32_t> after;  // units that wait for this one
    uint32_t mergedInto = none;
    OpId last = 0;
  };
  std::vector<Work> units{};
  std::vector<std::map<uint32_t, std::vector<Map>>> demand{};  // per operation: units of groups that want it where
  std::vector<std::set<uint32_t>> readers{};                   // per operation: units that read it in memory
  std::vector<uint32_t> unitOf{};                              // per operation: where it is computed, once
  std::map<std::pair<uint32_t, uint32_t>, std::vector<OpId>> copiesInto{};  // (buffer, region)

  const Op& op(OpId id) const { return program.ops[id]; }

  uint32_t found(uint32_t unit) const {
    while (units[unit].mergedInto != none) unit = units[unit].mergedInto;
    return unit;
  }

  bool reaches(uint32_t from, uint32_t to) const {
    std::vector<uint32_t> work{found(from)};
    std::set<uint32_t> seen{found(from)};
    to = found(to);
    while (!work.empty()) {
      const uint32_t at = work.back();
      work.pop_back();
      if (at == to) return true;
      for (uint32_t next : units[at].after)
        if (seen.insert(found(next)).second) work.push_back(found(next));
    }
    return false;
  }

  uint32_t newUnit(OpId id, bool group) {
    Work work;
    work.unit.op = group ? none : id;
    work.unit.region = op(id).region, work.unit.phase = op(id).phase;
    work.last = id;
    units.push_back(std::move(work));
    return uint32_t(units.size() - 1);
  }

  void waits(uint32_t later, uint32_t earlier) {
    later = found(later), earlier = found(earlier);
    if (later != earlier) units[earlier].after.insert(later);
  }

  bool here(OpId id, const Unit& unit) const { return op(id).region == unit.region && op(id).phase == unit.phase; }

  // Memory that the operation reads itself, through views.
  std::vector<std::pair<OpId, Map>> memoryRead(OpId id, const Map& map) const {
    std::vector<std::pair<OpId, Map>> result;
    for (OpId operand : op(id).operands) {
      auto read = behindViews(program, operand, operandMap(id, map, operand));
      if (op(read.first).kind == Kind::memory && op(read.first).storage) result.push_back(std::move(read));
    }
    return result;
  }

  // Where an operand is read when the operation is computed at `map`; a reduction's own axes come from the group.
  Map operandMap(OpId id, const Map& map, OpId operand, const Group* group = nullptr) const {
    const Op& one = op(id);
    if (one.kind != Kind::reduce) return map;
    std::vector<int> loops;
    if (group)
      for (size_t axis = 0; axis < group->domain.size(); ++axis)
        if (group->reduced[axis]) loops.push_back(int(axis));
    Map result;
    size_t kept = 0, reduced = 0;
    for (int axis = 0; axis < int(op(operand).shape.size()); ++axis) {
      const bool gone = std::find(one.axes.begin(), one.axes.end(), axis) != one.axes.end();
      if (!gone) {
        result.push_back(map.empty() ? Index{} : map[kept++]);
      } else if (op(operand).shape[size_t(axis)] == 1) {
        result.push_back({});
      } else {
        result.push_back(reduced < loops.size() ? Index::axis(loops[reduced++]) : Index{});
      }
    }
    return result;
  }

  // Copies that overwrite what the operation reads: they come after it.
  std::vector<OpId> overwriters(OpId id) const {
    std::vector<OpId> result;
    for (OpId operand : op(id).operands) {
      OpId base = operand;
      while (op(base).kind == Kind::view) base = op(base).operands[0];
      if (op(base).kind != Kind::memory || !op(base).storage) continue;
      const auto at = copiesInto.find({op(base).storage->buffer, op(id).region});
      if (at == copiesInto.end()) continue;
      for (OpId copy : at->second)
        if (copy > id && op(copy).phase == op(id).phase) result.push_back(copy);
    }
    return result;
  }

  static Coverage coverage(const Group& group, const Map& map, const std::vector<int64_t>& shape) {
    std::set<int> axes;
    for (size_t i = 0; i < map.size(); ++i) {
      const Index& index = map[i];
      if (index.constant != 0 || !index.trips.empty() || index.terms.size() > 1) return Coverage::partial;
      if (index.terms.empty()) {
        if (shape[i] != 1) return Coverage::partial;
        continue;
      }
      const auto [axis, coefficient] = index.terms[0];
      if (coefficient != 1 || group.domain[size_t(axis)] != shape[i] || !axes.insert(axis).second)
        return Coverage::partial;
    }
    size_t rows = 0, covered = 0;
    for (size_t axis = 0; axis < group.domain.size(); ++axis) {
      rows += !group.reduced[axis];
      covered += !group.reduced[axis] && axes.contains(int(axis));
    }
    if (covered < rows) return Coverage::partial;
    if (axes.size() == group.domain.size()) return Coverage::all;
    return axes.size() == rows ? Coverage::rows : Coverage::partial;
  }

  static bool hasReduced(const Group& group) {
    return std::find(group.reduced.begin(), group.reduced.end(), true) != group.reduced.end();
  }

  static bool isExpensive(const Op& op) { return op.kind == Kind::pointwise && takesLong(op.op, op.fn); }

  // Worth computing in each of several loops: cheap, and of what is in memory or of rows.
  bool isCheap(OpId id) const {
    const Op& one = op(id);
    if (one.kind != Kind::pointwise || isExpensive(one)) return false;
    int whole = 0;
    for (OpId operand : one.operands) {
      const OpId base = behindViews(program, operand, identityMap(op(operand).shape)).first;
      const bool small = volume(op(base).shape) * 8 <= volume(one.shape);
      const bool standing = op(base).free || op(base).kind == Kind::memory || op(base).kind == Kind::contract ||
                            op(base).kind == Kind::gather || op(base).kind == Kind::reduce || op(base).pinned;
      if (!standing && !small) return false;
      whole += !small && !op(base).free;
    }
    return whole <= 2;
  }

  // What a group writes of memory that it also reads is read and written entry by entry.
  bool isInPlace(const Group& group, OpId id, const Map& map, bool& overlaps) const {
    for (const auto& [memory, at] : memoryRead(id, map))
      for (OpId output : group.outputs) {
        if (op(output).kind != Kind::copy || op(output).storage->buffer != op(memory).storage->buffer) continue;
        overlaps = true;
        const Index written = accessOf(*op(output).storage, group.members.at(output)[0]);
        if (!(accessOf(*op(memory).storage, at) == written)) return false;
      }
    return true;
  }

  bool readsWhatItWrites(const Group& group) const {
    bool overlaps = false;
    for (const auto& [id, maps] : group.members)
      for (const Map& map : maps) isInPlace(group, id, map, overlaps);
    return overlaps;
  }

  // Places in memory that the loop of the group reads or writes, at most.
  size_t placesOf(const Group& group) const {
    std::set<std::pair<OpId, Map>> read;
    for (const auto& [id, maps] : group.members)
      for (OpId operand : op(id).operands)
        for (const Map& map : maps) {
          auto at = behindViews(program, operand, operandMap(id, map, operand, &group));
          if (!op(at.first).free && !group.members.contains(at.first)) read.insert(std::move(at));
        }
    return read.size() + group.outputs.size();
  }

  // The group with the operation in it; false where it cannot be.
  bool join(Group& group, OpId id, const std::vector<Map>& maps, bool toMemory) const {
    const Op& one = op(id);
    if (maps.size() > mostMaps && !one.free) return false;
    if (group.members.size() >= mostMembers) return false;
    if (one.kind == Kind::reduce) {
      if (maps.size() != 1) return false;
      const OpId x = one.operands[0];
      std::vector<int64_t> lengths;
      for (int axis : one.axes)
        if (op(x).shape[size_t(axis)] != 1) lengths.push_back(op(x).shape[size_t(axis)]);
      std::set<int> used;
      for (size_t i = 0; i < maps[0].size(); ++i) {
        const Index& index = maps[0][i];
        if (index.constant != 0 || !index.trips.empty() || index.terms.size() > 1) return false;
        if (index.terms.empty() && one.shape[i] != 1) return false;
        if (index.terms.empty()) continue;
        if (index.terms[0].second != 1 || group.domain[size_t(index.terms[0].first)] != one.shape[i]) return false;
        if (!used.insert(index.terms[0].first).second) return false;
      }
      std::vector<int> rest;
      for (int axis = 0; axis < int(group.domain.size()); ++axis)
        if (!used.contains(axis)) rest.push_back(axis);
      std::vector<int64_t> restLengths;
      for (int axis : rest) restLengths.push_back(group.domain[size_t(axis)]);
      if (hasReduced(group)) {
        for (int axis = 0; axis < int(group.domain.size()); ++axis)
          if (group.reduced[size_t(axis)] == used.contains(axis)) return false;
        if (restLengths != lengths) return false;
      } else {
        if (readsWhatItWrites(group)) return false;
        if (rest.empty()) {
          for (int64_t length : lengths) group.domain.push_back(length), group.reduced.push_back(true);
        } else {
          if (restLengths != lengths) return false;
          for (int axis : rest) group.reduced[size_t(axis)] = true;
        }
      }
    } else if (isExpensive(one)) {
      // It would be computed again and again for what it does not depend on.
      for (const Map& map : maps) {
        std::set<int> axes;
        for (const Index& index : map)
          for (auto [axis, coefficient] : index.terms) axes.insert(axis);
        for (int axis = 0; axis < int(group.domain.size()); ++axis)
          if (!axes.contains(axis) && !group.reduced[size_t(axis)]) return false;
      }
    }
    group.members[id] = maps;
    bool overlaps = false;
    for (const Map& map : maps)
      if (!isInPlace(group, id, one.kind == Kind::reduce ? Map(one.shape.size()) : map, overlaps)) return false;
    if (overlaps && (hasReduced(group) || one.kind == Kind::reduce)) return false;
    if (toMemory) {
      if (maps.size() != 1 || coverage(group, maps[0], one.shape) == Coverage::partial) return false;
      group.outputs.push_back(id);
    }
    return placesOf(group) <= mostPlaces;
  }

  // Two groups as one, in which `id` stands where both want it.
  std::optional<Group> merged(const Group& a, const Map& inA, const Group& b, const Map& inB,
                              const std::vector<int64_t>& shape) const {
    const Coverage coverA = coverage(a, inA, shape), coverB = coverage(b, inB, shape);
    if (coverA == Coverage::partial || coverB == Coverage::partial) return std::nullopt;
    if (a.members.size() + b.members.size() > mostMembers) return std::nullopt;
    std::vector<int> to(b.domain.size(), -1);
    std::set<int> usedA;
    for (size_t i = 0; i < inA.size(); ++i)
      if (!inA[i].terms.empty())
        to[size_t(inB[i].terms[0].first)] = inA[i].terms[0].first, usedA.insert(inA[i].terms[0].first);
    Group result = a;
    std::vector<int> restA, restB;
    for (int axis = 0; axis < int(a.domain.size()); ++axis)
      if (!usedA.contains(axis)) restA.push_back(axis);
    for (int axis = 0; axis < int(b.domain.size()); ++axis)
      if (to[size_t(axis)] < 0) restB.push_back(axis);
    if (!restA.empty() && !restB.empty()) {
      if (restA.size() != restB.size()) return std::nullopt;
      for (size_t i = 0; i < restA.size(); ++i) {
        if (a.domain[size_t(restA[i])] != b.domain[size_t(restB[i])]) return std::nullopt;
        to[size_t(restB[i])] = restA[i];
      }
    } else {
      for (int axis : restB) {
        to[size_t(axis)] = int(result.domain.size());
        result.domain.push_back(b.domain[size_t(axis)]), result.reduced.push_back(false);
      }
    }
    const bool loopsA = hasReduced(a), loopsB = hasReduced(b);
    for (size_t axis = 0; axis < to.size(); ++axis) {
      const size_t at = size_t(to[axis]);
      if (loopsA && loopsB && at < a.domain.size() && a.reduced[at] != b.reduced[axis]) return std::nullopt;
      if (loopsA && loopsB && at >= a.domain.size()) return std::nullopt;
      if (loopsB && b.reduced[axis]) result.reduced[at] = true;
    }
    if (loopsB && !loopsA)  // a's axes that b does not have would be rows for b's reductions
      for (int axis : restA)
        if (!result.reduced[size_t(axis)]) return std::nullopt;
    if (loopsA && !loopsB)
      for (size_t axis = a.domain.size(); axis < result.domain.size(); ++axis) return std::nullopt;
    for (const auto& [id, maps] : b.members)
      for (const Map& map : maps) {
        Map moved;
        for (const Index& index : map) {
          Index one{index.constant, {}, index.trips};
          for (auto [axis, coefficient] : index.terms) one.add(Index::axis(to[size_t(axis)]), coefficient);
          moved.push_back(std::move(one));
        }
        std::vector<Map>& all = result.members[id];
        if (std::find(all.begin(), all.end(), moved) == all.end()) all.push_back(std::move(moved));
      }
    for (OpId output : b.outputs)
      if (std::find(result.outputs.begin(), result.outputs.end(), output) == result.outputs.end())
        result.outputs.push_back(output);
    for (OpId output : result.outputs)
      if (result.members[output].size() != 1 ||
          coverage(result, result.members[output][0], op(output).shape) == Coverage::partial)
        return std::nullopt;
    for (const auto& [id, maps] : result.members)
      if (op(id).kind == Kind::reduce &&
          (maps.size() != 1 || coverage(result, maps[0], op(id).shape) != Coverage::rows))
        return std::nullopt;
    // Reads and writes of one place stay entry by entry, and out of loops with several passes.
    bool overlaps = false;
    for (const auto& [id, maps] : result.members)
      for (const Map& map : maps)
        if (!isInPlace(result, id, op(id).kind == Kind::reduce ? Map(op(id).shape.size()) : map, overlaps))
          return std::nullopt;
    if (overlaps && hasReduced(result)) return std::nullopt;
    if (placesOf(result) > mostPlaces) return std::nullopt;
    return result;
  }

  void demandOperands(OpId id, uint32_t unit) {
    const Group& group = units[unit].unit.group;
    const std::vector<Map> maps = group.members.at(id);
    for (OpId operand : op(id).operands)
      for (const Map& map : maps) want(operand, unit, operandMap(id, map, operand, &group));
  }

  void want(OpId operand, uint32_t unit, Map map) {
    std::vector<Map>& all = demand[operand][unit];
    if (std::find(all.begin(), all.end(), map) == all.end()) all.push_back(std::move(map));
  }

  // The groups that want it, merged ones as one.
  std::map<uint32_t, std::vector<Map>> wanted(OpId id) {
    std::map<uint32_t, std::vector<Map>> result;
    for (const auto& [unit, maps] : demand[id]) {
      const uint32_t now = found(unit);
      if (now == unit) {
        for (const Map& map : maps) {
          std::vector<Map>& all = result[now];
          if (std::find(all.begin(), all.end(), map) == all.end()) all.push_back(map);
        }
      }
    }
    return result;
  }

  // After a merge: what the absorbed group wanted is wanted where it is now.
  void moveDemands(uint32_t from, uint32_t to) {
    units[from].mergedInto = to;
    units[to].last = std::max(units[to].last, units[from].last);
    for (uint32_t later : units[from].after)
      if (found(later) != to) units[to].after.insert(found(later));
    units[to].after.erase(from);
    for (Work& work : units)
      if (work.after.erase(from) > 0 && &work != &units[to]) work.after.insert(to);
    for (auto& of : unitOf)
      if (of == from) of = to;
    for (OpId id = 0; id < program.ops.size(); ++id) demand[id].erase(from);
    // Everything in the group asks again; members in descending order, so that views between them are passed on later.
    const Group group = units[to].unit.group;
    for (const auto& [id, maps] : group.members) demandOperands(id, to);
  }

  void tryMerges(OpId id) {
    for (bool again = true; again;) {
      again = false;
      const auto groups = wanted(id);
      for (auto a = groups.begin(); a != groups.end() && !again; ++a)
        for (auto b = std::next(a); b != groups.end() && !again; ++b) {
          if (a->second.size() != 1 || b->second.size() != 1) continue;
          const Unit &first = units[a->first].unit, &second = units[b->first].unit;
          if (!here(id, first) || !here(id, second)) continue;
          if (reaches(a->first, b->first) || reaches(b->first, a->first)) continue;
          std::optional<Group> both = merged(first.group, a->second[0], second.group, b->second[0], op(id).shape);
          if (!both) continue;
          units[a->first].unit.group = std::move(*both);
          passOnFrom = std::max(passOnFrom, id);
          moveDemands(b->first, a->first);
          // Views that stand later than `id` have passed their demands on; those of the merged group go again.
          passViews(id, a->first);
          again = true;
        }
    }
  }
  OpId passOnFrom = 0;

  // What views after `id` are wanted for by the unit, on to what they show.
  void passViews(OpId id, uint32_t unit) {
    for (OpId each = OpId(program.ops.size()); each-- > id + 1;) {
      if (op(each).kind != Kind::view) continue;
      const auto at = demand[each].find(unit);
      if (at != demand[each].end()) passView(each, unit, at->second);
    }
  }

  void passView(OpId view, uint32_t unit, const std::vector<Map>& maps) {
    const OpId source = op(view).operands[0];
    if (!op(source).free && op(source).region != op(view).region && op(source).kind != Kind::view &&
        op(source).kind != Kind::memory)
      return;  // outside of the loop: in memory before it begins
    for (const Map& map : maps) want(source, unit, composed(op(view).index, map));
  }

  void placeCompute(OpId id) {
    const Op& one = op(id);
    // Who reads it in memory whatever we do, and who overwrites what it reads.
    std::set<uint32_t> others;
    for (uint32_t reader : readers[id]) others.insert(found(reader));
    std::set<uint32_t> overwriting;
    for (OpId copy : overwriters(id))
      if (unitOf[copy] != none) overwriting.insert(found(unitOf[copy]));
    bool toMemory = one.pinned || !others.empty();
    if (!one.free && !isCheap(id)) tryMerges(id);
    const auto groups = wanted(id);
    if (!toMemory && groups.empty() && one.kind != Kind::copy) return;  // nobody reads it

    std::set<uint32_t> homes, refused;
    const auto tryJoin = [&](uint32_t unit, const std::vector<Map>& maps, bool memory) {
      if (!here(id, units[unit].unit) && !(one.free && !memory)) return false;
      for (uint32_t later : overwriting)
        if (later != unit && reaches(later, unit)) return false;
      if (memory)
        for (uint32_t later : others)
          if (reaches(later, unit)) return false;
      if (memory)
        for (const auto& [later, ignored] : groups)
          if (later != unit && reaches(later, unit)) return false;
      Group group = units[unit].unit.group;
      if (!join(group, id, maps, memory)) return false;
      units[unit].unit.group = std::move(group);
      return true;
    };
    uint32_t home = none;
    if (one.kind == Kind::copy) {
      // A place of its own to begin with; others join it.
    } else if (one.free || (!toMemory && (groups.size() == 1 || isCheap(id)))) {
      for (const auto& [unit, maps] : groups) (tryJoin(unit, maps, false) ? homes : refused).insert(unit);
      toMemory |= !refused.empty();
    } else {
      toMemory = true;
      for (const auto& [unit, maps] : groups) refused.insert(unit);
    }
    if (one.kind == Kind::copy || toMemory) {
      if (one.kind != Kind::copy && homes.empty())
        for (const auto& [unit, maps] : groups)
          if (home == none && tryJoin(unit, maps, true)) home = unit;
      if (home == none) home = ownGroup(id);
      unitOf[id] = home;
      homes.insert(home);
      refused.erase(home);
      for (uint32_t later : others) waits(later, home);
      for (uint32_t later : refused) waits(later, home);
    }
    for (uint32_t unit : homes) {
      for (uint32_t later : overwriting) waits(later, unit);
      demandOperands(id, unit);
    }
  }

  uint32_t ownGroup(OpId id) {
    const Op& one = op(id);
    const uint32_t unit = newUnit(id, true);
    Group& group = units[unit].unit.group;
    Map map;
    for (int64_t length : one.shape) {
      map.push_back(length == 1 ? Index{} : Index::axis(int(group.domain.size())));
      if (length != 1) group.domain.push_back(length), group.reduced.push_back(false);
    }
    if (one.kind == Kind::reduce)
      for (int axis : one.axes)
        if (const int64_t length = op(one.operands[0]).shape[size_t(axis)]; length != 1)
          group.domain.push_back(length), group.reduced.push_back(true);
    group.members[id] = {map};
    group.outputs.push_back(id);
    return unit;
  }

  void place(OpId id) {
    const Op& one = op(id);
    switch (one.kind) {
      case Kind::view: {
        for (const auto& [unit, maps] : wanted(id)) passView(id, unit, maps);
        const OpId source = one.operands[0];
        for (uint32_t reader : readers[id]) readers[source].insert(found(reader));
        return;
      }
      case Kind::memory:
        for (OpId writer : one.operands) {
          for (const auto& [unit, maps] : wanted(id))
            if (here(writer, units[unit].unit)) readers[writer].insert(unit);
          for (uint32_t reader : readers[id])
            if (here(writer, units[found(reader)].unit)) readers[writer].insert(found(reader));
        }
        return;
      case Kind::number:
      case Kind::iota:
      case Kind::pointwise:
      case Kind::reduce:
      case Kind::copy: return placeCompute(id);
      default: break;
    }
    // No loop of ours.
    const bool read = one.pinned || one.kind == Kind::repeat || one.kind == Kind::checkIndex || !readers[id].empty() ||
                      !wanted(id).empty();
    if (!read) return;
    const uint32_t unit = newUnit(id, false);
    unitOf[id] = unit;
    for (uint32_t reader : readers[id]) waits(reader, unit);
    for (const auto& [reader, maps] : wanted(id)) waits(reader, unit);
    for (OpId copy : overwriters(id))
      if (unitOf[copy] != none) waits(unitOf[copy], unit);
    for (OpId operand : one.operands) readers[operand].insert(unit);
  }

  std::vector<Unit> ordered() const {
    std::vector<int> waitsFor(units.size());
    std::vector<std::set<uint32_t>> after(units.size());
    for (uint32_t unit = 0; unit < units.size(); ++unit) {
      if (units[unit].mergedInto != none) continue;
      for (uint32_t later : units[unit].after)
        if (found(later) != unit && after[unit].insert(found(later)).second) ++waitsFor[found(later)];
    }
    // The one whose last operation comes first in the program.
    using Entry = std::tuple<int, OpId, uint32_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
    const auto push = [&](uint32_t unit) { ready.emplace(units[unit].unit.phase, units[unit].last, unit); };
    size_t count = 0;
    for (uint32_t unit = 0; unit < units.size(); ++unit) {
      if (units[unit].mergedInto != none) continue;
      ++count;
      if (waitsFor[unit] == 0) push(unit);
    }
    std::vector<Unit> result;
    while (!ready.empty()) {
      const uint32_t unit = std::get<2>(ready.top());
      ready.pop();
      result.push_back(units[unit].unit);
      for (uint32_t later : after[unit])
        if (--waitsFor[later] == 0) push(later);
    }
    if (result.size() != count) throw Failure{"a defect of tpc: loops that wait for each other"};
    return result;
  }

  std::vector<Unit> run() {
    demand.resize(program.ops.size());
    readers.resize(program.ops.size());
    unitOf.assign(program.ops.size(), none);
    for (OpId id = 0; id < program.ops.size(); ++id)
      if (op(id).kind == Kind::copy) copiesInto[{op(id).storage->buffer, op(id).region}].push_back(id);
    for (OpId id = OpId(program.ops.size()); id-- > 0;) place(id);
    return ordered();
  }
};

}  // namespace

std::vector<Unit> grouped(const LoopProgram& program) { return Grouper{program}.run(); }

}  // namespace tpc::loops
