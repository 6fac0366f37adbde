// The dialect's types and attributes and how they are written.
//
// Lengths read as arithmetic, with symbols by their position: `4 * s0 * s1 over 3 + 1`, where `over` divides the
// monomial before it (MLIR's lexer has no slash).
#include "compiler/ir/dialect.h"

#include <bit>

#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"

#include "TpDialect.cpp.inc"

namespace tpc {

llvm::hash_code hash_value(const std::vector<std::pair<SymbolId, Rational>>& powers) {
  llvm::hash_code hash(powers.size());
  for (const auto& [symbol, power] : powers) hash = llvm::hash_combine(hash, symbol, power.num(), power.den());
  return hash;
}

llvm::hash_code hash_value(const Length& length) {
  llvm::hash_code hash(length.terms().size());
  for (const Monomial& term : length.terms()) {
    hash = llvm::hash_combine(hash, term.coefficient.num(), term.coefficient.den());
    for (auto [symbol, power] : term.powers) hash = llvm::hash_combine(hash, symbol, power);
  }
  return hash;
}

llvm::hash_code hash_value(const std::vector<Length>& lengths) {
  llvm::hash_code hash(lengths.size());
  for (const Length& length : lengths) hash = llvm::hash_combine(hash, hash_value(length));
  return hash;
}

}  // namespace tpc

namespace tpc::tp {
namespace {

using mlir::AsmParser;
using mlir::AsmPrinter;
using mlir::failure;
using mlir::FailureOr;

void printLength(AsmPrinter& printer, const Length& length) {
  llvm::raw_ostream& out = printer.getStream();
  if (length.terms().empty()) out << 0;
  bool first = true;
  for (const Monomial& term : length.terms()) {
    if (!std::exchange(first, false)) out << " + ";
    bool empty = true;
    if (term.coefficient.num() != 1 || term.powers.empty()) out << term.coefficient.num(), empty = false;
    for (auto [symbol, power] : term.powers)
      for (int i = 0; i < power; ++i) out << (std::exchange(empty, false) ? "" : " * ") << "s" << symbol;
    if (term.coefficient.den() != 1) out << " over " << term.coefficient.den();
  }
}

// A factor is a number or a symbol.  Lengths in IR are small; the limits keep a hostile file from being slow.
mlir::ParseResult parseFactor(AsmParser& parser, Length& product, int& factors) {
  if (++factors > 64) return parser.emitError(parser.getCurrentLocation(), "a length with more than 64 factors");
  int64_t number = 0;
  mlir::OptionalParseResult literal = parser.parseOptionalInteger(number);
  if (literal.has_value()) {
    if (failed(*literal)) return failure();
    if (number < 0 || number >= (int64_t(1) << 30))
      return parser.emitError(parser.getCurrentLocation(), "number out of range in a length");
    product = number == 0 ? Length() : product * Length::number(number);
    return mlir::success();
  }
  llvm::StringRef word;
  llvm::SMLoc at = parser.getCurrentLocation();
  SymbolId symbol = 0;
  if (parser.parseKeyword(&word)) return failure();
  if (!word.consume_front("s") || word.getAsInteger(10, symbol))
    return parser.emitError(at, "expected a number or a symbol such as `s0`");
  product = product * Length::symbol(symbol);
  return mlir::success();
}

FailureOr<Length> parseLength(AsmParser& parser) {
  Length sum;
  int factors = 0;
  do {
    Length product = Length::number(1);
    do {
      if (parseFactor(parser, product, factors)) return failure();
    } while (succeeded(parser.parseOptionalStar()));
    if (succeeded(parser.parseOptionalKeyword("over"))) {
      int64_t divisor = 0;
      llvm::SMLoc at = parser.getCurrentLocation();
      if (parser.parseInteger(divisor)) return failure();
      if (divisor <= 0 || divisor >= (int64_t(1) << 30))
        return parser.emitError(at, "divisor out of range in a length");
      product = product * Length::number(Rational(1, divisor));
    }
    sum = sum + product;
  } while (succeeded(parser.parseOptionalPlus()));
  for (const Monomial& term : sum.terms())
    if (term.coefficient.isOverflow())
      return parser.emitError(parser.getCurrentLocation(), "a length with too large a number");
  return sum;
}

constexpr llvm::StringLiteral numberKinds[] = {"plain", "tiny", "infinity", "minusInfinity"};

}  // namespace

mlir::Type Tensor::parse(AsmParser& parser) {
  std::vector<Length> lengths;
  auto one = [&]() -> mlir::ParseResult {
    FailureOr<Length> length = parseLength(parser);
    if (failed(length)) return failure();
    if (length->terms().empty()) return parser.emitError(parser.getCurrentLocation(), "an axis of length 0");
    lengths.push_back(*length);
    return mlir::success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, one)) return {};
  return get(parser.getContext(), lengths);
}

