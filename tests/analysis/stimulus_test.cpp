// What a bench is asked to play.

#include "analysis/stimulus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/chip_bench.h"
#include "analysis/threshold_fit.h"

namespace hysteron::analysis {
namespace {

TEST(Stimulus, SetsAndResetsCellsOfEveryLayerAndSaysWhichItCannot) {
  const model::Network network = trained_like();
  const Stimulus stimulus = make_stimulus(network, {});
  EXPECT_EQ(stimulus.ramps.size() + 3 * stimulus.unreached.size(), 3 * 2 * 8u);
  EXPECT_LE(stimulus.unreached.size(), 3u);
  EXPECT_TRUE(std::any_of(stimulus.ramps.begin(), stimulus.ramps.end(),
                          [](const StimulusRamp& ramp) { return ramp.layer == 1; }));
  EXPECT_EQ(make_stimulus(network, {}).features.values, stimulus.features.values);
  const model::Trace trace = model::run_clip(network, stimulus.features.clip(0));
  for (const StimulusRamp& ramp : stimulus.ramps) {
    for (std::size_t t = ramp.begin + 1; t < ramp.begin + ramp.frames; ++t) {
      for (std::size_t j = 0; ramp.layer > 0 && j < network.layers[0].cells(); ++j)
        ASSERT_EQ(trace.state(0, t, j), trace.state(0, t - 1, j)) << "a cell below switched";
    }
    const std::size_t last = ramp.begin + ramp.frames - 1;
    EXPECT_EQ(trace.state(ramp.layer, ramp.begin, ramp.cell) > 0.0F, !ramp.sets) << ramp.layer << " " << ramp.cell;
    EXPECT_EQ(trace.state(ramp.layer, last, ramp.cell) > 0.0F, ramp.sets) << ramp.layer << " " << ramp.cell;
  }
}

/// A cell of the second layer whose bias is above beta_lo and whose weights have no minus.
void keep_on(model::Network& network, Eigen::Index cell) {
  model::Layer& upper = network.layers[1];
  upper.candidate.weight.row(cell) = upper.candidate.weight.row(cell).cwiseAbs();
  upper.candidate.bias[cell] = 0.6F;
  upper.beta_lo[cell] = 0.3F;
  upper.beta_hi[cell] = 8.0F;
}

TEST(Stimulus, ReachesACellThatNothingResetsOnceAndBeforeAnyOther) {
  model::Network network = trained_like();
  keep_on(network, 2);
  const Stimulus stimulus = make_stimulus(network, {});
  std::vector<StimulusRamp> own;
  for (const StimulusRamp& ramp : stimulus.ramps) {
    if (ramp.layer == 1 && ramp.cell == 2) own.push_back(ramp);
  }
  ASSERT_EQ(own.size(), 1u);
  EXPECT_TRUE(own.front().sets);
  EXPECT_EQ(own.front().begin, stimulus.ramps.front().begin);
  const auto missing = std::find_if(stimulus.unreached.begin(), stimulus.unreached.end(),
                                    [](const StimulusRamp& at) { return at.layer == 1 && at.cell == 2; });
  ASSERT_NE(missing, stimulus.unreached.end());
  EXPECT_FALSE(missing->sets);
  ChipBench bench(network, stimulus.features);
  const ThresholdFit fit = fit_thresholds({align(bench.record(), network, stimulus.features.clip(0), {})}, network);
  EXPECT_EQ(fit.cells[6].rises, 1u);
  EXPECT_NEAR(fit.cells[6].rise.value, 8.0, 0.08);
}

/// Of two such cells neither is set before its own ramp.
TEST(Stimulus, CellsThatNothingResetsLeaveEachOtherTheirRamps) {
  model::Network network = trained_like();
  keep_on(network, 1);
  keep_on(network, 2);
  const Stimulus stimulus = make_stimulus(network, {});
  const model::Trace trace = model::run_clip(network, stimulus.features.clip(0));
  std::size_t once = 0;
  for (const StimulusRamp& ramp : stimulus.ramps) {
    if (ramp.layer != 1 || ramp.cell == 0 || ramp.cell == 3) continue;
    ++once;
    EXPECT_EQ(trace.state(1, ramp.begin, ramp.cell), 0.0F);
    EXPECT_GT(trace.state(1, ramp.begin + ramp.frames - 1, ramp.cell), 0.0F);
  }
  EXPECT_EQ(once, 2u);
}

TEST(Stimulus, NothingIsBelowALowerThresholdOfZero) {
  model::Network network = trained_like();
  network.layers[0].beta_lo[1] = 0.0F;
  const Stimulus stimulus = make_stimulus(network, {});
  const auto is_it = [](const StimulusRamp& at) { return at.layer == 0 && at.cell == 1 && !at.sets; };
  EXPECT_TRUE(std::any_of(stimulus.unreached.begin(), stimulus.unreached.end(), is_it));
  EXPECT_TRUE(std::none_of(stimulus.ramps.begin(), stimulus.ramps.end(), is_it));
}

/// A threshold that takes more than 6 unit currents, as its weights are small, and others that do not.
TEST(Stimulus, InputsBeyondTheUsualAreForThresholdsThatNeedThem) {
  const auto largest = [](const model::Network& network, const StimulusRequest& request) {
    const Stimulus stimulus = make_stimulus(network, request);
    float most = 0.0F;
    for (const float value : stimulus.features.values) most = std::max(most, std::abs(value));
    return std::pair(most, stimulus.unreached.size());
  };
  EXPECT_LE(largest(trained_like(), {}).first, 6.0F);
  model::Network far = trained_like();
  far.layers[0].beta_hi[1] = 30.0F;
  StimulusRequest within;
  within.largest = 6.0;
  const auto usual = largest(far, within);
  const auto more = largest(far, {});
  EXPECT_LE(usual.first, 6.0F);
  EXPECT_GT(more.first, 6.0F);
  EXPECT_LE(more.first, 12.0F);
  EXPECT_LT(more.second, usual.second);
}

TEST(Stimulus, KeepsInputsWithinTheLargest) {
  StimulusRequest request;
  request.largest = 2.0;
  const Stimulus small = make_stimulus(trained_like(), request);
  for (const float value : small.features.values) ASSERT_LE(std::abs(value), 2.0F);
  request.largest = 0.1;
  EXPECT_GT(make_stimulus(trained_like(), request).unreached.size(), small.unreached.size());
}

}  // namespace
}  // namespace hysteron::analysis
