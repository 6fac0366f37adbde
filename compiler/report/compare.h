// Several parametrizations of one program side by side: what each gives every parameter, and what comes of it.
//
//     $ tpc analyze mlp.tp --optimizer sgd --compare sp,auto
//                        sp                  auto
//       parameter        init      lr        init      lr
//       W2               n^(-1/2)  n^(-1)    n^(-1/2)  1
//       ...
#pragma once

#include <string>
#include <vector>

#include "compiler/report/document.h"

namespace tpc {

// The documents are of one program and differ in their options alone.
std::string comparisonText(const std::vector<Document>& documents);

// Schema `tpc.comparison/1`: the document of each analysis under its parametrization's name.
std::string comparisonJson(const std::vector<Document>& documents);

}  // namespace tpc
