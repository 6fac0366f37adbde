// Runs at each width and seed, and the line through them.
#include "compiler/evidence/slopes.h"

#include <algorithm>
#include <cmath>

#include "kernels/random.h"

namespace tpc {
namespace {

double factor(const Size& size, double ratio) {
  if (size.isZero()) return 0;
  return size.isPower() ? std::pow(ratio, size.exponent.toDouble()) : 1;
}

// One batch, the same numbers at every width as far as the shapes agree.
TensorPtr inputValues(const Graph& graph, const Input& input, const std::vector<int64_t>& numbers, uint64_t seed,
                      std::string& error) {
  const std::optional<std::vector<int64_t>> shape = shapeAt(graph, input.node, numbers);
  const std::optional<int64_t> below = input.integer ? input.below.at(numbers) : std::optional<int64_t>(1);
  if (!shape || !below) {
    error = "`" + input.name + "`: a length is no whole number at these sizes";
    return nullptr;
  }
  auto tensor = std::make_shared<Tensor>();
  tensor->shape = *shape;
  tensor->values.resize(size_t(elementCount(*shape)));
  const RandomStream stream(seed, input.name);
  for (size_t i = 0; i < tensor->values.size(); ++i)
    tensor->values[i] = input.integer ? std::floor(stream.uniform(i) * double(*below)) : stream.normal(i);
  return tensor;
}

std::vector<NodeId> defaultNodes(const Graph& graph) {
  std::vector<NodeId> nodes;
  auto add = [&](NodeId id) {
    if (id != none && graph.nodes[id].kind != OpKind::repeat) nodes.push_back(id);
  };
  // A metric counts: its steps at finite sizes say nothing of a slope.
  std::vector<bool> metric(graph.nodes.size());
  for (const Output& output : graph.outputs)
    if (output.metric) metric[output.node] = true;
  for (NodeId id = 0; id < graph.forwardEnd; ++id) {
    if (metric[id] || (graph.nodes[id].name == none && graph.nodes[id].kind != OpKind::parameter)) continue;
    add(id);
    if (id < graph.gradientOf.size()) add(graph.gradientOf[id]);
  }
  for (const Parameter& parameter : graph.parameters) add(parameter.gradient);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

// A mask's -inf is no size: coordinates that are the same infinity before and after do not count.
void dropMasked(Tensor& a, Tensor& b) {
  size_t kept = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    if (std::isinf(a.values[i]) && a.values[i] == b.values[i]) continue;
    a.values[kept] = a.values[i];
    b.values[kept++] = b.values[i];
  }
  a.values.resize(kept);
  b.values.resize(kept);
}

double largestOf(const Tensor& tensor) {
  double largest = 0;
  for (double value : tensor.values) largest = std::max(largest, std::abs(value));
  return largest;
}

// What one width and seed contribute.
struct Sample {
  std::vector<double> init, update, trained;  // root mean squares
  std::vector<double> largestInit, largestTrained;
  double lossBefore = 0, lossAfter = 0;
  std::string error;
};

struct Run {
  const Graph& graph;
  const std::vector<OptimizerProgram>& optimizers;
  const SlopeOptions& options;
  const std::vector<NodeId>& nodes;

  const OptimizerProgram* optimizerOf(const Parameter& parameter) const {
    const std::string& name = parameter.optimizer.empty() ? options.optimizer : parameter.optimizer;
    const auto found = std::find_if(optimizers.begin(), optimizers.end(),
                                    [&](const OptimizerProgram& each) { return each.name == name; });
    return found == optimizers.end() ? nullptr : &*found;
  }

