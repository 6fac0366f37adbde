// Gradients against differences: for each program, d loss / d p . v for random directions v, by `differentiate` and by
// (loss(p + t v) - loss(p - t v)) / 2t, both in double.
#include <cmath>
#include <random>

#include "compiler/interpret/interpret.h"
#include "tests/unit/transform/program.h"

using namespace tpc;
using mlir::Value;

namespace {

struct Check {
  Graph graph;
  Bindings bindings;
  std::mt19937_64 random;

  Check(Made& made, uint64_t seed, double low, double high) : graph(made.differentiated()), random(seed) {
    for (const Symbol& symbol : graph.symbols) bindings.numbers.push_back(symbol.number);
    for (const Input& input : graph.inputs) {
      const int64_t below = input.integer ? *input.below.at(bindings.numbers) : 0;
      bindings.inputs.push_back(
          drawn(input.node, [&] { return below > 0 ? double(random() % below) : uniform(low, high); }));
    }
    for (const Parameter& parameter : graph.parameters)
      bindings.parameters.push_back(drawn(parameter.node, [&] { return uniform(low, high); }));
  }

  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); }

  template <typename Draw>
  TensorPtr drawn(NodeId node, Draw draw) {
    tpc::Tensor tensor;
    tensor.shape = *shapeAt(graph, node, bindings.numbers);
    tensor.values.resize(elementCount(tensor.shape));
    for (double& value : tensor.values) value = draw();
    return std::make_shared<const tpc::Tensor>(std::move(tensor));
  }

  TensorPtr value(const Bindings& at, NodeId node) {
    Evaluation run = evaluate(graph, at, std::vector<NodeId>{node});
    INFO(run.error);
    INFO(toString(graph));
    REQUIRE(run.error.empty());
    return run.values[node];
  }

  // Every parameter's gradient along a random direction.
  void run() {
    for (size_t p = 0; p < graph.parameters.size(); ++p) {
      const Parameter& parameter = graph.parameters[p];
      INFO("parameter " << parameter.name);
      const TensorPtr direction = drawn(parameter.node, [&] { return uniform(-1, 1); });
      auto lossAt = [&](double t) {
        Bindings moved = bindings;
        tpc::Tensor tensor = *bindings.parameters[p];
        for (size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] += t * direction->values[i];
        moved.parameters[p] = std::make_shared<const tpc::Tensor>(std::move(tensor));
        return value(moved, graph.loss)->values[0];
      };
      const double t = 1e-5;
      const double expected = (lossAt(t) - lossAt(-t)) / (2 * t);
      double found = 0;
      if (parameter.gradient != none) {
        const TensorPtr gradient = value(bindings, parameter.gradient);
        for (size_t i = 0; i < gradient->values.size(); ++i) found += gradient->values[i] * direction->values[i];
      }
      CHECK(found == Approx(expected).epsilon(1e-6).margin(1e-7));
    }
  }
};

void check(Made& made, double low = -1, double high = 1) { Check(made, 1, low, high).run(); }

// Not a plain sum, so that every coordinate's adjoint is its own.
void weightedLoss(Made& made, Value x) {
  made.lossOfSum(tp::mul(made.b, made.at, x, made.input("weights", tp::lengthsOf(x))));
}

const Length two = Length::number(2), five = Length::number(5);

}  // namespace

TEST_CASE("gradients of the functions of one argument", "[transform][gradient]") {
  for (int i = 0; i < mapFnCount; ++i) {
    const MapFn fn = MapFn(i);
    if (fn == MapFn::gelu1 || fn == MapFn::silu1 || fn == MapFn::sigmoid1 || fn == MapFn::tanh1) continue;
    INFO(toString(fn));
    Made made;
    Value w = made.parameter("w", {n});
    Value y = fn == MapFn::pow ? tp::pow(made.b, made.at, w, Rational(-3, 2)) : tp::map(made.b, made.at, fn, w);
    weightedLoss(made, tp::mul(made.b, made.at, y, w));
    check(made, 0.1, 0.4);  // inside every domain, off every kink
  }
}

