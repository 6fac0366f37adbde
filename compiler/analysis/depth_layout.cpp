// Reads off the program what a layer of a growing repeat hands on and what it adds; see depth.h.
#include <algorithm>

#include "compiler/analysis/depth.h"
#include "compiler/analysis/scales.h"

namespace tpc {
namespace {

bool isIn(const Repeat& repeat, NodeId id) { return id >= repeat.bodyBegin && id < repeat.bodyEnd; }

std::string nameFor(const Run& run, NodeId id) {
  for (; id != none && isPlumbing(run.graph.nodes[id].kind); id = run.graph.operands(id)[0])
    if (run.graph.nodes[id].name != none) break;
  return id != none && run.graph.nodes[id].name != none ? "`" + run.graph.names[run.graph.nodes[id].name] + "`"
                                                        : std::string("the carried value");
}

struct Decomposition {
  Run& run;
  const Repeat& repeat;
  uint32_t index;
  std::vector<uint32_t> handedOn{};  // carried values that arrive unchanged, each as often as it does
  std::vector<NodeId> terms{};

  void take(NodeId id) {
    const Node& node = run.graph.nodes[id];
    auto operands = run.graph.operands(id);
    if (node.kind == OpKind::bodyArgument && node.region == index) {
      handedOn.push_back(node.attribute);
      return;
    }
    const bool adds = node.kind == OpKind::add || node.kind == OpKind::sub;
    if (isIn(repeat, id) && (adds || node.kind == OpKind::reshape || node.kind == OpKind::transpose)) {
      run.isLink[id] = 1;
      take(operands[0]);
      // What is subtracted is no value that is handed on.
      if (node.kind == OpKind::sub) terms.push_back(operands[1]);
      else if (adds) take(operands[1]);
      return;
    }
    terms.push_back(id);
  }
};

// How a carried value reaches what a layer returns, where it is not handed on: in words, for a refusal.
Refusal whyNotHandedOn(const Run& run, const Repeat& repeat, uint32_t index, NodeId yield) {
  const Graph& graph = run.graph;
  std::vector<uint8_t> reads(graph.nodes.size(), 0), linear(graph.nodes.size(), 0);
  for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) {
    const Node& node = graph.nodes[id];
    if (node.kind == OpKind::bodyArgument && node.region == index) {
      reads[id] = linear[id] = 1;
      continue;
    }
    bool any = false, straight = node.kind == OpKind::add || node.kind == OpKind::sub || node.kind == OpKind::mul ||
                                 node.kind == OpKind::contract || isPlumbing(node.kind);
    int through = 0;
    for (NodeId operand : graph.operands(id)) {
      any |= reads[operand] != 0;
      through += linear[operand] != 0;
    }
    if (node.kind == OpKind::mul || node.kind == OpKind::contract)
      for (NodeId operand : graph.operands(id)) straight &= linear[operand] || !reads[operand];
    reads[id] = any;
    linear[id] = straight && through > 0;
  }
  const std::string name = nameFor(run, yield);
  Refusal refusal{graph.nodes[yield].span, "", ""};
  if (!reads[yield]) {
    refusal.why = name + " is replaced in every layer by what does not depend on it";
  } else if (linear[yield]) {
    refusal.why = name +
                  " is handed on through a factor or a mixing matrix, whose powers over many layers this version "
                  "does not follow";
    refusal.mend = "let the layer add to what it is given, `h += auto(...) * f(h)`";
  } else {
    refusal.why = name + " is replaced in every layer, h <- f(h), and exponents cannot tell what many of these come to";
    refusal.mend = "let the layer add to what it is given, `h += auto(...) * f(h)`";
  }
  return refusal;
}

// What the branch that ends in `term` is made of: the number of distinct matrices in it.
uint32_t matricesIn(const Run& run, const Repeat& repeat, NodeId term) {
  const Graph& graph = run.graph;
  std::vector<uint8_t> seen(term + 1, 0);
  std::vector<NodeId> pending{term};
  std::vector<NodeId> matrices;
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (id > term || seen[id] || !isIn(repeat, id)) continue;
    seen[id] = 1;
    if (run.isLink[id]) continue;  // what other branches have added
    for (NodeId operand : graph.operands(id)) {
      if (isMatrixProduct(run, id) && run.parameterOnly[operand]) matrices.push_back(unscaled(run, operand));
      else pending.push_back(operand);
    }
  }
  std::sort(matrices.begin(), matrices.end());
  return uint32_t(std::unique(matrices.begin(), matrices.end()) - matrices.begin());
}

