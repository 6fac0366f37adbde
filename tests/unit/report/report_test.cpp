// What reports promise, on one product of a matrix and a vector that was analysed by hand: no engine decides here.
#include <nlohmann/json.hpp>

#include "compiler/report/document.h"
#include "compiler/report/explain.h"
#include "compiler/report/json.h"
#include "compiler/report/table.h"
#include "compiler/report/text.h"
#include "tests/catch.h"

using namespace tpc;
using Json = nlohmann::ordered_json;

namespace {

// h = x @ W1 with n growing, and L, whose growth nobody analysed.
struct Example {
  SourceMap sources;
  Graph graph;
  Analysis analysis;
  AnalysisOptions options;

  Example() {
    const std::string text = "input x [pixels]\nparam W1 [pixels, n]\nh = x @ W1\n";
    sources.add("one.tp", text);
    const auto span = [&](const char* word) {
      const size_t at = text.find(word);
      return Span{0, uint32_t(at), uint32_t(at + 1)};
    };
    graph.model = "one";
    graph.symbols = {{"n", true, 64}, {"pixels", false, 8}, {"L", true, 4}};
    GraphBuilder builder(graph);
    const Length n = Length::symbol(0), pixels = Length::symbol(1);
    const Length vector[] = {pixels}, matrix[] = {pixels, n}, hidden[] = {n};
    graph.inputs.push_back({.name = "x", .node = 0, .below = {}, .span = span("x [")});
    graph.parameters.push_back(
        {.name = "W1", .node = 1, .init = {}, .file = {}, .optimizer = {}, .span = span("W1 [")});
    builder.append(OpKind::input, {}, vector, {.attribute = 0, .span = span("x [")});
    builder.append(OpKind::parameter, {}, matrix, {.attribute = 0, .span = span("W1 [")});
    graph.contractions.push_back({.a = {0}, .b = {0, 1}, .result = {1}});
    const NodeId operands[] = {0, 1};
    builder.append(OpKind::contract, operands, hidden, {.attribute = 0, .span = span("h =")});
    graph.nodes[0].name = builder.name("x");
    graph.nodes[2].name = builder.name("h");
    graph.forwardEnd = 3;
    graph.gradientOf.assign(3, none);

    SymbolAnalysis inWidth;
    inWidth.symbol = 0;
    const Judgment x = inWidth.derivation.apply(0, Aspect::init, 0, Size::power(0), {});
    const Judgment w = inWidth.derivation.apply(0, Aspect::init, 1, Size::power(0), {});
    const StepId premises[] = {x.step(), w.step()};
    const Judgment h = inWidth.derivation.apply(1, Aspect::init, 2, Size::power(Rational(-1, 2)), premises);
    inWidth.values.resize(3);
    inWidth.values[2].init = h.size(), inWidth.values[2].initStep = h.step();
    ParameterSizes parameter;
    parameter.role = Role::input;
    parameter.initStd = Size::power(0), parameter.initStep = w.step(), parameter.initMean = Size::zero();
    parameter.lr = Size::power(half), parameter.lrStep = h.step();
    inWidth.parameters = {parameter};
    analysis.symbols.push_back(std::move(inWidth));
    SymbolAnalysis inDepth;
    inDepth.symbol = 2, inDepth.analysed = false;
    analysis.symbols.push_back(std::move(inDepth));
  }
  Document document() const { return {.graph = graph, .analysis = analysis, .options = options, .sources = sources}; }
};

}  // namespace

TEST_CASE("a size names its growing symbols in order, one for order one, zero for zero", "[report]") {
  CHECK(inText("n", Size::power(Rational(-1, 2))) == "n^(-1/2)");
  CHECK(inText("n", Size::power(1)) == "n");
  CHECK(inText("n", Size::power(2)) == "n^2");
  CHECK(inText("n", Size::power(-1)) == "n^(-1)");
  CHECK(inText("n", Size::power(0)) == "1");
  CHECK(inText("L", Size::exponential()) == "exp(L)");
  CHECK(inText("n", Size::zero()) == "0");
}

