#include "analysis/margin_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace hysteron::analysis {
namespace {

constexpr std::size_t kDies = 4000;

/// Clips of `margins` margins that flip on a die where a normal number is beyond 0.3 + 4 margin: a number of every
/// pair's own or, weighted with `shared`, of the die.
std::vector<ClipFlips> clips_of(double shared, std::uint64_t seed, int margins = 20) {
  Random random(seed);
  std::vector<double> die(kDies);
  for (double& value : die) value = random.normal();
  std::vector<ClipFlips> clips;
  for (int i = 0; i < 20; ++i) {
    ClipFlips clip{0.05 * (i % margins), std::vector<std::uint8_t>(kDies, 0), std::vector<std::uint8_t>(kDies, 1)};
    for (std::size_t d = 0; d < kDies; ++d) {
      const double value = std::sqrt(shared) * die[d] + std::sqrt(1.0 - shared) * random.normal();
      clip.flipped[d] = value > 0.3 + 4.0 * clip.margin ? 1 : 0;
    }
    clips.push_back(std::move(clip));
  }
  return clips;
}

TEST(MarginFit, FindsTheLawWithinItsInterval) {
  const MarginFit fit = fit_margins(clips_of(0.0, 3), 1);
  EXPECT_NEAR(fit.law.offset, 0.3, 0.1);
  EXPECT_NEAR(fit.law.slope, 4.0, 0.35);
  EXPECT_LT(fit.slope.low, 4.0);
  EXPECT_GT(fit.slope.high, 4.0);
  EXPECT_NEAR(fit.dispersion, 1.0, 0.8);
  EXPECT_LT(fit.rms_error, 0.02);
  EXPECT_EQ(fit.resamples, kMarginResamples);
}

/// Pairs that share their dies know less than their number says, and the interval has to say so.
TEST(MarginFit, SharedDiesWidenTheInterval) {
  const MarginFit own = fit_margins(clips_of(0.0, 5, 2), 1);
  const MarginFit shared = fit_margins(clips_of(0.9, 5, 2), 1);
  EXPECT_GT(shared.offset.high - shared.offset.low, 1.25 * (own.offset.high - own.offset.low));
  EXPECT_GT(shared.offset.high - shared.offset.low, 3.0 * shared.law.offset_half_interval);
}

TEST(MarginFit, ClipsThatDoNotFollowTheirMarginShowInTheDispersion) {
  std::vector<ClipFlips> clips = clips_of(0.0, 7);
  clips[10].flipped.assign(kDies, 1);
  EXPECT_GT(fit_margins(clips, 1).dispersion, 10.0);
}

TEST(MarginFit, PairsWithoutAResultCountForNothing) {
  std::vector<ClipFlips> clips = clips_of(0.0, 9);
  const MarginFit all = fit_margins(clips, 1);
  for (ClipFlips& clip : clips) {
    clip.flipped.insert(clip.flipped.end(), 100, 0);
    clip.tried.insert(clip.tried.end(), 100, 0);
  }
  EXPECT_DOUBLE_EQ(fit_margins(clips, 1).law.slope, all.law.slope);
  EXPECT_DOUBLE_EQ(fit_margins(clips, 1).dispersion, all.dispersion);
}

TEST(MarginFit, SaysNothingWithoutFlipsAtTwoMargins) {
  std::vector<ClipFlips> clips = {{0.1, {1, 0}, {1, 1}}, {0.5, {0, 0}, {1, 1}}};
  const MarginFit fit = fit_margins(clips, 1);
  EXPECT_TRUE(std::isnan(fit.law.slope));
  EXPECT_TRUE(std::isnan(fit.slope.low));
  EXPECT_TRUE(std::isnan(fit.dispersion));
}

}  // namespace
}  // namespace hysteron::analysis
