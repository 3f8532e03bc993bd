#pragma once

#include <cstddef>
#include <vector>

#include "analysis/yield.h"
#include "base/random.h"

namespace hysteron::analysis {

/// How often something at a margin flipped: a state under noise whose deviation is 1 / `margin` of the distance to the
/// threshold, or a decision over dies.
struct FlipCount {
  double margin = 0.0;      ///< of a state: distance of the candidate from the threshold over the noise's deviation
  std::size_t flips = 0;    ///< states lost, decisions changed
  std::size_t samples = 0;  ///< noise samples the state was exposed to until it was lost; dies
};

/// Probability that a sample flips, Q(a + b margin), with Q the upper tail of the normal distribution; for states, a =
/// 0 and b = 1 is a cell that flips whenever one sample is beyond its threshold.
struct FlipFit {
  double offset = 0.0;  ///< a
  double offset_half_interval = 0.0;
  double slope = 0.0;  ///< b
  double slope_half_interval = 0.0;
  std::size_t flips = 0;

  /// Decimal logarithm of that probability; finite where the probability itself is too small to be a number.
  double log10_probability(double margin) const;
};

/// Q(x), the share of a normal distribution that lies above x.
double gaussian_tail(double x);

/// Its decimal logarithm; beyond x = 30 by the asymptotic series, within 0.1 % of the tail.
double log10_gaussian_tail(double x);

/// Probit regression by maximum likelihood (iteratively reweighted least squares), with 95 % intervals from the Fisher
/// information. Offset and slope are NaN unless two margins or more, which are not nearly one, saw a flip.
FlipFit fit_flips(const std::vector<FlipCount>& counts);

/// Fits of `resamples` sets of as many counts drawn with replacement, those that saw flips at two margins: their spread
/// is what the law would be with other counts, wherever counts of one margin differ by more than chance.
std::vector<FlipFit> resampled_fits(const std::vector<FlipCount>& counts, std::size_t resamples, Random random);

/// 95 % of one of their terms; NaN without any.
Interval interval_of(const std::vector<FlipFit>& fits, double FlipFit::*term);

}  // namespace hysteron::analysis
