// The catalogue of TPC03xx: what the analysis finds.  A code is permanent; `tpc explain TPC0301` prints its entry.
#pragma once

#include <span>

#include "dsl/source/diagnostic.h"

namespace tpc {

std::span<const DiagnosticCode> analysisCodes();

}  // namespace tpc
