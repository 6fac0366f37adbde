// The names of operations, as listings and rules print them.
#include "compiler/graph/op_kind.h"

#include <iterator>

namespace tpc {
namespace {

constexpr std::string_view opKindNames[] = {
    "parameter",    "input",        "number",     "freeMultiplier",
    "iota",         "eye",          "layerIndex", "argument",
    "constant",     "dropoutMask",  "add",        "sub",
    "mul",          "map",          "maximum",    "minimum",
    "compare",      "select",       "contract",   "reduce",
    "gather",       "scatterAdd",   "oneHot",     "reshape",
    "transpose",    "broadcast",    "slice",      "pad",
    "concat",       "stopGradient", "repeat",     "repeatResult",
    "bodyArgument", "layer",
};
static_assert(std::size(opKindNames) == opKindCount);

constexpr std::string_view mapFnNames[] = {
    "neg",   "reciprocal", "exp",  "log",   "sqrt",    "rsqrt",    "square", "abs",
    "sign",  "sin",        "cos",  "tanh",  "sigmoid", "relu",     "gelu",   "silu",
    "round", "pow",        "step", "gelu1", "silu1",   "sigmoid1", "tanh1",  "isFinite",
};
static_assert(std::size(mapFnNames) == mapFnCount);

constexpr std::string_view compareFnNames[] = {"eq", "ne", "lt", "le", "gt", "ge"};
constexpr std::string_view reduceFnNames[] = {"sum", "max", "min", "argmax"};

template <typename E, size_t n>
std::string_view nameOf(E value, const std::string_view (&names)[n]) {
  return size_t(value) < n ? names[size_t(value)] : "?";
}

}  // namespace

std::string_view toString(OpKind kind) { return nameOf(kind, opKindNames); }
std::string_view toString(MapFn fn) { return nameOf(fn, mapFnNames); }
std::string_view toString(CompareFn fn) { return nameOf(fn, compareFnNames); }
std::string_view toString(ReduceFn fn) { return nameOf(fn, reduceFnNames); }

}  // namespace tpc
