#include "compiler/report/text.h"
#include "compiler/analysis/depth.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/report/table.h"
#include "compiler/report/verdict.h"
#include "dsl/source/render.h"

namespace tpc {

namespace {

constexpr size_t widestSource = 84;  // a longer line pushes its own sizes to the right, not everybody's
constexpr size_t valuesPerLine = 6;

struct Paint {
  bool color;
  std::string operator()(const char* code, const std::string& text) const {
    return color ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
  }
};

std::string inWords(std::string_view identifier) {
  std::string text(identifier);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : std::string(between)) + part;
  return text;
}

// `n^(-1)`, or `0 -> n^(-1)` where one step changes the size.
std::string fromInit(const Document& document, const std::optional<Growths>& init,
                     const std::optional<Growths>& trained) {
  if (!init && !trained) return "";
  if (!init || !trained || *init == *trained) return inText(document, init ? *init : *trained);
  return inText(document, *init) + " -> " + inText(document, *trained);
}

std::string withoutComment(const std::string& line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) {
      const size_t end = line.find_last_not_of(' ', i == 0 ? 0 : i - 1);
      return i == 0 || end == std::string::npos ? "" : line.substr(0, end + 1);
    }
  }
  return line;
}

size_t lineCount(std::string_view text) {
  if (text.empty()) return 0;
  return size_t(std::count(text.begin(), text.end(), '\n')) + (text.back() == '\n' ? 0 : 1);
}

// The source; a line on which values were made has their sizes beside it, without its comment.
std::string annotatedSource(const Document& document) {
  std::map<size_t, std::vector<std::vector<std::string>>> sizesOnLine;
  for (const NamedValue& value : namedValues(document)) {
    const Node& node = document.graph.nodes[value.node];
    if (value.name[0] == '@' || node.span.file != document.program || node.kind == OpKind::input) continue;
    const auto of = [&](ValueAspect aspect) { return sizesOf(document, value.node, aspect); };
    const std::string forward = fromInit(document, of(ValueAspect::init), of(ValueAspect::trained));
    if (forward.empty()) continue;
    const auto update = of(ValueAspect::update);
    const std::string gradient = fromInit(document, of(ValueAspect::gradientInit), of(ValueAspect::gradientTrained));
    sizesOnLine[document.sources.position(node.span).line].push_back(
        {value.name, forward, update ? inText(document, *update) : "", gradient});
  }

  const size_t lines = lineCount(document.sources.text(document.program));
  const std::string lastNumber = std::to_string(lines);
  std::vector<std::string> shown(lines + 1);
  size_t sourceWidth = 0;
  for (size_t number = 1; number <= lines; ++number) {
    std::string line = printableLine(document.sources.line(document.program, uint32_t(number)));
    if (sizesOnLine.count(number)) {
      line = withoutComment(line);
      if (widthOf(line) <= widestSource) sourceWidth = std::max(sourceWidth, widthOf(line));
    }
    shown[number] = line;
  }

  const auto pad = [](const std::string& text, size_t width) {
    return text + std::string(width > widthOf(text) ? width - widthOf(text) : 0, ' ');
  };
  const std::string margin(lastNumber.size(), ' ');
  std::vector<std::vector<std::string>> columns = {{"value", "forward", "update", "gradient"}};
  std::vector<std::string> before = {margin + "   " + std::string(sourceWidth, ' ') + "  "};
  std::vector<std::string> plain = {""};
  for (size_t number = 1; number <= lines; ++number) {
    const std::string digits = std::to_string(number);
    std::string head = std::string(lastNumber.size() - digits.size(), ' ') + digits + " | ";
    const auto found = sizesOnLine.find(number);
    if (found == sizesOnLine.end()) {
      before.push_back(head + shown[number]);
      columns.push_back({});
      continue;
    }
    head += pad(shown[number], sourceWidth) + "  ";
    for (size_t i = 0; i < found->second.size() && i < valuesPerLine; ++i) {
      before.push_back(i == 0 ? head : margin + " | " + std::string(sourceWidth, ' ') + "  ");
      columns.push_back(found->second[i]);
    }
    if (found->second.size() > valuesPerLine) {
      before.push_back(margin + " | " + std::string(sourceWidth, ' ') + "  ");
      columns.push_back({"and " + std::to_string(found->second.size() - valuesPerLine) + " more"});
    }
  }
  size_t widths[4] = {0, 0, 0, 0};
  for (const auto& row : columns) {
    for (size_t i = 0; i < row.size() && row.size() == 4; ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
  }
  const Paint paint{document.color};
  std::string text;
  for (size_t row = 0; row < columns.size(); ++row) {
    std::string sizes;
    for (size_t i = 0; i < columns[row].size(); ++i) sizes += pad(columns[row][i], widths[i] + 2);
    while (!sizes.empty() && sizes.back() == ' ') sizes.pop_back();
    std::string line = before[row] + (sizes.empty() ? "" : paint(row == 0 ? "1" : "36", sizes));
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

std::string shapeText(const Graph& graph, NodeId node) {
  std::vector<std::string> axes;
  for (int axis = 0; axis < graph.rank(node); ++axis) axes.push_back(toString(graph.length(node, axis), graph.symbols));
  return "[" + joined(axes, ", ") + "]";
}

std::string parameterTable(const Document& document) {
  const Graph& graph = document.graph;
  std::vector<std::vector<std::string>> rows = {
      {"parameter", "axes", "role", "init", "lr", "multiplier", "eps", "update", "status", "bound by", "largest lr"}};
  bool anyLargest = false;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const ParameterReport report = parameterReport(document, i);
    std::vector<std::string> roles;
    for (size_t s = 0; s < report.roles.size(); ++s) {
      // A trip count is no axis of a layer's own.
      const bool isAxis = report.roles.size() == 1 || !isTripCount(graph, document.analysis.symbols[s].symbol);
      if (report.roles[s] && isAxis) roles.emplace_back(toString(*report.roles[s]));
    }
    // One word where all symbols agree.
    if (std::set<std::string>(roles.begin(), roles.end()).size() == 1) roles.resize(1);
    rows.push_back(
        {graph.parameters[i].name, shapeText(graph, graph.parameters[i].node), joined(roles, ", "),
         report.startsConstant ? "constant " + inText(document, report.initMean) : inText(document, report.initStd),
         report.trains ? inText(document, report.lr) : "", inText(document, report.multiplier),
         report.hasEps ? inText(document, report.eps) : "", report.trains ? inText(document, report.update) : "",
         inWords(toString(report.status)), report.boundBy, report.trains ? inText(document, report.largestLr) : ""});
    anyLargest |= report.trains && report.largestLr != report.lr;
  }
  // Where every learning rate is the largest that is stable there is nothing more to say.
  if (!anyLargest)
    for (auto& row : rows) row.pop_back();
  return graph.parameters.empty() ? "  no parameters\n" : alignedRows(rows);
}

std::string multiplierTable(const Document& document) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < document.graph.freeMultipliers.size(); ++i) {
    std::string why;
    for (const SymbolAnalysis& symbol : document.analysis.symbols) {
      if (symbol.analysed && i < symbol.multipliers.size() && why.empty()) why = symbol.multipliers[i].why;
    }
    rows.push_back({document.graph.freeMultipliers[i].name, inText(document, multiplierGrowths(document, i)), why});
  }
  return rows.empty() ? "" : "multipliers the plan chooses\n" + alignedRows(rows) + "\n";
}

