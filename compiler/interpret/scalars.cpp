#include "compiler/interpret/scalars.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "compiler/interpret/interpret.h"
#include "compiler/interpret/operations.h"

namespace tpc {
namespace {

bool isCoordinatewise(OpKind kind) {
  switch (kind) {
    case OpKind::add:
    case OpKind::sub:
    case OpKind::mul:
    case OpKind::map:
    case OpKind::maximum:
    case OpKind::minimum:
    case OpKind::compare:
    case OpKind::select: return true;
    default: return false;
  }
}

double applied(const Graph& graph, NodeId id, const std::vector<double>& x) {
  const Node& node = graph.nodes[id];
  switch (node.kind) {
    case OpKind::add: return x[0] + x[1];
    case OpKind::sub: return x[0] - x[1];
    case OpKind::mul: return x[0] * x[1];
    case OpKind::maximum: return applyMaximum(x[0], x[1]);
    case OpKind::minimum: return applyMinimum(x[0], x[1]);
    case OpKind::compare: return applyCompare(CompareFn(node.fn), x[0], x[1]);
    case OpKind::select: return x[0] != 0 ? x[1] : x[2];
    default: {
      const bool isPow = MapFn(node.fn) == MapFn::pow;
      return applyMap(MapFn(node.fn), x[0], isPow ? graph.rationals[node.attribute].toDouble() : 1);
    }
  }
}

// What each node is: a number that is the same in every entry, a function of another node, or neither.
struct Kinds {
  std::vector<std::optional<double>> number;
  std::vector<NodeId> argument;  // itself where it is nobody's function
  std::vector<int> operations;   // between the argument and it
};

Kinds kindsOf(const Graph& graph) {
  Kinds kinds;
  kinds.number.resize(graph.forwardEnd);
  kinds.argument.resize(graph.forwardEnd);
  kinds.operations.assign(graph.forwardEnd, 0);
  std::vector<int64_t> numbers;
  for (const Symbol& symbol : graph.symbols) numbers.push_back(symbol.number);
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    kinds.argument[id] = id;
    if (node.kind == OpKind::number) {
      // A power of a growing symbol is another number at every size; tiny is zero to every order.
      const Number& number = graph.numbers[node.attribute];
      const bool grows = std::any_of(number.powers.begin(), number.powers.end(),
                                     [&](const auto& power) { return graph.symbols[power.first].grows; });
      if (!grows) kinds.number[id] = number.kind == Number::Kind::tiny ? 0 : valueAt(number, numbers);
      continue;
    }
    if (node.kind == OpKind::broadcast || node.kind == OpKind::reshape || node.kind == OpKind::transpose) {
      kinds.number[id] = kinds.number[operands[0]];
      continue;
    }
    if (!isCoordinatewise(node.kind)) continue;
    NodeId argument = none;
    bool one = true;
    std::vector<double> constants;
    int operations = 1;
    for (NodeId operand : operands) {
      if (kinds.number[operand]) {
        constants.push_back(*kinds.number[operand]);
        continue;
      }
      const NodeId from = kinds.argument[operand];
      one = one && (argument == none || argument == from) && graph.nodes[from].region == node.region;
      argument = from;
      operations += kinds.operations[operand];
    }
    if (argument == none) kinds.number[id] = applied(graph, id, constants);
    else if (one) kinds.argument[id] = argument, kinds.operations[id] = std::min(operations, 1000);
  }
  return kinds;
}

bool isLinear(const Graph& graph, const Kinds& kinds, NodeId id) {
  const Node& node = graph.nodes[id];
  const auto operands = graph.operands(id);
  switch (node.kind) {
    case OpKind::add:
    case OpKind::sub: return !kinds.number[operands[0]] && !kinds.number[operands[1]];
    case OpKind::mul: return kinds.number[operands[0]] || kinds.number[operands[1]];
    case OpKind::map: return MapFn(node.fn) == MapFn::neg;
    default: return false;
  }
}

using Function = std::function<double(double)>;

// The fraction with a denominator up to 6 that is near; empty where there is none.
std::optional<Rational> nearFraction(double value) {
  for (int denominator : {1, 2, 3, 4, 6}) {
    const double numerator = std::round(value * denominator);
    if (std::abs(value - numerator / denominator) < 0.04 && std::abs(numerator) < 60)
      return Rational(int64_t(numerator), denominator);
  }
  return std::nullopt;
}

// The root mean square over x/2 .. x on both sides, so that what oscillates has one size.
double around(const Function& f, double x) {
  constexpr int points = 64;
  double sum = 0;
  for (int i = 0; i < points; ++i) {
    const double at = x * (1 - 0.5 * i / points), right = f(at), left = f(-at);
    sum += right * right + left * left;
  }
  return std::sqrt(sum / (2 * points));
}

// p in f ~ x^p between the last two of three points, if the first two say nearly the same; zero where f vanishes.
struct Order {
  bool known = false, zero = false;
  Rational value;
};
Order orderOf(const Function& f, double first, double ratio) {
  double values[3];
  for (int i = 0; i < 3; ++i) values[i] = around(f, first * std::pow(ratio, i));
  if (!std::isfinite(values[0]) || !std::isfinite(values[1]) || !std::isfinite(values[2])) return {};
  if (values[0] == 0 && values[1] == 0 && values[2] == 0) return {.known = true, .zero = true, .value = 0};
  if (values[0] == 0 || values[1] == 0 || values[2] == 0) return {};
  const double early = std::log(values[1] / values[0]) / std::log(ratio);
  const double late = std::log(values[2] / values[1]) / std::log(ratio);
  // x + x^2: the slope moves towards its limit, by a factor of about 4 from point to point.
  const double limit = late + (late - early) / 3;
  std::optional<Rational> order = nearFraction(std::abs(limit - late) < 0.1 ? limit : late);
  if (!order || std::abs(early - late) > 0.3) return {};
  return {.known = true, .zero = false, .value = *order};
}

constexpr double farStart = 32, nearStart = 1.0 / 32;

// Very far out where numbers reach that far, so that log(1 + x^2) is seen to be of order one; else, as for what has an
// exp in it, from 2^5 to 2^9.
Order orderFarOut(const Function& f) {
  const Order order = orderOf(f, 0x1p60, 0x1p10);
  return order.known ? order : orderOf(f, farStart, 4);
}

std::optional<ScalarFunction> measure(const Function& f) {
  ScalarFunction facts;
  const double atZero = f(0);
  facts.singular = !std::isfinite(atZero);
  facts.zeroAtZero = atZero == 0;
  const double shift = facts.singular ? 0 : atZero;
  const Function moved = [&](double x) { return f(x) - shift; };
  // A central difference: its error is of order (x / 1000)^2 of the function's own.
  const Function slope = [&](double x) {
    const double step = std::abs(x) / 1024;
    const double right = f(x + step), left = f(x - step);
    // What is left of two equal numbers is rounding.
    if (std::abs(right - left) <= 1e-12 * (std::abs(right) + std::abs(left))) return 0.0;
    return (right - left) / (2 * step);
  };

  const Order small = orderOf(f, nearStart, 0.25), change = orderOf(moved, nearStart, 0.25);
  const Order derivative = orderOf(slope, nearStart, 0.25);
  if (!small.known || !change.known || !derivative.known) return std::nullopt;
  if (small.zero) {
    if (!facts.zeroAtZero) return std::nullopt;
    facts.flat = true;
    facts.small = facts.change = 1;
  } else if (change.zero) {  // a constant near zero: it changes where one leaves that neighbourhood
    facts.small = 0, facts.change = 1;
  } else {
    facts.small = facts.zeroAtZero || facts.singular ? small.value : Rational(0);
    facts.change = change.value;
  }
  facts.derivativeSmall = derivative.zero ? Rational(0) : derivative.value;

  // Far out.  Only what explodes to the right alone can be said: exp(-x) of a negative argument is not bounded.
  const Order large = orderFarOut(f), derivativeLarge = orderFarOut(slope);
  const double far = farStart * 16;
  auto explodesAt = [&](double sign) {
    const double early = std::abs(f(sign * farStart)), late = std::abs(f(sign * farStart * 4));
    return !std::isfinite(late) || (early > 0 && std::log(late / early) / std::log(4) > 12);
  };
  if (std::isnan(f(far)) || std::isnan(f(-far))) return std::nullopt;
  if (explodesAt(-1)) return std::nullopt;
  if (explodesAt(1)) {
    facts.explodes = true;
    facts.large = facts.derivativeLarge = 0;
  } else {
    // A size is a root mean square: what stays of order one near zero, at a share 1/x of the coordinates, is n^(-1/2).
    const auto floor = [](const Order& order) { return order.zero ? -half : std::max(order.value, -half); };
    if (!large.known && std::max(around(f, far), around(f, far / 4)) > 1e-30) return std::nullopt;
    if (!derivativeLarge.known && std::max(around(slope, far), around(slope, far / 4)) > 1e-30) return std::nullopt;
    facts.large = large.known ? floor(large) : -half;
    facts.derivativeLarge = derivativeLarge.known ? floor(derivativeLarge) : -half;
  }

  bool odd = true, even = true, positive = false, negative = false;
  for (int i = -160; i <= 128; ++i) {
    const double x = std::exp2(i / 16.0), right = f(x), left = f(-x);
    if (std::isnan(right) || std::isnan(left)) return std::nullopt;
    for (double value : {right, left}) positive = positive || value > 0, negative = negative || value < 0;
    if (!std::isfinite(right) || !std::isfinite(left)) {
      odd = odd && right == -left, even = even && right == left;
      continue;
    }
    const double tolerance = 1e-9 * std::max({std::abs(right), std::abs(left), 1e-6 * x});
    odd = odd && std::abs(right + left) <= tolerance;
    even = even && std::abs(right - left) <= tolerance;
  }
  if (!positive && !negative) return std::nullopt;
  facts.parity = int8_t(odd == even ? 0 : odd ? -1 : 1);
  facts.sign = int8_t(positive == negative ? 0 : positive ? 1 : -1);
  return facts;
}

}  // namespace

