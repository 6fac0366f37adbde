// The analysis for a reader at a terminal: the source with the sizes of its values beside it, one line per parameter,
// the verdict, and what all of it rests on.
#pragma once

#include <string>

#include "compiler/report/document.h"

namespace tpc {

std::string analysisText(const Document& document);

}  // namespace tpc
