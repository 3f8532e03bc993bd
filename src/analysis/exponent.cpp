#include "analysis/exponent.h"

#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>

namespace hysteron::analysis {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

struct Sampled {
  double mean = 0.0;
  double variance = 0.0;  ///< of the mean, relative: that of its logarithm to first order
};

Sampled sampled(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  Sampled result;
  for (const double value : values) result.mean += value / count;
  double squares = 0.0;
  for (const double value : values) squares += std::pow(value - result.mean, 2);
  result.variance = values.size() < 2 ? kNever : squares / (count - 1.0) / count / std::pow(result.mean, 2);
  return result;
}

}  // namespace

double student_quantile95(std::size_t degrees) {
  constexpr double kTable[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                               2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                               2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  constexpr double kNormal = 1.960;
  if (degrees == 0) return kNever;
  return degrees <= std::size(kTable) ? kTable[degrees - 1] : kNormal;
}

Exponent fit_exponent(const std::vector<double>& x, const std::vector<double>& y) {
  assert(x.size() == y.size());
  const std::size_t count = x.size();
  if (count < 2) return {kNever, kNever};
  double mean_x = 0.0;
  double mean_y = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    mean_x += std::log(x[i]) / static_cast<double>(count);
    mean_y += std::log(y[i]) / static_cast<double>(count);
  }
  double xx = 0.0;
  double xy = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    xx += std::pow(std::log(x[i]) - mean_x, 2);
    xy += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
  }
  Exponent result{xy / xx, 0.0};
  if (count < 3) return result;
  double residual = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    residual += std::pow(std::log(y[i]) - mean_y - result.value * (std::log(x[i]) - mean_x), 2);
  }
  result.half_interval = student_quantile95(count - 2) * std::sqrt(residual / static_cast<double>(count - 2) / xx);
  return result;
}

Exponent local_exponent(double x0, std::span<const double> y0, double x1, std::span<const double> y1) {
  assert(!y0.empty() && !y1.empty() && x0 != x1);
  const Sampled a = sampled(y0);
  const Sampled b = sampled(y1);
  const double step = std::log(x1 / x0);
  Exponent result{std::log(b.mean / a.mean) / step, kNever};
  const double variance = a.variance + b.variance;
  if (!(variance > 0.0)) {
    if (variance == 0.0) result.half_interval = 0.0;
    return result;
  }
  const double degrees = variance * variance /
                         (a.variance * a.variance / static_cast<double>(y0.size() - 1) +
                          b.variance * b.variance / static_cast<double>(y1.size() - 1));
  result.half_interval = student_quantile95(static_cast<std::size_t>(degrees)) * std::sqrt(variance) / std::abs(step);
  return result;
}

}  // namespace hysteron::analysis
