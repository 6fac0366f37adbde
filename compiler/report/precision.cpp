#include "compiler/report/precision.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "compiler/report/table.h"

namespace tpc {

namespace {

constexpr const char* faults[] = {"overflows", "vanishes", "loses bits"};

std::string nameOf(const std::vector<std::string>& subjects, const OutOfRange& one) {
  return (one.gradient ? "gradient of " : "") + subjects[one.node];
}

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3g", value);
  return buffer;
}

}  // namespace

std::string rangeText(const Document& document, const RangeReport& report, const std::vector<std::string>& formats) {
  const std::vector<std::string> subjects = subjectNames(document);
  std::string text;
  for (const std::string& format : formats) {
    std::vector<std::vector<std::string>> rows = {{"", "at the base", "at the target", ""}};
    int lossBits = 0;
    for (const OutOfRange& one : report.found) {
      if (one.format != format) continue;
      rows.push_back({nameOf(subjects, one), number(one.atBase), number(one.atTarget), faults[int(one.fault)]});
      if (one.gradient && one.fault != RangeFault::overflows)
        lossBits = std::max(lossBits, int(std::ceil(std::log2(numberFormat(format)->smallestNormal / one.atTarget))));
    }
    const std::string of = counted(report.measured, "value") + " and gradients";
    if (rows.size() == 1) {
      text += "All of " + of + " stay in the range of " + format + " at the target.\n";
      continue;
    }
    text += counted(rows.size() - 1, "size") + " of " + of + " leave the range of " + format + " at the target:\n" +
            alignedRows(rows);
    if (lossBits > 0)
      text += "  a loss multiplied by 2^" + std::to_string(lossBits) + " or more would lift these gradients into it\n";
  }
  return text + "Measured at " + report.at +
         ", before and after a step on one random batch, and carried to base and target by\nthe derived exponents. A "
         "mean "
         "over a larger batch makes the gradients of activations smaller by as much.\n";
}

nlohmann::ordered_json rangeJson(const Document& document, const RangeReport& report) {
  const std::vector<std::string> subjects = subjectNames(document);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const OutOfRange& one : report.found)
    list.push_back({{"format", one.format},
                    {"of", nameOf(subjects, one)},
                    {"fault", one.fault == RangeFault::overflows  ? "overflows"
                              : one.fault == RangeFault::vanishes ? "vanishes"
                                                                  : "loses_bits"},
                    {"at_base", one.atBase},
                    {"at_target", one.atTarget}});
  return list;
}

}  // namespace tpc
