// The version that documents and `tpc --version` state.
#pragma once

#include <string_view>

namespace tpc {

inline constexpr std::string_view version = "0.1.0";

}  // namespace tpc
