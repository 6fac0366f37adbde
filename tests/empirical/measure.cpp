#include "tests/empirical/measure.h"

#include <cassert>
#include <cmath>

#include "kernels/random.h"

namespace tpc::empirical {

Vector normals(const std::string& name, uint64_t seed, int64_t count, double std) {
  Vector values(static_cast<size_t>(count));
  RandomStream(seed, name).normals(values.data(), 0, uint64_t(count));
  for (double& x : values) x *= std;
  return values;
}

Matrix gaussian(const std::string& name, uint64_t seed, int64_t rows, int64_t columns, double std) {
  return {rows, columns, normals(name, seed, rows * columns, std)};
}

Vector times(const Matrix& W, const Vector& x) {
  assert(int64_t(x.size()) == W.columns && "one entry for each column");
  Vector y(size_t(W.rows));
  const double* entry = W.entries.data();
  for (double& sum : y)
    for (double each : x) sum += *entry++ * each;
  return y;
}

Vector timesTransposed(const Matrix& W, const Vector& x) {
  assert(int64_t(x.size()) == W.rows && "one entry for each row");
  Vector y(size_t(W.columns));
  const double* entry = W.entries.data();
  for (double each : x)
    for (double& sum : y) sum += *entry++ * each;
  return y;
}

Matrix outer(const Vector& u, const Vector& v) {
  Matrix M{int64_t(u.size()), int64_t(v.size()), {}};
  M.entries.reserve(u.size() * v.size());
  for (double a : u)
    for (double b : v) M.entries.push_back(a * b);
  return M;
}

Vector mapped(Vector x, const Map& phi) {
  for (double& each : x) each = phi(each);
  return x;
}

Vector mapped(Vector x, const Vector& y, const Map2& phi) {
  assert(x.size() == y.size() && "coordinate by coordinate");
  for (size_t i = 0; i < x.size(); ++i) x[i] = phi(x[i], y[i]);
  return x;
}

Vector scaled(Vector x, double by) {
  for (double& each : x) each *= by;
  return x;
}

double relu(double x) { return x > 0 ? x : 0; }

double sum(const Vector& x) {
  double sum = 0;
  for (double each : x) sum += each;
  return sum;
}

double mean(const Vector& x) { return sum(x) / double(x.size()); }

double dot(const Vector& x, const Vector& y) {
  assert(x.size() == y.size() && "coordinate by coordinate");
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

double rms(const Vector& x) { return std::sqrt(dot(x, x) / double(x.size())); }

Vector without(Vector x, const Vector& y) {
  const double share = dot(x, y) / dot(y, y);
  for (size_t i = 0; i < x.size(); ++i) x[i] -= share * y[i];
  return x;
}

double along(const Vector& x, const Vector& y) { return std::abs(dot(x, y)) / dot(y, y) * rms(y); }

double slope(const Sample& size, Fit fit) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0, count = 0;
  for (int64_t n = fit.smallest; n <= fit.largest; n *= 2) {
    double square = 0;
    for (int seed = 1; seed <= fit.seeds; ++seed) square += std::pow(size(n, uint64_t(seed)), 2) / fit.seeds;
    const double x = std::log2(double(n)), y = 0.5 * std::log2(square);
    sx += x, sy += y, sxx += x * x, sxy += x * y, ++count;
  }
  assert(count >= 5 && "a line needs its points");
  return (count * sxy - sx * sy) / (count * sxx - sx * sx);
}

double said(std::string_view rule, const Features& features) { return sizeBy(ruleNamed(rule), features).toDouble(); }

}  // namespace tpc::empirical
