#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "analysis/exponent.h"

namespace hysteron::studies {

/// Powers of some networks or clips of one width, watt.
struct PowerSample {
  std::size_t dim = 0;
  std::vector<double> total;
  std::vector<double> cells;
  std::vector<double> feedforward;

  void add(double total_power, double cells_power, double feedforward_power) {
    total.push_back(total_power);
    cells.push_back(cells_power);
    feedforward.push_back(feedforward_power);
  }
};

/// Exponents between two neighbouring widths.
struct LocalExponents {
  std::size_t from = 0;
  std::size_t to = 0;
  analysis::Exponent total;
  analysis::Exponent cells;
  analysis::Exponent feedforward;
};

/// P = constant + linear d + quadratic d^2, least squares of relative errors, watt. Intervals are 95 %, from the
/// residuals; NaN where there are no more than three widths.
struct PowerFit {
  double constant = 0.0;
  double linear = 0.0;
  double quadratic = 0.0;
  double constant_half = 0.0;
  double linear_half = 0.0;
  double quadratic_half = 0.0;
  double worst = 0.0;  ///< largest relative error of the points
};

/// Exponents over all widths and between them, and the fit of the total where there are three widths.
struct PowerScaling {
  std::vector<double> dims;
  std::vector<LocalExponents> local;
  analysis::Exponent total;  ///< intervals are NaN below three samples
  analysis::Exponent cells;
  analysis::Exponent feedforward;
  std::optional<PowerFit> fit_total;
};

double mean_of(std::span<const double> values);

/// Needs three widths at least.
PowerFit fit_power(const std::vector<double>& dims, const std::vector<double>& values);

/// Between every two neighbouring widths of `samples`, which ascend; equal ones are left out.
std::vector<LocalExponents> local_exponents(std::span<const PowerSample> samples);

/// What grows how over `samples`, at least two, which ascend.
PowerScaling fit_scaling(std::span<const PowerSample> samples);

}  // namespace hysteron::studies
