// exp, log, tanh and erf become polynomials later, by MLIR's own patterns; sines are reduced in double here, since a
// float's multiple of pi / 2 is wrong from a few hundred on.
#include "compiler/lower/functions.h"

#include <cmath>
#include <limits>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tpc::loops {
namespace {

using namespace mlir;
using Builder = ImplicitLocOpBuilder;
using arith::CmpFPredicate;

Type withElement(Type like, Type element) {
  if (auto vector = llvm::dyn_cast<VectorType>(like)) return VectorType::get(vector.getShape(), element);
  return element;
}

Value add(Builder& b, Value x, Value y) { return arith::AddFOp::create(b, x, y); }
Value sub(Builder& b, Value x, Value y) { return arith::SubFOp::create(b, x, y); }
Value mul(Builder& b, Value x, Value y) { return arith::MulFOp::create(b, x, y); }
Value div(Builder& b, Value x, Value y) { return arith::DivFOp::create(b, x, y); }
Value neg(Builder& b, Value x) { return arith::NegFOp::create(b, x); }
Value less(Builder& b, CmpFPredicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }
Value choose(Builder& b, Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
Value number(Builder& b, Value like, double value) { return filled(b, like.getType(), value); }

Value sigmoid(Builder& b, Value x) {
  const Value one = number(b, x, 1);
  return div(b, one, add(b, one, math::ExpOp::create(b, neg(b, x))));
}

// e / (1 + e)^2 with e = exp(-|x|): neither factor cancels.
Value sigmoidSlope(Builder& b, Value x) {
  const Value e = math::ExpOp::create(b, neg(b, math::AbsFOp::create(b, x)));
  const Value sum = add(b, number(b, x, 1), e);
  return div(b, e, mul(b, sum, sum));
}

Value distribution(Builder& b, Value x) {
  const Value erf = math::ErfOp::create(b, mul(b, x, number(b, x, 0.7071067811865476)));
  return mul(b, number(b, x, 0.5), add(b, number(b, x, 1), erf));
}

Value density(Builder& b, Value x) {
  const Value e = math::ExpOp::create(b, mul(b, number(b, x, -0.5), mul(b, x, x)));
  return mul(b, e, number(b, x, 0.3989422804014327));
}

// x = k pi / 2 + r with |r| <= pi / 4, in double; then the sine or cosine of r by a polynomial in float.
Value sine(Builder& b, Value x, int quarter) {
  const Type doubles = withElement(x.getType(), b.getF64Type()), ints = withElement(x.getType(), b.getI64Type());
  const Value wide = arith::ExtFOp::create(b, doubles, x);
  // Beyond 2^40 even a double has no fraction of pi left worth the name; and it must fit the integer.
  const Value most = filled(b, doubles, 1.0e12), least = filled(b, doubles, -1.0e12);
  const Value inside = arith::MaximumFOp::create(b, arith::MinimumFOp::create(b, wide, most), least);
  const Value turns = math::RoundEvenOp::create(b, mul(b, inside, filled(b, doubles, 0.6366197723675814)));
  Value r = sub(b, inside, mul(b, turns, filled(b, doubles, 1.5707963267948966)));
  r = sub(b, r, mul(b, turns, filled(b, doubles, 6.123233995736766e-17)));
  // NaN and infinity leave the integer undefined; the result is made NaN below.
  const Value finite =
      less(b, CmpFPredicate::OLT, math::AbsFOp::create(b, x), number(b, x, std::numeric_limits<double>::infinity()));
  const Value safe =
      choose(b, arith::CmpFOp::create(b, CmpFPredicate::ORD, turns, turns), turns, filled(b, doubles, 0));
  const auto integer = [&](int64_t value) -> Value {
    const TypedAttr one = b.getI64IntegerAttr(value);
    if (auto vector = llvm::dyn_cast<VectorType>(ints))
      return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, llvm::ArrayRef<Attribute>{one}));
    return arith::ConstantOp::create(b, one);
  };
  Value k = arith::FPToSIOp::create(b, ints, safe);
  k = arith::AndIOp::create(b, arith::AddIOp::create(b, k, integer(quarter)), integer(3));
  const Value f = arith::TruncFOp::create(b, x.getType(), r);
  const Value z = mul(b, f, f);
  const auto horner = [&](std::initializer_list<double> coefficients) {
    Value sum;
    for (double each : coefficients) sum = sum ? add(b, mul(b, sum, z), number(b, x, each)) : number(b, x, each);
    return sum;
  };
  // sin f = f + f z P(z), cos f = 1 - z / 2 + z^2 Q(z); Cephes, single precision.
  const Value s = add(b, f, mul(b, f, mul(b, z, horner({-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1}))));
  const Value c =
      add(b, sub(b, number(b, x, 1), mul(b, number(b, x, 0.5), z)),
          mul(b, mul(b, z, z), horner({2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2})));
  const Value odd =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, arith::AndIOp::create(b, k, integer(1)), integer(0));
  const Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, arith::AndIOp::create(b, k, integer(2)), integer(0));
  const Value magnitude = choose(b, odd, c, s);
  const Value value = choose(b, negative, neg(b, magnitude), magnitude);
  return choose(b, finite, value, number(b, x, std::numeric_limits<double>::quiet_NaN()));
}

