#include "runtime/format/plan.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tpc {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t mostParameters = 1 << 20, mostAxes = 16, longestName = 4096;
constexpr int64_t largestLength = int64_t(1) << 40;

struct InitName {
  PlanInit init;
  const char* name;
};
constexpr InitName initNames[] = {{PlanInit::normal, "normal"},     {PlanInit::uniform, "uniform"},
                                  {PlanInit::constant, "constant"}, {PlanInit::eye, "eye"},
                                  {PlanInit::values, "values"},     {PlanInit::file, "file"}};

// ---- writing ----

Json growthJson(const PlanGrowth& growth) {
  if (growth.zero) return "zero";
  Json json = Json::object();
  for (const auto& [symbol, exponent] : growth.powers) json[symbol] = exponent;
  return json;
}

Json exponentsJson(const PlanExponents& exponents) {
  Json json;
  json["init_std"] = growthJson(exponents.initStd);
  json["init_mean"] = growthJson(exponents.initMean);
  json["multiplier"] = growthJson(exponents.multiplier);
  if (exponents.lr) json["lr"] = growthJson(*exponents.lr);
  if (exponents.eps) json["eps"] = growthJson(*exponents.eps);
  if (exponents.decayPerStep && exponents.decayTimesLr)
    json["weight_decay"] = {{"per_step", growthJson(*exponents.decayPerStep)},
                            {"times_lr", growthJson(*exponents.decayTimesLr)}};
  return json;
}

Json numbersJson(const PlanParameter& parameter, const ParameterNumbers& numbers) {
  Json json;
  json["shape"] = numbers.shape;
  for (const InitName& one : initNames)
    if (one.init == parameter.init) json["init"] = one.name;
  json["init_is"] = parameter.initIsGiven ? "given" : "default";
  if (numbers.initStd) json["init_std"] = *numbers.initStd;
  if (numbers.initMean) json["init_mean"] = *numbers.initMean;
  json["multiplier"] = numbers.multiplier;
  if (!parameter.trains) return json;
  json["optimizer"] = parameter.optimizer;
  if (numbers.lr) json["lr"] = *numbers.lr;
  if (numbers.eps) json["eps"] = *numbers.eps;
  if (numbers.weightDecay) json["weight_decay"] = {{"times_lr", *numbers.weightDecay}};
  return json;
}

Json sideJson(const Plan& plan, bool target) {
  Json json;
  json["sizes"] = Json::object();
  for (const auto& [name, number] : (target ? plan.target : plan.base).numbers) json["sizes"][name] = number;
  json["parameters"] = Json::object();
  for (const PlanParameter& parameter : plan.parameters)
    json["parameters"][parameter.name] = numbersJson(parameter, target ? parameter.target : parameter.base);
  json["multipliers"] = Json::object();
  for (const PlanMultiplier& multiplier : plan.multipliers)
    json["multipliers"][multiplier.name] = target ? multiplier.target : multiplier.base;
  return json;
}

// ---- reading ----

// Thrown and caught in this file alone: reading a document is one long list of reasons to stop.
struct Refused {
  std::string reason;
};

const Json& at(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) throw Refused{where + " has no `" + key + "`"};
  return object[key];
}

std::string textAt(const Json& object, const char* key, const std::string& where) {
  const Json& value = at(object, key, where);
  if (!value.is_string()) throw Refused{"`" + std::string(key) + "` of " + where + " is no text"};
  std::string text = value.get<std::string>();
  if (text.size() > longestName) throw Refused{"`" + std::string(key) + "` of " + where + " is longer than 4096 bytes"};
  return text;
}

std::optional<double> numberAt(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) return std::nullopt;
  if (!object[key].is_number()) throw Refused{"`" + std::string(key) + "` of " + where + " is no number"};
  const double value = object[key].get<double>();
  if (!std::isfinite(value)) throw Refused{"`" + std::string(key) + "` of " + where + " is not finite"};
  return value;
}

PlanGrowth growth(const Json& json, const std::string& where) {
  if (json.is_string() && json.get<std::string>() == "zero") return {true, {}};
  if (!json.is_object() || json.size() > 64) throw Refused{where + " is no size"};
  PlanGrowth result;
  for (const auto& [symbol, exponent] : json.items()) {
    if (!exponent.is_string() || symbol.size() > longestName || exponent.get<std::string>().size() > 64)
      throw Refused{where + " has an exponent that is no text"};
    result.powers.emplace_back(symbol, exponent.get<std::string>());
  }
  return result;
}

