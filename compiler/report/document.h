// What every report reads: an analysed program with its source, and the few questions that text and JSON both ask of
// it.
//
// A size has one growth per growing symbol, and one report shows them together, `n^(-1/2) L`.  A symbol that was not
// analysed keeps its place among them: leaving it out would read as "order one in L", which nobody has derived.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/graph/graph.h"
#include "compiler/plan/exponents.h"
#include "dsl/source/diagnostic.h"

namespace tpc {

struct Document {
  const Graph& graph;
  const Analysis& analysis;
  const AnalysisOptions& options;
  const SourceMap& sources;
  FileId program = 0;  // the program's own file among the sources
  Gauge gauge = Gauge::plain;
  std::string loaded = "trained";
  bool color = false;  // text only
};

// Judged as it was given, in the gauge it was given in.
inline bool isGiven(const Document& document) { return document.options.parametrization != "auto"; }

// `n^(-1/2) L`, `1`, `0`, `exp(L)`: as the text reports print a size.  Symbols that were not analysed are left out
// here; the report says once that its sizes do not speak of them.
std::string inText(const Document& document, const Growths& growths);
std::string inText(const std::string& symbol, const Size& size);

// A value by the name that a user may give to `tpc explain`.
struct NamedValue {
  std::string name;  // `h#2`, `layers.q`, `@16:10`
  NodeId node = none;
};
// In program order; parameters are not among them.  Where several operations carry one name, the last is the value.
std::vector<NamedValue> namedValues(const Document& document);

// How a node is called in a derivation, gradients and unnamed values included.
std::vector<std::string> subjectNames(const Document& document);

enum class ValueAspect : uint8_t { init, update, trained, spread, gradientInit, gradientTrained };
// Empty where the value has no such size, such as the gradient of an integer input.
std::optional<Growths> sizesOf(const Document& document, NodeId node, ValueAspect aspect);

// One parameter over all symbols, in the gauge of the document.
using ParameterReport = ParameterExponents;
ParameterReport parameterReport(const Document& document, size_t parameter);

// How many steps rest on what.
struct BasisCount {
  size_t theorem = 0, arithmetic = 0, heuristic = 0;
};
BasisCount countBases(const Derivation& derivation, std::span<const StepId> steps);
// The same of all that each root rests on, for many roots at once; `noStep` rests on nothing.
std::vector<BasisCount> countBasesBehind(const Derivation& derivation, std::span<const StepId> roots);

// The step that a parameter's derivation ends in: its learning rate, or its init where it has none.
StepId rootOf(const ParameterSizes& parameter);

std::string_view toString(Alignment alignment);
std::string_view toString(Gauge gauge);

}  // namespace tpc
