#include "analysis/yield.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace hysteron::analysis {

double share_of(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Interval wilson_interval(std::size_t successes, std::size_t trials) {
  if (trials == 0) return {};
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const double n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double scale = 1.0 + kZ * kZ / n;
  const double center = (share + 0.5 * kZ * kZ / n) / scale;
  const double half = kZ * std::sqrt(share * (1.0 - share) / n + 0.25 * kZ * kZ / (n * n)) / scale;
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

Interval middle_95(std::vector<double> values) { return middle_of(std::move(values), 0.05); }

Interval middle_of(std::vector<double> values, double outside) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {kNone, kNone};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.5 * outside), at(1.0 - 0.5 * outside)};
}

}  // namespace hysteron::analysis
