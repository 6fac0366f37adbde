// The part of JSON Schema that our schemas use, so that the tests need no other program to hold documents against them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tpc {

// The first place where the document does not fit, in words; empty where it fits.
std::string schemaViolation(const nlohmann::json& document, const nlohmann::json& schema);

}  // namespace tpc
