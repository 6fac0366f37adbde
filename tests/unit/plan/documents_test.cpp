// What the commands print as JSON, held against the published schemas.
#include <filesystem>
#include <fstream>

#include "compiler/driver/plan_commands.h"
#include "tests/catch.h"
#include "tests/programs/schema.h"

using namespace tpc;
using nlohmann::json;

namespace {

json schemaOf(const std::string& name) {
  std::ifstream file(TPC_SOURCE "/compiler/report/schemas/" + name + ".schema.json");
  return json::parse(file);
}

std::vector<std::string> examples() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TPC_SOURCE "/examples"))
    if (entry.path().extension() == ".tp") paths.push_back(entry.path().string());
  return paths;
}

CommandOptions jsonOf(const std::string& file) {
  CommandOptions options;
  options.file = file;
  options.json = true;
  options.format = "json";
  return options;
}

}  // namespace

TEST_CASE("every plan fits its schema", "[plan][json]") {
  const json schema = schemaOf("plan");
  for (const std::string& file : examples())
    for (const PlanOptions& plan :
         {PlanOptions{}, PlanOptions{.base = {}, .target = {}, .lr = 3e-3, .eps = {}, .weightDecay = 0.1}}) {
      INFO(file);
      const Answer answer = planCommand(jsonOf(file), plan);
      CHECK(answer.exitCode == 0);
      CHECK(schemaViolation(json::parse(answer.document), schema) == "");
    }
}

TEST_CASE("every analysis in a comparison fits its schema", "[plan][json]") {
  const json schema = schemaOf("analysis");
  CommandOptions options = jsonOf(TPC_SOURCE "/examples/gpt.tp");
  options.compare = {"sp", "ntp", "mfp", "auto"};
  const json document = json::parse(analyzeCommand(options).document);
  CHECK(document["schema"] == "tpc.comparison/1");
  REQUIRE(document["analyses"].size() == 4);
  for (const auto& [name, analysis] : document["analyses"].items()) {
    INFO(name);
    CHECK(analysis["parametrization"] == name);
    CHECK(schemaViolation(analysis, schema) == "");
  }
}

TEST_CASE("the schema of plans refuses what was never promised", "[plan][json]") {
  json document = json::parse(planCommand(jsonOf(TPC_SOURCE "/examples/mlp.tp"), {}).document);
  document["target"]["parameters"]["W1"]["init"] = "orthogonal";
  CHECK(schemaViolation(document, schemaOf("plan")) != "");
}
