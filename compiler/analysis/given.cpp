#include "compiler/analysis/given.h"

#include <algorithm>
#include <cassert>

#include "compiler/analysis/first_use.h"

namespace tpc {
namespace {

// Exponents in units of the contracted growth k.
struct Row {
  std::string_view name;
  Rational init;
  Rational multiplier;         // where a growing axis is left free
  Rational readoutMultiplier;  // where none is
  Rational scale;              // of a free multiplier on a contraction that no init brings to order one
};

// clang-format off
constexpr Row rows[] = {
  // In the letters of TP4, multiplier n^-a and init n^-b: a = 0, b = 1/2.
  {"sp",  -half, 0,     0,     -half},
  // a = 1/2, b = 0.
  {"ntp", 0,     -half, -half, -half},
  // Known for one hidden layer, a = 1 at the readout and b = 0; deeper layers as in ntp.
  {"mfp", 0,     -half, -1,    -half},
};
// clang-format on

const Row* rowOf(std::string_view name) {
  const Row* found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : found;
}

bool isFixed(const Graph& graph, const Init& init) {
  return init.fixed || std::any_of(init.number.powers.begin(), init.number.powers.end(),
                                   [&](const auto& power) { return graph.symbols[power.first].grows; });
}

}  // namespace

bool isNamedParametrization(std::string_view name) { return rowOf(name) != nullptr; }

void giveByName(std::string_view name, Graph& graph, AnalysisOptions& options) {
  const Row* row = rowOf(name);
  assert(row && "asked first");
  options.parametrization = std::string(name);
  const Uses uses = usesOf(graph);
  const std::vector<FirstUse> first = firstUses(graph, uses);
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    Init& init = graph.parameters[i].init;
    if (init.kind != Init::Kind::plan) continue;
    if (first[i].kind == UseKind::factor) init = {.kind = Init::Kind::constant, .number = {.coefficient = 1}};
    if (first[i].kind == UseKind::term) init = {.kind = Init::Kind::constant, .number = {.coefficient = 0}};
  }
  for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
    if (!graph.symbols[symbol].grows) continue;
    auto& given = options.given[graph.symbols[symbol].name];
    for (size_t i = 0; i < graph.parameters.size(); ++i) {
      const Parameter& parameter = graph.parameters[i];
      const bool random = parameter.init.kind == Init::Kind::plan || parameter.init.kind == Init::Kind::normal ||
                          parameter.init.kind == Init::Kind::uniform;
      if (random && isFixed(graph, parameter.init)) continue;
      const UseGrowth growth = growthOf(graph, uint32_t(i), first[i], symbol);
      const Rational k = growth.contracted;
      GivenParameter& one = given[parameter.name];
      if (random) one.initStd = row->init * k;
      one.multiplier = (growth.free > 0 ? row->multiplier : row->readoutMultiplier) * k;
    }
    for (uint32_t i = 0; i < graph.freeMultipliers.size(); ++i) {
      const std::vector<SymbolId>& symbols = graph.freeMultipliers[i].symbols;
      const bool speaks = symbols.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
      const NodeId scaled = speaks ? scaledContraction(graph, uses, first, i) : none;
      const Rational k = scaled == none ? 0 : contractedLength(graph, scaled).growth(symbol);
      options.givenMultipliers[graph.symbols[symbol].name][graph.freeMultipliers[i].name] = row->scale * k;
    }
  }
}

}  // namespace tpc
