// Each rule has a program of its own, tests/golden/rules/<id>.tp, the smallest in which it decides a size: there a
// reader finds what it is for.  A rule without one, or whose program does not use it, fails here.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "compiler/driver/pipeline.h"
#include "dsl/source/render.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

const std::filesystem::path programs = std::filesystem::path(TPC_SOURCE) / "tests/golden/rules";

// What a rule needs besides its program.
PipelineOptions optionsFor(std::string_view rule) {
  PipelineOptions options;
  if (rule == "matmul.change-unaligned" || rule == "contract.change-unaligned") options.alignment = Alignment::none;
  if (rule == "matmul.change-readout") options.alignment = Alignment::ev;
  if (rule == "update.entry") options.optimizer = "sgd";
  return options;
}

// `<id>.json` beside a program is the parametrization under which it uses the rule.

// The rules of the steps that some size rests on: what `tpc explain` can show of the program.
std::set<std::string_view> rulesBehind(const SymbolAnalysis& symbol) {
  std::vector<bool> seen(symbol.derivation.steps().size(), false);
  std::vector<StepId> pending;
  const auto take = [&](StepId step) {
    if (step == noStep || seen[step]) return;
    seen[step] = true;
    pending.push_back(step);
  };
  for (const ValueSizes& value : symbol.values)
    for (StepId step : {value.initStep, value.updateStep, value.trainedStep, value.spreadStep}) take(step);
  for (const ParameterSizes& parameter : symbol.parameters)
    for (StepId step : {parameter.initStep, parameter.gradientStep, parameter.updateStep, parameter.lrStep}) take(step);
  for (const MultiplierSizes& multiplier : symbol.multipliers) take(multiplier.step);
  std::set<std::string_view> rules;
  while (!pending.empty()) {
    const StepId step = pending.back();
    pending.pop_back();
    rules.insert(allRules()[symbol.derivation.steps()[step].rule].id);
    for (StepId premise : symbol.derivation.premises(step)) take(premise);
  }
  return rules;
}

std::set<std::string_view> allSteps(const SymbolAnalysis& symbol) {
  std::set<std::string_view> rules;
  for (const Step& step : symbol.derivation.steps()) rules.insert(allRules()[step.rule].id);
  return rules;
}

// The rules of the table of facts decide which size rule applies, and no step says that they did.
bool isUnrecorded(const RuleInfo& rule) { return rule.table == "facts"; }

// Steps that are written down, and no size rests on: `tpc explain` does not show them.
const std::map<std::string_view, std::string_view> aside = {
    {"matmul.z-dot-odd", "a part that is zero is no premise of the value"},
    {"sum.narrow", "what is gone is no premise of the value"},
    {"claim.user", "no size rests on a claim: what it is about, products of many layers, is not analysed yet"},
};

struct Read {
  SourceMap sources;
  DiagnosticSink diagnostics;
  std::optional<Analysed> analysed;
};

Read read(const std::filesystem::path& path, const PipelineOptions& options) {
  Read result;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const FileId id = result.sources.add(path.filename().string(), text);
  result.analysed = analyseProgram(result.sources, id, options, result.diagnostics);
  INFO(path << "\n" << render(result.diagnostics, result.sources));
  REQUIRE(result.analysed);
  return result;
}

}  // namespace

TEST_CASE("every rule is used in its own program", "[rules][own-program]") {
  for (const RuleInfo& rule : allRules()) {
    if (isUnrecorded(rule)) continue;
    const std::filesystem::path path = programs / (std::string(rule.id) + ".tp");
    INFO(path);
    REQUIRE(std::filesystem::exists(path));
    PipelineOptions options = optionsFor(rule.id);
    const std::filesystem::path given = std::filesystem::path(path).replace_extension(".json");
    if (std::filesystem::exists(given)) options.parametrization = given.string();
    const Read own = read(path, options);
    std::set<std::string_view> behind, written;
    for (const SymbolAnalysis& symbol : own.analysed->analysis.symbols) {
      behind.merge(rulesBehind(symbol));
      written.merge(allSteps(symbol));
    }
    CHECK(written.count(rule.id));
    CHECK((behind.count(rule.id) > 0) == (aside.count(rule.id) == 0));
  }
}

TEST_CASE("every program of a rule is named after one, and has a transcript", "[rules][own-program]") {
  std::set<std::string> ids;
  for (const RuleInfo& rule : allRules()) ids.insert(std::string(rule.id));
  for (const auto& entry : std::filesystem::directory_iterator(programs)) {
    INFO(entry.path());
    if (entry.path().extension() == ".tp") {
      CHECK(ids.count(entry.path().stem().string()));
      CHECK(std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".transcript")));
    }
  }
}

// For now: when a step records which fact decided, each of these gets a program of its own.
TEST_CASE("no step records a rule of the table of facts", "[rules][own-program]") {
  int programsRead = 0;
  for (const auto& entry : std::filesystem::directory_iterator(programs)) {
    if (entry.path().extension() != ".tp") continue;
    const Read own = read(entry.path(), {});
    ++programsRead;
    for (const SymbolAnalysis& symbol : own.analysed->analysis.symbols)
      for (std::string_view id : allSteps(symbol))
        for (const RuleInfo& rule : allRules())
          if (rule.id == id) CHECK_FALSE(isUnrecorded(rule));
  }
  CHECK(programsRead > 30);
}

// Tags name what a test guards: "[rules][matmul.fresh]" a sentence, with [near-miss] a program that looks alike.
TEST_CASE("every rule has a sentence, and a near miss", "[rules][own-program]") {
  std::string sentences, nearMisses;
  for (const char* name : {"depth_test.cpp", "facts_test.cpp", "sizes_test.cpp", "training_test.cpp"}) {
    std::ifstream file(std::filesystem::path(TPC_SOURCE) / "tests/unit/rules" / name);
    REQUIRE(file);
    for (std::string line; std::getline(file, line);) {
      const size_t tags = line.find("\"[rules]");
      if (tags != std::string::npos)
        (line.find("[near-miss]") == std::string::npos ? sentences : nearMisses) += line.substr(tags);
    }
  }
  // These hold of every program: there is nothing that looks alike.
  const std::set<std::string_view> always = {"trained.operands", "spread.limit", "allowance.through"};
  for (const RuleInfo& rule : allRules()) {
    const std::string tag = "[" + std::string(rule.id) + "]";
    INFO(tag);
    CHECK((sentences + nearMisses).find(tag) != std::string::npos);
    if (!always.count(rule.id)) CHECK(nearMisses.find(tag) != std::string::npos);
  }
}
