// Random programs with repeats in repeats, compiled, against the interpreter.
#include "tests/catch.h"
#include "tests/unit/language/programs.h"
#include "tests/unit/language/random_program.h"
#include "tests/unit/lower/compiled.h"

namespace tpc {

TEST_CASE("random programs with nested repeats compile to what they mean", "[lower][repeat][random]") {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const std::string text = randomProgram(seed);
    INFO("seed " << seed << "\n" << text);
    Program program(text, seed);
    checkCompiled(program.graph, program.bindings, {1e-4});
  }
}

}  // namespace tpc
