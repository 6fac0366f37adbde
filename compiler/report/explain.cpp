#include "compiler/report/explain.h"

#include <algorithm>
#include <set>

#include "compiler/report/table.h"
#include "compiler/report/verdict.h"

namespace tpc {

namespace {

struct Root {
  std::string label;  // `init`, `learning rate`
  StepId step = noStep;
};

// The steps below all roots, each once, premises first.
std::vector<StepId> closureOf(const Derivation& derivation, const std::vector<Root>& roots) {
  std::vector<bool> included(derivation.steps().size(), false);
  for (const Root& root : roots) {
    if (root.step == noStep || included[root.step]) continue;
    for (StepId step : derivation.closure(root.step)) included[step] = true;
  }
  std::vector<StepId> steps;
  // A step is made after its premises, so ids are an order in which premises come first.
  for (StepId step = 0; step < included.size(); ++step) {
    if (included[step]) steps.push_back(step);
  }
  return steps;
}

std::string derivationText(const Document& document, const SymbolAnalysis& symbol, const std::vector<Root>& roots,
                           const std::vector<std::string>& subjects) {
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  const std::vector<StepId> steps = closureOf(symbol.derivation, roots);
  std::vector<size_t> numberOf(symbol.derivation.steps().size(), 0);
  std::vector<std::vector<std::string>> rows;
  std::set<RuleId> told;  // what a heuristic assumes is written out where it is first used
  for (size_t i = 0; i < steps.size(); ++i) {
    numberOf[steps[i]] = i + 1;
    const Step& step = symbol.derivation.steps()[steps[i]];
    const RuleInfo& rule = allRules()[step.rule];
    std::string premises;
    for (StepId premise : symbol.derivation.premises(steps[i])) {
      premises += (premises.empty() ? "" : ", ") + std::to_string(numberOf[premise]);
    }
    const std::string number = std::to_string(i + 1);
    const std::string width = std::to_string(steps.size());
    std::string why;
    if (rule.basis == Basis::heuristic) {
      why = told.insert(step.rule).second ? "~ heuristic: " + std::string(rule.assumes) : "~ heuristic";
    }
    if (rule.basis == Basis::theorem) why = std::string(rule.cite);
    rows.push_back({std::string(width.size() - number.size(), ' ') + number, stepInWords(subjects, step, name),
                    premises, std::string(rule.id), why});
  }
  std::string text = alignedRows(rows);
  const BasisCount count = countBases(symbol.derivation, steps);
  text += "\n  " + counted(steps.size(), "step") + ": " + std::to_string(count.theorem) + " theorem, " +
          std::to_string(count.arithmetic) + " arithmetic, " + std::to_string(count.heuristic) + " heuristic\n";
  return text;
}

std::string headline(const std::string& name, const std::string& symbol, const std::vector<std::string>& parts) {
  std::string text = name + " in " + symbol + ": ";
  for (size_t i = 0; i < parts.size(); ++i) text += (i ? ", " : "") + parts[i];
  return text + "\n\n";
}

std::vector<Root> rootsOf(const ParameterSizes& sizes) {
  return {{"init", sizes.initStep},
          {"gradient", sizes.gradientStep},
          {"update", sizes.updateStep},
          {"learning rate", sizes.lrStep}};
}

std::string explainParameter(const Document& document, size_t index, const SymbolAnalysis& symbol,
                             const std::vector<std::string>& subjects) {
  const Parameter& parameter = document.graph.parameters[index];
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  const ParameterSizes& sizes = symbol.parameters[index];
  const bool trains = sizes.lrStep != noStep;
  std::vector<std::string> parts = {"role " + std::string(toString(sizes.role))};
  parts.push_back(sizes.startsConstant ? "starts at a constant " + asPower(name, sizes.initMean)
                                       : "init " + asPower(name, sizes.initStd));
  if (trains) {
    parts.push_back("lr " + asPower(name, sizes.lr));
    parts.push_back("update " + asPower(name, sizes.update));
    if (sizes.hasEps) parts.push_back("eps " + asPower(name, sizes.eps));
    parts.push_back("gradient " + asPower(name, sizes.gradientTrained));
  }
  if (!sizes.boundBy.empty()) parts.push_back("bound by `" + sizes.boundBy + "`");
  return headline(parameter.name, name, parts) + derivationText(document, symbol, rootsOf(sizes), subjects);
}

struct ValueRoots {
  std::vector<std::string> parts;  // `init n^0`
  std::vector<Root> roots;
};

ValueRoots rootsOf(const Document& document, const NamedValue& value, const SymbolAnalysis& symbol) {
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  const ValueSizes& sizes = symbol.values[value.node];
  ValueRoots result;
  const auto add = [&](const char* label, const Size& size, StepId step) {
    if (step == noStep) return;
    result.parts.push_back(std::string(label) + " " + asPower(name, size));
    result.roots.push_back({label, step});
  };
  add("init", sizes.init, sizes.initStep);
  add("update", sizes.update, sizes.updateStep);
  add("trained", sizes.trained, sizes.trainedStep);
  const NodeId gradient = value.node < document.graph.gradientOf.size() ? document.graph.gradientOf[value.node] : none;
  if (gradient != none && gradient < symbol.values.size()) {
    add("gradient", symbol.values[gradient].init, symbol.values[gradient].initStep);
    add("gradient trained", symbol.values[gradient].trained, symbol.values[gradient].trainedStep);
  }
  return result;
}

std::string explainValue(const Document& document, const NamedValue& value, const SymbolAnalysis& symbol,
                         const std::vector<std::string>& subjects) {
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  const auto [parts, roots] = rootsOf(document, value, symbol);
  if (roots.empty())
    return headline(value.name, name, {"no size: it is an index or a choice, not a number that scales"});
  return headline(value.name, name, parts) + derivationText(document, symbol, roots, subjects);
}

std::string cell(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

std::vector<std::string> namesToExplain(const Document& document) {
  std::vector<std::string> names;
  for (const Parameter& parameter : document.graph.parameters) names.push_back(parameter.name);
  for (const FreeMultiplier& multiplier : document.graph.freeMultipliers) names.push_back(multiplier.name);
  for (const NamedValue& value : namedValues(document)) names.push_back(value.name);
  return names;
}

std::optional<std::string> explanation(const Document& document, const std::string& name,
                                       const std::vector<std::optional<WhyNot>>& whyNot) {
  const Graph& graph = document.graph;
  const std::vector<std::string> subjects = subjectNames(document);
  std::string text;
  bool found = false;
  const auto perSymbol = [&](auto explain) {
    found = true;
    for (const SymbolAnalysis& symbol : document.analysis.symbols) {
      if (!text.empty()) text += "\n";
      const std::string& symbolName = graph.symbols[symbol.symbol].name;
      text += symbol.analysed ? explain(symbol) : name + " in " + symbolName + ": not analysed by this version\n";
    }
    if (document.analysis.symbols.empty())
      text = name + ": nothing grows in this program, so there is nothing to derive\n";
  };
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    if (graph.parameters[i].name != name) continue;
    perSymbol([&](const SymbolAnalysis& symbol) {
      const size_t at = size_t(&symbol - document.analysis.symbols.data());
      std::string one = explainParameter(document, i, symbol, subjects);
      if (at < whyNot.size() && whyNot[at])
        one += whyNotText(*whyNot[at], symbol.derivation, symbol.parameters[i], graph.symbols[symbol.symbol].name);
      return one;
    });
    return text;
  }
  for (size_t i = 0; i < graph.freeMultipliers.size(); ++i) {
    if (graph.freeMultipliers[i].name != name) continue;
    perSymbol([&](const SymbolAnalysis& symbol) {
      const MultiplierSizes& sizes = symbol.multipliers[i];
      const std::string& symbolName = graph.symbols[symbol.symbol].name;
      std::vector<std::string> parts = {"multiplier " + asPower(symbolName, sizes.size)};
      if (!sizes.why.empty()) parts.push_back(sizes.why);
      std::string one = headline(name, symbolName, parts);
      if (sizes.step != noStep) one += derivationText(document, symbol, {{"multiplier", sizes.step}}, subjects);
      return one;
    });
    return text;
  }
  for (const NamedValue& value : namedValues(document)) {
    if (value.name != name) continue;
    perSymbol([&](const SymbolAnalysis& symbol) { return explainValue(document, value, symbol, subjects); });
    return text;
  }
  return found ? std::optional(text) : std::nullopt;
}

namespace {

std::string dotEscaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// Colour says what a step rests on.
constexpr const char* fills[] = {"#d7ecd9", "#eeeeee", "#fbe0c3"};  // theorem, arithmetic, heuristic

std::string graphOf(const Document& document, const SymbolAnalysis& symbol, const std::vector<Root>& roots,
                    const std::vector<std::string>& subjects) {
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  const std::string prefix = name + ":";
  std::string text = "  subgraph \"cluster_" + dotEscaped(name) + "\" {\n    label=\"in " + dotEscaped(name) + "\";\n";
  for (StepId id : closureOf(symbol.derivation, roots)) {
    const Step& step = symbol.derivation.steps()[id];
    const RuleInfo& rule = allRules()[step.rule];
    text += "    \"" + dotEscaped(prefix) + std::to_string(id) + "\" [label=\"" +
            dotEscaped(stepInWords(subjects, step, name)) + "\\n" + std::string(rule.id) + "\", fillcolor=\"" +
            fills[int(rule.basis)] + "\"];\n";
    for (StepId premise : symbol.derivation.premises(id))
      text += "    \"" + dotEscaped(prefix) + std::to_string(premise) + "\" -> \"" + dotEscaped(prefix) +
              std::to_string(id) + "\";\n";
  }
  return text + "  }\n";
}

}  // namespace

std::optional<std::string> derivationGraph(const Document& document, const std::string& name) {
  const Graph& graph = document.graph;
  const std::vector<std::string> subjects = subjectNames(document);
  std::string text =
      "digraph derivation {\n  rankdir=BT;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n";
  const auto perSymbol = [&](auto rootsOfSymbol) {
    for (const SymbolAnalysis& symbol : document.analysis.symbols)
      if (symbol.analysed) text += graphOf(document, symbol, rootsOfSymbol(symbol), subjects);
    return text + "}\n";
  };
  for (size_t i = 0; i < graph.parameters.size(); ++i)
    if (graph.parameters[i].name == name)
      return perSymbol([&](const SymbolAnalysis& symbol) { return rootsOf(symbol.parameters[i]); });
  for (size_t i = 0; i < graph.freeMultipliers.size(); ++i)
    if (graph.freeMultipliers[i].name == name)
      return perSymbol([&](const SymbolAnalysis& symbol) {
        return std::vector<Root>{{"multiplier", symbol.multipliers[i].step}};
      });
  for (const NamedValue& value : namedValues(document))
    if (value.name == name)
      return perSymbol([&](const SymbolAnalysis& symbol) { return rootsOf(document, value, symbol).roots; });
  return std::nullopt;
}

std::optional<std::string> ruleExplanation(const std::string& id) {
  for (const RuleInfo& rule : allRules()) {
    if (rule.id != id) continue;
    std::vector<std::vector<std::string>> rows = {{"form", std::string(rule.form)},
                                                  {"when", std::string(rule.when)},
                                                  {"says", std::string(rule.says)},
                                                  {"basis", std::string(toString(rule.basis))}};
    if (!rule.cite.empty()) rows.push_back({"source", std::string(rule.cite)});
    if (!rule.assumes.empty()) rows.push_back({"assumes", std::string(rule.assumes)});
    std::erase_if(rows, [](const auto& row) { return row[1].empty(); });
    return std::string(rule.id) + ": a rule of the table of " + std::string(rule.table) + "\n\n" + alignedRows(rows);
  }
  return std::nullopt;
}

std::string rulesMarkdown() {
  std::string text =
      "# The calculus\n\nThese are the rules that `tpc` runs: every size that it prints comes from them, step by "
      "step.\n\n"
      "A size is an exponent: `x : n^e` says that a typical coordinate of x is of order n^e (root mean square); 0 is\n"
      "order one. The column `says` gives the exponent of `form`. In it a and b are the exponents of the operands in\n"
      "the order in which they are written; k says that a sum runs over n^k terms, m that the matrix has n^m rows,\n"
      "over which nothing is summed. A matrix is initial if it has the independent entries of a parameter, masked or\n"
      "scaled by rows and columns at most; any other value is computed. The spread of x is the size of x minus its\n"
      "limit. dx is what training changes x by. A flip turns the sign of all entries of a parameter: what changes "
      "sign\n"
      "under one has mean zero. The keys of sources are those of `compiler/rules/REFERENCES.md`.\n";
  std::vector<std::string_view> tables;
  for (const RuleInfo& rule : allRules()) {
    if (std::find(tables.begin(), tables.end(), rule.table) == tables.end()) tables.push_back(rule.table);
  }
  for (std::string_view table : tables) {
    text += "\n## " + std::string(table) +
            "\n\n| rule | form | when | says | basis | source, or what is assumed |\n|---|---|---|---|---|---|\n";
    for (const RuleInfo& rule : allRules()) {
      if (rule.table != table) continue;
      text += "| `" + std::string(rule.id) + "` | " + cell(rule.form) + " | " + cell(rule.when) + " | " +
              cell(rule.says) + " | " + std::string(toString(rule.basis)) + " | " +
              cell(rule.basis == Basis::heuristic ? rule.assumes : rule.cite) + " |\n";
    }
  }
  return text;
}

}  // namespace tpc
