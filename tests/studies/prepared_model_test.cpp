#include "design/prepared_model.h"

#include <gtest/gtest.h>

#include <utility>

#include "compile/small_network.h"
#include "studies/verification.h"

namespace hysteron::studies {
namespace {

using namespace design;

/// A design that is compared in software alone.
Design software_design(const DesignContext& context, PreparedModel prepared) {
  return {context, small_network(), std::move(prepared), {}, {1, 12, 2, small_features()}, {0}, {}, {}};
}

class CompareWithGiven : public testing::Test {
 protected:
  SilentReporter reporter_;
  StopFlag stop_;
  DesignContext context_{{}, reporter_, stop_};
};

TEST_F(CompareWithGiven, CountsDecisionsAndFramesAgainstTheModelAsGiven) {
  PreparedModel prepared{small_network(), {}, compile::Centering{}, {}};
  prepared.network.readout.bias << -5.0F, 5.0F;  // always the second label
  Verification verification;
  verification.clips.resize(2);
  verification.clips[1].failed = true;
  verification.clips[0].agreement.circuit_decision = 1;
  compare_with_given(software_design(context_, prepared), verification);
  EXPECT_EQ(verification.agreement.decision_agreement, 0.0);
  EXPECT_DOUBLE_EQ(verification.agreement.centering_frame_change, 8.0 / 12.0);
  EXPECT_EQ(verification.clips[0].agreement.software_decision, 0U);
}

TEST_F(CompareWithGiven, LeavesAloneWhatWasNotCentered) {
  Verification verification;
  verification.clips.resize(1);
  verification.agreement.decision_agreement = 0.5;
  compare_with_given(software_design(context_, {small_network(), {}, {}, {}}), verification);
  EXPECT_EQ(verification.agreement.decision_agreement, 0.5);
  EXPECT_EQ(verification.agreement.centering_frame_change, 0.0);
}

TEST(PrepareModel, SaysWhatLegsThatAreTooSmallDoToDecisions) {
  SilentReporter reporter;
  StopFlag stop;
  const DesignContext context({}, reporter, stop);
  model::Network given = small_network();
  given.readout.weight.setZero();
  given.readout.bias << 0.0F, 0.001F;  // which alone makes the second label win, and no leg is that small
  const data::Features features{1, 12, 2, small_features()};
  const PreparedModel prepared = prepare_model(context, given, {}, &features, reporter);
  ASSERT_EQ(prepared.small.changed.size(), 1U);
  EXPECT_EQ(prepared.small.changed[0].parameter, "readout.bias[1]");
  EXPECT_EQ(prepared.small.changed[0].made, 0.0);
  EXPECT_EQ(prepared.network.readout.bias[1], 0.001F) << "the model is as given: the circuit is compared with it";
  EXPECT_EQ(prepared.small.effect.decision_change, 1.0);
  EXPECT_EQ(prepared.small.effect.frame_change, 1.0);
  EXPECT_EQ(prepared.small.effect.clips, 1U);
  EXPECT_EQ(prepared.effects_on, "input");
  EXPECT_EQ(prepared.small.left_out(), 1U);
  EXPECT_TRUE(prepare_model(context, small_network(), {}, nullptr, reporter).small.changed.empty());
}

TEST(PrepareModel, CentersOverTheCandidatesOfWeightsAsTheyAreMade) {
  SilentReporter reporter;
  StopFlag stop;
  const DesignContext context({}, reporter, stop);
  const double least = context.min_weights().leg(compile::NodeKind::kRectified, circuit::Polarity::kP, true);
  model::Network given = small_network();
  given.layers[0].candidate.bias[0] = static_cast<float>(0.6 * least);
  model::Network made = given;
  made.layers[0].candidate.bias[0] = static_cast<float>(least);
  const data::Features features{1, 12, 2, small_features()};
  const PreparedModel prepared = prepare_model(context, given, features, nullptr, reporter);
  const PreparedModel same = prepare_model(context, made, features, nullptr, reporter);
  EXPECT_EQ(prepared.network.layers[0].beta_lo, same.network.layers[0].beta_lo);
  EXPECT_EQ(prepared.network.layers[0].candidate.bias[0], given.layers[0].candidate.bias[0]);
  EXPECT_EQ(prepared.effects_on, "training");
}

}  // namespace
}  // namespace hysteron::studies