PlanExponents exponents(const Json& json, const std::string& where) {
  PlanExponents result;
  result.initStd = growth(at(json, "init_std", where), where);
  result.initMean = growth(at(json, "init_mean", where), where);
  result.multiplier = growth(at(json, "multiplier", where), where);
  if (json.contains("lr")) result.lr = growth(json["lr"], where);
  if (json.contains("eps")) result.eps = growth(json["eps"], where);
  if (json.contains("weight_decay")) {
    result.decayPerStep = growth(at(json["weight_decay"], "per_step", where), where);
    result.decayTimesLr = growth(at(json["weight_decay"], "times_lr", where), where);
  }
  return result;
}

ParameterNumbers numbers(const Json& json, PlanParameter& parameter, const std::string& where) {
  ParameterNumbers result;
  const Json& shape = at(json, "shape", where);
  if (!shape.is_array() || shape.size() > mostAxes)
    throw Refused{"`shape` of " + where + " is no list of up to 16 lengths"};
  for (const Json& length : shape) {
    if (!length.is_number_integer() || length.get<int64_t>() < 1 || length.get<int64_t>() > largestLength)
      throw Refused{"a length of " + where + " is no whole number from 1 to 2^40"};
    result.shape.push_back(length.get<int64_t>());
  }
  const std::string init = textAt(json, "init", where);
  const InitName* known =
      std::find_if(std::begin(initNames), std::end(initNames), [&](const InitName& one) { return init == one.name; });
  if (known == std::end(initNames))
    throw Refused{"`init` of " + where + " is `" + init + "`, which is no way to start"};
  parameter.init = known->init;
  parameter.initIsGiven = textAt(json, "init_is", where) == "given";
  parameter.trains = json.contains("optimizer");
  if (parameter.trains) parameter.optimizer = textAt(json, "optimizer", where);
  result.initStd = numberAt(json, "init_std", where);
  result.initMean = numberAt(json, "init_mean", where);
  result.multiplier = numberAt(json, "multiplier", where).value_or(1);
  result.lr = numberAt(json, "lr", where);
  result.eps = numberAt(json, "eps", where);
  if (json.contains("weight_decay")) result.weightDecay = numberAt(json["weight_decay"], "times_lr", where);
  for (const auto& [key, value] : {std::pair{"init_std", result.initStd}, {"lr", result.lr}, {"eps", result.eps}})
    if (value && *value < 0) throw Refused{"`" + std::string(key) + "` of " + where + " is negative"};
  return result;
}

PlanSizes sizes(const Json& side, const std::string& where) {
  PlanSizes result;
  const Json& json = at(side, "sizes", where);
  if (!json.is_object() || json.size() > mostParameters) throw Refused{"`sizes` of " + where + " is no object"};
  for (const auto& [name, number] : json.items()) {
    if (!number.is_number_integer() || number.get<int64_t>() < 1 || number.get<int64_t>() > largestLength)
      throw Refused{"the size `" + name + "` of " + where + " is no whole number from 1 to 2^40"};
    result.numbers.emplace_back(name, number.get<int64_t>());
  }
  return result;
}

std::vector<std::string> texts(const Json& document, const char* key) {
  std::vector<std::string> result;
  if (!document.contains(key)) return result;
  if (!document[key].is_array() || document[key].size() > mostParameters)
    throw Refused{"`" + std::string(key) + "` is no list"};
  for (const Json& one : document[key])
    if (one.is_string()) result.push_back(one.get<std::string>());
  return result;
}

