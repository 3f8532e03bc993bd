#include "hysteron/analysis/ratio.h"

#include <cmath>
#include <limits>

#include "hysteron/analysis/exponent.h"

namespace hysteron::analysis {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFewTrials = 3;  // for an interval

}  // namespace

double variance(const std::vector<double>& values) {
  double mean = 0.0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

Ratio ratio_of(const std::vector<double>& numerators, const std::vector<double>& denominators, double scale) {
  Ratio result{kNever, kNever, kNever};
  double top = 0.0;
  double bottom = 0.0;
  for (const double value : numerators) top += value;
  for (const double value : denominators) bottom += value;
  if (!(top > 0.0) || !(bottom > 0.0)) return result;
  result.value = scale * std::sqrt(top / bottom);
  if (numerators.size() < kFewTrials) return result;
  std::vector<double> logs;
  for (std::size_t i = 0; i < numerators.size(); ++i) logs.push_back(0.5 * std::log(numerators[i] / denominators[i]));
  const double half =
      student_quantile95(logs.size() - 1) * std::sqrt(variance(logs) / static_cast<double>(logs.size()));
  result.low = result.value * std::exp(-half);
  result.high = result.value * std::exp(half);
  return result;
}

}  // namespace hysteron::analysis
