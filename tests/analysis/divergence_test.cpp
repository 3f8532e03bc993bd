#include "analysis/divergence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/hazards.h"

namespace hysteron::analysis {
namespace {

/// One input that is the candidate of a cell with thresholds 0.3 and 0.7; a second layer whose cell follows the first:
/// its candidate is input plus state, and its thresholds are 1.2 and 1.3.
model::Network chain() {
  const auto scalar = [](float weight, float bias) {
    model::Affine affine;
    affine.weight.setConstant(1, 1, weight);
    affine.bias.setConstant(1, bias);
    return affine;
  };
  model::Network network;
  network.input = scalar(1.0F, 0.0F);
  for (const auto& [lo, hi] : {std::pair{0.3F, 0.7F}, std::pair{1.2F, 1.3F}}) {
    model::Layer layer;
    layer.candidate = scalar(1.0F, 0.0F);
    layer.beta_lo.setConstant(1, lo);
    layer.beta_hi.setConstant(1, hi);
    layer.alpha.setConstant(1, 1.0F);
    layer.initial_state.setZero(1);
    layer.output = scalar(1.0F, 0.0F);
    network.layers.push_back(layer);
  }
  network.readout.weight.resize(2, 1);
  network.readout.weight << 1.0F, 0.0F;
  network.readout.bias.resize(2);
  network.readout.bias << 0.0F, 1.0F;
  network.labels = {"on", "off"};
  return network;
}

/// A circuit that does what the software does, to be spoilt.
struct Case {
  explicit Case(std::vector<float> inputs) : features(std::move(inputs)), software(model::run_clip(network, features)) {
    circuit.trace = software;
    transients.candidate_low = software.candidates;
    transients.candidate_high = software.candidates;
    transients.candidate_drift.assign(software.states.size(), 0.0F);
    transients.seconds_below.assign(software.states.size(), 0.0F);
    transients.seconds_above = transients.seconds_below;
    transients.end_states = software.states;
  }

  std::size_t at(std::size_t layer, std::size_t frame) const { return layer * software.frames + frame; }

  /// The circuit's cell is `on` in a frame, and with it its output's part of the second candidate.
  void set(std::size_t layer, std::size_t frame, bool on) {
    circuit.trace.states[at(layer, frame)] = on ? 1.0F : 0.0F;
    transients.end_states[at(layer, frame)] = on ? 1.0F : 0.0F;
  }

  Divergence find() const { return find_divergence(network, features, software, circuit, transients); }
  std::vector<Glitch> glitches() const { return find_glitches(network, software, circuit, transients); }

