// Every code that a diagnostic may have, with what it means, an example and how that is mended: `tpc explain TPC0212`.
//
// A code stands in the table of the room that reports it; here they are only brought together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/source/diagnostic.h"

namespace tpc {

// All of them, in the order of their codes.
const std::vector<DiagnosticCode>& diagnosticCodes();

// What `tpc explain` prints of a code; empty where there is none of it.
std::optional<std::string> codeExplanation(const std::string& code);

// What an example of the catalogue stands in: x [batch, d] goes through W [d, n] and v [n] to a loss against y [batch].
std::string exampleProgram(std::string_view example);

// The code of what only a defect of tpc can cause: no program shows it, and the command's exit code is 70.
inline constexpr std::string_view defectCode = "TPC0281";

}  // namespace tpc
