#include "compiler/report/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/report/verdict.h"
#include "compiler/report/version.h"

namespace tpc {

namespace {

using Json = nlohmann::ordered_json;  // keys stay in the order in which interface.md lists them

const std::string& symbolName(const Document& document, const SymbolAnalysis& symbol) {
  return document.graph.symbols[symbol.symbol].name;
}

Json sizeJson(const Document& document, const Growths& growths) {
  // Zero is zero whatever grows.
  if (std::any_of(growths.begin(), growths.end(), [](const Size& size) { return size.isZero(); })) return "zero";
  Json object = Json::object();
  for (size_t i = 0; i < growths.size(); ++i) {
    if (growths[i] == Size::power(0)) continue;
    object[symbolName(document, document.analysis.symbols[i])] = toString(growths[i]);
  }
  return object;
}

Json shapeJson(const Graph& graph, NodeId node) {
  Json shape = Json::array();
  for (int axis = 0; axis < graph.rank(node); ++axis)
    shape.push_back(toString(graph.length(node, axis), graph.symbols));
  return shape;
}

// Derivations of several symbols share one numbering: a symbol's steps follow those of the symbols before it.
std::vector<size_t> firstIds(const Analysis& analysis) {
  std::vector<size_t> first;
  size_t next = 0;
  for (const SymbolAnalysis& symbol : analysis.symbols) {
    first.push_back(next);
    next += symbol.derivation.steps().size();
  }
  return first;
}

// `derivation`, and `derivations` by symbol where more than one was analysed.
template <typename StepOf>
void addDerivation(Json& object, const Document& document, const std::vector<size_t>& firstId, StepOf stepOf) {
  Json bySymbol = Json::object();
  for (size_t i = 0; i < document.analysis.symbols.size(); ++i) {
    const SymbolAnalysis& symbol = document.analysis.symbols[i];
    if (!symbol.analysed) continue;
    const StepId step = stepOf(symbol);
    if (step != noStep) bySymbol[symbolName(document, symbol)] = firstId[i] + step;
  }
  if (bySymbol.empty()) return;
  object["derivation"] = bySymbol.front();
  if (bySymbol.size() > 1) object["derivations"] = bySymbol;
}

Json depthJson(const DepthVerdict& depth) {
  Json json;
  json["class"] = toString(depth.kind);
  if (depth.criterion != Criterion::automatic) json["criterion"] = toString(depth.criterion);
  json["block_depth"] = depth.blockDepth;
  if (depth.kappa) json["kappa"] = toString(*depth.kappa);
  if (depth.ownMove) json["own_update"] = toString(*depth.ownMove);
  if (depth.ownMove && depth.blockDepth > 1) json["second_over_first_order"] = toString(*depth.ownMove);
  if (depth.rate) json["rate"] = toString(*depth.rate);
  return json;
}

Json verdictJson(const Document& document) {
  const Verdict verdict = verdictOf(document);
  Json json;
  json["symbols"] = verdict.symbols;
  const auto put = [&](const char* key, bool value) {
    if (verdict.symbols.empty()) {
      json[key] = "undetermined";
    } else {
      json[key] = value;
    }
  };
  put("stable_init", verdict.stableInit);
  put("stable_training", verdict.stableTraining);
  put("nontrivial", verdict.nontrivial);
  put("faithful", verdict.faithful);
  json["regime"] = toString(verdict.regime);
  if (verdict.infeasible) json["infeasible"] = true;
  if (!verdict.unbounded.empty()) json["unbounded"] = verdict.unbounded;
  for (const SymbolAnalysis& symbol : document.analysis.symbols)
    for (const DepthVerdict& depth : symbol.depth) json["depth"][depth.repeat] = depthJson(depth);
  if (verdict.largestGlobalLr) json["largest_global_lr"] = sizeJson(document, *verdict.largestGlobalLr);
  return json;
}

// Per parameter: the steps behind it, over all symbols.
std::vector<BasisCount> stepsBehindParameters(const Document& document) {
  std::vector<BasisCount> counts(document.graph.parameters.size());
  for (const SymbolAnalysis& symbol : document.analysis.symbols) {
    if (!symbol.analysed) continue;
    std::vector<StepId> roots;
    for (const ParameterSizes& parameter : symbol.parameters) roots.push_back(rootOf(parameter));
    const std::vector<BasisCount> more = countBasesBehind(symbol.derivation, roots);
    for (size_t i = 0; i < more.size() && i < counts.size(); ++i) {
      counts[i].theorem += more[i].theorem;
      counts[i].arithmetic += more[i].arithmetic;
      counts[i].heuristic += more[i].heuristic;
    }
  }
  return counts;
}

// A member behind the others, without a search for an older one: the caller's names are distinct.
void append(Json& object, const std::string& name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(name, std::move(value));
}

Json parameterJson(const Document& document, size_t index, const BasisCount& count,
                   const std::vector<size_t>& firstId) {
  const Parameter& parameter = document.graph.parameters[index];
  const ParameterReport report = parameterReport(document, index);
  Json json;
  json["shape"] = shapeJson(document.graph, parameter.node);
  json["at"] = document.sources.at(parameter.span);
  Json roles = Json::object();
  for (size_t i = 0; i < report.roles.size(); ++i) {
    if (report.roles[i]) roles[symbolName(document, document.analysis.symbols[i])] = toString(*report.roles[i]);
  }
  json["role"] = roles;
  json["init_std"] = report.startsConstant ? Json("zero") : sizeJson(document, report.initStd);
  json["init_mean"] = sizeJson(document, report.initMean);
  json["multiplier"] = sizeJson(document, report.multiplier);
  if (report.trains) json["lr"] = sizeJson(document, report.lr);
  if (report.trains && report.largestLr != report.lr) json["largest_lr"] = sizeJson(document, report.largestLr);
  if (report.hasEps) json["eps"] = sizeJson(document, report.eps);
  if (report.hasDecay) {
    json["weight_decay"] = {{"per_step", sizeJson(document, report.decayPerStep)},
                            {"times_lr", sizeJson(document, report.decayTimesLr)}};
  }
  if (report.hasGradient) {
    json["gradient"] = {{"init", sizeJson(document, report.gradientInit)},
                        {"trained", sizeJson(document, report.gradientTrained)}};
  }
  if (report.trains) json["update"] = sizeJson(document, report.update);
  json["status"] = toString(report.status);
  if (!report.boundBy.empty()) json["bound_by"] = report.boundBy;

  if (count.theorem + count.arithmetic + count.heuristic > 0) {
    json["basis"] = toString(count.heuristic    ? Basis::heuristic
                             : count.arithmetic ? Basis::arithmetic
                                                : Basis::theorem);
    json["steps"] = {{"theorem", count.theorem}, {"arithmetic", count.arithmetic}, {"heuristic", count.heuristic}};
  }
  addDerivation(json, document, firstId, [&](const SymbolAnalysis& symbol) {
    return index < symbol.parameters.size() ? rootOf(symbol.parameters[index]) : noStep;
  });
  return json;
}

Json valueJson(const Document& document, NodeId node, const std::vector<size_t>& firstId) {
  Json json;
  json["shape"] = shapeJson(document.graph, node);
  json["at"] = document.sources.at(document.graph.nodes[node].span);
  const auto put = [&](Json& into, const char* key, ValueAspect aspect) {
    if (const auto sizes = sizesOf(document, node, aspect)) into[key] = sizeJson(document, *sizes);
  };
  put(json, "init", ValueAspect::init);
  put(json, "update", ValueAspect::update);
  put(json, "trained", ValueAspect::trained);
  put(json, "spread", ValueAspect::spread);
  Json gradient;
  put(gradient, "init", ValueAspect::gradientInit);
  put(gradient, "trained", ValueAspect::gradientTrained);
  if (!gradient.empty()) json["gradient"] = gradient;
  addDerivation(json, document, firstId, [&](const SymbolAnalysis& symbol) {
    if (node >= symbol.values.size()) return noStep;
    const ValueSizes& value = symbol.values[node];
    return value.trainedStep != noStep ? value.trainedStep : value.initStep;
  });
  return json;
}

Json derivationsJson(const Document& document, const std::vector<size_t>& firstId) {
  Json list = Json::array();
  const std::vector<std::string> subjects = subjectNames(document);
  for (size_t i = 0; i < document.analysis.symbols.size(); ++i) {
    const SymbolAnalysis& symbol = document.analysis.symbols[i];
    const std::string& name = symbolName(document, symbol);
    const auto& steps = symbol.derivation.steps();
    for (StepId id = 0; id < steps.size(); ++id) {
      const Step& step = steps[id];
      const RuleInfo& rule = allRules()[step.rule];
      Json premises = Json::array();
      for (StepId premise : symbol.derivation.premises(id)) premises.push_back(firstId[i] + premise);
      Json json;
      json["id"] = firstId[i] + id;
      json["rule"] = rule.id;
      json["basis"] = toString(rule.basis);
      if (!rule.cite.empty()) json["source"] = rule.cite;
      json["says"] = stepInWords(subjects, step, name);
      if (!rule.assumes.empty()) json["assumes"] = rule.assumes;
      json["premises"] = premises;
      list.push_back(std::move(json));
    }
  }
  return list;
}

Json warningJson(const Document& document, const Warning& warning) {
  Json json;
  json["code"] = warning.code;
  if (warning.span.end > warning.span.begin) json["at"] = document.sources.at(warning.span);
  json["message"] = warning.message;
  if (!warning.mend.empty()) json["mend"] = warning.mend;
  return json;
}

Json diagnosticJson(const Diagnostic& diagnostic, const SourceMap& sources) {
  Json json;
  json["code"] = diagnostic.code;
  if (diagnostic.span) json["at"] = sources.at(*diagnostic.span);
  json["message"] = diagnostic.message;
  if (!diagnostic.help.empty()) json["mend"] = diagnostic.help;
  return json;
}

// Text from a file may be no UTF-8; the document always is.
std::string written(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string analysisJson(const Document& document, const JsonOptions& options) {
  const std::vector<size_t> firstId = firstIds(document.analysis);
  const Graph& graph = document.graph;
  Json json;
  json["schema"] = "tpc.analysis/1";
  json["tpc"] = version;
  json["file"] = std::string(document.sources.name(document.program));
  if (!graph.model.empty()) json["model"] = graph.model;
  json["optimizer"] = document.options.optimizer;
  json["parametrization"] = document.options.parametrization;
  if (!isGiven(document)) json["gauge"] = toString(document.gauge);
  json["assumptions"] = {{"alignment", toString(document.options.alignment)},
                         {"criterion", toString(document.options.criterion)},
                         {"loaded", document.loaded}};
  for (const Claim& claim : graph.claims)
    json["assumptions"]["claims"].push_back({{"claim", claim.name}, {"at", document.sources.at(claim.span)}});
  json["growing"] = Json::array();
  for (const SymbolAnalysis& symbol : document.analysis.symbols)
    json["growing"].push_back(symbolName(document, symbol));
  json["verdict"] = verdictJson(document);
  json["parameters"] = Json::object();
  const std::vector<BasisCount> behind = stepsBehindParameters(document);
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    append(json["parameters"], graph.parameters[i].name, parameterJson(document, i, behind[i], firstId));
  }
  json["multipliers"] = Json::object();
  for (size_t i = 0; i < graph.freeMultipliers.size(); ++i) {
    json["multipliers"][graph.freeMultipliers[i].name] = sizeJson(document, multiplierGrowths(document, i));
  }
  if (options.full) {
    json["values"] = Json::object();
    for (const NamedValue& value : namedValues(document)) {
      append(json["values"], value.name, valueJson(document, value.node, firstId));
    }
    json["derivations"] = derivationsJson(document, firstId);
  }
  json["warnings"] = Json::array();
  for (const Warning& warning : allWarnings(document)) json["warnings"].push_back(warningJson(document, warning));
  json["errors"] = Json::array();
  return written(json);
}

std::string errorsJson(const std::string& file, const SourceMap& sources, const DiagnosticSink& diagnostics) {
  Json json;
  json["schema"] = "tpc.analysis/1";
  json["tpc"] = version;
  json["file"] = file;
  json["warnings"] = Json::array();
  json["errors"] = Json::array();
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    json[diagnostic.severity == Severity::error ? "errors" : "warnings"].push_back(diagnosticJson(diagnostic, sources));
  }
  return written(json);
}

}  // namespace tpc