  model::Network network = chain();
  std::vector<float> features;
  model::Trace software;
  compile::CircuitTrace circuit;
  Transients transients;
};

const CauseCount& count(const Divergence& divergence, Cause cause) {
  return divergence.causes[static_cast<std::size_t>(cause)];
}

TEST(Divergence, FindsNothingWhereAllAgree) {
  const Divergence found = Case({0.1F, 0.9F, 0.5F, 0.1F}).find();
  EXPECT_EQ(found.bits, 0u);
  EXPECT_FALSE(found.first);
  EXPECT_TRUE(found.frames.empty());
}

TEST(Divergence, CandidateOverTheThresholdIsSizing) {
  Case c({0.1F, 0.69F, 0.1F});
  c.set(0, 1, true);
  c.circuit.trace.candidates[c.at(0, 1)] = c.transients.candidate_high[c.at(0, 1)] = 0.71F;
  const Divergence found = c.find();
  ASSERT_TRUE(found.first);
  EXPECT_EQ(found.first->cause, Cause::kSizing);
  EXPECT_EQ(found.first->frame, 1u);
  EXPECT_TRUE(found.first->is_on);
  EXPECT_NEAR(found.first->threshold, 0.7, 1e-6);
  EXPECT_NEAR(found.first->measured, 0.71, 1e-6);
}

TEST(Divergence, SwitchWithTheCandidateOnTheRightSideIsTheThreshold) {
  Case c({0.1F, 0.69F, 0.1F});
  c.set(0, 1, true);
  EXPECT_EQ(c.find().first->cause, Cause::kThreshold);
}

TEST(Divergence, NoSwitchWithTheCandidateOverItIsTheThreshold) {
  Case c({0.1F, 0.71F, 0.1F});
  c.set(0, 1, false);
  EXPECT_EQ(c.find().first->cause, Cause::kThreshold);
}

TEST(Divergence, NoSwitchBeforeTheEndOfTheFrameIsSettling) {
  Case c({0.1F, 0.71F, 0.1F});
  c.circuit.trace.states[c.at(0, 1)] = 0.2F;  // on its way: end_states says it gets there
  EXPECT_EQ(c.find().first->cause, Cause::kSettling);
}

TEST(Divergence, CandidateThatStillApproachesIsSettling) {
  Case c({0.1F, 0.75F, 0.1F});
  c.set(0, 1, false);
  c.circuit.trace.candidates[c.at(0, 1)] = 0.68F;
  c.transients.candidate_drift[c.at(0, 1)] = 0.05F;
  EXPECT_EQ(c.find().first->cause, Cause::kSettling);
  c.transients.candidate_drift[c.at(0, 1)] = -0.05F;
  EXPECT_EQ(c.find().first->cause, Cause::kSizing);
}

TEST(Divergence, CrossingThatCameBackIsAHazardAndItsErrorIsKept) {
  Case c({0.9F, 0.5F, 0.5F, 0.5F, 0.1F});
  for (const std::size_t frame : {2, 3}) c.set(0, frame, false);
  for (const std::size_t frame : {2, 3}) c.set(1, frame, c.software.state(1, frame, 0) > 0.5F);
  c.transients.candidate_low[c.at(0, 2)] = 0.2F;
  const Divergence found = c.find();
  EXPECT_EQ(found.first->cause, Cause::kHazard);
  EXPECT_EQ(count(found, Cause::kHazard).events, 1u);
  EXPECT_EQ(count(found, Cause::kHazard).bits, 2u);
  EXPECT_EQ(found.bits, 2u + found.consequences);
}

TEST(Divergence, ThresholdsBelowWhatLeaksAreLeakage) {
  Case c({0.9F, 0.5F, 0.0F, 0.0F});
  c.network.layers[0].beta_lo[0] = 1e-4F;
  c.circuit.trace.states[c.at(0, 2)] = 1.0F;
  c.circuit.trace.states[c.at(0, 3)] = 1e-5F;
  c.circuit.trace.states[c.at(1, 3)] = 3e-5F;
  c.circuit.trace.candidates[c.at(0, 2)] = 2e-4F;
  EXPECT_EQ(c.find().first->cause, Cause::kLeakage);
}

TEST(Divergence, ConsequencesAreNoCauses) {
  // The second cell sees input plus the first cell's state, so it resets where the first one wrongly did.
  Case c({0.9F, 0.5F, 0.5F, 0.1F});
  c.transients.candidate_low[c.at(0, 1)] = 0.2F;
  for (const std::size_t frame : {1, 2}) {
    for (const std::size_t layer : {0, 1}) c.set(layer, frame, false);
    c.circuit.trace.candidates[c.at(1, frame)] = 0.5F;
  }
  ASSERT_GT(c.software.state(1, 1, 0), 0.5F);
  const Divergence found = c.find();
  EXPECT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].layer, 0u);
  EXPECT_EQ(found.bits, 4u);
  EXPECT_EQ(found.consequences, 2u);
  EXPECT_EQ(found.cells[1][0].consequences, 2u);
  EXPECT_EQ(count(found, Cause::kHazard).bits, 2u);
}

TEST(Divergence, CountsFramesAndSumsOverClips) {
  Case c({0.9F, 0.5F, 0.5F, 0.1F});
  c.circuit.trace.logits[2] = -5.0F;  // frame 1, label 0: software says "on"
  const Divergence found = c.find();
  EXPECT_EQ(found.frames.front(), 1u);
  EXPECT_EQ(found.wrong_frames, 1u);
  EXPECT_EQ(found.wrong_frames_right_bits, 1u);
  Divergence total;
  add_counts(total, found);
  add_counts(total, found);
  EXPECT_EQ(total.wrong_frames, 2u);
  EXPECT_EQ(total.cells.size(), 2u);
}

