#include "compiler/report/compare.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/report/json.h"
#include "compiler/report/table.h"
#include "compiler/report/verdict.h"
#include "compiler/report/version.h"

namespace tpc {

namespace {

using Row = std::vector<std::string>;

// The columns of one parametrization; a multiplier is a column where some parameter has one.
std::vector<Row> columnsOf(const Document& document) {
  std::vector<Row> columns = {
      {document.options.parametrization, "init"}, {"", "multiplier"}, {"", "lr"}, {"", "status"}};
  bool multiplies = false;
  for (size_t i = 0; i < document.graph.parameters.size(); ++i) {
    const ParameterReport report = parameterReport(document, i);
    const std::string multiplier = inText(document, report.multiplier);
    multiplies |= multiplier != "1";
    columns[0].push_back(report.startsConstant ? "constant " + inText(document, report.initMean)
                                               : inText(document, report.initStd));
    columns[1].push_back(multiplier);
    columns[2].push_back(report.trains ? inText(document, report.lr) : "");
    std::string status(toString(report.status));
    std::replace(status.begin(), status.end(), '_', ' ');
    columns[3].push_back(status);
  }
  for (size_t i = 0; i < document.graph.freeMultipliers.size(); ++i) {
    columns[0].push_back("");
    columns[1].push_back(inText(document, multiplierGrowths(document, i)));
    multiplies = true;
    columns[2].push_back("");
    columns[3].push_back("");
  }
  if (!multiplies) columns.erase(columns.begin() + 1);
  columns.back().back() += "  ";  // a gap between parametrizations
  return columns;
}

std::string parameterTable(const std::vector<Document>& documents) {
  const Graph& graph = documents.front().graph;
  std::vector<Row> rows = {{""}, {"parameter"}};
  for (const Parameter& parameter : graph.parameters) rows.push_back({parameter.name});
  for (const FreeMultiplier& multiplier : graph.freeMultipliers) rows.push_back({multiplier.name});
  for (const Document& document : documents) {
    for (const Row& column : columnsOf(document))
      for (size_t row = 0; row < rows.size(); ++row) rows[row].push_back(column[row]);
  }
  return alignedRows(rows);
}

std::string verdictTable(const std::vector<Document>& documents) {
  std::vector<Row> rows = {{"verdict"}, {"stable at init"},     {"stable in training"}, {"nontrivial"}, {"faithful"},
                           {"regime"},  {"largest lr for all"}, {"bound by"},           {"what grows"}};
  bool anyGrows = false;
  for (const Document& document : documents) {
    const Verdict verdict = verdictOf(document);
    const auto put = [&](size_t row, const std::string& text) { rows[row].push_back(text); };
    const auto word = [&](bool value) {
      return verdict.regime == Regime::undetermined ? "undetermined" : value ? "yes" : "no";
    };
    put(0, document.options.parametrization);
    put(1, word(verdict.stableInit));
    put(2, word(verdict.stableTraining));
    put(3, word(verdict.nontrivial));
    put(4, word(verdict.faithful));
    std::string regime = verdict.infeasible ? "infeasible" : std::string(toString(verdict.regime));
    std::replace(regime.begin(), regime.end(), '_', ' ');
    put(5, regime);
    put(6, verdict.largestGlobalLr ? inText(document, *verdict.largestGlobalLr) : "");
    put(7, verdict.largestGlobalLr ? verdict.largestGlobalLrBoundBy : "");
    put(8, verdict.unbounded);
    anyGrows |= !verdict.unbounded.empty();
  }
  if (!anyGrows) rows.pop_back();
  return alignedRows(rows);
}

}  // namespace

std::string comparisonText(const std::vector<Document>& documents) {
  const Document& first = documents.front();
  std::string text = (first.graph.model.empty() ? std::string(first.sources.name(first.program)) : first.graph.model) +
                     ": " + counted(documents.size(), "parametrization") + ", optimizer " + first.options.optimizer +
                     "\n\n" + parameterTable(documents) + "\n" + verdictTable(documents);
  for (const Document& document : documents) {
    for (const Warning& warning : allWarnings(document)) {
      text += "\n" + document.options.parametrization + ": warning[" + warning.code + "]: " + warning.message + "\n";
      if (!warning.mend.empty()) text += "    help: " + warning.mend + "\n";
    }
  }
  return text;
}

std::string comparisonJson(const std::vector<Document>& documents) {
  nlohmann::ordered_json json;
  json["schema"] = "tpc.comparison/1";
  json["tpc"] = version;
  json["file"] = std::string(documents.front().sources.name(documents.front().program));
  json["analyses"] = nlohmann::ordered_json::object();
  for (const Document& document : documents)
    json["analyses"][document.options.parametrization] = nlohmann::ordered_json::parse(analysisJson(document, {}));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tpc
