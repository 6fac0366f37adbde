// Random programs: what must hold of any, and moves that their exponents must not notice.
//
// TPC_RANDOM_PROGRAMS says how many (./dev fuzz: ten thousand), TPC_RANDOM_SEED which comes first.
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "compiler/driver/pipeline.h"
#include "compiler/report/document.h"
#include "compiler/report/json.h"
#include "dsl/source/render.h"
#include "tests/catch.h"
#include "tests/random/generate.h"
#include "tests/random/moves.h"
#include "tests/random/numbers.h"
#include "tests/random/shrink.h"

using namespace tpc;
using namespace tpc::tests;

namespace {

uint64_t fromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

std::optional<Analysed> analysedQuietly(const std::string& text, const std::string& optimizer,
                                        std::string* errors = nullptr) {
  SourceMap sources;
  DiagnosticSink sink;
  PipelineOptions options;
  options.optimizer = optimizer;
  std::optional<Analysed> analysed = analyseProgram(sources, sources.add("random.tp", text), options, sink);
  if (!analysed && errors) *errors = render(sink, sources);
  return analysed;
}

Generated programOf(uint64_t seed) { return randomProgram(seed, seed % 3 == 0 ? Manner::wild : Manner::tame); }

struct Seeds {
  uint64_t first = fromEnvironment("TPC_RANDOM_SEED", 1), count = fromEnvironment("TPC_RANDOM_PROGRAMS", 500);
  uint64_t end() const { return first + count; }
};

// A program that somebody could mean: its loss compares something made of inputs with targets.
bool isMeant(const std::string& text, const std::string& optimizer) {
  const std::optional<Analysed> analysed = analysedQuietly(text, optimizer);
  if (!analysed) return false;
  const Graph& graph = analysed->graph;
  std::vector<bool> reaches(graph.forwardEnd);
  bool input = false, target = false;
  if (graph.loss < graph.forwardEnd) reaches[graph.loss] = true;
  for (NodeId id = graph.forwardEnd; id-- > 0;) {
    if (!reaches[id]) continue;
    for (NodeId operand : graph.operands(id)) reaches[operand] = true;
    if (graph.nodes[id].kind == OpKind::repeat)
      for (NodeId yield : graph.repeats[graph.nodes[id].attribute].yields) reaches[yield] = true;
    if (graph.nodes[id].kind != OpKind::input) continue;
    (graph.inputs[graph.nodes[id].attribute].target ? target : input) = true;
  }
  return input && target;
}

// How a move went wrong with a program; empty where it did not, or where there is nothing to move.
std::string failure(const Move& move, const std::string& text, const std::string& optimizer, uint64_t seed,
                    std::set<std::string>* kinds = nullptr, bool* moves = nullptr) {
  const std::optional<Analysed> analysed = analysedQuietly(text, optimizer);
  if (!analysed) return "";
  const std::optional<Moved> moved = move.make(text, *analysed, seed);
  if (!moved) return "";
  if (moves) *moves = true;
  std::string errors;
  const std::optional<Analysed> before =
      moved->before == text ? analysed : analysedQuietly(moved->before, optimizer, &errors);
  const std::optional<Analysed> after = analysedQuietly(moved->after, optimizer, &errors);
  if (!before || !after) return "---- after the move:\n" + moved->after + errors;
  std::string violation = violationOf(*moved, *before, *after, kinds);
  return violation.empty() ? "" : "---- before:\n" + moved->before + "---- after:\n" + moved->after + violation;
}

std::string smallest(const Move& move, const Generated& program, uint64_t seed) {
  std::set<std::string> wrong;
  failure(move, program.text, program.optimizer, seed, &wrong);
  const auto fails = [&](const std::string& text) {
    if (!isMeant(text, program.optimizer)) return false;
    for (uint64_t other = seed; other < seed + 3; ++other) {
      std::set<std::string> kinds;
      if (failure(move, text, program.optimizer, other, &kinds).empty()) continue;
      if (std::includes(wrong.begin(), wrong.end(), kinds.begin(), kinds.end())) return true;
    }
    return false;
  };
  const std::string text = shrunk(program.text, fails);
  for (uint64_t other = seed; other < seed + 3; ++other)
    if (std::string found = failure(move, text, program.optimizer, other); !found.empty()) return found;
  return failure(move, program.text, program.optimizer, seed);
}

}  // namespace

