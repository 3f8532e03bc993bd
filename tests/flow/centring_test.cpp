#include "hysteron/flow/centring.h"

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace hysteron::flow