TEST_CASE("gradients left of zero", "[transform][gradient]") {
  for (MapFn fn : {MapFn::relu, MapFn::abs, MapFn::gelu, MapFn::silu, MapFn::square, MapFn::reciprocal}) {
    INFO(toString(fn));
    Made made;
    weightedLoss(made, tp::map(made.b, made.at, fn, made.parameter("w", {n})));
    check(made, -0.9, -0.2);
  }
}

TEST_CASE("gradients of coordinatewise operations of several values", "[transform][gradient]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  Value x = made.parameter("x", {n, two}), y = made.parameter("y", {n, two}), c = made.input("c", {n, two}, 2);
  Value larger = tp::maximum(b, made.at, x, y), smaller = tp::minimum(b, made.at, tp::mul(b, made.at, x, x), y);
  weightedLoss(made, tp::select(b, made.at, c, tp::mul(b, made.at, tp::sub(b, made.at, larger, y), x),
                                tp::add(b, made.at, smaller, x)));
  check(made);
}

TEST_CASE("gradients of contractions of every form", "[transform][gradient]") {
  const std::vector<Contraction> forms = {
      {{0, 1}, {1, 2}, {0, 2}}, {{0, 1}, {2, 1}, {2, 0}}, {{0, 1}, {0, 1}, {}},        {{0, 1}, {0, 1}, {1}},
      {{0, 1}, {0, 1}, {1, 0}}, {{0, 1}, {1, 0}, {0}},    {{0, 1}, {0, 2}, {2, 0, 1}}, {{0, 1}, {2, 3}, {3, 0, 2, 1}},
  };
  for (const Contraction& form : forms) {
    Made made;
    const std::vector<Length> lengths = {n, five, two, batch};
    auto shape = [&](const std::vector<uint8_t>& labels) {
      std::vector<Length> result;
      for (uint8_t label : labels) result.push_back(lengths[label]);
      return result;
    };
    Value y =
        tp::contract(made.b, made.at, made.parameter("x", shape(form.a)), made.parameter("y", shape(form.b)), form);
    weightedLoss(made, tp::map(made.b, made.at, MapFn::sin, y));
    check(made);
  }
}

TEST_CASE("gradients of reductions", "[transform][gradient]") {
  for (ReduceFn fn : {ReduceFn::sum, ReduceFn::max, ReduceFn::min})
    for (const std::vector<int>& axes : {std::vector<int>{}, {0}, {2}, {0, 2}, {2, 0}, {0, 1, 2}}) {
      Made made;
      Value y = tp::reduce(made.b, made.at, fn, made.parameter("x", {n, two, five}), axes);
      weightedLoss(made, tp::map(made.b, made.at, MapFn::sin, y));
      check(made);
    }
}

TEST_CASE("gradients through indexing by data", "[transform][gradient]") {
  for (int axis : {0, 1, 2}) {
    INFO(axis);
    Made made;
    mlir::OpBuilder& b = made.b;
    Value table = made.parameter("table", {five, five, five}), index = made.input("index", {batch, two}, 5);
    Value rows = tp::gather(b, made.at, table, index, axis);
    Value back = tp::scatterAdd(b, made.at, index, tp::map(b, made.at, MapFn::sin, rows), axis, five);
    weightedLoss(made, tp::mul(b, made.at, back, table));
    check(made);
  }
}

TEST_CASE("gradients through plumbing", "[transform][gradient]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  const Length eight = Length::number(8), one = Length::number(1);
  Value w = made.parameter("w", {two, n, n});
  Value t = tp::transpose(b, at, w, {2, 0, 1});
  Value flat = tp::reshape(b, at, t, {n, one, two * n}, Regroup{{{1, 1}, {0, 1}, {2, 1}}});
  Value split =
      tp::reshape(b, at, flat, {two, Length::number(Rational(1, 2)) * n, two, n}, Regroup{{{1, 2}, {1, 0}, {1, 2}}});
  Value part = tp::slice(b, at, split, 3, one, two);
  Value both = tp::concat(b, at, {part, tp::pad(b, at, tp::map(b, at, MapFn::sin, part), 3, two, eight), part}, 3);
  Value wide = tp::broadcast(b, at, tp::reduce(b, at, ReduceFn::sum, both, {1}), {five, Length::number(12), two, two},
                             {-1, 2, 0, 1});
  weightedLoss(made, tp::map(b, at, MapFn::sin, wide));
  check(made);
}

