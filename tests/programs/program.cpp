#include "tests/programs/program.h"

#include "dsl/source/render.h"
#include "tests/catch.h"
#include "tests/programs/twin.h"

namespace tpc::programs {

namespace {

Program analysedAlone(const std::string& text, const std::string& optimizer) {
  Program program;
  const FileId file = program.sources.add("program.tp", text);
  PipelineOptions options;
  options.optimizer = optimizer;
  program.analysed = analyseProgram(program.sources, file, options, program.diagnostics);
  INFO(text << "\n" << render(program.diagnostics, program.sources));
  REQUIRE(program.analysed);
  return program;
}

}  // namespace

Program analysed(const std::string& text, const std::string& optimizer) {
  Program program = analysedAlone(text, optimizer);
  for (uint64_t seed : {1, 2}) {
    const Twin twin = twinOf(text, seed);
    const Program renamed = analysedAlone(twin.text, optimizer);
    INFO(text << "\n---- its twin:\n" << twin.text);
    CHECK(difference(derivedOf(*program.analysed, &twin), derivedOf(*renamed.analysed)) == "");
  }
  return program;
}

const SymbolAnalysis& in(const Program& program, const std::string& symbol) {
  for (const SymbolAnalysis& one : program.analysed->analysis.symbols) {
    if (program.analysed->graph.symbols[one.symbol].name == symbol) return one;
  }
  FAIL("nothing grows under the name " << symbol);
  return program.analysed->analysis.symbols.front();
}

const ParameterSizes& parameterOf(const Program& program, const std::string& name, const std::string& symbol) {
  const auto& parameters = program.analysed->graph.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return in(program, symbol).parameters[i];
  }
  FAIL("no parameter " << name);
  return in(program, symbol).parameters.front();
}

const ValueSizes& valueOf(const Program& program, const std::string& name, const std::string& symbol) {
  const Graph& graph = program.analysed->graph;
  for (NodeId id = graph.forwardEnd; id-- > 0;) {
    if (graph.nodes[id].name != none && graph.names[graph.nodes[id].name] == name)
      return in(program, symbol).values[id];
  }
  FAIL("no value " << name);
  return in(program, symbol).values.front();
}

std::string multiplierOf(const Program& program, const std::string& name, const std::string& symbol) {
  const auto& multipliers = program.analysed->graph.freeMultipliers;
  for (size_t i = 0; i < multipliers.size(); ++i) {
    if (multipliers[i].name == name) return toString(in(program, symbol).multipliers[i].size);
  }
  FAIL("no multiplier " << name);
  return {};
}

std::map<std::string, Row> rowsOf(const Program& program, const std::string& symbol, Gauge gauge) {
  std::map<std::string, Row> rows;
  const auto& parameters = program.analysed->graph.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterSizes& sizes = in(program, symbol).parameters[i];
    const GaugedParameter gauged = inGauge(sizes, gauge);
    rows[parameters[i].name] = {parameters[i].name,          toString(gauged.initStd), toString(gauged.lr),
                                toString(gauged.multiplier), toString(gauged.eps),     toString(gauged.decayTimesLr)};
  }
  return rows;
}

void expectRows(const std::string& text, const Question& question, const std::vector<Row>& rows) {
  const Program program = analysed(text, question.optimizer);
  const std::map<std::string, Row> derived = rowsOf(program, question.symbol, question.gauge);
  for (const Row& row : rows) {
    INFO(text << "\n" << row.parameter << ", " << question.optimizer);
    REQUIRE(derived.count(row.parameter));
    const Row& got = derived.at(row.parameter);
    if (!row.init.empty()) CHECK("init " + got.init == "init " + row.init);
    if (!row.lr.empty()) CHECK("lr " + got.lr == "lr " + row.lr);
    if (!row.multiplier.empty()) CHECK("multiplier " + got.multiplier == "multiplier " + row.multiplier);
    if (!row.eps.empty()) CHECK("eps " + got.eps == "eps " + row.eps);
    if (!row.decay.empty()) CHECK("decay " + got.decay == "decay " + row.decay);
  }
}

}  // namespace tpc::programs