std::vector<std::string> namesOfNotAnalysed(const Document& document) {
  std::vector<std::string> names;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    if (!symbol.analysed) names.push_back(document.graph.symbols[symbol.symbol].name);
  }
  return names;
}

std::string depthText(const Document& document, const SymbolAnalysis& symbol, const DepthVerdict& depth) {
  const std::string& name = document.graph.symbols[symbol.symbol].name;
  std::string text =
      "  " + depth.repeat + " over " + name + ": " + std::string(toString(depth.kind)) + ", " +
      (depth.blockDepth == 1 ? "one matrix in a row" : std::to_string(depth.blockDepth) + " matrices in a row");
  if (depth.kappa) text += ", kappa " + toString(*depth.kappa);
  if (depth.ownMove) text += ", a layer's own update moves its product by " + inText(name, Size::power(*depth.ownMove));
  return text + "\n";
}

std::string verdictText(const Document& document) {
  const Verdict verdict = verdictOf(document);
  const Paint paint{document.color};
  std::string text;
  if (verdict.symbols.empty()) {
    text = "verdict: undetermined, no growing symbol was analysed\n";
  } else {
    std::vector<std::string> words;
    if (verdict.infeasible) words.push_back("infeasible: no plan exists");
    words.push_back(verdict.stableInit ? "stable at init" : "unstable at init");
    words.push_back(verdict.stableTraining ? "stable in training" : "unstable in training");
    if (verdict.nontrivial) words.push_back("nontrivial");
    words.push_back(verdict.faithful ? "faithful" : "not faithful");
    const std::string regime = inWords(toString(verdict.regime));
    words.push_back(regime == "unstable" ? "of no regime" : regime);
    const bool bad = verdict.infeasible || !verdict.stableInit || !verdict.stableTraining;
    text = "verdict in " + joined(verdict.symbols, " and ") + (verdict.symbols.size() > 1 ? ", each alone" : "") +
           ": " + paint(bad ? "1;31" : "1;32", joined(words, ", ")) + "\n";
    for (const SymbolAnalysis& symbol : document.analysis.symbols)
      for (const DepthVerdict& depth : symbol.depth) text += depthText(document, symbol, depth);
    if (!verdict.unbounded.empty()) text += "  grows from step to step: first `" + verdict.unbounded + "`\n";
    if (verdict.largestGlobalLr) {
      text += "  largest learning rate for all parameters alike: " + inText(document, *verdict.largestGlobalLr);
      if (!verdict.largestGlobalLrBoundBy.empty()) text += ", bound by `" + verdict.largestGlobalLrBoundBy + "`";
      text += "\n";
    }
  }
  for (const std::string& name : namesOfNotAnalysed(document)) {
    std::vector<std::string> free;
    for (const FreeMultiplier& multiplier : document.graph.freeMultipliers) {
      for (SymbolId symbol : multiplier.symbols) {
        if (document.graph.symbols[symbol].name == name) free.push_back("`" + multiplier.name + "`");
      }
    }
    text += "  " + name + " grows too, but is not analysed by this version: no size above speaks of it";
    if (!free.empty()) text += ", and auto(" + name + ") is taken as 1 (" + joined(free, ", ") + ")";
    text += "\n";
  }
  return text;
}

