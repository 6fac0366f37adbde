#include "compiler/report/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "compiler/report/table.h"

namespace tpc {

namespace {

using Row = std::vector<std::string>;

// Four digits: what a person reads.  JSON and torch have all of them.
std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

std::string growthText(const PlanGrowth& growth) {
  if (growth.zero) return "0";
  std::string text;
  for (const auto& [symbol, exponent] : growth.powers) {
    if (exponent == "not_analysed") continue;  // a plan says once which sizes it does not speak of
    const bool bare = exponent.find_first_of("-/") == std::string::npos;
    text += (text.empty() ? "" : " ") + symbol + (exponent == "1" ? "" : bare ? "^" + exponent : "^(" + exponent + ")");
  }
  return text.empty() ? "1" : text;
}

std::string unknownIn(const PlanGrowth& growth) {
  std::string text;
  for (const auto& [symbol, exponent] : growth.powers)
    if (exponent == "not_analysed") text += ", not analysed in " + symbol;
  return text;
}

// `0.0625 -> 0.01563`, or one number where it stays.
std::string fromTo(const std::optional<double>& base, const std::optional<double>& target) {
  if (!base || !target) return "";
  return *base == *target ? number(*base) : number(*base) + " -> " + number(*target);
}

std::string initText(const PlanParameter& parameter) {
  switch (parameter.init) {
    case PlanInit::normal:
    case PlanInit::uniform: {
      const std::string law = parameter.init == PlanInit::uniform ? "uniform, std " : "";
      return law + fromTo(parameter.base.initStd, parameter.target.initStd) + (parameter.initIsGiven ? " given" : "");
    }
    case PlanInit::constant:
      return "constant " + fromTo(parameter.base.initMean, parameter.target.initMean) +
             (parameter.initIsGiven ? " given" : "");
    case PlanInit::eye: return "eye";
    case PlanInit::values: return "the program's values";
    case PlanInit::file: return "from a file";
  }
  return "";
}

std::string rateText(const std::optional<double>& base, const std::optional<double>& target,
                     const std::optional<PlanGrowth>& exponent) {
  if (!exponent) return "";
  return base ? fromTo(base, target) : "x " + growthText(*exponent);
}

bool hasDecay(const Plan& plan) {
  return std::any_of(plan.parameters.begin(), plan.parameters.end(),
                     [](const PlanParameter& one) { return one.base.weightDecay.value_or(0) != 0; });
}

// Header first.  Columns in which nothing stands are left out.
std::vector<Row> parameterRows(const Plan& plan) {
  std::vector<Row> rows = {{"parameter", "shape", "init", "multiplier", "lr", "eps", "weight decay"}};
  const bool decays = hasDecay(plan);
  for (const PlanParameter& parameter : plan.parameters) {
    std::string shape;
    for (int64_t length : parameter.target.shape) shape += (shape.empty() ? "" : " ") + std::to_string(length);
    const bool multiplies = parameter.base.multiplier != 1 || parameter.target.multiplier != 1;
    rows.push_back(
        {parameter.name, "[" + shape + "]", initText(parameter),
         multiplies ? fromTo(parameter.base.multiplier, parameter.target.multiplier) : "",
         parameter.trains ? rateText(parameter.base.lr, parameter.target.lr, parameter.exponents.lr) : "frozen",
         rateText(parameter.base.eps, parameter.target.eps, parameter.exponents.eps),
         decays ? rateText(parameter.base.weightDecay, parameter.target.weightDecay, parameter.exponents.decayTimesLr)
                : std::string()});
  }
  for (size_t column = rows[0].size(); column-- > 0;) {
    const bool anything =
        std::any_of(rows.begin() + 1, rows.end(), [&](const Row& row) { return !row[column].empty(); });
    if (anything) continue;
    for (Row& row : rows) row.erase(row.begin() + long(column));
  }
  return rows;
}

std::vector<Row> multiplierRows(const Plan& plan) {
  std::vector<Row> rows = {{"free multiplier", "number", "exponent"}};
  for (const PlanMultiplier& one : plan.multipliers)
    rows.push_back({one.name, fromTo(one.base, one.target), growthText(one.exponent) + unknownIn(one.exponent)});
  return rows;
}

std::string sizesText(const Plan& plan) {
  std::string text;
  for (size_t i = 0; i < plan.target.numbers.size(); ++i) {
    const auto& [name, target] = plan.target.numbers[i];
    const int64_t base = plan.base.numbers[i].second;
    const bool grows = std::find(plan.growing.begin(), plan.growing.end(), name) != plan.growing.end();
    if (!grows && base == target) continue;
    text += (text.empty() ? "" : ", ") + name + " = " + std::to_string(base);
    if (base != target) text += " -> " + std::to_string(target);
  }
  return text.empty() ? "nothing grows" : text;
}

// What one learning rate for everything would be off by at the target, in words.
std::string whatIsOff(const Plan& plan) {
  if (!plan.lr) return "";
  std::vector<std::pair<double, std::string>> off;
  for (const PlanParameter& parameter : plan.parameters) {
    if (!parameter.target.lr || !parameter.base.lr || *parameter.target.lr == *parameter.base.lr) continue;
    off.emplace_back(*parameter.base.lr / *parameter.target.lr, parameter.name);
  }
  const std::string all = "the learning rate " + number(*plan.lr) + " that was tuned for everything";
  if (off.empty()) return "At the target " + all + " holds for every parameter.\n";
  // One line per factor; the factors are few, the parameters many.
  std::vector<Row> rows;
  for (const auto& [factor, name] : off) {
    const std::string words =
        factor > 1 ? number(factor) + " times too large for" : number(1 / factor) + " times too small for";
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row[0] == words; });
    if (same == rows.end()) rows.push_back({words, name});
    else (*same)[1] += ", " + name;
  }
  return "At the target " + all + " would be off:\n" + alignedRows(rows);
}