TEST(Glitches, AreCrossingsThatSoftwareDoesNotHave) {
  Case c({0.9F, 0.5F, 0.5F, 0.1F, 0.5F});
  c.transients.candidate_low[c.at(0, 2)] = 0.2F;
  c.transients.seconds_below[c.at(0, 2)] = 3e-4F;
  c.transients.seconds_below[c.at(0, 3)] = 9e-3F;  // software crosses too
  c.transients.candidate_high[c.at(0, 2)] = 0.8F;
  c.transients.seconds_above[c.at(0, 2)] = 1e-4F;  // it is on already
  const auto found = c.glitches();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FALSE(found[0].is_upper);
  EXPECT_TRUE(found[0].is_armed);
  EXPECT_FALSE(found[0].flipped);
  EXPECT_NEAR(found[0].size, 0.1, 1e-6);
  EXPECT_NEAR(found[0].seconds, 3e-4, 1e-9);
  EXPECT_TRUE(found[1].is_upper);
  EXPECT_FALSE(found[1].is_armed);
  c.set(0, 2, false);
  EXPECT_TRUE(c.glitches()[0].flipped);
  EXPECT_EQ(count_glitches(c.glitches()).flips, 1u);
  EXPECT_EQ(count_glitches(c.glitches()).armed, 1u);
}

TEST(Glitches, OfTheFirstFrameStartFromTheInitialState) {
  Case c({0.5F, 0.5F, 0.5F});
  c.transients.candidate_high[c.at(0, 0)] = 0.9F;
  c.transients.seconds_above[c.at(0, 0)] = 2e-4F;
  auto found = c.glitches();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].frame, 0u);
  EXPECT_TRUE(found[0].is_upper);
  EXPECT_TRUE(found[0].is_armed) << "it starts off";
  EXPECT_FALSE(found[0].flipped);
  EXPECT_NEAR(found[0].size, 0.2, 1e-6);
  c.set(0, 0, true);
  EXPECT_TRUE(c.glitches()[0].flipped);
  c.network.layers[0].initial_state[0] = 1.0F;
  EXPECT_FALSE(c.glitches()[0].is_armed);
}

TEST(Glitches, OfTheFirstFrameAreNoneWhereSoftwareCrossesToo) {
  Case c({0.9F, 0.5F, 0.5F});
  c.transients.seconds_above[c.at(0, 0)] = 8e-3F;
  EXPECT_TRUE(c.glitches().empty());
}

TEST(SwitchOverdrives, AreHowFarBeyondItsThresholdACandidateSwitches) {
  const Case c({0.5F, 0.9F, 0.5F, 0.05F, 0.0F});
  auto found = switch_overdrives(c.network, c.software);
  std::sort(found.begin(), found.end());
  // Layer 0 sets at 0.9 and resets at 0.05; layer 1, which sees input plus that state, at 1.9 and 0.05.
  ASSERT_EQ(found.size(), 4u);
  EXPECT_NEAR(found[0], 0.2, 1e-6);
  EXPECT_NEAR(found[1], 0.25, 1e-6);
  EXPECT_NEAR(found[2], 0.6, 1e-6);
  EXPECT_NEAR(found[3], 1.15, 1e-6);
}

TEST(Glitches, SettledErrorsAreNone) {
  Case c({0.9F, 0.5F, 0.32F, 0.5F});
  c.circuit.trace.candidates[c.at(0, 2)] = 0.28F;  // rests on the other side: an error of sizing
  c.transients.seconds_below[c.at(0, 2)] = 5e-3F;
  EXPECT_TRUE(c.glitches().empty());
}

TEST(Settling, IsSummarisedByMedianTailAndWorst) {
  std::vector<float> seconds(200, 1e-3F);
  seconds[7] = 9e-3F;
  seconds.insert(seconds.end(), 500, 0.0F);  // values that did not move
  const SettlingSummary summary = summarise_settling(seconds, 8e-3);
  EXPECT_NEAR(summary.median, 1e-3, 1e-9);
  EXPECT_NEAR(summary.p99, 1e-3, 1e-9);
  EXPECT_NEAR(summary.worst, 9e-3, 1e-8);
  EXPECT_DOUBLE_EQ(summary.unsettled, 1.0 / 700.0);
  EXPECT_EQ(summarise_settling({}, 8e-3).worst, 0.0);
  EXPECT_EQ(summarise_settling({}, 8e-3).unsettled, 0.0);
}

}  // namespace
}  // namespace hysteron::analysis
