// The catalogue of TPC01xx: mistakes of form.  A code is permanent; `tpc explain TPC0105` prints its entry.
#include "dsl/syntax/parse.h"

namespace tpc {

namespace {

// clang-format off
constexpr DiagnosticCode codes[] = {
    {"TPC0101", "the file is too large",
     "A program may have 1 MiB of text. Programs that are larger are usually unrolled: write `repeat`.",
     "# a file of two million bytes\n...",
     "repeat L { ... }"},
    {"TPC0102", "not a character of the language",
     "Programs are UTF-8 text. Outside of comments and quotes only letters a-z A-Z, digits, `_` and the operators occur.",
     "h = x × 2",
     "h = x * 2"},
    {"TPC0103", "expected something else",
     "The statement goes on differently than the grammar says. Each statement is read by itself, so this is the first mistake in this statement; others are reported beside it.",
     "h = f(x y)",
     "h = relu(x)"},
    {"TPC0104", "nested too deep",
     "Brackets and blocks may be nested 200 deep, and an expression may be 1000 operations high. Give inner parts names of their own.",
     "h = (((((((((( ... 201 deep ... ))))))))))",
     "a = (x + 1) * 2\nh = (a + 1) * 2"},
    {"TPC0105", "brackets that do not match",
     "Each ( [ { is closed by its own ) ] }. A statement does not end inside ( ) or [ ], so the mistake may stand some lines above.",
     "h = relu(x",
     "h = relu(x)"},
    {"TPC0106", "text that is not closed",
     "Text in quotes begins and ends with \" on one line.",
     "const t [d] from \"table.npy",
     "const t [d] = ones(d)"},
    {"TPC0107", "a statement that is not whole",
     "fn, optimizer, repeat, if, else and train have a block in { }; nothing else has.",
     "fn half(x)",
     "fn half(x) = x / 2"},
    {"TPC0108", "comparisons that chain",
     "a < b < c has no meaning here. Compare twice and multiply the results.",
     "h = 0 < x < 1",
     "h = (0 < x) * (x < 1)"},
    {"TPC0109", "a number that does not fit",
     "Numbers are held as doubles: from about 1e-308 to 1e308.",
     "h = x * 1e400",
     "h = x * 1e300"},
    {"TPC0110", "a name with a meaning of its own",
     "auto, inf, new, true, false and _ cannot be given to anything.",
     "new = x @ W",
     "h = x @ W"},
    {"TPC0111", "a statement where it may not stand",
     "size, input, target, output, metric, loss, import, train, optimizer and fn stand in the program, not in a block (`if` does not count); return in a function; collect in a repeat; state and update in an optimizer.",
     "fn f(a) {\n  size m = 3\n  return a\n}",
     "size m = 3\nfn f(a) = a"},
    {"TPC0112", "a body without its end",
     "A function ends with its only return; an optimizer says once what its update is.",
     "fn half(a) {\n  b = a / 2\n}",
     "fn half(a) {\n  b = a / 2\n  return b\n}"},
    {"TPC0113", "too many errors",
     "The first 50 errors of a file are reported.",
     "a = = 1\n... 50 more of its kind",
     "a = 1"},
};
// clang-format on

}  // namespace

std::span<const DiagnosticCode> syntaxCodes() { return codes; }

}  // namespace tpc
