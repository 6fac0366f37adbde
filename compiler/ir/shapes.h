// The shape of an operation's result from those of its operands.
//
// One function per operation whose result follows; build.h makes types with them and the verifiers hold types against
// them, so the two cannot differ.  Empty, with the reason in `why`, where the operands do not fit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace tpc::tp {

using Shape = std::vector<Length>;
using MaybeShape = std::optional<Shape>;

MaybeShape contractShape(const Shape& a, const Shape& b, const Contraction& labels, std::string& why);
MaybeShape reduceShape(const Shape& x, ReduceFn fn, const std::vector<int>& axes, std::string& why);
MaybeShape gatherShape(const Shape& table, const Shape& index, int axis, std::string& why);
// Zeros with `updates` added at `index` along `axis`; the length there is free.
MaybeShape scatterShape(const Shape& index, const Shape& updates, int axis, const Length& length, std::string& why);
MaybeShape transposeShape(const Shape& x, const std::vector<int>& axes, std::string& why);
MaybeShape concatShape(const std::vector<Shape>& parts, int axis, std::string& why);
MaybeShape layerShape(const Shape& stacked, std::string& why);

// Where the result's shape is given: whether it fits.
bool fitsBroadcast(const Shape& x, const Shape& result, const std::vector<int>& axes, std::string& why);
bool fitsReshape(const Shape& x, const Shape& result, const Regroup& groups, std::string& why);
// `part` is the stretch begin .. begin + length of `whole` along the axis.
bool fitsSlice(const Shape& whole, const Shape& part, int axis, const Length& begin, std::string& why);

}  // namespace tpc::tp
