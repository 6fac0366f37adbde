#include "compiler/lower/kernel.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace tpc::loops {
namespace {

struct Planner {
  const LoopProgram& program;
  const Group& group;
  KernelCall call{};
  std::map<std::pair<OpId, Map>, uint32_t> made{};
  std::map<std::pair<uint32_t, Index>, uint32_t> loads{};

  Kernel& kernel() { return call.kernel; }
  const Op& op(OpId id) const { return program.ops[id]; }

  static uint64_t axesOf(const Index& index) {
    uint64_t axes = 0;
    for (auto [axis, coefficient] : index.terms) axes |= uint64_t(1) << axis;
    return axes;
  }

  uint32_t append(Expression expression) {
    kernel().expressions.push_back(std::move(expression));
    return uint32_t(kernel().expressions.size() - 1);
  }

  uint32_t placeFor(uint32_t buffer, const Index& access) {
    const std::pair<uint32_t, Index> place{buffer, Index{access.constant, {}, access.trips}};
    const auto at = std::find(call.places.begin(), call.places.end(), place);
    if (at != call.places.end()) return uint32_t(at - call.places.begin());
    call.places.push_back(place);
    return uint32_t(call.places.size() - 1);
  }

  uint32_t load(const Op& from, const Map& map) {
    if (!from.storage || from.storage->buffer == none) throw Failure{"a defect of tpc: a loop reads what has no place"};
    const Index access = accessOf(*from.storage, map);
    const auto known = loads.find({from.storage->buffer, access});
    if (known != loads.end()) return known->second;
    Expression expression{.kind = ExpressionKind::load};
    expression.place = placeFor(from.storage->buffer, access);
    expression.index = {0, access.terms, {}};
    expression.axes = axesOf(access);
    return loads[{from.storage->buffer, access}] = append(std::move(expression));
  }

  uint32_t value(OpId id, const Map& map) {
    const Op& one = op(id);
    if (one.kind == Kind::view) return value(one.operands[0], composed(one.index, map));
    const auto known = made.find({id, map});
    if (known != made.end()) return known->second;
    uint32_t result;
    if (one.kind == Kind::number) {
      Expression number{.kind = ExpressionKind::number};
      number.number = one.number;
      result = append(std::move(number));
    } else if (one.kind == Kind::iota) {
      if (!map[0].trips.empty()) throw Failure{"a defect of tpc: an iota by layers"};
      Expression iota{.kind = ExpressionKind::iota, .index = map[0]};
      iota.axes = axesOf(map[0]);
      result = append(std::move(iota));
    } else if (one.free || isMember(id, map)) {
      result = compute(id, map);
    } else {
      result = load(one, map);
    }
    return made[{id, map}] = result;
  }

  bool isMember(OpId id, const Map& map) const {
    const auto at = group.members.find(id);
    return at != group.members.end() && std::find(at->second.begin(), at->second.end(), map) != at->second.end();
  }

  uint32_t compute(OpId id, const Map& map) {
    const Op& one = op(id);
    if (one.kind == Kind::copy) return value(one.operands[0], map);
    Expression expression{.kind = ExpressionKind::pointwise, .op = one.op, .fn = one.fn, .number = one.number};
    if (one.kind == Kind::reduce) {
      expression.kind = ExpressionKind::reduce;
      std::vector<int> loopAxes;
      for (int axis = 0; axis < int(group.domain.size()); ++axis)
        if (group.reduced[size_t(axis)]) loopAxes.push_back(axis);
      Map inner;
      size_t kept = 0, reduced = 0;
      const std::vector<int64_t>& shape = op(one.operands[0]).shape;
      for (int axis = 0; axis < int(shape.size()); ++axis) {
        if (std::find(one.axes.begin(), one.axes.end(), axis) == one.axes.end()) inner.push_back(map[kept++]);
        else inner.push_back(shape[size_t(axis)] == 1 ? Index{} : Index::axis(loopAxes[reduced++]));
      }
      expression.operands = {value(one.operands[0], inner)};
      for (const Index& index : map) expression.axes |= axesOf(index);
      expression.stage = kernel().expressions[expression.operands[0]].stage + 1;
      return append(std::move(expression));
    }
    for (OpId operand : one.operands) expression.operands.push_back(value(operand, map));
    for (uint32_t operand : expression.operands) {
      expression.axes |= kernel().expressions[operand].axes;
      expression.stage = std::max(expression.stage, kernel().expressions[operand].stage);
    }
    return append(std::move(expression));
  }

