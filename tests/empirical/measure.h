// Random vectors and matrices, and the line through what is measured on them.
//
//     slope([](int64_t n, uint64_t seed) { return rms(times(gaussian("W", seed, n, n), normals("x", seed, n))); }) 1/2
//     said("matmul.fresh", {.k = 1}) 1/2
//
// A size is the root mean square of the coordinates, over seeds too (TP5 Appendix J).  The numbers come from `kernels`,
// keyed by name and seed; the arithmetic is plain loops.  Nothing here is derived by the compiler.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/rules/sizes.h"

namespace tpc::empirical {

using Vector = std::vector<double>;

struct Matrix {
  int64_t rows = 0, columns = 0;
  Vector entries{};  // row-major
};

Vector normals(const std::string& name, uint64_t seed, int64_t count, double std = 1);
Matrix gaussian(const std::string& name, uint64_t seed, int64_t rows, int64_t columns, double std = 1);

Vector times(const Matrix& W, const Vector& x);            // W x
Vector timesTransposed(const Matrix& W, const Vector& x);  // W^T x
Matrix outer(const Vector& u, const Vector& v);            // u v^T

using Map = std::function<double(double)>;
using Map2 = std::function<double(double, double)>;
Vector mapped(Vector x, const Map& phi);
Vector mapped(Vector x, const Vector& y, const Map2& phi);
Vector scaled(Vector x, double by);
double relu(double x);

double sum(const Vector& x);
double mean(const Vector& x);
double dot(const Vector& x, const Vector& y);
double rms(const Vector& x);

// x without its part along y, and the size of that part.
Vector without(Vector x, const Vector& y);
double along(const Vector& x, const Vector& y);

// Widths smallest, 2 smallest, ... largest; scalars, which scatter about zero, need many seeds.
struct Fit {
  int64_t smallest = 64, largest = 2048;
  int seeds = 2;
};
using Sample = std::function<double(int64_t n, uint64_t seed)>;
double slope(const Sample& size, Fit fit = {});

// The exponent that a row of the calculus gives.
double said(std::string_view rule, const Features& features);

// Vectors are measured within this of their exponent, scalars within `loose`: rules differ by 1/2.
inline constexpr double tight = 0.06, loose = 0.15;

}  // namespace tpc::empirical
