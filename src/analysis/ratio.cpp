#include "analysis/ratio.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/yield.h"

namespace hysteron::analysis {
namespace {

constexpr double kEndResamples = 40.0;  // outside an interval, both ends together
constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double variance(const std::vector<double>& values) {
  double mean = 0.0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

Ratio ratio_of(const std::vector<double>& numerators, const std::vector<double>& denominators, double scale,
               Random random, double outside) {
  Ratio result{kNever, kNever, kNever};
  double top = 0.0;
  double bottom = 0.0;
  for (const double value : numerators) top += value;
  for (const double value : denominators) bottom += value;
  if (!(top > 0.0) || !(bottom > 0.0)) return result;
  result.value = scale * std::sqrt(top / bottom);
  if (numerators.size() < kFewTrials) return result;
  std::vector<double> values;
  const auto resamples = std::max(kRatioResamples, static_cast<std::size_t>(std::ceil(kEndResamples / outside)));
  for (std::size_t i = 0; i < resamples; ++i) {
    top = bottom = 0.0;
    for (std::size_t k = 0; k < numerators.size(); ++k) {
      const std::size_t drawn = random.below(numerators.size());
      top += numerators[drawn];
      bottom += denominators[drawn];
    }
    if (bottom > 0.0) values.push_back(scale * std::sqrt(top / bottom));
  }
  const Interval interval = middle_of(std::move(values), outside);
  result.low = interval.low;
  result.high = interval.high;
  return result;
}

}  // namespace hysteron::analysis
