// The operations' generated code, and the words for their functions: `tp.map relu %x`.
#include "compiler/ir/dialect.h"

namespace tpc::tp {
namespace {

using mlir::IntegerAttr;
using mlir::OpAsmParser;
using mlir::OpAsmPrinter;
using mlir::Operation;
using mlir::ParseResult;

constexpr llvm::StringLiteral roles[] = {"grad", "param", "step", "fanIn", "fanOut", "hyper", "state"};
constexpr llvm::StringLiteral initKinds[] = {"plan", "normal", "uniform", "constant", "eye", "values", "file"};

// The enumerator whose word it is.  `word(i)` for i < count are the words.
template <typename Word>
ParseResult parseWord(OpAsmParser& parser, IntegerAttr& attribute, int count, const char* what, Word word) {
  llvm::StringRef text;
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&text)) return mlir::failure();
  for (int i = 0; i < count; ++i) {
    if (text != llvm::StringRef(word(i))) continue;
    attribute = parser.getBuilder().getI32IntegerAttr(i);
    return mlir::success();
  }
  return parser.emitError(at, "`") << text << "` is no " << what;
}

template <typename Fn>
llvm::StringRef nameOf(int64_t value, int count) {
  // A value out of range comes from generic text only, and the verifier refuses it.
  return value >= 0 && value < count ? llvm::StringRef(toString(Fn(value))) : "invalid";
}

ParseResult parseMapFn(OpAsmParser& parser, IntegerAttr& fn) {
  return parseWord(parser, fn, mapFnCount, "function of one argument", [](int i) { return toString(MapFn(i)); });
}
void printMapFn(OpAsmPrinter& printer, Operation*, IntegerAttr fn) {
  printer << nameOf<MapFn>(fn.getInt(), mapFnCount);
}

ParseResult parseCompareFn(OpAsmParser& parser, IntegerAttr& fn) {
  return parseWord(parser, fn, 6, "comparison", [](int i) { return toString(CompareFn(i)); });
}
void printCompareFn(OpAsmPrinter& printer, Operation*, IntegerAttr fn) { printer << nameOf<CompareFn>(fn.getInt(), 6); }

ParseResult parseReduceFn(OpAsmParser& parser, IntegerAttr& fn) {
  return parseWord(parser, fn, 4, "reduction", [](int i) { return toString(ReduceFn(i)); });
}
void printReduceFn(OpAsmPrinter& printer, Operation*, IntegerAttr fn) { printer << nameOf<ReduceFn>(fn.getInt(), 4); }

ParseResult parseRole(OpAsmParser& parser, IntegerAttr& role) {
  return parseWord(parser, role, 7, "role of an optimizer's argument",
                   [](int i) { return std::string_view(roles[i]); });
}
void printRole(OpAsmPrinter& printer, Operation*, IntegerAttr role) {
  printer << (role.getInt() >= 0 && role.getInt() < 7 ? llvm::StringRef(roles[role.getInt()]) : "invalid");
}

ParseResult parseInitKind(OpAsmParser& parser, IntegerAttr& init) {
  return parseWord(parser, init, 7, "kind of init", [](int i) { return std::string_view(initKinds[i]); });
}
void printInitKind(OpAsmPrinter& printer, Operation*, IntegerAttr init) {
  printer << (init.getInt() >= 0 && init.getInt() < 7 ? llvm::StringRef(initKinds[init.getInt()]) : "invalid");
}

}  // namespace
}  // namespace tpc::tp

#define GET_OP_CLASSES
#include "TpOps.cpp.inc"

namespace tpc::tp {

void TpDialect::registerOperations() {
  addOperations<
#define GET_OP_LIST
#include "TpOps.cpp.inc"
      >();
}

}  // namespace tpc::tp
