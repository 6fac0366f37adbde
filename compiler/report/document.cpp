#include "compiler/report/document.h"

#include <algorithm>
#include <array>

namespace tpc {

namespace {

// The step a value's size came from decides whether it has one at all.
std::optional<Size> sizeOf(const ValueSizes& value, ValueAspect aspect) {
  switch (aspect) {
    case ValueAspect::init:
    case ValueAspect::gradientInit: return value.initStep == noStep ? std::nullopt : std::optional(value.init);
    case ValueAspect::update: return value.updateStep == noStep ? std::nullopt : std::optional(value.update);
    case ValueAspect::trained:
    case ValueAspect::gradientTrained: return value.trainedStep == noStep ? std::nullopt : std::optional(value.trained);
    case ValueAspect::spread: return value.spreadStep == noStep ? std::nullopt : std::optional(value.spread);
  }
  return std::nullopt;
}

}  // namespace

std::string inText(const std::string& symbol, const Size& size) {
  switch (size.kind) {
    case Size::Kind::zero: return "0";
    case Size::Kind::exponential: return "exp(" + symbol + ")";
    case Size::Kind::marginal: return "marginal(" + symbol + ")";
    case Size::Kind::notAnalysed: return "not analysed";
    case Size::Kind::power: break;
  }
  if (size.exponent.isZero()) return "1";
  if (size.exponent == Rational(1)) return symbol;
  if (size.exponent.den() == 1 && size.exponent.num() > 0) return symbol + "^" + toString(size.exponent);
  return symbol + "^(" + toString(size.exponent) + ")";
}

std::string inText(const Document& document, const Growths& growths) {
  std::string text;
  bool any = false;
  for (size_t i = 0; i < growths.size(); ++i) {
    // Zero is zero whatever grows.
    if (growths[i].isZero()) return "0";
    if (!document.analysis.symbols[i].analysed) continue;
    any = true;
    if (growths[i] == Size::power(0)) continue;
    if (!text.empty()) text += " ";
    text += inText(document.graph.symbols[document.analysis.symbols[i].symbol].name, growths[i]);
  }
  if (!text.empty()) return text;
  return any || growths.empty() ? "1" : "not analysed";
}

std::vector<NamedValue> namedValues(const Document& document) {
  const Graph& graph = document.graph;
  std::map<std::string, NodeId> last;
  std::vector<std::string> nameOf(graph.forwardEnd);
  for (NodeId id = 0; id < graph.forwardEnd && id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (node.kind == OpKind::parameter || node.kind == OpKind::repeat) continue;
    if (node.kind == OpKind::input && node.attribute < graph.inputs.size()) {
      nameOf[id] = graph.inputs[node.attribute].name;
    } else if (node.name != none) {
      nameOf[id] = graph.names[node.name];
    } else if (node.operandCount > 0 && node.span.file == document.program && node.span.end > node.span.begin) {
      const Position position = document.sources.position(node.span);
      nameOf[id] = "@" + std::to_string(position.line) + ":" + std::to_string(position.column);
    }
    if (!nameOf[id].empty()) last[nameOf[id]] = id;
  }
  std::vector<NamedValue> values;
  for (NodeId id = 0; id < nameOf.size(); ++id) {
    if (!nameOf[id].empty() && last[nameOf[id]] == id) values.push_back({nameOf[id], id});
  }
  return values;
}

std::vector<std::string> subjectNames(const Document& document) {
  const Graph& graph = document.graph;
  std::vector<std::string> names(graph.nodes.size());
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.node < names.size()) names[parameter.node] = parameter.name;
  }
  for (NodeId id = 0; id < names.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (!names[id].empty()) continue;
    if (node.kind == OpKind::freeMultiplier && node.attribute < graph.freeMultipliers.size()) {
      names[id] = graph.freeMultipliers[node.attribute].name;
      continue;
    }
    if (node.kind == OpKind::input && node.attribute < graph.inputs.size()) {
      names[id] = graph.inputs[node.attribute].name;
      continue;
    }
    if (node.name != none && !node.gradient) {
      names[id] = graph.names[node.name];
      continue;
    }
    names[id] = std::string(node.kind == OpKind::map ? toString(MapFn(node.fn)) : toString(node.kind));
    if (node.span.end > node.span.begin) {
      const Position position = document.sources.position(node.span);
      names[id] += " @" + std::to_string(position.line) + ":" + std::to_string(position.column);
      if (node.span.file != document.program) names[id] += " of " + std::string(document.sources.name(node.span.file));
    }
    if (node.gradient) names[id] = "gradient at " + names[id];
  }
  for (NodeId id = 0; id < graph.gradientOf.size(); ++id) {
    const NodeId gradient = graph.gradientOf[id];
    if (gradient < names.size() && graph.nodes[gradient].gradient) names[gradient] = "gradient of " + names[id];
  }
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.gradient < names.size() && graph.nodes[parameter.gradient].gradient) {
      names[parameter.gradient] = "gradient of " + parameter.name;
    }
  }
  return names;
}

