// Where in which file something was written.
//
// A span is three numbers and owns nothing: it travels on every AST node, on every operation of the IR and on every
// node of the graph, so that a size derived at the far end of the compiler can still point at its line.
#pragma once

#include <cstdint>

namespace tpc {

struct Span {
  uint32_t file = 0;   // index into the SourceMap
  uint32_t begin = 0;  // byte offsets, half open
  uint32_t end = 0;
};

}  // namespace tpc