TEST_CASE("the document leaves out what is order one and says what was not analysed", "[report]") {
  const Example example;
  const Json json = Json::parse(analysisJson(example.document(), {.full = true}));
  CHECK(json["schema"] == "tpc.analysis/1");
  CHECK(json["growing"] == Json::array({"n", "L"}));
  CHECK(json["verdict"]["symbols"] == Json::array({"n"}));
  CHECK(json["parameters"]["W1"]["lr"] == Json({{"n", "1/2"}, {"L", "not_analysed"}}));
  CHECK(json["parameters"]["W1"]["init_std"] == Json({{"L", "not_analysed"}}));
  CHECK(json["parameters"]["W1"]["init_mean"] == "zero");
  CHECK(json["parameters"]["W1"]["role"] == Json({{"n", "input"}}));
  CHECK(json["parameters"]["W1"]["shape"] == Json::array({"pixels", "n"}));
  CHECK(json["parameters"]["W1"]["at"] == "one.tp:2:7");
  CHECK(json["values"]["h"]["init"] == Json({{"n", "-1/2"}, {"L", "not_analysed"}}));
  CHECK_FALSE(json["values"]["h"].contains("update"));
  CHECK_FALSE(json["values"].contains("W1"));
  CHECK(json["derivations"].size() == 3);
  CHECK(json["derivations"][2]["premises"] == Json::array({0, 1}));
  CHECK(analysisJson(example.document(), {.full = true}).find("null") == std::string::npos);
}

TEST_CASE("without --full values and derivations are absent", "[report]") {
  const Example example;
  const Json json = Json::parse(analysisJson(example.document(), {}));
  CHECK_FALSE(json.contains("values"));
  CHECK_FALSE(json.contains("derivations"));
}

TEST_CASE("where nothing was analysed the verdict is undetermined", "[report]") {
  Example example;
  example.analysis.symbols.erase(example.analysis.symbols.begin());
  const Json json = Json::parse(analysisJson(example.document(), {}));
  CHECK(json["verdict"]["symbols"] == Json::array());
  CHECK(json["verdict"]["stable_init"] == "undetermined");
  CHECK(json["verdict"]["regime"] == "undetermined");
  CHECK(json["parameters"]["W1"]["status"] == "not_analysed");
}

TEST_CASE("a parametrization's multiplier is printed in the gauge it was given in", "[report]") {
  Example example;
  example.options.given["n"]["W1"].multiplier = Rational(-1, 2);
  const Json json = Json::parse(analysisJson(example.document(), {}));
  CHECK(json["parameters"]["W1"]["multiplier"]["n"] == "-1/2");
  CHECK(json["parameters"]["W1"]["init_std"]["n"] == "1/2");
}

TEST_CASE("the text has the source, the parameters and what was not analysed", "[report]") {
  const Example example;
  const std::string text = analysisText(example.document());
  CHECK(text.find("3 | h = x @ W1  h      n^(-1/2)") != std::string::npos);
  CHECK(text.find("[pixels, n]") != std::string::npos);
  CHECK(text.find("L grows too, but is not analysed") != std::string::npos);
}

TEST_CASE("an explanation is numbered and ends in what was asked for", "[report]") {
  const Example example;
  const auto text = explanation(example.document(), "h");
  REQUIRE(text);
  CHECK(text->find("h : n^(-1/2)  1, 2") != std::string::npos);
  CHECK(text->find("3 steps") != std::string::npos);
  CHECK_FALSE(explanation(example.document(), "nothing"));
}

TEST_CASE("errors make a document of their own", "[report]") {
  Example example;
  DiagnosticSink sink;
  sink.error("TPC0201", "unknown name `q`", Span{0, 0, 1}, "", "declare it");
  const Json json = Json::parse(errorsJson("one.tp", example.sources, sink));
  CHECK(json["errors"][0]["at"] == "one.tp:1:1");
  CHECK(json["errors"][0]["mend"] == "declare it");
  CHECK(json["warnings"].empty());
}

TEST_CASE("columns are as wide as their widest entry, in characters", "[report]") {
  CHECK(alignedRows({{"a", "b"}, {"\xC3\xA9\xC3\xA9", "c"}}, "") == "a   b\n\xC3\xA9\xC3\xA9  c\n");
}
