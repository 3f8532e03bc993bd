#include "analysis/flip_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <utility>

namespace hysteron::analysis {
namespace {

constexpr int kIterations = 100;
constexpr double kConverged = 1e-10;
constexpr double kNormal95 = 1.959963985;
constexpr double kMinProbability = 1e-300;
constexpr double kConditioned = 1e-9;  // determinant over the product of the diagonal: less is rounding

double gaussian_density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi); }

/// Of x = a + b margin over all counts: the score and the Fisher information of (a, b).
struct Normal {
  double score[2] = {0.0, 0.0};
  double information[3] = {0.0, 0.0, 0.0};  // aa, ab, bb

  double determinant() const { return information[0] * information[2] - information[1] * information[1]; }
  bool is_known() const { return determinant() > kConditioned * information[0] * information[2]; }
};

Normal normal_equations(const std::vector<FlipCount>& counts, double offset, double slope) {
  Normal result;
  for (const FlipCount& count : counts) {
    const double x = offset + slope * count.margin;
    const double p = std::clamp(gaussian_tail(x), kMinProbability, 1.0 - 1e-15);
    const double density = gaussian_density(x);
    const double samples = static_cast<double>(count.samples);
    const double residual = static_cast<double>(count.flips) - samples * p;
    const double score = -density * residual / (p * (1.0 - p));
    const double weight = samples * density * density / (p * (1.0 - p));
    result.score[0] += score;
    result.score[1] += score * count.margin;
    result.information[0] += weight;
    result.information[1] += weight * count.margin;
    result.information[2] += weight * count.margin * count.margin;
  }
  return result;
}

}  // namespace

double gaussian_tail(double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); }

double log10_gaussian_tail(double x) {
  constexpr double kAsymptotic = 30.0;
  if (x < kAsymptotic) return std::log10(gaussian_tail(x));
  const double natural = -0.5 * x * x - std::log(x * std::sqrt(2.0 * std::numbers::pi)) - 1.0 / (x * x);
  return natural / std::numbers::ln10;
}

double FlipFit::log10_probability(double margin) const { return log10_gaussian_tail(offset + slope * margin); }

FlipFit fit_flips(const std::vector<FlipCount>& counts) {
  FlipFit fit;
  std::set<double> seen;
  for (const FlipCount& count : counts) {
    fit.flips += count.flips;
    if (count.flips > 0) seen.insert(count.margin);
  }
  constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
  fit.offset = fit.slope = fit.offset_half_interval = fit.slope_half_interval = kNever;
  if (seen.size() < 2) return fit;
  double offset = 0.0;
  double slope = 1.0;
  Normal normal;
  bool converged = false;
  for (int i = 0; i < kIterations && !converged; ++i) {
    normal = normal_equations(counts, offset, slope);
    if (!normal.is_known()) return fit;
    const double determinant = normal.determinant();
    double step[2] = {
        (normal.information[2] * normal.score[0] - normal.information[1] * normal.score[1]) / determinant,
        (normal.information[0] * normal.score[1] - normal.information[1] * normal.score[0]) / determinant};
    const double largest = std::max(std::abs(step[0]), std::abs(step[1]));
    const double damping = std::min(1.0, 0.5 / largest);
    offset += damping * step[0];
    slope += damping * step[1];
    converged = largest < kConverged;
  }
  if (!converged) return fit;
  const double determinant = normal.determinant();
  fit.offset = offset;
  fit.slope = slope;
  fit.offset_half_interval = kNormal95 * std::sqrt(normal.information[2] / determinant);
  fit.slope_half_interval = kNormal95 * std::sqrt(normal.information[0] / determinant);
  return fit;
}

std::vector<FlipFit> resampled_fits(const std::vector<FlipCount>& counts, std::size_t resamples, Random random) {
  std::vector<FlipFit> fits;
  std::vector<FlipCount> drawn(counts.size());
  for (std::size_t i = 0; i < resamples && !counts.empty(); ++i) {
    for (FlipCount& count : drawn) count = counts[random.below(counts.size())];
    const FlipFit fit = fit_flips(drawn);
    if (std::isfinite(fit.offset) && std::isfinite(fit.slope)) fits.push_back(fit);
  }
  return fits;
}

Interval interval_of(const std::vector<FlipFit>& fits, double FlipFit::*term) {
  std::vector<double> values;
  for (const FlipFit& fit : fits) values.push_back(fit.*term);
  return middle_95(std::move(values));
}

}  // namespace hysteron::analysis