constexpr char doesNotTransfer[] =
    "No plan carries over the batch size, the number of steps, the schedule, warm-up and beta2, dropout, the data, or "
    "the\n"
    "long-time balance of weight decay: tune them at the target, or keep them and watch.\n";

std::string header(const Plan& plan) {
  return (plan.model.empty() ? plan.file : plan.model) + ": " + sizesText(plan) + "; optimizer " + plan.optimizer +
         ", parametrization " + plan.parametrization + (plan.gauge ? ", gauge " + *plan.gauge : "");
}

std::string notes(const Plan& plan) {
  std::string text;
  if (std::any_of(plan.parameters.begin(), plan.parameters.end(),
                  [](const PlanParameter& one) { return one.initIsGiven; }))
    text +=
        "An init that is marked given stands in the program at the base sizes; the others start there at\n"
        "1/sqrt(contracted length).\n";
  if (hasDecay(plan))
    text += "Weight decay is for the convention that multiplies it by the learning rate; gains and biases have none.\n";
  for (const std::string& name : plan.notAnalysed)
    text += "`" + name + "` grows in the program and is not analysed by this version: the numbers hold at one " + name +
            ".\n";
  if (!plan.lr) text += "Without --lr the learning rates are factors on the one that was tuned.\n";
  return text;
}

std::string markdownTable(const std::vector<Row>& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    text += "|";
    for (const std::string& entry : rows[i]) text += " " + entry + " |";
    text += "\n";
    if (i > 0) continue;
    text += "|";
    for (size_t column = 0; column < rows[i].size(); ++column) text += "---|";
    text += "\n";
  }
  return text;
}

// One difference: whose, of what, before and after.
struct Difference {
  std::string name, key, before, after;
};