Value power(Builder& b, Value x, double p) {
  const Value one = number(b, x, 1);
  if (p == 0) return one;
  const double size = std::abs(p);
  Value result;
  if (size == std::floor(size) && size <= 64) {
    // Squares: log2(p) roundings.
    Value square = x;
    for (int64_t rest = int64_t(size); rest > 0; rest /= 2) {
      if (rest % 2 == 1) result = result ? mul(b, result, square) : square;
      if (rest > 1) square = mul(b, square, square);
    }
  } else if (2 * size == std::floor(2 * size) && size <= 32) {
    // A whole power and a root; of a negative number the root is NaN, as it should be.
    result = math::SqrtOp::create(b, x);
    if (size > 1) result = mul(b, result, power(b, x, std::floor(size)));
  } else {
    // exp(p log x) for x > 0; 0 and infinity go where the logarithm sends them, negative numbers to NaN but for whole
    // p.
    const Value positive = math::AbsFOp::create(b, x);
    result = math::ExpOp::create(b, mul(b, number(b, x, size), math::LogOp::create(b, positive)));
    const bool whole = size == std::floor(size), odd = whole && std::fmod(size, 2) == 1;
    const Value below = less(b, CmpFPredicate::OLT, x, number(b, x, 0));
    if (!whole) result = choose(b, below, number(b, x, std::numeric_limits<double>::quiet_NaN()), result);
    if (odd) result = choose(b, below, neg(b, result), result);
    result = choose(b, less(b, CmpFPredicate::OEQ, x, number(b, x, 0)), number(b, x, 0), result);
  }
  return p < 0 ? div(b, one, result) : result;
}

}  // namespace

Value filled(Builder& b, Type type, double value) {
  const Type element = llvm::isa<VectorType>(type) ? llvm::cast<VectorType>(type).getElementType() : type;
  const TypedAttr one = b.getFloatAttr(element, value);
  if (auto vector = llvm::dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, llvm::ArrayRef<Attribute>{one}));
  return arith::ConstantOp::create(b, one);
}

Value emitMap(Builder& b, MapFn fn, Value x, double p) {
  const auto constant = [&](double value) { return number(b, x, value); };
  switch (fn) {
    case MapFn::neg: return neg(b, x);
    case MapFn::reciprocal: return div(b, constant(1), x);
    case MapFn::exp: return math::ExpOp::create(b, x);
    case MapFn::log: return math::LogOp::create(b, x);
    case MapFn::sqrt: return math::SqrtOp::create(b, x);
    case MapFn::rsqrt: return div(b, constant(1), math::SqrtOp::create(b, x));
    case MapFn::square: return mul(b, x, x);
    case MapFn::abs: return math::AbsFOp::create(b, x);
    case MapFn::sign:
      return choose(b, less(b, CmpFPredicate::OGT, x, constant(0)), constant(1),
                    choose(b, less(b, CmpFPredicate::OLT, x, constant(0)), constant(-1), x));
    case MapFn::sin: return sine(b, x, 0);
    case MapFn::cos: return sine(b, x, 1);
    case MapFn::tanh: return math::TanhOp::create(b, x);
    case MapFn::sigmoid: return sigmoid(b, x);
    case MapFn::relu: return choose(b, less(b, CmpFPredicate::UGT, x, constant(0)), x, constant(0));
    case MapFn::gelu: return mul(b, x, distribution(b, x));
    case MapFn::silu: return mul(b, x, sigmoid(b, x));
    case MapFn::round: return math::RoundEvenOp::create(b, x);
    case MapFn::pow: return power(b, x, p);
    case MapFn::step: return choose(b, less(b, CmpFPredicate::OGT, x, constant(0)), constant(1), constant(0));
    case MapFn::gelu1: return add(b, distribution(b, x), mul(b, x, density(b, x)));
    case MapFn::silu1: {
      const Value s = sigmoid(b, x);
      return mul(b, s, add(b, constant(1), mul(b, x, sigmoid(b, neg(b, x)))));
    }
    case MapFn::sigmoid1: return sigmoidSlope(b, x);
    case MapFn::tanh1: return mul(b, constant(4), sigmoidSlope(b, mul(b, constant(2), x)));
    case MapFn::isFinite:
      return choose(
          b, less(b, CmpFPredicate::OLT, math::AbsFOp::create(b, x), constant(std::numeric_limits<double>::infinity())),
          constant(1), constant(0));
  }
  return x;
}

}  // namespace tpc::loops