std::string assumptionsText(const Document& document) {
  BasisCount total;
  std::map<std::string, std::pair<std::string, size_t>> heuristics;  // rule: what it assumes, how often
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    for (const Step& step : symbol.derivation.steps()) {
      const RuleInfo& rule = allRules()[step.rule];
      if (rule.basis == Basis::theorem) ++total.theorem;
      if (rule.basis == Basis::arithmetic) ++total.arithmetic;
      if (rule.basis != Basis::heuristic) continue;
      ++total.heuristic;
      auto& entry = heuristics[std::string(rule.id)];
      entry.first = std::string(rule.assumes);
      ++entry.second;
    }
  }
  std::string text = "assumptions: alignment " + std::string(toString(document.options.alignment)) + ", criterion " +
                     std::string(toString(document.options.criterion)) + ", loaded " + document.loaded + "\n";
  text += "  " + counted(total.theorem + total.arithmetic + total.heuristic, "step") + ": " +
          std::to_string(total.theorem) + " theorem, " + std::to_string(total.arithmetic) + " arithmetic, " +
          std::to_string(total.heuristic) + " heuristic\n";
  std::set<std::string> claims;  // a function that claims may be called often
  for (const Claim& claim : document.graph.claims) {
    const std::string line =
        "  " + std::string(document.sources.slice(claim.span)) + " (" + document.sources.at(claim.span) + ")\n";
    if (claims.insert(line).second) text += line;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [rule, entry] : heuristics) rows.push_back({rule, std::to_string(entry.second) + "x", entry.first});
  return text + alignedRows(rows, "    ");
}

std::string warningsText(const Document& document) {
  std::string text;
  for (const Warning& warning : allWarnings(document)) {
    Diagnostic diagnostic{.severity = Severity::warning, .code = warning.code, .message = warning.message};
    if (warning.span.end > warning.span.begin) diagnostic.span = warning.span;
    for (const auto& [note, span] : warning.notes) {
      diagnostic.notes.push_back({note, span.end > span.begin ? std::optional(span) : std::nullopt});
    }
    diagnostic.help = warning.mend;
    text += "\n" + render(diagnostic, document.sources, {.color = document.color});
  }
  return text;
}

}  // namespace

std::string analysisText(const Document& document) {
  std::vector<std::string> growing;
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    growing.push_back(document.graph.symbols[symbol.symbol].name + " -> inf");
  }
  const Paint paint{document.color};
  std::string text = paint("1", (document.graph.model.empty() ? std::string(document.sources.name(document.program))
                                                              : document.graph.model)) +
                     ": " + (growing.empty() ? "nothing grows" : joined(growing, ", ")) + "; optimizer " +
                     document.options.optimizer + ", parametrization " + document.options.parametrization +
                     (isGiven(document) ? "" : ", gauge " + std::string(toString(document.gauge))) + "\n\n";
  text += annotatedSource(document) + "\n";
  text += parameterTable(document) + "\n";
  text += multiplierTable(document);
  text += verdictText(document) + "\n";
  text += assumptionsText(document);
  text += warningsText(document);
  return text;
}

}  // namespace tpc
