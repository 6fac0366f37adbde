// The analysis as a document that other programs read: schema `tpc.analysis/1`, beside this file under schemas/.
//
// Its keys are promises.  A key that does not apply is absent, `null` is never written, a growth of "0" is left out of
// its object, and a value that is exactly zero is the text "zero".  New keys may come under the same number.
#pragma once

#include <string>

#include "compiler/report/document.h"

namespace tpc {

struct JsonOptions {
  bool full = false;  // values and derivations too
};

std::string analysisJson(const Document& document, const JsonOptions& options);

// The same document for a program in which there were errors: what is known, and the errors.
std::string errorsJson(const std::string& file, const SourceMap& sources, const DiagnosticSink& diagnostics);

}  // namespace tpc
