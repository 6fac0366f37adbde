// Plans as documents: what is written is read back, and nothing else is believed.
#include <nlohmann/json.hpp>

#include "runtime/format/plan.h"
#include "tests/catch.h"

using namespace tpc;
using Json = nlohmann::json;

namespace {

Plan small() {
  Plan plan;
  plan.tpc = "0.1.0", plan.file = "one.tp", plan.model = "one", plan.optimizer = "adamw", plan.parametrization = "auto";
  plan.gauge = "plain";
  plan.growing = {"n", "L"};
  plan.notAnalysed = {"L"};
  plan.lr = 1e-3;
  plan.base.numbers = {{"n", 64}}, plan.target.numbers = {{"n", 256}};
  PlanParameter W;
  W.name = "W";
  W.optimizer = "adamw";
  W.exponents.initStd = {false, {{"n", "-1/2"}}};
  W.exponents.initMean = {true, {}};
  W.exponents.lr = PlanGrowth{false, {{"n", "-1"}}};
  W.base = {
      .shape = {64, 4}, .initStd = 0.125, .initMean = {}, .multiplier = 1, .lr = 1e-3, .eps = {}, .weightDecay = {}};
  W.target = {.shape = {256, 4},
              .initStd = 0.0625,
              .initMean = {},
              .multiplier = 1,
              .lr = 2.5e-4,
              .eps = {},
              .weightDecay = {}};
  plan.parameters = {W};
  plan.multipliers = {{"auto", {false, {{"n", "-1"}}}, 1, 0.25}};
  return plan;
}

std::string refusal(const std::string& text) {
  std::string reason;
  CHECK_FALSE(readPlan(text, reason));
  return reason;
}

// The small plan's document after `change`.
std::string refusalOf(void (*change)(Json&)) {
  Json json = Json::parse(toJson(small()));
  change(json);
  return refusal(json.dump());
}

}  // namespace

TEST_CASE("a plan that is written is read back", "[plan][format]") {
  std::string reason;
  const std::optional<Plan> read = readPlan(toJson(small()), reason);
  REQUIRE(read);
  CHECK(toJson(*read) == toJson(small()));
  CHECK(read->parameters[0].target.lr == 2.5e-4);
  CHECK(read->parameters[0].exponents == small().parameters[0].exponents);
}

TEST_CASE("a document that is no plan is refused with the place", "[plan][format]") {
  CHECK(refusal("") == "this is no JSON");
  CHECK(refusal("[1, 2") == "this is no JSON");
  CHECK(refusal("[]") == "this is no JSON object");
  CHECK(refusal("{}") == "the document has no `schema`");
  CHECK(refusalOf([](Json& json) { json["schema"] = 3; }) == "`schema` of the document is no text");
  CHECK(refusalOf([](Json& json) { json["schema"] = "tpc.plan/2"; }) == "its schema is `tpc.plan/2`, not `tpc.plan/1`");
  CHECK(refusalOf([](Json& json) { json["base"].erase("parameters"); }) == "`base` has no `parameters`");
  CHECK(refusalOf([](Json& json) { json["target"]["parameters"].erase("W"); }) == "`target` has no `W`");
  CHECK(refusalOf([](Json& json) { json["base"]["sizes"]["n"] = -1; }) ==
        "the size `n` of `base` is no whole number from 1 to 2^40");
  CHECK(refusalOf([](Json& json) {
          json["base"]["parameters"]["W"]["shape"] = {64, 0};
        }) == "a length of the parameter `W` is no whole number from 1 to 2^40");
  CHECK(refusalOf([](Json& json) { json["base"]["parameters"]["W"]["shape"] = std::vector<int>(17, 1); }) ==
        "`shape` of the parameter `W` is no list of up to 16 lengths");
  CHECK(refusalOf([](Json& json) { json["target"]["parameters"]["W"]["shape"] = {4}; }) ==
        "the parameter `W` has another number of axes at the target");
  CHECK(refusalOf([](Json& json) { json["target"]["parameters"]["W"]["lr"] = "fast"; }) ==
        "`lr` of the parameter `W` is no number");
  CHECK(refusalOf([](Json& json) { json["target"]["parameters"]["W"]["lr"] = -1; }) ==
        "`lr` of the parameter `W` is negative");
  CHECK(refusalOf([](Json& json) { json["target"]["parameters"]["W"]["init"] = "orthogonal"; }) ==
        "`init` of the parameter `W` is `orthogonal`, which is no way to start");
  CHECK(refusalOf([](Json& json) { json["exponents"]["parameters"]["W"]["lr"] = 3; }) ==
        "the parameter `W` is no size");
  CHECK(refusalOf([](Json& json) { json["file"] = std::string(5000, 'x'); }) ==
        "`file` of the document is longer than 4096 bytes");
}

TEST_CASE("numbers that no double holds are refused", "[plan][format]") {
  std::string text = toJson(small());
  const size_t at = text.find("0.0625");
  text.replace(at, 6, "1e999");
  CHECK_FALSE(refusal(text).empty());
}
