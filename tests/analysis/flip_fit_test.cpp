#include "analysis/flip_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/suppression.h"

namespace hysteron::analysis {
namespace {

TEST(GaussianTail, HasTheTextbooksValues) {
  EXPECT_NEAR(gaussian_tail(0.0), 0.5, 1e-15);
  EXPECT_NEAR(gaussian_tail(1.0), 0.158655, 1e-6);
  EXPECT_NEAR(gaussian_tail(3.0), 1.349898e-3, 1e-9);
}

TEST(GaussianTail, ItsLogarithmGoesOnWhereItIsTooSmall) {
  EXPECT_NEAR(log10_gaussian_tail(3.0), std::log10(gaussian_tail(3.0)), 1e-12);
  EXPECT_NEAR(log10_gaussian_tail(30.0), std::log10(gaussian_tail(29.9999999)), 1e-5);
  EXPECT_NEAR(log10_gaussian_tail(100.0), -2173.87154, 1e-3);  // -x^2 / 2 ln 10 - log10(x sqrt(2 pi)), x = 100
}

/// Counts that follow Q(offset + slope margin) to the nearest flip.
std::vector<FlipCount> counts_of(double offset, double slope) {
  std::vector<FlipCount> counts;
  for (const double margin : {0.5, 1.0, 2.0, 3.0, 6.0}) {
    const auto flips = static_cast<std::size_t>(std::lround(1e6 * gaussian_tail(offset + slope * margin)));
    counts.push_back({margin, flips, 1000000});
  }
  return counts;
}

TEST(FlipFit, FindsTheLawThatMadeTheCounts) {
  for (const auto& [offset, slope] : {std::pair{0.0, 1.0}, std::pair{0.6, 1.3}, std::pair{-0.4, 0.8}}) {
    const FlipFit fit = fit_flips(counts_of(offset, slope));
    EXPECT_NEAR(fit.offset, offset, 0.005);
    EXPECT_NEAR(fit.slope, slope, 0.005);
    EXPECT_GT(fit.slope_half_interval, 0.0);
    EXPECT_LT(fit.slope_half_interval, 0.02);
    EXPECT_NEAR(fit.log10_probability(2.0), std::log10(gaussian_tail(offset + 2.0 * slope)), 0.01);
  }
}

TEST(FlipFit, SaysNothingWithoutFlipsAtTwoMargins) {
  EXPECT_TRUE(std::isnan(fit_flips({}).slope));
  EXPECT_TRUE(std::isnan(fit_flips({{1.0, 5, 100}, {3.0, 0, 100}}).slope));
  // Two margins that are one but for rounding say nothing of a slope; a third without flips hardly more.
  EXPECT_TRUE(std::isnan(fit_flips({{1.25, 2, 100}, {1.2500001, 3, 100}}).slope));
}

TEST(FlipFit, ResampledFitsSpreadWithTheCounts) {
  EXPECT_TRUE(resampled_fits({}, 10, Random(1)).empty());
  std::vector<FlipCount> alike = counts_of(0.4, 1.2);
  const auto spread = [](const std::vector<FlipCount>& counts) {
    double low = 1e9;
    double high = -1e9;
    for (const FlipFit& fit : resampled_fits(counts, 100, Random(1))) {
      low = std::min(low, fit.slope);
      high = std::max(high, fit.slope);
    }
    return high - low;
  };
  EXPECT_LT(spread(alike), 0.01);
  const std::vector<FlipCount> other = counts_of(0.0, 1.2);  // cells of one margin that differ
  alike.insert(alike.end(), other.begin(), other.end());
  EXPECT_GT(spread(alike), 0.1);
}

TEST(Exposure, HoldsTheSampleUnderWhichTheStateFlips) {
  EXPECT_EQ(samples_begun(0.1e-3, 0.5e-3, 100), 1u) << "a flip before the first sample's end";
  EXPECT_EQ(samples_begun(0.6e-3, 0.5e-3, 100), 2u);
  EXPECT_EQ(samples_begun(1.0, 0.5e-3, 100), 100u);
  EXPECT_EQ(samples_begun(std::nan(""), 0.5e-3, 100), 100u);
}

}  // namespace
}  // namespace hysteron::analysis