TEST_CASE("random programs are right, and most of them can be trained", "[random]") {
  int runs = 0, learning = 0, undetermined = 0;
  for (uint64_t seed = Seeds().first; seed < Seeds().end(); ++seed) {
    const Generated program = programOf(seed);
    std::string errors;
    const std::optional<Analysed> analysed = analysedQuietly(program.text, program.optimizer, &errors);
    INFO("seed " << seed << "\n" << program.text << errors);
    REQUIRE(analysed);
    for (const SymbolAnalysis& symbol : analysed->analysis.symbols) {
      ++runs;
      learning += symbol.verdict.regime == Regime::featureLearning;
      undetermined += symbol.verdict.regime == Regime::undetermined;
    }
  }
  CHECK(learning > runs * 8 / 10);
  CHECK(undetermined < runs / 10);
}

bool isWarned(const SymbolAnalysis& symbol, const char* code) {
  return std::any_of(symbol.warnings.begin(), symbol.warnings.end(),
                     [&](const Warning& warning) { return warning.code == code; });
}

// What must hold of a plan that was solved: stable, not trivial, every parameter maximal; or a reason stands there.
// A size that the program fixes itself may leave no such plan.
std::string complaint(const Analysed& analysed) {
  std::string text;
  for (const Parameter& parameter : analysed.graph.parameters)
    if (parameter.init.fixed || !parameter.init.number.powers.empty()) return "";
  for (const SymbolAnalysis& symbol : analysed.analysis.symbols) {
    const std::string in = analysed.graph.symbols[symbol.symbol].name + ": ";
    const SymbolVerdict& verdict = symbol.verdict;
    const auto warned = [&](const char* code) { return isWarned(symbol, code); };
    const bool trains = std::any_of(symbol.parameters.begin(), symbol.parameters.end(),
                                    [](const ParameterSizes& sizes) { return sizes.status != Status::frozen; });
    const bool saddle = std::any_of(symbol.parameters.begin(), symbol.parameters.end(),
                                    [](const ParameterSizes& sizes) { return sizes.status == Status::neverTrains; });
    if (verdict.regime == Regime::undetermined || !trains) continue;
    if (!verdict.stableInit) text += in + "unstable at init\n";
    if (!verdict.stableTraining && !warned("TPC0308")) text += in + "unstable in training\n";
    // Under gradient descent no learning rate may serve the first gradient and those that follow: TPC0308 says so.
    if (!verdict.nontrivial && !verdict.infeasible && !saddle && !warned("TPC0308")) text += in + "trivial\n";
    for (size_t i = 0; i < symbol.parameters.size(); ++i) {
      const ParameterSizes& sizes = symbol.parameters[i];
      const std::string of =
          in + analysed.graph.parameters[i].name + " is " + std::string(toString(sizes.status)) + "\n";
      if (sizes.status == Status::unstable && !warned("TPC0308")) text += of;
      if (sizes.status == Status::lazy && !warned("TPC0301") && !warned("TPC0308") && !verdict.infeasible) text += of;
    }
  }
  return text;
}

TEST_CASE("every solved plan is stable and learns, or says why not", "[random][plans]") {
  std::map<std::string, int> failed;
  for (uint64_t seed = Seeds().first; seed < Seeds().end(); ++seed) {
    const Generated program = programOf(seed);
    const auto fails = [&](const std::string& text) {
      const std::optional<Analysed> analysed = analysedQuietly(text, program.optimizer);
      return analysed ? complaint(*analysed) : std::string();
    };
    const std::string found = fails(program.text);
    if (found.empty()) continue;
    const std::string kind = found.substr(3, found.find('\n') - 3);
    if (failed[kind.substr(kind.find(' ') + 1)]++ >= int(fromEnvironment("TPC_RANDOM_SHOWN", 2))) continue;
    const std::string text = shrunk(program.text, [&](const std::string& smaller) {
      if (!isMeant(smaller, program.optimizer)) return false;
      const std::string now = fails(smaller);
      return !now.empty() && now.substr(3, now.find('\n') - 3) == kind;
    });
    FAIL_CHECK("seed " << seed << ", " << program.optimizer << "\n" << text << fails(text));
  }
}

