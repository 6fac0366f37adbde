// Every example's document, whole, held against the published schema; and what must agree inside one.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/report/document.h"
#include "compiler/report/json.h"
#include "tests/catch.h"
#include "tests/programs/program.h"
#include "tests/programs/schema.h"

using namespace tpc;
using nlohmann::json;

namespace {

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json documentOf(const std::string& text, Gauge gauge = Gauge::plain) {
  const programs::Program program = programs::analysed(text, "adamw");
  const Analysed& analysed = *program.analysed;
  return json::parse(analysisJson({.graph = analysed.graph,
                                   .analysis = analysed.analysis,
                                   .options = analysed.options,
                                   .sources = program.sources,
                                   .gauge = gauge},
                                  {.full = true}));
}

std::vector<std::filesystem::path> programFiles() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {TPC_SOURCE "/examples", TPC_SOURCE "/tests/golden/reports"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".tp") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

const json schema = json::parse(textOf(TPC_SOURCE "/compiler/report/schemas/analysis.schema.json"));

}  // namespace

TEST_CASE("every document fits its schema", "[programs][json]") {
  REQUIRE(programFiles().size() >= 4);
  for (const auto& path : programFiles()) {
    for (Gauge gauge : {Gauge::plain, Gauge::readout, Gauge::sgd, Gauge::unit}) {
      INFO(path);
      CHECK(schemaViolation(documentOf(textOf(path), gauge), schema) == "");
    }
  }
}

TEST_CASE("the document of a program with errors fits the schema", "[programs][json]") {
  SourceMap sources;
  DiagnosticSink sink;
  sources.add("one.tp", "h = q\n");
  sink.error("TPC0201", "unknown name `q`", Span{0, 4, 5});
  CHECK(schemaViolation(json::parse(errorsJson("one.tp", sources, sink)), schema) == "");
}

TEST_CASE("the schema refuses what was never promised", "[programs][json]") {
  json document = documentOf(textOf(TPC_SOURCE "/examples/mlp.tp"));
  document["parameters"]["W1"]["lr"]["n"] = "0";  // a growth of 0 is left out
  CHECK(schemaViolation(document, schema) != "");
  document = documentOf(textOf(TPC_SOURCE "/examples/mlp.tp"));
  document.erase("verdict");
  CHECK(schemaViolation(document, schema) == "/ lacks \"verdict\"");
}

TEST_CASE("a parameter's steps are those that its derivation rests on", "[programs][json]") {
  const json document = documentOf(textOf(TPC_SOURCE "/examples/mlp.tp"));
  const json& steps = document["derivations"];
  for (const auto& [name, parameter] : document["parameters"].items()) {
    std::vector<size_t> open = {parameter["derivation"]};
    std::map<size_t, bool> seen;
    std::map<std::string, size_t> count = {{"theorem", 0}, {"arithmetic", 0}, {"heuristic", 0}};
    while (!open.empty()) {
      const size_t id = open.back();
      open.pop_back();
      if (seen[id]) continue;
      seen[id] = true;
      REQUIRE(steps[id]["id"] == id);
      ++count[steps[id]["basis"]];
      for (size_t premise : steps[id]["premises"]) open.push_back(premise);
    }
    INFO(name);
    CHECK(json(count) == parameter["steps"]);
  }
}