Plan planOf(const Json& document) {
  const std::string whole = "the document";
  if (!document.is_object()) throw Refused{"this is no JSON object"};
  const std::string schema = textAt(document, "schema", whole);
  if (schema != "tpc.plan/1") throw Refused{"its schema is `" + schema + "`, not `tpc.plan/1`"};
  Plan plan;
  plan.tpc = textAt(document, "tpc", whole);
  plan.file = textAt(document, "file", whole);
  if (document.contains("model")) plan.model = textAt(document, "model", whole);
  plan.optimizer = textAt(document, "optimizer", whole);
  plan.parametrization = textAt(document, "parametrization", whole);
  if (document.contains("gauge")) plan.gauge = textAt(document, "gauge", whole);
  plan.growing = texts(document, "growing");
  plan.notAnalysed = texts(document, "not_analysed");
  plan.lr = numberAt(document, "lr", whole);
  plan.eps = numberAt(document, "eps", whole);
  plan.weightDecay = numberAt(document, "weight_decay", whole);
  const Json &base = at(document, "base", whole), &target = at(document, "target", whole),
             &scaling = at(document, "exponents", whole);
  plan.base = sizes(base, "`base`");
  plan.target = sizes(target, "`target`");
  const Json& parameters = at(scaling, "parameters", "`exponents`");
  if (!parameters.is_object() || parameters.size() > mostParameters) throw Refused{"`parameters` is no object"};
  for (const auto& [name, json] : parameters.items()) {
    if (name.empty() || name.size() > longestName) throw Refused{"a parameter has no name of up to 4096 bytes"};
    PlanParameter parameter;
    parameter.name = name;
    const std::string where = "the parameter `" + name + "`";
    parameter.exponents = exponents(json, where);
    parameter.base = numbers(at(at(base, "parameters", "`base`"), name.c_str(), "`base`"), parameter, where);
    parameter.target = numbers(at(at(target, "parameters", "`target`"), name.c_str(), "`target`"), parameter, where);
    if (parameter.base.shape.size() != parameter.target.shape.size())
      throw Refused{where + " has another number of axes at the target"};
    plan.parameters.push_back(std::move(parameter));
  }
  const Json& multipliers = at(scaling, "multipliers", "`exponents`");
  if (!multipliers.is_object() || multipliers.size() > mostParameters) throw Refused{"`multipliers` is no object"};
  for (const auto& [name, json] : multipliers.items()) {
    const std::string where = "the multiplier `" + name + "`";
    const auto number = [&](const Json& side, const char* which) {
      const auto value = numberAt(at(side, "multipliers", which), name.c_str(), which);
      if (!value) throw Refused{where + " has no number"};
      return *value;
    };
    plan.multipliers.push_back({name, growth(json, where), number(base, "`base`"), number(target, "`target`")});
  }
  return plan;
}

}  // namespace

std::string toJson(const Plan& plan) {
  Json json;
  json["schema"] = "tpc.plan/1";
  json["tpc"] = plan.tpc;
  json["file"] = plan.file;
  if (!plan.model.empty()) json["model"] = plan.model;
  json["optimizer"] = plan.optimizer;
  json["parametrization"] = plan.parametrization;
  if (plan.gauge) json["gauge"] = *plan.gauge;
  json["growing"] = plan.growing;
  if (!plan.notAnalysed.empty()) json["not_analysed"] = plan.notAnalysed;
  if (plan.lr) json["lr"] = *plan.lr;
  if (plan.eps) json["eps"] = *plan.eps;
  if (plan.weightDecay) json["weight_decay"] = *plan.weightDecay;
  json["exponents"]["parameters"] = Json::object();
  for (const PlanParameter& parameter : plan.parameters)
    json["exponents"]["parameters"][parameter.name] = exponentsJson(parameter.exponents);
  json["exponents"]["multipliers"] = Json::object();
  for (const PlanMultiplier& multiplier : plan.multipliers)
    json["exponents"]["multipliers"][multiplier.name] = growthJson(multiplier.exponent);
  json["base"] = sideJson(plan, false);
  json["target"] = sideJson(plan, true);
  json["warnings"] = Json::array();
  for (const PlanWarning& warning : plan.warnings) {
    Json one = {{"code", warning.code}};
    if (!warning.at.empty()) one["at"] = warning.at;
    one["message"] = warning.message;
    if (!warning.mend.empty()) one["mend"] = warning.mend;
    json["warnings"].push_back(one);
  }
  json["errors"] = Json::array();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Plan> readPlan(const std::string& text, std::string& reason) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    reason = "this is no JSON";
    return std::nullopt;
  }
  try {
    return planOf(document);
  } catch (const Refused& refused) {
    reason = refused.reason;
    return std::nullopt;
  }
}

}  // namespace tpc
