#pragma once

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace hysteron::analysis {

/// A ratio with its 95 % interval over trials; NaN where there is none.
struct Ratio {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// Variance of `values`, by their number less one.
double variance(const std::vector<double>& values);

inline constexpr std::size_t kFewTrials = 3;  ///< that an interval takes
inline constexpr std::size_t kRatioResamples = 2000;

/// `scale` times the square root of sum(numerators) / sum(denominators), variances of trials in pairs. The interval is
/// that of this very value: percentiles 2.5 and 97.5 of it over kRatioResamples or more sets of as many pairs drawn
/// with replacement (B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Of few trials it
/// is too narrow: of 16 it holds the true value about 93 times in 100, of 8 about 88, of 3 about 75 times. No interval
/// below three trials. `outside`: the share of values that the interval leaves out, half of it at each end.
Ratio ratio_of(const std::vector<double>& numerators, const std::vector<double>& denominators, double scale,
               Random random, double outside = 0.05);

}  // namespace hysteron::analysis
