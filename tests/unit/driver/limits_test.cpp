// The derivation of a program ends where its steps are used up, wherever that is.
#include <fstream>
#include <iterator>

#include "compiler/driver/pipeline.h"
#include "tests/catch.h"

using namespace tpc;

TEST_CASE("an analysis ends where its steps are used up", "[driver][limits]") {
  for (const char* name : {"gpt", "resmlp", "tied"}) {
    std::ifstream file(std::string(TPC_SOURCE_DIR) + "/examples/" + name + ".tp");
    SourceMap sources;
    DiagnosticSink sink;
    const FileId id = sources.add(name, std::string(std::istreambuf_iterator<char>(file), {}));
    const std::optional<Analysed> whole = analyseProgram(sources, id, {}, sink);
    REQUIRE(whole);
    size_t steps = 0;
    for (const SymbolAnalysis& symbol : whole->analysis.symbols) steps += symbol.derivation.steps().size();
    REQUIRE(steps > 100);

    AnalysisOptions options = whole->options;
    for (size_t most = 0; most < steps / 2; most += steps / 40) {
      options.mostSteps = most;
      INFO(name << " with " << most << " of " << steps << " steps");
      CHECK(analyse(whole->graph, whole->optimizers, options).tooLarge);
    }
    options.mostSteps = steps;
    CHECK_FALSE(analyse(whole->graph, whole->optimizers, options).tooLarge);
  }
}
