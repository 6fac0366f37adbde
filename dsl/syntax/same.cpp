// Whether two trees are the same program.  Positions, comments and empty lines do not count; what was written does:
// 1e-3 and 0.001 differ.
#include <algorithm>

#include "dsl/syntax/print.h"

namespace tpc {

using namespace ast;

namespace {

// Overloads first, so that the templates below find them for every type of the tree.
bool equal(const Block& a, const Block& b);
bool equal(const Statement& a, const Statement& b);
bool equal(const ExprPtr& a, const ExprPtr& b);
bool equal(const Shape& a, const Shape& b);

bool equal(const Name& a, const Name& b) { return a.text == b.text; }
bool equal(const Number& a, const Number& b) { return a.text == b.text; }
bool equal(const String& a, const String& b) { return a.text == b.text; }

template <typename T>
bool equal(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || equal(*a, *b));
}
bool equal(const Argument& a, const Argument& b) { return equal(a.name, b.name) && equal(a.value, b.value); }
bool equal(const IndexEntry& a, const IndexEntry& b) {
  return a.kind == b.kind && equal(a.value, b.value) && equal(a.begin, b.begin) && equal(a.end, b.end) &&
         equal(a.step, b.step);
}
bool equal(const ShapeEntry& a, const ShapeEntry& b) { return a.ellipsis == b.ellipsis && equal(a.size, b.size); }
bool equal(const Parameter& a, const Parameter& b);
bool equal(const SizeEntry& a, const SizeEntry& b) {
  return equal(a.name, b.name) && equal(a.value, b.value) && a.grows == b.grows;
}
bool equal(const LetEntry& a, const LetEntry& b) { return equal(a.name, b.name) && equal(a.value, b.value); }
bool equal(const TrainEntry& a, const TrainEntry& b) { return equal(a.name, b.name) && equal(a.value, b.value); }
bool equal(const StateEntry& a, const StateEntry& b);

template <typename T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return equal(x, y); });
}
bool equal(const Shape& a, const Shape& b) { return equal(a.entries, b.entries); }
bool equal(const Parameter& a, const Parameter& b) {
  return equal(a.name, b.name) && equal(a.shape, b.shape) && equal(a.defaultValue, b.defaultValue);
}
bool equal(const StateEntry& a, const StateEntry& b) {
  return equal(a.name, b.name) && equal(a.shape, b.shape) && equal(a.value, b.value);
}

struct SameNode {
  bool operator()(const Number& a, const Number& b) const { return equal(a, b); }
  bool operator()(const NameRef& a, const NameRef& b) const { return a.name == b.name; }
  bool operator()(const String& a, const String& b) const { return equal(a, b); }
  bool operator()(const Hole&, const Hole&) const { return true; }
  bool operator()(const Auto& a, const Auto& b) const { return equal(a.sizes, b.sizes); }
  bool operator()(const Call& a, const Call& b) const {
    return a.frozen == b.frozen && equal(a.callee, b.callee) && equal(a.arguments, b.arguments);
  }
  bool operator()(const Index& a, const Index& b) const { return equal(a.base, b.base) && equal(a.entries, b.entries); }
  bool operator()(const Unary& a, const Unary& b) const { return a.op == b.op && equal(a.operand, b.operand); }
  bool operator()(const Binary& a, const Binary& b) const {
    return a.op == b.op && equal(a.left, b.left) && equal(a.right, b.right);
  }
  bool operator()(const Tuple& a, const Tuple& b) const { return equal(a.elements, b.elements); }

  bool operator()(const Size& a, const Size& b) const { return equal(a.entries, b.entries); }
  bool operator()(const Let& a, const Let& b) const { return equal(a.entries, b.entries); }
  bool operator()(const Input& a, const Input& b) const {
    return a.target == b.target && equal(a.name, b.name) && equal(a.shape, b.shape) && equal(a.below, b.below);
  }
  bool operator()(const Param& a, const Param& b) const {
    return a.shared == b.shared && a.frozen == b.frozen && a.trained == b.trained && equal(a.sharedBy, b.sharedBy) &&
           equal(a.name, b.name) && equal(a.shape, b.shape) && a.initFixed == b.initFixed && equal(a.init, b.init) &&
           equal(a.from, b.from);
  }
  bool operator()(const Const& a, const Const& b) const {
    return equal(a.name, b.name) && equal(a.shape, b.shape) && equal(a.below, b.below) && equal(a.value, b.value) &&
           equal(a.from, b.from) && equal(a.member, b.member);
  }
  bool operator()(const Fn& a, const Fn& b) const {
    return equal(a.name, b.name) && equal(a.parameters, b.parameters) && a.isExpression == b.isExpression &&
           equal(a.body, b.body);
  }
  bool operator()(const Optimizer& a, const Optimizer& b) const {
    return equal(a.name, b.name) && equal(a.parameters, b.parameters) && equal(a.body, b.body);
  }
  bool operator()(const Repeat& a, const Repeat& b) const {
    return equal(a.count, b.count) && equal(a.as, b.as) && equal(a.body, b.body);
  }
  bool operator()(const If& a, const If& b) const {
    return equal(a.condition, b.condition) && equal(a.body, b.body) && equal(a.otherwise, b.otherwise);
  }
  bool operator()(const Assign& a, const Assign& b) const {
    return equal(a.targets, b.targets) && a.op == b.op && equal(a.value, b.value);
  }
  bool operator()(const Output& a, const Output& b) const { return equal(a.name, b.name) && equal(a.value, b.value); }
  bool operator()(const Metric& a, const Metric& b) const { return equal(a.name, b.name) && equal(a.value, b.value); }
  bool operator()(const Loss& a, const Loss& b) const { return equal(a.value, b.value); }
  bool operator()(const Import& a, const Import& b) const { return equal(a.path, b.path); }
  bool operator()(const Train& a, const Train& b) const { return equal(a.entries, b.entries); }
  bool operator()(const State& a, const State& b) const { return equal(a.entries, b.entries); }
  bool operator()(const Update& a, const Update& b) const { return equal(a.value, b.value); }
  bool operator()(const Return& a, const Return& b) const { return equal(a.values, b.values); }
  bool operator()(const Collect& a, const Collect& b) const { return equal(a.names, b.names); }
  bool operator()(const Claim& a, const Claim& b) const { return equal(a.call, b.call); }
};

template <typename Variant>
bool equalNodes(const Variant& a, const Variant& b) {
  return a.index() == b.index() &&
         std::visit([&](const auto& x) { return SameNode()(x, std::get<std::decay_t<decltype(x)>>(b)); }, a);
}

bool equal(const ExprPtr& a, const ExprPtr& b) { return !a || !b ? !a && !b : equalNodes(a->node, b->node); }
bool equal(const Statement& a, const Statement& b) { return equalNodes(a.node, b.node); }
bool equal(const Block& a, const Block& b) { return equal(a.statements, b.statements); }

}  // namespace

bool same(const Program& a, const Program& b) { return equal(a.model, b.model) && equal(a.body, b.body); }
bool same(const Expr& a, const Expr& b) { return equalNodes(a.node, b.node); }

}  // namespace tpc
