#pragma once

#include <cstddef>
#include <vector>

namespace hysteron::analysis {

/// An interval that holds a value, a share unless it is said otherwise.
struct Interval {
  double low = 0.0;
  double high = 1.0;
};

/// part / whole; 0 of nothing.
double share_of(std::size_t part, std::size_t whole);

/// Wilson's 95 % interval of the share that `successes` of `trials` estimate (E. B. Wilson, J. Am. Stat. Assoc. 22,
/// 1927); all of [0, 1] without trials.
Interval wilson_interval(std::size_t successes, std::size_t trials);

/// From the 2.5th to the 97.5th percentile of `values`; NaN without any.
Interval middle_95(std::vector<double> values);

/// What is left of `values` where the share `outside` is cut off, half of it at each end.
Interval middle_of(std::vector<double> values, double outside);

}  // namespace hysteron::analysis
