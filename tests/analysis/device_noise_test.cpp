#include "analysis/device_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/tuned_bench.h"
#include "base/error.h"

namespace hysteron::analysis {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr FlipFit kNoFit = {kNever, kNever, kNever, kNever, 0};

/// A tuned cell and its device noise, made once for all tests.
struct Bench : TunedBench {
  Bench() : TunedBench({1e-9, 0.5e-9, 1e-9}) {}

  static DeviceNoiseRequest request() {
    DeviceNoiseRequest request;
    request.places = {0.5};
    request.trials = 3;
    request.samples = 400;
    request.margins = {20.0};
    return request;
  }

  DeviceNoise measure(const DeviceNoiseRequest& request) const {
    return measure_device_noise(lab, cell, kNoFit, 0.5e-3, request);
  }

  DeviceNoise noise = measure(request());
};

const Bench& bench() {
  static const Bench instance;
  return instance;
}

TEST(DeviceNoise, SharesOfTheDevicesAddUpAndTheirsIsAtLeastShotNoise) {
  ASSERT_EQ(bench().noise.held.size(), 2u);
  EXPECT_TRUE(bench().noise.failures.empty());
  for (const NoisyHold& point : bench().noise.held) {
    ASSERT_TRUE(point.held);
    double output = 0.0;
    double candidate = 0.0;
    for (const NoisyDevice& device : point.devices) {
      output += device.output_share;
      candidate += device.candidate_share;
      // A device in its linear region has the noise of two opposite currents; a saturated one 2qI.
      EXPECT_GT(device.density.white, 0.8 * 2.0 * 1.602e-19 * std::abs(device.current)) << device.name;
    }
    EXPECT_NEAR(output, 1.0, 1e-3);
    EXPECT_NEAR(candidate, 1.0, 1e-3);
    EXPECT_GE(point.output_full, point.output_band);
    EXPECT_NEAR(point.candidate / 0.75e-9, 1.0, 0.01);
  }
  EXPECT_GT(bench().noise.held[0].output_band, 5.0 * bench().noise.held[1].output_band) << "an off output is quiet";
}

TEST(DeviceNoise, TrialsInTimeHaveTheSmallSignalNoise) {
  for (const NoisyHold& point : bench().noise.held) {
    EXPECT_EQ(point.time.trials, 3u);
    EXPECT_EQ(point.time.flips, 0u);
    EXPECT_NEAR(point.time.candidate_ratio.value, 1.0, 0.3) << (point.on ? "on" : "off");
    if (point.on) {
      EXPECT_NEAR(point.time.output_ratio.value, 1.0, 0.3);
    }
  }
}

TEST(DeviceNoise, ABitInTheMiddleOutlastsAnythingAndOneBesideTheThresholdDoesNot) {
  const DeviceNoise& noise = bench().noise;
  EXPECT_FALSE(noise.law_is_fitted);
  ASSERT_EQ(noise.retention.size(), 2u);
  for (const DeviceRetention& entry : noise.retention) {
    EXPECT_GT(entry.deviation, 0.2e-12);
    EXPECT_LT(entry.deviation, 20e-12);
    EXPECT_GT(entry.long_deviation, entry.deviation);
    EXPECT_GT(entry.exponent, 20.0);
    // The Gaussian tail at half a millisecond: an hour is 7.2e6 samples, Q(5.13).
    EXPECT_NEAR(entry.needed[0] / entry.long_deviation, 5.13, 0.05);
    EXPECT_LT(entry.needed[0], entry.needed[1]);
  }
  ASSERT_EQ(noise.near.size(), 2u);
  for (const NearThreshold& near : noise.near) EXPECT_LT(near.expected_flips, 1e-6);
}

TEST(DeviceNoise, SameSeedSameNumbers) {
  DeviceNoiseRequest small = Bench::request();
  small.trials = 1;
  small.samples = 200;
  const DeviceNoise first = bench().measure(small);
  const DeviceNoise second = bench().measure(small);
  EXPECT_EQ(first.held[0].time.candidate, second.held[0].time.candidate);
  small.seed = 2;
  EXPECT_NE(bench().measure(small).held[0].time.candidate, first.held[0].time.candidate);
  small.trials = 0;
  EXPECT_TRUE(std::isnan(bench().measure(small).held[0].time.candidate));
}

}  // namespace
}  // namespace hysteron::analysis
