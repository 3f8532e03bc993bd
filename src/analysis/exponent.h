#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hysteron::analysis {

/// Two-sided 95 % quantile of Student's t; NaN without a degree of freedom.
double student_quantile95(std::size_t degrees);

/// Slope of ln y over ln x with the 95 % interval of the regression.
struct Exponent {
  double value = 0.0;
  double half_interval = 0.0;  ///< 0 with two points
};

/// Throws nothing; the slope is NaN below two points. All numbers are positive.
Exponent fit_exponent(const std::vector<double>& x, const std::vector<double>& y);

/// Slope of ln y over ln x between two places with some samples of y at each, of the means; the interval is 95 %, from
/// the standard errors of the two means (to first order in them, Welch's degrees of freedom). NaN where a place has a
/// single sample. All numbers are positive.
Exponent local_exponent(double x0, std::span<const double> y0, double x1, std::span<const double> y1);

}  // namespace hysteron::analysis