  // Every index by which memory is stepped through, and every number counted along an axis.
  template <typename Visit>
  void eachIndex(const Visit& visit) {
    for (Expression& expression : kernel().expressions) {
      if (expression.kind == ExpressionKind::load) visit(expression.index, true);
      if (expression.kind == ExpressionKind::iota) visit(expression.index, false);
    }
    for (Store& store : kernel().stores) visit(store.index, true);
  }

  static int64_t strideOf(const Index& index, int axis) {
    for (auto [each, stride] : index.terms)
      if (each == axis) return stride;
    return 0;
  }

  // Rows outermost first as the first store steps; vectors along the axis that most of the traffic is contiguous in.
  void orderAxes() {
    const int count = int(group.domain.size());
    std::vector<double> weight(size_t(count), 0.0), reach(size_t(count), 0.0);
    eachIndex([&](Index& index, bool memory) {
      if (!memory) return;
      double volume = 1;
      for (auto [axis, stride] : index.terms) volume *= double(group.domain[size_t(axis)]);
      for (auto [axis, stride] : index.terms) {
        if (stride == 1) weight[size_t(axis)] += volume;
        reach[size_t(axis)] = std::max(reach[size_t(axis)], double(std::abs(stride)));
      }
    });
    for (int axis = 0; axis < count; ++axis)
      (group.reduced[size_t(axis)] ? kernel().loops : kernel().rows).push_back(axis);
    const auto byReach = [&](int a, int b) { return reach[size_t(a)] > reach[size_t(b)]; };
    // Sums run in the order in which they are written, whatever the layout, but for the innermost axis.
    std::stable_sort(kernel().rows.begin(), kernel().rows.end(), byReach);
    std::stable_sort(kernel().loops.begin(), kernel().loops.end(), byReach);
    int best = -1;
    for (int axis = 0; axis < count; ++axis)
      if (best < 0 || weight[size_t(axis)] > weight[size_t(best)] ||
          (weight[size_t(axis)] == weight[size_t(best)] && group.domain[size_t(axis)] > group.domain[size_t(best)]))
        best = axis;
    if (best < 0) return;
    kernel().vectorInLoops = group.reduced[size_t(best)];
    std::vector<int>& of = kernel().vectorInLoops ? kernel().loops : kernel().rows;
    of.erase(std::find(of.begin(), of.end(), best));
    of.push_back(best);
  }

  // Neighbours of one kind become one axis where everything steps through both as through one.
  void mergeAxes(std::vector<int>& axes) {
    for (size_t i = axes.size(); i-- > 1;) {
      const int outer = axes[i - 1], inner = axes[i];
      const int64_t length = kernel().lengths[size_t(inner)];
      bool alike = true;
      eachIndex([&](Index& index, bool) { alike &= strideOf(index, outer) == strideOf(index, inner) * length; });
      if (!alike) continue;
      eachIndex([&](Index& index, bool) {
        std::erase_if(index.terms, [&](const auto& term) { return term.first == outer; });
      });
      for (Expression& expression : kernel().expressions)
        if (expression.axes >> outer & 1) expression.axes &= ~(uint64_t(1) << outer);
      for (Store& store : kernel().stores) store.axes &= ~(uint64_t(1) << outer);
      kernel().lengths[size_t(inner)] *= kernel().lengths[size_t(outer)];
      kernel().lengths[size_t(outer)] = 1;
      axes.erase(axes.begin() + ptrdiff_t(i - 1));
    }
  }

  template <typename T>
  bool dependsOnLoops(const T& one) {
    for (int axis : kernel().loops)
      if (one.axes >> axis & 1) return true;
    return false;
  }

  // Passes over the reduced axes, and what is worth keeping from one to the next.
  void planPasses() {
    std::vector<Expression>& all = kernel().expressions;
    int passes = 0;
    for (Expression& each : all)
      if (each.kind == ExpressionKind::reduce) passes = std::max(passes, each.stage);
    for (const Store& store : kernel().stores)
      if (dependsOnLoops(store)) passes = std::max(passes, all[store.expression].stage + 1);
    kernel().passes = passes;
    if (!kernel().vectorInLoops) return;
    int64_t row = 1;
    for (int axis : kernel().loops) row *= kernel().lengths[size_t(axis)];
    if (row > (int64_t(1) << 18)) return;
    std::vector<double> cost(all.size());
    std::vector<int> firstPass(all.size(), -1);
    for (int pass = 0; pass < passes; ++pass) {
      std::vector<bool> needed(all.size());
      for (size_t i = 0; i < all.size(); ++i)
        if (all[i].kind == ExpressionKind::reduce && all[i].stage == pass + 1) needed[all[i].operands[0]] = true;
      for (const Store& store : kernel().stores)
        if (dependsOnLoops(store) && all[store.expression].stage == pass) needed[store.expression] = true;
      for (size_t i = all.size(); i-- > 0;) {
        if (!needed[i] || !dependsOnLoops(all[i])) continue;
        if (firstPass[i] >= 0 && firstPass[i] < pass && isExpensive(all[i])) {
          all[i].kept = true;
          continue;
        }
        if (all[i].kind != ExpressionKind::pointwise) continue;
        for (uint32_t operand : all[i].operands) needed[operand] = true;
      }
      for (size_t i = 0; i < all.size(); ++i)
        if (needed[i] && firstPass[i] < 0) firstPass[i] = pass;
    }
    for (const Expression& each : all) kernel().scratchRows += each.kept;
  }

