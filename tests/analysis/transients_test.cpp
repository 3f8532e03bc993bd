#include "analysis/transients.h"

#include <gtest/gtest.h>

namespace hysteron::analysis {
namespace {

constexpr double kUnit = 1e-9;

/// One cell with thresholds of 0.3 and 0.7 unit currents, one readout, three frames of 10 ms.
struct Hand {
  Hand() {
    compile::CompiledCell cell;
    cell.rise = 0.7 * kUnit;
    cell.fall = 0.3 * kUnit;
    network.cells = {{cell}};
    network.readouts = {0};
    network.conditions.unit_current = kUnit;
    network.frame_seconds = 0.01;
    bench.supply = 1.8;
    bench.stop_time = 0.03;
    bench.probes.resize(6);
  }

  /// `candidate` over `time` in unit currents; the other signals rest.
  Transients read(std::vector<double> time, std::vector<double> candidate) {
    waves.time = std::move(time);
    for (double& value : candidate) value *= kUnit;
    waves.values.assign(6, std::vector<double>(waves.time.size(), 0.0));
    waves.values[compile::ClipProbes(network).candidate(0, 0)] = std::move(candidate);
    return read_transients(network, bench, waves);
  }

  compile::CompiledNetwork network;
  sim::Testbench bench;
  sim::Waveforms waves;
};

TEST(Transients, FindTheDipBetweenTwoReadingPoints) {
  // Down from 0.5 to 0.2 and back within 2 ms after the second frame's begin.
  const Transients found = Hand().read({0, 0.01, 0.011, 0.012, 0.03}, {0.5, 0.5, 0.2, 0.5, 0.5});
  EXPECT_NEAR(found.candidate_low[0], 0.5, 1e-6);
  EXPECT_NEAR(found.candidate_low[1], 0.2, 1e-6);
  EXPECT_NEAR(found.candidate_high[1], 0.5, 1e-6);
  EXPECT_NEAR(found.seconds_below[1], 2e-3 / 3.0, 1e-8);  // below 0.3 for a third of it
  EXPECT_EQ(found.seconds_above[1], 0.0F);
  EXPECT_NEAR(found.candidate_low[2], 0.5, 1e-6);
  EXPECT_EQ(found.seconds_below[2], 0.0F);
}

TEST(Transients, TheFirstWindowBeginsWithTheReleaseOfReset) {
  // Up to 0.9 while reset holds the cell, up to 0.8 after it.
  const Transients found = Hand().read({0, 0.0005, 0.0009, 0.002, 0.003, 0.004, 0.03},  //
                                       {0.5, 0.9, 0.5, 0.5, 0.8, 0.5, 0.5});
  EXPECT_NEAR(found.candidate_high[0], 0.8, 1e-6);
  EXPECT_NEAR(found.seconds_above[0], 2e-3 / 3.0, 1e-8);
}

TEST(Transients, WindowsGoFromReadingPointToReadingPoint) {
  // A spike at 97 % of the first frame belongs to the second.
  const Transients found = Hand().read({0, 0.0096, 0.0097, 0.0098, 0.03}, {0.5, 0.5, 0.9, 0.5, 0.5});
  EXPECT_NEAR(found.candidate_high[0], 0.5, 1e-6);
  EXPECT_NEAR(found.candidate_high[1], 0.9, 1e-6);
  EXPECT_NEAR(found.seconds_above[1], 1e-4, 1e-8);
}

TEST(Transients, SettlingEndsWhereTheValueStays) {
  // From 0.5 to 0.9 in 4 ms of the second frame: within 0.01 of the end after 3.9 ms.
  const Transients found = Hand().read({0, 0.01, 0.0139, 0.014, 0.03}, {0.5, 0.5, 0.89, 0.9, 0.9});
  EXPECT_EQ(found.candidate_settling[0], 0.0F);
  EXPECT_NEAR(found.candidate_settling[1], 4e-3, 2e-4);
  EXPECT_EQ(found.candidate_settling[2], 0.0F);
}

TEST(Transients, DriftIsWhatMovesBeforeTheReadingPoint) {
  const Transients found = Hand().read({0, 0.01, 0.02, 0.03}, {0.2, 0.2, 0.3, 0.3});
  EXPECT_NEAR(found.candidate_drift[1], 0.02, 1e-6);
  EXPECT_NEAR(found.candidate_drift[2], 0.0, 1e-6);
}

TEST(Transients, CountFlipsOfV0) {
  Hand hand;
  hand.read({0, 0.012, 0.013, 0.014, 0.03}, {0.5, 0.5, 0.5, 0.5, 0.5});
  hand.waves.values[compile::ClipProbes(hand.network).v0(0, 0)] = {0.0, 0.0, 1.8, 0.0, 0.0};
  const Transients found = read_transients(hand.network, hand.bench, hand.waves);
  EXPECT_EQ(found.v0_flips[0], 0.0F);
  EXPECT_EQ(found.v0_flips[1], 2.0F);
}

}  // namespace
}  // namespace hysteron::analysis