TEST_CASE("gradients of attention with a causal mask are finite and right", "[transform][gradient]") {
  Made made;
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  const std::vector<Length> square = {batch, batch};
  Value q = made.parameter("q", {batch, n}), k = made.parameter("k", {batch, n}), v = made.parameter("v", {batch, n});
  Value s = tp::contract(b, at, q, k, {{0, 1}, {2, 1}, {0, 2}});
  Value i = tp::iota(b, at, batch);
  Value mask = tp::compare(b, at, CompareFn::ge, tp::broadcast(b, at, i, square, {0, -1}),
                           tp::broadcast(b, at, i, square, {-1, 0}));
  Value infinity = tp::fill(b, at, tp::number(b, at, Number{1, {}, Number::Kind::minusInfinity}), square);
  s = tp::select(b, at, mask, s, infinity);
  for (bool stopped : {false, true}) {
    Value top = tp::reduce(b, at, ReduceFn::max, s, {1});
    if (stopped) top = tp::stopGradient(b, at, top);
    Value e = tp::map(b, at, MapFn::exp, tp::sub(b, at, s, tp::broadcast(b, at, top, square, {0, -1})));
    Value total = tp::reduce(b, at, ReduceFn::sum, e, {1});
    Value p = tp::mul(b, at, e, tp::broadcast(b, at, tp::map(b, at, MapFn::reciprocal, total), square, {0, -1}));
    v = tp::contract(b, at, p, v, {{0, 1}, {1, 2}, {0, 2}});
  }
  weightedLoss(made, v);
  check(made);
}

namespace {

// Layers that use everything a body can: a stacked parameter twice, a shared one, an outer value, the index, two
// carried values that cross, a collected value.
Value layers(Made& made, const std::string& prefix, const Length& trips, Value h, Value k, Value shared, bool deeper) {
  mlir::OpBuilder& b = made.b;
  mlir::Location at = made.at;
  Value w = made.parameter(prefix + "w", {trips, n, n}, true), g = made.parameter(prefix + "g", {trips, n}, true);
  tp::Body body = tp::beginRepeat(b, at, {h, k});
  Value x = body.arguments[0], y = body.arguments[1];
  Value z = tp::contract(b, at, x, tp::layer(b, at, w), {{0}, {0, 1}, {1}});
  z = tp::map(b, at, MapFn::tanh, tp::add(b, at, z, tp::mul(b, at, tp::layer(b, at, g), y)));
  z = tp::mul(b, at, z, tp::add(b, at, shared, tp::fill(b, at, tp::layerIndex(b, at), {n})));
  z = tp::mul(b, at, z, tp::mul(b, at, tp::layer(b, at, g), shared));
  if (deeper) {
    tp::Body inner = tp::beginRepeat(b, at, {z});
    Value u = tp::map(b, at, MapFn::sin, inner.arguments[0]);
    u = tp::add(b, at, tp::mul(b, at, u, y), tp::mul(b, at, x, shared));
    u = tp::add(b, at, u, tp::mul(b, at, z, tp::layer(b, at, g)));
    tp::RepeatOp rounds = tp::endRepeat(b, at, inner, {"rounds", trips, {z}, {u, tp::mul(b, at, u, u)}, {}, {}, false});
    z = tp::add(b, at, rounds.getResult(0), tp::reduce(b, at, ReduceFn::sum, rounds.getResult(1), {0}));
  }
  Value next = tp::add(b, at, tp::map(b, at, MapFn::sin, x), z);
  tp::RepeatOp repeat = tp::endRepeat(
      b, at, body, {"layers", trips, {h, k}, {tp::mul(b, at, y, shared), next, z, shared}, {}, {}, false});
  Value collected = tp::reduce(b, at, ReduceFn::sum, tp::map(b, at, MapFn::square, repeat.getResult(2)), {0});
  collected = tp::add(b, at, collected, tp::reduce(b, at, ReduceFn::max, repeat.getResult(3), {0}));
  return tp::add(b, at, tp::add(b, at, repeat.getResult(0), collected), repeat.getResult(1));
}

}  // namespace

