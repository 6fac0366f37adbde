// Random programs with repeats in repeats: gradients against differences.
#include "tests/catch.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/language/random_program.h"

namespace tpc {

TEST_CASE("gradients of random programs with nested repeats", "[language][repeat][random]") {
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    const std::string text = randomProgram(seed);
    INFO("seed " << seed << "\n" << text);
    Program program(text, seed);
    program.checkGradients(2e-6);
  }
}

}  // namespace tpc
