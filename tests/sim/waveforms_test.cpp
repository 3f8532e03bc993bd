#include "sim/waveforms.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hysteron::sim {
namespace {

const Waveforms kRamp{{0.0, 1.0, 3.0}, {{0.0, 2.0, 2.0}}, 0.0};

TEST(Waveforms, InterpolatesBetweenPointsAndHoldsOutside) {
  EXPECT_DOUBLE_EQ(kRamp.at(0, -1.0), 0.0);
  EXPECT_DOUBLE_EQ(kRamp.at(0, 0.25), 0.5);
  EXPECT_DOUBLE_EQ(kRamp.at(0, 2.0), 2.0);
  EXPECT_DOUBLE_EQ(kRamp.at(0, 9.0), 2.0);
}

TEST(Waveforms, MeanIsTheAreaOverTheSpan) {
  EXPECT_DOUBLE_EQ(kRamp.mean(0, 0.0, 3.0), (1.0 + 4.0) / 3.0);
  EXPECT_DOUBLE_EQ(kRamp.mean(0, 0.5, 1.5), (0.75 + 1.0) / 1.0);
}

TEST(CrossingTime, IsTheFirstInItsDirectionFromATimeOn) {
  Waveforms waves;
  waves.time = {0.0, 1.0, 2.0, 3.0, 4.0};
  waves.values = {{0.0, 1.0, 0.0, 2.0, 2.0}};
  EXPECT_DOUBLE_EQ(crossing_time(waves, 0, 0.5, true, 0.0), 0.5);
  EXPECT_DOUBLE_EQ(crossing_time(waves, 0, 0.5, false, 0.0), 1.5);
  EXPECT_DOUBLE_EQ(crossing_time(waves, 0, 0.5, true, 1.5), 2.25);
  EXPECT_TRUE(std::isnan(crossing_time(waves, 0, 0.5, false, 3.0)));
}

}  // namespace
}  // namespace hysteron::sim
