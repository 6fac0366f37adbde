#include "compiler/ir/shapes.h"

#include <algorithm>

namespace tpc::tp {
namespace {

std::nullopt_t no(std::string& why, std::string reason) {
  why = std::move(reason);
  return std::nullopt;
}
bool wrong(std::string& why, std::string reason) {
  why = std::move(reason);
  return false;
}
bool isAxis(const Shape& shape, int axis) { return axis >= 0 && axis < int(shape.size()); }

}  // namespace

MaybeShape contractShape(const Shape& a, const Shape& b, const Contraction& labels, std::string& why) {
  if (labels.a.size() != a.size() || labels.b.size() != b.size())
    return no(why, "an operand has not one label per axis");
  const Length* length[256] = {};
  bool inA[256] = {}, inB[256] = {}, inResult[256] = {};
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::exchange(inA[labels.a[i]], true)) return no(why, "the first operand repeats a label");
    length[labels.a[i]] = &a[i];
  }
  for (size_t i = 0; i < b.size(); ++i) {
    const uint8_t label = labels.b[i];
    if (std::exchange(inB[label], true)) return no(why, "the second operand repeats a label");
    if (inA[label] && !(*length[label] == b[i]))
      return no(why, "the operands' lengths differ at label " + std::to_string(label));
    length[label] = &b[i];
  }
  Shape result;
  for (uint8_t label : labels.result) {
    if (!length[label]) return no(why, "a label of the result stands in no operand");
    if (std::exchange(inResult[label], true)) return no(why, "the result repeats a label");
    result.push_back(*length[label]);
  }
  for (int label = 0; label < 256; ++label)
    if (inA[label] != inB[label] && !inResult[label])
      return no(why, "label " + std::to_string(label) + " of one operand alone is missing in the result");
  return result;
}

MaybeShape reduceShape(const Shape& x, ReduceFn fn, const std::vector<int>& axes, std::string& why) {
  std::vector<bool> gone(x.size());
  for (int axis : axes) {
    if (!isAxis(x, axis)) return no(why, "there is no axis " + std::to_string(axis));
    if (gone[axis]) return no(why, "axis " + std::to_string(axis) + " is given twice");
    gone[axis] = true;
  }
  if (fn == ReduceFn::argmax && axes.size() != 1) return no(why, "argmax takes exactly one axis");
  Shape result;
  for (size_t i = 0; i < x.size(); ++i)
    if (!gone[i]) result.push_back(x[i]);
  return result;
}

MaybeShape gatherShape(const Shape& table, const Shape& index, int axis, std::string& why) {
  if (!isAxis(table, axis)) return no(why, "the table has no axis " + std::to_string(axis));
  Shape result(table.begin(), table.begin() + axis);
  result.insert(result.end(), index.begin(), index.end());
  result.insert(result.end(), table.begin() + axis + 1, table.end());
  return result;
}

MaybeShape scatterShape(const Shape& index, const Shape& updates, int axis, const Length& length, std::string& why) {
  if (axis < 0 || axis + index.size() > updates.size())
    return no(why, "the updates have not the index's axes at axis " + std::to_string(axis));
  if (!std::equal(index.begin(), index.end(), updates.begin() + axis))
    return no(why, "the updates' lengths differ from the index's");
  Shape result(updates.begin(), updates.begin() + axis);
  result.push_back(length);
  result.insert(result.end(), updates.begin() + axis + index.size(), updates.end());
  return result;
}

MaybeShape transposeShape(const Shape& x, const std::vector<int>& axes, std::string& why) {
  std::vector<bool> seen(x.size());
  Shape result;
  for (int axis : axes) {
    if (!isAxis(x, axis) || seen[axis]) return no(why, "the axes are not a permutation");
    seen[axis] = true;
    result.push_back(x[axis]);
  }
  if (result.size() != x.size()) return no(why, "the axes are not a permutation");
  return result;
}

MaybeShape concatShape(const std::vector<Shape>& parts, int axis, std::string& why) {
  if (parts.size() < 2) return no(why, "fewer than two parts");
  Shape result = parts[0];
  if (!isAxis(result, axis)) return no(why, "there is no axis " + std::to_string(axis));
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].size() != result.size()) return no(why, "the parts' ranks differ");
    for (int j = 0; j < int(result.size()); ++j) {
      if (j == axis) result[j] = result[j] + parts[i][j];
      else if (!(parts[i][j] == result[j])) return no(why, "the parts' lengths differ along axis " + std::to_string(j));
    }
  }
  return result;
}

MaybeShape layerShape(const Shape& stacked, std::string& why) {
  if (stacked.empty()) return no(why, "a value of rank 0 has no layers");
  return Shape(stacked.begin() + 1, stacked.end());
}

bool fitsBroadcast(const Shape& x, const Shape& result, const std::vector<int>& axes, std::string& why) {
  if (axes.size() != result.size()) return wrong(why, "not one entry per axis of the result");
  std::vector<bool> seen(x.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == -1) continue;
    if (!isAxis(x, axes[i]) || seen[axes[i]]) return wrong(why, "an axis of the operand is missing or used twice");
    seen[axes[i]] = true;
    if (!(x[axes[i]] == result[i]))
      return wrong(why, "the length of the result's axis " + std::to_string(i) + " differs from the operand's");
  }
  if (std::count(seen.begin(), seen.end(), true) != int(x.size())) return wrong(why, "an axis of the operand is lost");
  return true;
}

bool fitsReshape(const Shape& x, const Shape& result, const Regroup& groups, std::string& why) {
  size_t i = 0, j = 0;
  for (auto [from, to] : groups.groups) {
    if (from > 1 && to > 1) return wrong(why, "a group neither joins, splits nor keeps");
    if (i + from > x.size() || j + to > result.size()) return wrong(why, "the groups have more axes than the shapes");
    Length before = Length::number(1), after = Length::number(1);
    for (int k = 0; k < from; ++k) before = before * x[i++];
    for (int k = 0; k < to; ++k) after = after * result[j++];
    if (!(before == after)) return wrong(why, "a group's lengths have different products");
  }
  if (i != x.size() || j != result.size()) return wrong(why, "the groups do not cover all axes");
  return true;
}

bool fitsSlice(const Shape& whole, const Shape& part, int axis, const Length& begin, std::string& why) {
  if (!isAxis(whole, axis) || whole.size() != part.size())
    return wrong(why, "there is no axis " + std::to_string(axis));
  for (int i = 0; i < int(whole.size()); ++i)
    if (i != axis && !(whole[i] == part[i])) return wrong(why, "lengths differ along axis " + std::to_string(i));
  // Past the end where the excess is a length.  A slice 0 .. 2 of an axis n stands: whether n reaches 2 is a matter of
  // numbers.
  const Length end = begin + part[axis];
  if (!(end == whole[axis]) && difference(end, whole[axis])) return wrong(why, "the slice is not inside the axis");
  return true;
}

}  // namespace tpc::tp