std::vector<Difference> differences(const Plan& before, const Plan& after) {
  std::vector<Difference> found;
  const auto put = [&](const std::string& name, const char* key, const std::string& a, const std::string& b) {
    if (a != b) found.push_back({name, key, a, b});
  };
  const auto optional = [](const std::optional<double>& value) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.9g", value.value_or(0));
    return value ? std::string(buffer) : std::string("none");
  };
  const auto growth = [](const std::optional<PlanGrowth>& value) { return value ? growthText(*value) : "none"; };
  put("plan", "optimizer", before.optimizer, after.optimizer);
  put("plan", "parametrization", before.parametrization, after.parametrization);
  put("plan", "gauge", before.gauge.value_or("none"), after.gauge.value_or("none"));
  const auto sizes = [&](const char* key, const PlanSizes& a, const PlanSizes& b) {
    for (const auto& [name, number] : a.numbers) {
      const auto other =
          std::find_if(b.numbers.begin(), b.numbers.end(), [&](const auto& one) { return one.first == name; });
      put(name, key, std::to_string(number), other == b.numbers.end() ? "none" : std::to_string(other->second));
    }
    for (const auto& [name, number] : b.numbers)
      if (std::none_of(a.numbers.begin(), a.numbers.end(), [&](const auto& one) { return one.first == name; }))
        put(name, key, "none", std::to_string(number));
  };
  sizes("size at the base", before.base, after.base);
  sizes("size at the target", before.target, after.target);
  for (const PlanParameter& a : before.parameters) {
    const auto b = std::find_if(after.parameters.begin(), after.parameters.end(),
                                [&](const PlanParameter& one) { return one.name == a.name; });
    if (b == after.parameters.end()) {
      found.push_back({a.name, "parameter", "present", "none"});
      continue;
    }
    put(a.name, "init exponent", growth(a.exponents.initStd), growth(b->exponents.initStd));
    put(a.name, "mean exponent", growth(a.exponents.initMean), growth(b->exponents.initMean));
    put(a.name, "multiplier exponent", growth(a.exponents.multiplier), growth(b->exponents.multiplier));
    put(a.name, "lr exponent", growth(a.exponents.lr), growth(b->exponents.lr));
    put(a.name, "eps exponent", growth(a.exponents.eps), growth(b->exponents.eps));
    put(a.name, "init std", optional(a.target.initStd), optional(b->target.initStd));
    put(a.name, "init mean", optional(a.target.initMean), optional(b->target.initMean));
    put(a.name, "multiplier", optional(a.target.multiplier), optional(b->target.multiplier));
    put(a.name, "lr", optional(a.target.lr), optional(b->target.lr));
    put(a.name, "eps", optional(a.target.eps), optional(b->target.eps));
    put(a.name, "weight decay", optional(a.target.weightDecay), optional(b->target.weightDecay));
  }
  for (const PlanParameter& b : after.parameters)
    if (std::none_of(before.parameters.begin(), before.parameters.end(),
                     [&](const PlanParameter& one) { return one.name == b.name; }))
      found.push_back({b.name, "parameter", "none", "present"});
  for (const PlanMultiplier& a : before.multipliers) {
    const auto b = std::find_if(after.multipliers.begin(), after.multipliers.end(),
                                [&](const PlanMultiplier& one) { return one.name == a.name; });
    if (b == after.multipliers.end()) {
      found.push_back({a.name, "free multiplier", "present", "none"});
      continue;
    }
    put(a.name, "multiplier exponent", growthText(a.exponent), growthText(b->exponent));
    put(a.name, "multiplier", optional(a.target), optional(b->target));
  }
  for (const PlanMultiplier& b : after.multipliers)
    if (std::none_of(before.multipliers.begin(), before.multipliers.end(),
                     [&](const PlanMultiplier& one) { return one.name == b.name; }))
      found.push_back({b.name, "free multiplier", "none", "present"});
  return found;
}

}  // namespace

std::string planText(const Plan& plan) {
  std::string text = header(plan) + "\n\n";
  text += plan.parameters.empty() ? "  no parameters\n" : alignedRows(parameterRows(plan));
  if (!plan.multipliers.empty()) text += "\n" + alignedRows(multiplierRows(plan));
  for (const PlanWarning& warning : plan.warnings) {
    text += "\nwarning[" + warning.code + "]: " + warning.message + "\n";
    if (!warning.mend.empty()) text += "help: " + warning.mend + "\n";
  }
  text += "\n" + whatIsOff(plan) + notes(plan) + doesNotTransfer;
  return text;
}

std::string planMarkdown(const Plan& plan) {
  std::string text = "# " + header(plan) + "\n\n" + markdownTable(parameterRows(plan));
  if (!plan.multipliers.empty()) text += "\n" + markdownTable(multiplierRows(plan));
  for (const PlanWarning& warning : plan.warnings) text += "\n**" + warning.code + "**: " + warning.message + "\n";
  const std::string off = whatIsOff(plan);
  if (!off.empty()) text += "\n```\n" + off + "```\n";
  return text + "\n" + notes(plan) + doesNotTransfer;
}

std::string planDifference(const Plan& before, const Plan& after) {
  const std::vector<Difference> all = differences(before, after);
  if (all.empty()) return "the two plans are the same\n";
  std::vector<Row> rows = {{"of", "what", "before", "after"}};
  for (const Difference& one : all) rows.push_back({one.name, one.key, one.before, one.after});
  return alignedRows(rows);
}

std::string planDifferenceJson(const Plan& before, const Plan& after) {
  nlohmann::ordered_json json;
  json["schema"] = "tpc.difference/1";
  json["differences"] = nlohmann::ordered_json::array();
  for (const Difference& one : differences(before, after))
    json["differences"].push_back({{"of", one.name}, {"what", one.key}, {"before", one.before}, {"after", one.after}});
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tpc