bool mentionsSymbolOrIndex(const Run& run, NodeId scaling) {
  const Node& node = run.graph.nodes[scaling];
  if (node.kind == OpKind::layerIndex) return true;
  if (node.kind == OpKind::number)
    return std::any_of(run.graph.numbers[node.attribute].powers.begin(), run.graph.numbers[node.attribute].powers.end(),
                       [&](const auto& power) { return power.first == run.symbol; });
  if (node.kind == OpKind::freeMultiplier) return usesSymbol(run, node.attribute);
  auto operands = run.graph.operands(scaling);
  return std::any_of(operands.begin(), operands.end(), [&](NodeId of) { return mentionsSymbolOrIndex(run, of); });
}

bool isMadeOfScalars(const Run& run, NodeId id) {
  const Node& node = run.graph.nodes[id];
  if (node.kind == OpKind::layerIndex || node.kind == OpKind::number || node.kind == OpKind::freeMultiplier)
    return true;
  auto operands = run.graph.operands(id);
  return !operands.empty() &&
         std::all_of(operands.begin(), operands.end(), [&](NodeId of) { return isMadeOfScalars(run, of); });
}

// The multipliers between a term and what it scales: the free one nearest to the term is the branch's.
void findMultiplier(Run& run, uint32_t index, NodeId term) {
  const Graph& graph = run.graph;
  BranchMultiplier branch{.term = term, .repeat = index, .matrices = matricesIn(run, graph.repeats[index], term)};
  bool hasAny = false;
  NodeId id = term;
  for (;;) {
    const Node& node = graph.nodes[id];
    auto operands = graph.operands(id);
    if (isPlumbing(node.kind) && node.kind != OpKind::layer) {
      id = operands[0];
      continue;
    }
    if (node.kind == OpKind::map && MapFn(node.fn) == MapFn::neg) {
      id = operands[0];
      continue;
    }
    if (node.kind != OpKind::mul) break;
    int factor = isMadeOfScalars(run, operands[0]) ? 0 : isMadeOfScalars(run, operands[1]) ? 1 : -1;
    if (factor >= 0) {
      hasAny |= mentionsSymbolOrIndex(run, operands[factor]);
      const Scaling scaling = scalingOf(run, operands[factor]);
      if (scaling.is && scaling.free != none && usesSymbol(run, scaling.free)) {
        BranchMultiplier& of = run.branchOf[scaling.free];
        of = branch;
        of.isInner = branch.isInner;
        branch.isInner = true;
      }
    } else if (run.parameterOnly[operands[0]] || run.parameterOnly[operands[1]]) {
      factor = run.parameterOnly[operands[0]] ? 0 : 1;  // a gain
    } else {
      break;
    }
    id = operands[1 - factor];
  }
  if (hasAny || graph.nodes[id].kind != OpKind::contract || !isMatrixProduct(run, id)) return;
  auto operands = graph.operands(id);
  const NodeId matrix = unscaled(run, operands[run.parameterOnly[operands[0]] ? 0 : 1]);
  if (graph.nodes[matrix].kind != OpKind::parameter) return;
  branch.product = id;
  branch.parameter = graph.nodes[matrix].attribute;
  run.implicit.push_back(branch);
}

// In a repeat, or with one in it whose rounds have parameters of their own (rounds of one function are layers' work).
bool isNested(const Run& run, uint32_t index) {
  if (run.graph.repeats[index].parent != none) return true;
  for (const Parameter& parameter : run.graph.parameters) {
    const bool here = parameter.stack == index || parameter.stack == run.graph.repeats[index].forward;
    if (here && parameter.stack != none && !parameter.innerStacks.empty()) return true;
  }
  for (uint32_t inner = 0; inner < run.graph.repeats.size(); ++inner) {
    if (run.graph.repeats[inner].parent != index) continue;
    if (!run.recurrences[inner].growth.isZero()) return true;
    for (const Parameter& parameter : run.graph.parameters)
      if (parameter.stack == inner) return true;
  }
  return false;
}