TEST_CASE("gradients of a repeat", "[transform][gradient][repeat]") {
  Made made;
  Value h = made.parameter("h", {n}), k = made.parameter("k", {n}), shared = made.parameter("shared", {n});
  weightedLoss(made, layers(made, "", depth, h, k, shared, false));
  check(made);
}

TEST_CASE("gradients of two repeats, one after the other", "[transform][gradient][repeat]") {
  Made made;
  Value h = made.parameter("h", {n}), k = made.parameter("k", {n}), shared = made.parameter("shared", {n});
  Value y = layers(made, "a.", depth, h, k, shared, false);
  weightedLoss(made, layers(made, "b.", two, y, h, tp::mul(made.b, made.at, k, y), false));
  check(made);
}

TEST_CASE("gradients of nested repeats", "[transform][gradient][repeat]") {
  Made made;
  Value h = made.parameter("h", {n}), k = made.parameter("k", {n}), shared = made.parameter("shared", {n});
  weightedLoss(made, layers(made, "", depth, h, k, shared, true));
  check(made);
}

TEST_CASE("gradients of random programs", "[transform][gradient]") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Made made;
    mlir::OpBuilder& b = made.b;
    mlir::Location at = made.at;
    std::vector<Value> values = {made.parameter("p", {n}), made.parameter("q", {n}), made.input("x", {n}),
                                 made.parameter("w", {n, n})};
    std::vector<Value> vectors(values.begin(), values.begin() + 3);
    auto pick = [&] { return vectors[random() % vectors.size()]; };
    auto grow = [&] {
      const MapFn fns[] = {MapFn::tanh, MapFn::sin, MapFn::gelu, MapFn::silu, MapFn::sigmoid, MapFn::relu, MapFn::neg};
      switch (random() % 6) {
        case 0: return tp::add(b, at, pick(), pick());
        case 1: return tp::mul(b, at, pick(), tp::map(b, at, MapFn::tanh, pick()));
        case 2: return tp::map(b, at, fns[random() % 7], pick());
        case 3: return tp::contract(b, at, values[3], pick(), {{0, 1}, {1}, {0}});
        case 4: return tp::contract(b, at, values[3], pick(), {{0, 1}, {0}, {1}});
        default:
          return tp::fill(b, at, tp::contract(b, at, pick(), tp::map(b, at, MapFn::sin, pick()), {{0}, {0}, {}}), {n});
      }
    };
    for (int block = 0; block < 3; ++block) {
      for (int i = 0; i < 3; ++i) vectors.push_back(grow());
      const std::vector<Value> outside = vectors;
      const std::vector<Value> initial = {pick(), pick()};
      tp::Body body = tp::beginRepeat(b, at, initial);
      vectors.insert(vectors.end(), body.arguments.begin(), body.arguments.end());
      for (int i = 0; i < 5; ++i) vectors.push_back(grow());
      const std::vector<Value> yields = {tp::map(b, at, MapFn::tanh, pick()), tp::map(b, at, MapFn::tanh, pick()),
                                         pick()};
      vectors = outside;
      tp::RepeatOp repeat = tp::endRepeat(b, at, body, {"r", depth, initial, yields, {}, {}, false});
      vectors.push_back(repeat.getResult(random() % 2));
      vectors.push_back(tp::reduce(b, at, ReduceFn::sum, repeat.getResult(2), {0}));
    }
    Value last = tp::map(b, at, MapFn::tanh, vectors[vectors.size() - 1]);
    weightedLoss(made, tp::add(b, at, last, tp::map(b, at, MapFn::tanh, vectors[vectors.size() - 2])));
    check(made);
  }
}
