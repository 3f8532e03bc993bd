#include "hysteron/flow/centring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compile/small_network.h"

namespace hysteron::flow {
namespace {

TEST(CompareWithGiven, CountsDecisionsAndFramesAgainstTheModelAsGiven) {
  const model::Network given = small_network();
  Target target{given, {}, compile::Centring{}, {}};
  target.network.readout.bias << -5.0F, 5.0F;  // always the second label
  const data::Features features{1, 12, 2, small_features()};
  const model::Trace software = model::run_clip(given, features.clip(0));
  const auto frames = model::frame_decisions(software.logits, 2);
  const auto changed = static_cast<double>(std::count(frames.begin(), frames.end(), std::size_t{0})) / 12.0;
  Verification verification;
  verification.clips.resize(2);
  verification.clips[1].failed = true;
  verification.clips[0].agreement.circuit_decision = 1;
  compare_with_given(given, target, features, verification, 1);
  const bool second = model::majority(model::vote_shares(frames, 2)) == 1;
  EXPECT_EQ(verification.agreement.decision_agreement, second ? 1.0 : 0.0);
  EXPECT_DOUBLE_EQ(verification.agreement.centring_frame_change, changed);
  EXPECT_GT(changed, 0.0);
  EXPECT_EQ(verification.clips[0].agreement.software_decision, second ? 1U : 0U);
}

TEST(CompareWithGiven, LeavesAloneWhatWasNotCentred) {
  const model::Network given = small_network();
  Verification verification;
  verification.clips.resize(1);
  verification.agreement.decision_agreement = 0.5;
  compare_with_given(given, {given, {}, {}, {}}, {1, 12, 2, small_features()}, verification, 1);
  EXPECT_EQ(verification.agreement.decision_agreement, 0.5);
  EXPECT_EQ(verification.agreement.centring_frame_change, 0.0);
}

TEST(MakeTarget, SaysWhatLegsThatAreTooSmallDoToDecisions) {
  SilentReporter reporter;
  StopFlag stop;
  const Workshop workshop({}, reporter, stop);
  model::Network given = small_network();
  given.readout.weight.setZero();
  given.readout.bias << 0.0F, 0.001F;  // which alone makes the second label win, and no leg is that small
  const data::Features features{1, 12, 2, small_features()};
  const Target target = make_target(workshop, given, {}, reporter, stop, &features);
  ASSERT_EQ(target.small.changed.size(), 1U);
  EXPECT_EQ(target.small.changed[0].parameter, "readout.bias[1]");
  EXPECT_EQ(target.small.changed[0].made, 0.0);
  EXPECT_EQ(target.network.readout.bias[1], 0.001F) << "the model is as given: the circuit is compared with it";
  const nlohmann::json json = target_json(target)["too_small"];
  EXPECT_EQ(json["decision_change"], 1.0);
  EXPECT_EQ(json["frame_change"], 1.0);
  EXPECT_EQ(json["clips"], 1);
  EXPECT_EQ(json["measured_on"], "input");
  EXPECT_EQ(json["left_out"], 1);
  EXPECT_EQ(json["made_larger"], 0);
  EXPECT_FALSE(target_json(make_target(workshop, small_network(), {}, reporter, stop)).contains("too_small"));
}

TEST(MakeTarget, CentresOverTheCandidatesOfWeightsAsTheyAreMade) {
  SilentReporter reporter;
  StopFlag stop;
  const Workshop workshop({}, reporter, stop);
  const double least = workshop.least_weights().leg(compile::NodeKind::kRectified, circuit::Polarity::kP, true);
  model::Network given = small_network();
  given.layers[0].candidate.bias[0] = static_cast<float>(0.6 * least);
  model::Network made = given;
  made.layers[0].candidate.bias[0] = static_cast<float>(least);
  const data::Features features{1, 12, 2, small_features()};
  const Target target = make_target(workshop, given, features, reporter, stop);
  const Target same = make_target(workshop, made, features, reporter, stop);
  EXPECT_EQ(target.network.layers[0].beta_lo, same.network.layers[0].beta_lo);
  EXPECT_EQ(target.network.layers[0].candidate.bias[0], given.layers[0].candidate.bias[0]);
  EXPECT_EQ(target.effects_on, "training");
}

}  // namespace
}  // namespace hysteron::flow