void findOne(Run& run, uint32_t index) {
  const Graph& graph = run.graph;
  const Repeat& repeat = graph.repeats[index];
  Recurrence& recurrence = run.recurrences[index];
  const bool forward = !repeat.reversed || repeat.forward == none;
  if (isNested(run, index)) {
    if (forward)
      run.refusals.push_back({graph.nodes[repeat.node].span,
                              "`" + repeat.name + "` stands in a repeat, or has one with parameters of its own in it",
                              ""});
    return;
  }
  for (uint32_t i = 0; i < repeat.carried; ++i) {
    Decomposition parts{run, repeat, index};
    parts.take(repeat.yields[i]);
    Recurrence::Stream stream;
    auto own = std::find(parts.handedOn.begin(), parts.handedOn.end(), i);
    if (own == parts.handedOn.end() && parts.handedOn.size() == 1) own = parts.handedOn.begin();
    if (own == parts.handedOn.end() || std::count(parts.handedOn.begin(), parts.handedOn.end(), *own) > 1) {
      if (forward || run.refusals.empty()) run.refusals.push_back(whyNotHandedOn(run, repeat, index, repeat.yields[i]));
      return;
    }
    stream.skip = *own;
    parts.handedOn.erase(own);
    if (!parts.handedOn.empty()) {
      run.refusals.push_back({graph.nodes[repeat.yields[i]].span,
                              nameFor(run, repeat.yields[i]) +
                                  " takes another carried value up whole in every layer, " +
                                  "and this version finds no multiplier for sums of sums",
                              "scale what is added by a power of " + graph.symbols[run.symbol].name});
      return;
    }
    for (NodeId term : parts.terms) {
      stream.terms.push_back({.node = term});
      run.termGrowth[term] = recurrence.growth;
    }
    recurrence.streams.push_back(std::move(stream));
  }
  if (forward)
    for (const Recurrence::Stream& stream : recurrence.streams)
      for (const Recurrence::Term& term : stream.terms)
        if (isIn(repeat, term.node) && graph.nodes[term.node].kind != OpKind::bodyArgument)
          findMultiplier(run, index, term.node);
  std::vector<NodeId>& outside = recurrence.outside;
  for (NodeId id = repeat.bodyBegin; id < repeat.bodyEnd; ++id) {
    recurrence.usesIndex |= graph.nodes[id].kind == OpKind::layerIndex;
    for (NodeId operand : graph.operands(id)) {
      if (!isIn(repeat, operand)) outside.push_back(operand);
      const Node& read = graph.nodes[operand];
      if (read.kind == OpKind::bodyArgument && read.region == index && !run.isLink[id])
        recurrence.streams[read.attribute].isRead = true;
    }
  }
  std::sort(outside.begin(), outside.end());
  outside.erase(std::unique(outside.begin(), outside.end()), outside.end());
  for (NodeId id : outside)
    if (forward && !run.parameterOnly[id] && run.trainableUpstream[id])
      run.refusals.push_back({graph.nodes[repeat.node].span,
                              "the layers of `" + repeat.name + "` read " + nameFor(run, id) +
                                  ", which training changes, besides what is carried from layer to layer",
                              "carry it: assign it in the repeat"});
}

}  // namespace

bool isTripCount(const Graph& graph, SymbolId symbol) {
  return std::any_of(graph.repeats.begin(), graph.repeats.end(),
                     [&](const Repeat& repeat) { return repeat.trips.growth(symbol) != 0; });
}

std::vector<SymbolId> widthsOfLayers(const Graph& graph, SymbolId tripCount) {
  std::vector<SymbolId> widths;
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.stack == none || graph.repeats[parameter.stack].trips.growth(tripCount) == 0) continue;
    for (int axis = 1; axis < graph.rank(parameter.node); ++axis)
      for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol)
        if (symbol != tripCount && graph.length(parameter.node, axis).growth(symbol) > 0) widths.push_back(symbol);
  }
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

bool isMatrixProduct(const Run& run, NodeId id) {
  if (run.graph.nodes[id].kind != OpKind::contract) return false;
  const Contraction& labels = run.graph.contractions[run.graph.nodes[id].attribute];
  NodeId matrix = run.graph.operands(id)[0], other = run.graph.operands(id)[1];
  if (run.parameterOnly[matrix] == run.parameterOnly[other]) return false;
  const bool isFirst = run.parameterOnly[matrix];
  const std::vector<uint8_t>& own = isFirst ? labels.a : labels.b;
  if (own.size() < 2) return false;
  return std::any_of(own.begin(), own.end(), [&](uint8_t label) {
    return std::find(labels.result.begin(), labels.result.end(), label) == labels.result.end();
  });
}

void findRecurrences(Run& run) {
  const Graph& graph = run.graph;
  run.isLink.assign(graph.nodes.size(), 0);
  run.termGrowth.assign(graph.nodes.size(), 0);
  run.branchOf.assign(graph.freeMultipliers.size(), {});
  if (!run.overDepth) return;
  for (uint32_t index = 0; index < graph.repeats.size(); ++index)
    run.recurrences[index].growth = graph.repeats[index].trips.growth(run.symbol);
  for (uint32_t index = 0; index < graph.repeats.size(); ++index) {
    if (!run.recurrences[index].growth.isZero()) findOne(run, index);
  }
}

}  // namespace tpc