  Sample operator()(const PlanNumbers& plan, const std::vector<int64_t>& numbers, uint64_t seed) const {
    Sample sample;
    Bindings bindings;
    bindings.numbers = numbers;
    bindings.multipliers = plan.multipliers;
    for (const Input& input : graph.inputs)
      bindings.inputs.push_back(inputValues(graph, input, numbers, seed, sample.error));
    for (uint32_t p = 0; p < graph.parameters.size() && sample.error.empty(); ++p) {
      const InitialValue first =
          initialValue(graph, p, numbers, p < plan.initStd.size() ? plan.initStd[p] : std::nullopt, seed);
      sample.error = first.error;
      bindings.parameters.push_back(first.value);
    }
    if (!sample.error.empty()) return sample;

    std::vector<NodeId> wanted = nodes, gradients;
    for (const Parameter& parameter : graph.parameters)
      if (trains(parameter)) gradients.push_back(parameter.gradient);
    if (options.steps > 0) wanted.insert(wanted.end(), gradients.begin(), gradients.end());
    if (graph.loss != none) wanted.push_back(graph.loss);
    std::vector<OptimizerState> states(graph.parameters.size());

    Evaluation before = evaluate(graph, bindings, wanted);
    if (!before.error.empty()) return sample.error = before.error, sample;
    Evaluation now = before;
    for (int step = 0; step < options.steps; ++step) {
      for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
        const Parameter& parameter = graph.parameters[p];
        if (!trains(parameter)) continue;
        const OptimizerProgram* program = optimizerOf(parameter);
        if (program == nullptr) return sample.error = "`" + parameter.name + "` has no optimizer", sample;
        StepNumbers given;
        if (p < plan.lr.size()) given.hyper["lr"] = plan.lr[p];
        if (p < plan.eps.size()) given.hyper["eps"] = plan.eps[p];
        Tensor next = *bindings.parameters[p];
        sample.error = takeStep(*program, given, *now.values[parameter.gradient], states[p], next);
        if (!sample.error.empty()) return sample;
        bindings.parameters[p] = std::make_shared<Tensor>(std::move(next));
      }
      // Only the last run needs every value.
      const bool last = step + 1 == options.steps;
      if (!last && graph.loss != none) gradients.push_back(graph.loss);
      now = evaluate(graph, bindings, last ? wanted : gradients);
      if (!now.error.empty()) return sample.error = now.error, sample;
    }
    for (NodeId id : nodes) {
      Tensor a = *before.values[id], b = *now.values[id];
      dropMasked(a, b);
      Tensor change = b;
      for (size_t i = 0; i < change.values.size(); ++i) change.values[i] -= a.values[i];
      sample.init.push_back(rootMeanSquare(a));
      sample.update.push_back(rootMeanSquare(change));
      sample.trained.push_back(rootMeanSquare(b));
      sample.largestInit.push_back(largestOf(a));
      sample.largestTrained.push_back(largestOf(b));
    }
    if (graph.loss != none) {
      sample.lossBefore = before.values[graph.loss]->values[0];
      sample.lossAfter = now.values[graph.loss]->values[0];
    }
    return sample;
  }

  static bool trains(const Parameter& parameter) {
    return parameter.ownership == Ownership::trained && parameter.gradient != none;
  }
};

}  // namespace

PlanAt planOf(const Graph& graph, const SymbolAnalysis& analysis, const PlanBase& base) {
  struct Exponents {
    std::vector<std::optional<double>> stdBase;
    std::vector<Size> std, lr, eps, multipliers;
  } exponents;
  for (uint32_t p = 0; p < graph.parameters.size(); ++p) {
    const Parameter& parameter = graph.parameters[p];
    const Init& init = parameter.init;
    std::optional<double> start;
    if (init.kind == Init::Kind::plan) {
      const std::vector<int64_t> shape = shapeAt(graph, parameter.node, base.numbers).value_or(std::vector<int64_t>{});
      double fan = 1;
      for (size_t i = parameter.stack == none ? 0 : 1; i + 1 < shape.size(); ++i) fan *= double(shape[i]);
      start = 1 / std::sqrt(fan);
    } else if (init.kind == Init::Kind::normal && !init.fixed) {
      start = valueAt(init.number, base.numbers);
    } else if (init.kind == Init::Kind::uniform && !init.fixed) {
      start = valueAt(init.number, base.numbers) / std::sqrt(3.0);
    }
    exponents.stdBase.push_back(start);
    const ParameterSizes sizes = p < analysis.parameters.size() ? analysis.parameters[p] : ParameterSizes{};
    exponents.std.push_back(sizes.initStd);
    exponents.lr.push_back(sizes.lr);
    exponents.eps.push_back(sizes.eps);
  }
  for (uint32_t m = 0; m < graph.freeMultipliers.size(); ++m)
    exponents.multipliers.push_back(m < analysis.multipliers.size() ? analysis.multipliers[m].size : Size{});

  return [exponents, base, symbol = analysis.symbol](const std::vector<int64_t>& numbers) {
    const double ratio = double(numbers[symbol]) / double(base.numbers[symbol]);
    PlanNumbers plan;
    for (size_t p = 0; p < exponents.std.size(); ++p) {
      plan.initStd.push_back(exponents.stdBase[p]);
      if (plan.initStd[p]) *plan.initStd[p] *= factor(exponents.std[p], ratio);
      plan.lr.push_back(base.lr * factor(exponents.lr[p], ratio));
      // A parameter that no gradient reaches asks for no epsilon; Adam still divides by it.
      plan.eps.push_back(base.eps * (exponents.eps[p].isZero() ? 1 : factor(exponents.eps[p], ratio)));
    }
    for (const Size& size : exponents.multipliers) plan.multipliers.push_back(factor(size, ratio));
    return plan;
  };
}