  static bool isExpensive(const Expression& each) {
    return each.kind == ExpressionKind::pointwise && takesLong(each.op, each.fn);
  }

  KernelCall run() {
    kernel().lengths = group.domain;
    if (group.domain.size() > 60) throw Failure{"a loop over more than 60 axes"};
    for (OpId id : group.outputs) {
      const Op& one = op(id);
      if (!one.storage || one.storage->buffer == none)
        throw Failure{"a defect of tpc: a loop writes what has no place"};
      const Map& map = group.members.at(id)[0];
      Store store{.expression = one.kind == Kind::copy ? value(one.operands[0], map) : value(id, map)};
      const Index access = accessOf(*one.storage, map);
      store.place = placeFor(one.storage->buffer, access);
      store.index = {0, access.terms, {}};
      store.axes = axesOf(access) | kernel().expressions[store.expression].axes;
      kernel().stores.push_back(std::move(store));
    }
    kernel().placeCount = uint32_t(call.places.size());
    if (call.places.size() > 60) throw Failure{"a loop over more than 60 values"};
    orderAxes();
    mergeAxes(kernel().rows);
    mergeAxes(kernel().loops);
    planPasses();
    return std::move(call);
  }
};

int64_t productOf(const Kernel& kernel, const std::vector<int>& axes) {
  int64_t product = 1;
  for (int axis : axes) product *= kernel.lengths[size_t(axis)];
  return product;
}

void write(std::string& key, const Index& index) {
  key += std::to_string(index.constant);
  for (auto [axis, coefficient] : index.terms) key += "+" + std::to_string(axis) + "*" + std::to_string(coefficient);
  key += ";";
}

}  // namespace

int64_t Kernel::extent() const {
  if (rows.empty()) return 1;
  if (vectorInLoops || unitsAreEntries()) return productOf(*this, rows);
  return productOf(*this, rows) / lengths[size_t(rows.back())];
}

// Some ten microseconds of work to a block.
int64_t Kernel::grain() const {
  constexpr double enough = 60000;
  double costs = 2;
  for (const Expression& each : expressions)
    costs += each.kind == ExpressionKind::pointwise && each.op == OpKind::map ? 4 : 1;
  double unit = costs * double(productOf(*this, loops));
  if (!vectorInLoops && !unitsAreEntries() && !rows.empty()) unit *= double(lengths[size_t(rows.back())]);
  int64_t grain = std::max<int64_t>(1, int64_t(enough / unit));
  if (unitsAreEntries()) grain = (grain + 63) / 64 * 64;
  return std::min(grain, extent());
}

int64_t Kernel::scratch() const { return scratchRows * ((productOf(*this, loops) + 15) / 16 * 16); }

KernelCall kernelOf(const LoopProgram& program, const Group& group) { return Planner{program, group}.run(); }

std::string keyOf(const Kernel& kernel) {
  std::string key;
  const auto list = [&](const auto& values) {
    for (auto value : values) key += std::to_string(value) + ",";
    key += "|";
  };
  list(kernel.lengths), list(kernel.rows), list(kernel.loops);
  key += kernel.vectorInLoops ? "v" : "r";
  for (const Expression& e : kernel.expressions) {
    uint64_t bits;
    std::memcpy(&bits, &e.number, sizeof bits);
    key += "e" + std::to_string(int(e.kind)) + "," + std::to_string(int(e.op)) + "," + std::to_string(e.fn) + "," +
           std::to_string(bits) + "," + std::to_string(e.place) + (e.kept ? "k" : ",");
    list(e.operands);
    write(key, e.index);
  }
  for (const Store& store : kernel.stores) {
    key += "s" + std::to_string(store.expression) + "," + std::to_string(store.place) + ",";
    write(key, store.index);
  }
  return key;
}

}  // namespace tpc::loops
