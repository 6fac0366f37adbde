#include "compiler/driver/parametrization.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "dsl/source/suggest.h"

namespace tpc {
namespace {

using Json = nlohmann::json;

// What a document tells of a parameter without giving it.
constexpr std::string_view toldOfParameters[] = {"shape",      "at",         "role",       "weight_decay", "gradient",
                                                 "update",     "basis",      "steps",      "status",       "bound_by",
                                                 "largest_lr", "derivation", "derivations"};

std::optional<Rational> readRational(std::string_view text) {
  const auto whole = [](std::string_view digits) -> std::optional<int64_t> {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  constexpr int64_t most = 1 << 20;  // an exponent far beyond any that arithmetic could overflow with
  const size_t slash = text.find('/');
  const auto num = whole(text.substr(0, slash));
  const auto den = slash == std::string_view::npos ? std::optional<int64_t>(1) : whole(text.substr(slash + 1));
  if (!num || !den || *den < 1 || *den > most || *num > most || *num < -most) return std::nullopt;
  return Rational(*num, *den);
}

struct Reader {
  const std::string& path;
  Graph& graph;
  AnalysisOptions& options;
  DiagnosticSink& diagnostics;
  bool good = true;

  void refuse(const std::string& message, const std::string& help = "") {
    diagnostics.error("TPC0405", path + ": " + message, std::nullopt, {}, help);
    good = false;
  }

  std::vector<std::string> growingNames() const {
    std::vector<std::string> names;
    for (const Symbol& symbol : graph.symbols)
      if (symbol.grows) names.push_back(symbol.name);
    return names;
  }

  // One exponent per growing symbol, or zero.  `what` says whose it is.
  struct Growth {
    bool zero = false;
    std::map<std::string, Rational> exponents;
    std::set<std::string> open;  // not analysed where it was printed: solved here
  };
  std::optional<Growth> growth(const Json& json, const std::string& what) {
    if (json.is_string() && json.get<std::string>() == "zero") return Growth{true, {}, {}};
    if (!json.is_object()) {
      refuse(what + " is " + json.dump(-1, ' ', false, Json::error_handler_t::replace) +
             ", which is no size: write an object such as {\"n\": \"-1/2\"}, {} for order one, or \"zero\"");
      return std::nullopt;
    }
    Growth result;
    const std::vector<std::string> known = growingNames();
    for (const auto& [symbol, value] : json.items()) {
      if (std::find(known.begin(), known.end(), symbol) == known.end()) {
        refuse(what + " speaks of `" + symbol + "`, which is no growing size of the program",
               didYouMean(symbol, known));
        return std::nullopt;
      }
      if (value == "not_analysed") {
        result.open.insert(symbol);
        continue;
      }
      const auto exponent = value.is_string() ? readRational(value.get<std::string>()) : std::nullopt;
      if (!exponent) {
        refuse(what + ": the exponent of `" + symbol + "` is " +
               value.dump(-1, ' ', false, Json::error_handler_t::replace) +
               ", and should be a fraction as text, such as \"-1/2\"");
        return std::nullopt;
      }
      result.exponents[symbol] = *exponent;
    }
    return result;
  }

  void parameter(const std::string& name, const Json& json) {
    if (!json.is_object()) return refuse("what is given for `" + name + "` is no object");
    std::map<std::string, Growth> given;
    for (const auto& [key, value] : json.items()) {
      if (std::find(std::begin(toldOfParameters), std::end(toldOfParameters), key) != std::end(toldOfParameters))
        continue;
      const std::vector<std::string> keys = {"init_std", "init_mean", "multiplier", "lr", "eps"};
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        refuse("`" + name + "` has no `" + key + "` to give", didYouMean(key, keys));
        continue;
      }
      if (auto read = growth(value, "`" + key + "` of `" + name + "`")) given[key] = *read;
    }
    if (!good) return;
    for (const char* key : {"multiplier", "lr", "eps"}) {
      if (given.count(key) && given[key].zero) refuse("`" + std::string(key) + "` of `" + name + "` cannot be zero");
    }
    if (!good) return;
    for (size_t i = 0; i < graph.parameters.size(); ++i)
      if (graph.parameters[i].name == name || (name == "*" && !named.count(graph.parameters[i].name)))
        give(graph.parameters[i], given);
  }

  void give(Parameter& parameter, std::map<std::string, Growth>& given) {
    Init& init = parameter.init;
    const bool random =
        init.kind == Init::Kind::plan || init.kind == Init::Kind::normal || init.kind == Init::Kind::uniform;
    const bool standsStill = given.count("init_std") && given["init_std"].zero;
    if (standsStill && random) {
      init = {.kind = Init::Kind::constant, .number = {.coefficient = 0}};
      if (given.count("init_mean") && !given["init_mean"].zero) {
        init.number.coefficient = 1;
        for (SymbolId symbol = 0; symbol < graph.symbols.size(); ++symbol) {
          const auto power = given["init_mean"].exponents.find(graph.symbols[symbol].name);
          if (power != given["init_mean"].exponents.end() && !power->second.isZero())
            init.number.powers.emplace_back(symbol, power->second);
        }
      }
    }
    if (!standsStill && given.count("init_std") && !random)
      return refuse("`" + parameter.name + "` starts as a constant in the program, and is given an init_std",
                    "leave init_std out, or write \"zero\"");
    for (const std::string& symbol : growingNames()) {
      GivenParameter& one = options.given[symbol][parameter.name];
      const auto exponent = [&](const char* key) -> std::optional<Rational> {
        if (!given.count(key) || given[key].zero || given[key].open.count(symbol)) return std::nullopt;
        const auto found = given[key].exponents.find(symbol);
        return found == given[key].exponents.end() ? Rational(0) : found->second;
      };
      if (random && !standsStill) one.initStd = exponent("init_std");
      one.multiplier = exponent("multiplier");
      one.lr = exponent("lr");
      one.eps = exponent("eps");
    }
  }

  void multiplier(const std::string& name, const Json& json) {
    const auto read = growth(json, "the multiplier `" + name + "`");
    if (!read) return;
    if (read->zero) return refuse("the multiplier `" + name + "` cannot be zero");
    for (const FreeMultiplier& free : graph.freeMultipliers) {
      if (free.name != name && (name != "*" || named.count(free.name))) continue;
      for (const std::string& symbol : growingNames()) {
        if (read->open.count(symbol)) continue;
        const auto exponent = read->exponents.find(symbol);
        options.givenMultipliers[symbol][free.name] =
            exponent == read->exponents.end() ? Rational(0) : exponent->second;
      }
    }
  }

  // Every entry of an object, the star last, each checked to name something.
  template <typename Items, typename Take>
  void each(const Json& object, const char* what, const Items& items, Take take) {
    if (!object.is_object()) return refuse(std::string("`") + what + "` is no object");
    std::vector<std::string> known;
    for (const auto& item : items) known.push_back(item.name);
    named.clear();
    for (const auto& [name, value] : object.items()) {
      if (name == "*") continue;
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        refuse("the program has no `" + name + "` among its " + what, didYouMean(name, known));
        continue;
      }
      named.insert(name);
      take(name, value);
    }
    if (object.contains("*")) take("*", object["*"]);
  }
  std::set<std::string> named;
};

}  // namespace

bool giveFromJson(const std::string& text, const std::string& path, Graph& graph, AnalysisOptions& options,
                  DiagnosticSink& diagnostics) {
  Reader reader{path, graph, options, diagnostics, true, {}};
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    reader.refuse("this is no JSON object",
                  "write {\"parameters\": {\"*\": {\"lr\": {\"n\": \"-1\"}}}}, or give a document of `tpc analyze "
                  "--format=json`");
    return false;
  }
  if (document.contains("exponents") && document["exponents"].is_object()) document = Json(document["exponents"]);
  const bool gives = document.contains("parameters") || document.contains("multipliers");
  if (!gives) reader.refuse("this gives neither `parameters` nor `multipliers`");
  options.parametrization = path;
  if (document.contains("parameters"))
    reader.each(document["parameters"], "parameters", graph.parameters,
                [&](const std::string& name, const Json& json) { reader.parameter(name, json); });
  if (document.contains("multipliers"))
    reader.each(document["multipliers"], "multipliers", graph.freeMultipliers,
                [&](const std::string& name, const Json& json) { reader.multiplier(name, json); });
  return reader.good;
}

}  // namespace tpc
