#include "compiler/plan/exponents.h"

namespace tpc {

namespace {

GaugedParameter gauged(const Graph& graph, const AnalysisOptions& options, Gauge gauge, const SymbolAnalysis& symbol,
                       const Parameter& parameter, const ParameterSizes& sizes) {
  const auto bySymbol = options.given.find(graph.symbols[symbol.symbol].name);
  if (bySymbol == options.given.end()) return inGauge(sizes, gauge);
  const auto given = bySymbol->second.find(parameter.name);
  const bool names = given != bySymbol->second.end() && given->second.multiplier;
  return withMultiplier(sizes, names ? *given->second.multiplier : Rational(0));
}

int severity(Status status) {
  switch (status) {
    case Status::notAnalysed: return 0;
    case Status::maximal: return 1;
    case Status::lazy: return 2;
    case Status::frozen: return 3;
    case Status::neverTrains: return 4;
    case Status::unstable: return 5;
  }
  return 0;
}

}  // namespace

ParameterExponents exponentsOf(const Graph& graph, const Analysis& analysis, const AnalysisOptions& options,
                               Gauge gauge, size_t parameterIndex) {
  const Parameter& parameter = graph.parameters[parameterIndex];
  ParameterExponents report;
  report.hasGradient = parameter.gradient != none && parameter.ownership == Ownership::trained;
  for (const SymbolAnalysis& symbol : analysis.symbols) {
    if (!symbol.analysed || parameterIndex >= symbol.parameters.size()) {
      for (Growths* growths : {&report.initStd, &report.initMean, &report.multiplier, &report.lr, &report.largestLr,
                               &report.eps, &report.decayPerStep, &report.decayTimesLr, &report.gradientInit,
                               &report.gradientTrained, &report.update}) {
        growths->push_back(Size::notAnalysed());
      }
      report.roles.push_back(std::nullopt);
      continue;
    }
    const ParameterSizes& sizes = symbol.parameters[parameterIndex];
    const GaugedParameter inItsGauge = gauged(graph, options, gauge, symbol, parameter, sizes);
    report.initStd.push_back(inItsGauge.initStd);
    report.initMean.push_back(inItsGauge.initMean);
    report.multiplier.push_back(inItsGauge.multiplier);
    report.lr.push_back(inItsGauge.lr);
    report.largestLr.push_back(inItsGauge.largestLr);
    report.eps.push_back(inItsGauge.eps);
    report.decayPerStep.push_back(Size::power(0));
    report.decayTimesLr.push_back(inItsGauge.decayTimesLr);
    report.gradientInit.push_back(sizes.gradientInit);
    report.gradientTrained.push_back(sizes.gradientTrained);
    report.update.push_back(sizes.update);
    report.roles.push_back(sizes.role);
    report.startsConstant |= sizes.startsConstant;
    report.hasEps |= sizes.hasEps;
    report.hasDecay |= sizes.hasDecay;
    if (severity(sizes.status) > severity(report.status)) report.status = sizes.status;
    if (report.boundBy.empty()) report.boundBy = sizes.boundBy;
  }
  report.trains = parameter.ownership == Ownership::trained && report.status != Status::frozen &&
                  report.status != Status::neverTrains && report.status != Status::notAnalysed;
  if (!report.trains) report.boundBy.clear();
  report.hasEps &= report.trains;
  report.hasDecay &= report.trains;
  return report;
}

Growths multiplierGrowths(const Analysis& analysis, size_t multiplier) {
  Growths growths;
  for (const SymbolAnalysis& symbol : analysis.symbols) {
    const bool known = symbol.analysed && multiplier < symbol.multipliers.size();
    growths.push_back(known ? symbol.multipliers[multiplier].size : Size::notAnalysed());
  }
  return growths;
}

}  // namespace tpc
