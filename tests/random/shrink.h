// Smaller programs that still show a failure.
#pragma once

#include <functional>
#include <string>

namespace tpc::tests {

// Drops statements, branches of expressions and inits as long as `fails` holds; what is left has nothing to spare.
std::string shrunk(const std::string& text, const std::function<bool(const std::string&)>& fails);

}  // namespace tpc::tests
