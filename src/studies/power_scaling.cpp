#include "studies/power_scaling.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace hysteron::studies {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

PowerFit fit_power(const std::vector<double>& dims, const std::vector<double>& values) {
  const auto count = static_cast<Eigen::Index>(dims.size());
  Eigen::Matrix<double, Eigen::Dynamic, 3> rows(count, 3);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double d = dims[static_cast<std::size_t>(i)];
    rows.row(i) << 1.0, d, d * d;
    rows.row(i) /= values[static_cast<std::size_t>(i)];
  }
  // Columns of one size each: constant and quadratic are orders of magnitude apart.
  const Eigen::RowVector3d sizes = rows.colwise().norm();
  rows.array().rowwise() /= sizes.array();
  const Eigen::Vector3d found = rows.colPivHouseholderQr().solve(Eigen::VectorXd::Ones(count));
  double squares = 0.0;
  double worst = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double residual = rows.row(i).dot(found) - 1.0;
    squares += residual * residual;
    worst = std::max(worst, std::abs(residual));
  }
  Eigen::Vector3d half = Eigen::Vector3d::Constant(std::numeric_limits<double>::quiet_NaN());
  if (count > 3) {
    const double variance = squares / static_cast<double>(count - 3);
    const Eigen::Matrix3d inverse = (rows.transpose() * rows).inverse();
    half = analysis::student_quantile95(static_cast<std::size_t>(count - 3)) *
           (variance * inverse.diagonal().array()).sqrt();
  }
  const auto value = [&](const Eigen::Vector3d& of, Eigen::Index i) { return of[i] / sizes[i]; };
  return {value(found, 0), value(found, 1), value(found, 2), value(half, 0), value(half, 1), value(half, 2), worst};
}

std::vector<LocalExponents> local_exponents(std::span<const PowerSample> samples) {
  std::vector<LocalExponents> result;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const PowerSample& a = samples[i - 1];
    const PowerSample& b = samples[i];
    if (a.dim == b.dim) continue;
    const auto exponent = [&](std::span<const double> from, std::span<const double> to) {
      return analysis::local_exponent(static_cast<double>(a.dim), from, static_cast<double>(b.dim), to);
    };
    result.push_back(
        {a.dim, b.dim, exponent(a.total, b.total), exponent(a.cells, b.cells), exponent(a.feedforward, b.feedforward)});
  }
  return result;
}

PowerScaling fit_scaling(std::span<const PowerSample> samples) {
  PowerScaling result;
  std::vector<double> total;
  std::vector<double> cells;
  std::vector<double> feedforward;
  for (const PowerSample& sample : samples) {
    result.dims.push_back(static_cast<double>(sample.dim));
    total.push_back(mean_of(sample.total));
    cells.push_back(mean_of(sample.cells));
    feedforward.push_back(mean_of(sample.feedforward));
  }
  const auto exponent = [&](const std::vector<double>& values) {
    analysis::Exponent fit = analysis::fit_exponent(result.dims, values);
    // Two widths leave no residuals to take an interval from.
    if (result.dims.size() < 3) fit.half_interval = std::numeric_limits<double>::quiet_NaN();
    return fit;
  };
  result.local = local_exponents(samples);
  result.total = exponent(total);
  result.cells = exponent(cells);
  result.feedforward = exponent(feedforward);
  if (std::set<double>(result.dims.begin(), result.dims.end()).size() > 2) {
    result.fit_total = fit_power(result.dims, total);
  }
  return result;
}

}  // namespace hysteron::studies