void Tensor::print(AsmPrinter& printer) const {
  printer << "<";
  llvm::interleaveComma(getLengths(), printer.getStream(), [&](const Length& length) { printLength(printer, length); });
  printer << ">";
}

mlir::Attribute LengthAttr::parse(AsmParser& parser, mlir::Type) {
  if (parser.parseLess()) return {};
  FailureOr<Length> length = parseLength(parser);
  if (failed(length) || parser.parseGreater()) return {};
  return get(parser.getContext(), *length);
}

void LengthAttr::print(AsmPrinter& printer) const {
  printer << "<";
  printLength(printer, getValue());
  printer << ">";
}

NumberAttr NumberAttr::get(mlir::MLIRContext* context, const Number& number) {
  return get(context, std::bit_cast<uint64_t>(number.coefficient), unsigned(number.kind), number.powers);
}

Number NumberAttr::getNumber() const {
  Number number;
  number.coefficient = std::bit_cast<double>(getBits());
  number.kind = Number::Kind(getKind());
  number.powers = getPowers();
  return number;
}

mlir::Attribute NumberAttr::parse(AsmParser& parser, mlir::Type) {
  llvm::StringRef word;
  Number number;
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&word)) return {};
  const auto* kind = llvm::find(numberKinds, word);
  if (kind == std::end(numberKinds))
    return parser.emitError(at, "expected plain, tiny, infinity or minusInfinity"), NumberAttr();
  number.kind = Number::Kind(kind - numberKinds);
  if (parser.parseComma() || parser.parseFloat(number.coefficient)) return {};
  while (succeeded(parser.parseOptionalComma())) {
    SymbolId symbol = 0;
    int64_t num = 0, den = 1;
    llvm::SMLoc here = parser.getCurrentLocation();
    if (parser.parseKeyword(&word) || parser.parseInteger(num) || parser.parseInteger(den)) return {};
    if (!word.consume_front("s") || word.getAsInteger(10, symbol) || num == 0 || den <= 0)
      return parser.emitError(here, "expected a symbol and its power, such as `s0 -1 2`"), NumberAttr();
    if (!number.powers.empty() && number.powers.back().first >= symbol)
      return parser.emitError(here, "powers stand in the order of symbols"), NumberAttr();
    number.powers.emplace_back(symbol, Rational(num, den));
  }
  if (parser.parseGreater()) return {};
  return get(parser.getContext(), number);
}

void NumberAttr::print(AsmPrinter& printer) const {
  printer << "<" << numberKinds[getKind()] << ", ";
  printer.printFloat(llvm::APFloat(std::bit_cast<double>(getBits())));
  for (const auto& [symbol, power] : getPowers())
    printer << ", s" << symbol << " " << power.num() << " " << power.den();
  printer << ">";
}

}  // namespace tpc::tp

// The generated code defines parse and print dispatch, storage and accessors.
#define GET_TYPEDEF_CLASSES
#include "TpTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "TpAttributes.cpp.inc"

namespace tpc::tp {

void TpDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "TpTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "TpAttributes.cpp.inc"
      >();
  registerOperations();
}

}  // namespace tpc::tp
