// Why a learning rate is not larger: what a larger one would do, and which assumption the bound leans on.
//
//     $ tpc explain mlp.tp W2
//     ...
//       if the learning rate were n^(1/2) larger: unstable, `h2` would grow as n^(1/2)
//       it rests on 3 heuristic steps: matmul.change, port.target
//       under --alignment none it would be n^(-1/2)
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/analysis/analysis.h"

namespace tpc {

// Of one parameter along one symbol: what other analyses of the same program say.
struct WhyNot {
  Rational raise;                                   // the learning rate was taken this power larger
  bool stable = true;                               // and training remained stable
  std::string message;                              // what outgrew what it may, in the words of its warning
  std::vector<std::pair<std::string, Size>> under;  // an assumption, as an option, and the learning rate under it
};

std::string whyNotText(const WhyNot& whyNot, const Derivation& derivation, const ParameterSizes& sizes,
                       const std::string& symbol);

}  // namespace tpc