// The plan as a document, given back.
std::string judgedAsGiven(const std::string& text, const std::string& optimizer) {
  SourceMap sources;
  DiagnosticSink sink;
  PipelineOptions options;
  options.optimizer = optimizer;
  const FileId file = sources.add("random.tp", text);
  const std::optional<Analysed> solved = analyseProgram(sources, file, options, sink);
  if (!solved) return "";
  for (const SymbolAnalysis& symbol : solved->analysis.symbols)
    if (symbol.verdict.regime == Regime::undetermined || symbol.verdict.infeasible ||
        (symbol.verdict.regime == Regime::unstable && !isWarned(symbol, "TPC0308")))
      return "";
  // An update like the root of the gradient comes nearer to its size by half of what is missing, step after step.
  for (const ParameterSizes& sizes : solved->analysis.symbols[0].parameters)
    if (sizes.homogeneity != Rational(0) && sizes.homogeneity != Rational(1)) return "";
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tpc_random_" + std::to_string(getpid()) + ".json")).string();
  std::ofstream(path) << analysisJson({.graph = solved->graph,
                                       .analysis = solved->analysis,
                                       .options = solved->options,
                                       .sources = sources,
                                       .program = file},
                                      {});
  options.parametrization = path;
  const std::optional<Analysed> given = analyseProgram(sources, file, options, sink);
  std::filesystem::remove(path);
  if (!given) return "the plan is not taken back: " + render(sink, sources);
  programs::DerivedByName a = programs::derivedOf(*solved), b = programs::derivedOf(*given);
  for (auto* each : {&a, &b})
    for (auto& [key, derived] : *each) {
      derived.sizes.erase("largest lr");
      if (derived.words.find("frozen") != std::string::npos) derived.sizes.erase("lr");
      // Beside frozen matrices that are read twice a given plan has other targets, and `lazy` may stand for `maximal`.
      if (text.find("frozen") != std::string::npos)
        if (const size_t at = derived.words.find(" lazy"); at != std::string::npos)
          derived.words.replace(at, 5, " maximal");
      // That a program has no plan is no judgment of the one that was given.
      if (const size_t at = derived.words.find(", infeasible"); at != std::string::npos) derived.words.erase(at, 12);
    }
  return programs::difference(a, b);
}

TEST_CASE("a solved plan that is given back is judged as it was solved", "[random][plans]") {
  int failed = 0;
  for (uint64_t seed = Seeds().first; seed < Seeds().end(); ++seed) {
    const Generated program = programOf(seed);
    if (judgedAsGiven(program.text, program.optimizer).empty() ||
        failed++ >= int(fromEnvironment("TPC_RANDOM_SHOWN", 2)))
      continue;
    const std::string text = shrunk(program.text, [&](const std::string& smaller) {
      return isMeant(smaller, program.optimizer) && !judgedAsGiven(smaller, program.optimizer).empty();
    });
    FAIL_CHECK("seed " << seed << ", " << program.optimizer << "\n" << text << judgedAsGiven(text, program.optimizer));
  }
  INFO(failed << " of " << Seeds().count);
  CHECK(failed == 0);
}

TEST_CASE("moves change what they must and nothing else", "[random][moves]") {
  constexpr int movesPerProgram = 6;
  std::map<std::string, int> made, failed;
  for (uint64_t seed = Seeds().first; seed < Seeds().end(); ++seed) {
    const Generated program = programOf(seed);
    std::vector<const Move*> chosen;
    for (const Move& move : allMoves()) chosen.push_back(&move);
    Numbers(seed).shuffle(chosen);
    chosen.resize(movesPerProgram);
    for (const Move* move : chosen) {
      bool moves = false;
      const std::string found = failure(*move, program.text, program.optimizer, seed, nullptr, &moves);
      made[move->name] += moves;
      if (found.empty() || failed[move->name]++ >= int(fromEnvironment("TPC_RANDOM_SHOWN", 2))) continue;
      FAIL_CHECK(move->name << ", seed " << seed << ", " << program.optimizer << "\n"
                            << smallest(*move, program, seed));
    }
  }
  // A move that finds nothing to move shows nothing.
  for (const Move& move : allMoves()) {
    INFO(move.name);
    CHECK(made[move.name] >= int(Seeds().count / 200));
  }
}