std::optional<Growths> sizesOf(const Document& document, NodeId node, ValueAspect aspect) {
  if (aspect == ValueAspect::gradientInit || aspect == ValueAspect::gradientTrained) {
    if (node >= document.graph.gradientOf.size() || document.graph.gradientOf[node] == none) return std::nullopt;
    node = document.graph.gradientOf[node];
  }
  Growths growths;
  bool any = false;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    if (!symbol.analysed || node >= symbol.values.size()) {
      growths.push_back(Size::notAnalysed());
      continue;
    }
    const std::optional<Size> size = sizeOf(symbol.values[node], aspect);
    if (!size) return std::nullopt;
    any = true;
    growths.push_back(*size);
  }
  if (!any) return std::nullopt;
  return growths;
}

ParameterReport parameterReport(const Document& document, size_t parameter) {
  return exponentsOf(document.graph, document.analysis, document.options, document.gauge, parameter);
}

BasisCount countBases(const Derivation& derivation, std::span<const StepId> steps) {
  BasisCount count;
  for (StepId step : steps) {
    switch (allRules()[derivation.steps()[step].rule].basis) {
      case Basis::theorem: ++count.theorem; break;
      case Basis::arithmetic: ++count.arithmetic; break;
      case Basis::heuristic: ++count.heuristic; break;
    }
  }
  return count;
}

// What is behind a root differs from root to root, so there is no total to share.  But 64 roots are swept at once: a
// word per step says which of them rest on it, handed down to its premises, and the words are added up column by column
// in counters that stand upright, bit k of all 64 counts in one word.
std::vector<BasisCount> countBasesBehind(const Derivation& derivation, std::span<const StepId> roots) {
  struct UprightCounters {
    std::array<uint64_t, 32> bits{};
    void add(uint64_t ones) {
      for (uint64_t& bit : bits) {
        const uint64_t carried = bit & ones;
        bit ^= ones;
        if ((ones = carried) == 0) return;
      }
    }
    size_t of(size_t column) const {
      size_t count = 0;
      for (size_t k = 0; k < bits.size(); ++k) count |= size_t(bits[k] >> column & 1) << k;
      return count;
    }
  };
  std::vector<BasisCount> counts(roots.size());
  std::vector<uint64_t> rootsOn(derivation.steps().size(), 0);
  for (size_t first = 0; first < roots.size(); first += 64) {
    const size_t last = std::min(first + 64, roots.size());
    std::array<UprightCounters, 3> byBasis;
    StepId highest = 0;
    for (size_t i = first; i < last; ++i) {
      if (roots[i] == noStep) continue;
      rootsOn[roots[i]] |= uint64_t(1) << (i - first);
      highest = std::max(highest, roots[i]);
    }
    for (StepId step = highest + 1; step-- > 0 && !rootsOn.empty();) {
      const uint64_t here = rootsOn[step];
      if (here == 0) continue;
      rootsOn[step] = 0;
      for (StepId premise : derivation.premises(step)) rootsOn[premise] |= here;
      byBasis[size_t(allRules()[derivation.steps()[step].rule].basis)].add(here);
    }
    for (size_t i = first; i < last; ++i)
      counts[i] = {.theorem = byBasis[size_t(Basis::theorem)].of(i - first),
                   .arithmetic = byBasis[size_t(Basis::arithmetic)].of(i - first),
                   .heuristic = byBasis[size_t(Basis::heuristic)].of(i - first)};
  }
  return counts;
}

StepId rootOf(const ParameterSizes& parameter) {
  for (StepId step : {parameter.lrStep, parameter.updateStep, parameter.initStep}) {
    if (step != noStep) return step;
  }
  return noStep;
}

std::string_view toString(Alignment alignment) {
  switch (alignment) {
    case Alignment::full: return "full";
    case Alignment::ev: return "ev";
    case Alignment::none: return "none";
  }
  return "";
}

std::string_view toString(Gauge gauge) {
  switch (gauge) {
    case Gauge::plain: return "plain";
    case Gauge::readout: return "readout";
    case Gauge::sgd: return "sgd";
    case Gauge::unit: return "unit";
  }
  return "";
}

}  // namespace tpc