const MeasuredValue* Measurement::of(NodeId node) const {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const MeasuredValue& each) { return each.node == node; });
  return found == values.end() ? nullptr : &*found;
}

Series fitted(const std::vector<int64_t>& widths, std::vector<double> sizes) {
  Series series;
  series.sizes = std::move(sizes);
  series.zero = std::all_of(series.sizes.begin(), series.sizes.end(), [](double size) { return size == 0; });
  series.finite = std::all_of(series.sizes.begin(), series.sizes.end(),
                              [](double size) { return std::isfinite(size) && size > 0; });
  if (!series.finite || widths.size() < 2) return series;  // one width has no slope
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  const double count = double(widths.size());
  for (size_t i = 0; i < widths.size(); ++i) {
    const double x = std::log2(double(widths[i])), y = std::log2(series.sizes[i]);
    sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  series.slope = (count * sxy - sx * sy) / (count * sxx - sx * sx);
  return series;
}

Measurement measure(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, const PlanAt& plan,
                    const SlopeOptions& options) {
  Measurement result;
  result.widths = options.widths;
  if (options.widths.empty() || options.symbol >= options.numbers.size() || options.seeds < 1) {
    result.error = "to measure takes a width, a seed and the numbers of all symbols";
    return result;
  }
  const std::vector<NodeId> nodes = options.nodes.empty() ? defaultNodes(graph) : options.nodes;
  const Run run{graph, optimizers, options, nodes};
  std::vector<std::vector<double>> init(nodes.size()), update(nodes.size()), trained(nodes.size());
  std::vector<std::vector<double>> largestInit(nodes.size()), largestTrained(nodes.size());
  for (int64_t width : options.widths) {
    std::vector<int64_t> numbers = options.numbers;
    numbers[options.symbol] = width;
    std::vector<double> a(nodes.size()), b(nodes.size()), c(nodes.size()), d(nodes.size()), e(nodes.size());
    double before = 0, after = 0;
    for (int seed = options.firstSeed; seed < options.firstSeed + options.seeds; ++seed) {
      const Sample sample = run(plan(numbers), numbers, uint64_t(seed));
      if (!sample.error.empty()) {
        result.error = sample.error;
        return result;
      }
      for (size_t i = 0; i < nodes.size(); ++i) {
        a[i] += sample.init[i] * sample.init[i] / options.seeds;
        b[i] += sample.update[i] * sample.update[i] / options.seeds;
        c[i] += sample.trained[i] * sample.trained[i] / options.seeds;
        d[i] = std::max(d[i], sample.largestInit[i]);
        e[i] = std::max(e[i], sample.largestTrained[i]);
      }
      before += sample.lossBefore / options.seeds, after += sample.lossAfter / options.seeds;
    }
    for (size_t i = 0; i < nodes.size(); ++i) {
      init[i].push_back(std::sqrt(a[i]));
      update[i].push_back(std::sqrt(b[i]));
      trained[i].push_back(std::sqrt(c[i]));
      largestInit[i].push_back(d[i]);
      largestTrained[i].push_back(e[i]);
    }
    result.lossBefore.push_back(before), result.lossAfter.push_back(after);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    result.values.push_back({nodes[i], fitted(options.widths, init[i]), fitted(options.widths, update[i]),
                             fitted(options.widths, trained[i])});
    result.values.back().init.largest = std::move(largestInit[i]);
    result.values.back().trained.largest = std::move(largestTrained[i]);
  }
  return result;
}

}  // namespace tpc
