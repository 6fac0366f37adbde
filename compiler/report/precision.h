// Values and gradients that leave the range of a number format, as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "compiler/evidence/precision.h"
#include "compiler/report/document.h"

namespace tpc {

std::string rangeText(const Document& document, const RangeReport& report, const std::vector<std::string>& formats);

// The list under the key `precision` of a plan.
nlohmann::ordered_json rangeJson(const Document& document, const RangeReport& report);

}  // namespace tpc