void measureScalarFunctions(Graph& graph) {
  graph.scalarFunctions.clear();
  const Kinds kinds = kindsOf(graph);
  // The nodes between an argument and its functions, in order.
  std::map<NodeId, std::vector<NodeId>> members;
  for (NodeId id = 0; id < graph.forwardEnd; ++id)
    if (kinds.argument[id] != id) members[kinds.argument[id]].push_back(id);
  for (const auto& [argument, nodes] : members) {
    for (NodeId wanted : nodes) {
      if (kinds.operations[wanted] < 2) continue;
      // What `wanted` is made of, between it and the argument.
      std::vector<NodeId> needed{wanted};
      for (size_t i = 0; i < needed.size(); ++i)
        for (NodeId operand : graph.operands(needed[i]))
          if (operand != argument && !kinds.number[operand] &&
              std::find(needed.begin(), needed.end(), operand) == needed.end())
            needed.push_back(operand);
      constexpr size_t longest = 64;  // operations; a longer one is no nonlinearity that somebody wrote
      if (needed.size() > longest) continue;
      // Of sums and multiples the operations one by one say all, and keep parts apart.
      if (std::all_of(needed.begin(), needed.end(), [&](NodeId id) { return isLinear(graph, kinds, id); })) continue;
      std::sort(needed.begin(), needed.end());
      std::unordered_map<NodeId, double> values;
      std::vector<double> operands;
      const Function f = [&](double x) {
        values[argument] = x;
        for (NodeId id : needed) {
          operands.clear();
          for (NodeId operand : graph.operands(id))
            operands.push_back(kinds.number[operand] ? *kinds.number[operand] : values.at(operand));
          values[id] = applied(graph, id, operands);
        }
        return values.at(wanted);
      };
      std::optional<ScalarFunction> facts = measure(f);
      if (!facts) continue;
      facts->node = wanted;
      facts->argument = argument;
      graph.scalarFunctions.push_back(*facts);
    }
  }
  std::sort(graph.scalarFunctions.begin(), graph.scalarFunctions.end(),
            [](const ScalarFunction& a, const ScalarFunction& b) { return a.node < b.node; });
}

}  // namespace tpc
