// A plan as text and as Markdown: the numbers, where they came from, and what no plan can carry over.
#pragma once

#include <string>

#include "runtime/format/plan.h"

namespace tpc {

std::string planText(const Plan& plan);
std::string planMarkdown(const Plan& plan);

// What differs between two plans, entry by entry; says so where nothing does.
std::string planDifference(const Plan& before, const Plan& after);
std::string planDifferenceJson(const Plan& before, const Plan& after);

}  // namespace tpc
