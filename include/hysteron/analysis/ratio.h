#pragma once

#include <vector>

namespace hysteron::analysis {

/// A ratio with its 95 % interval over trials; NaN where there is none.
struct Ratio {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// Variance of `values`, by their number less one.
double variance(const std::vector<double>& values);

/// `scale` times the square root of sum(numerators) / sum(denominators), variances of trials in pairs, with an interval
/// from Student's t over the logarithms of the trials' ratios. No interval below three trials.
Ratio ratio_of(const std::vector<double>& numerators, const std::vector<double>& denominators, double scale);

}  // namespace hysteron::analysis
