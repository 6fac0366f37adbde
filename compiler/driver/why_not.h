// Runs the analyses behind a "why not": the same program with one learning rate larger, and under other assumptions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/pipeline.h"
#include "compiler/report/why_not.h"

namespace tpc {

// Per entry of Analysis::symbols; empty where `name` is no parameter that trains there.
std::vector<std::optional<WhyNot>> whyNotLarger(const Analysed& analysed, const std::string& name);

}  // namespace tpc
