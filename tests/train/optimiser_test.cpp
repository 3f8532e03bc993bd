#include "train/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "train/backbone.h"

namespace hysteron::train {
namespace {

TEST(Schedule, RateFallsFromFirstToZeroAlongACosine) {
  EXPECT_DOUBLE_EQ(cosine_rate(1e-3, 0, 100), 1e-3);
  EXPECT_NEAR(cosine_rate(1e-3, 50, 100), 5e-4, 1e-12);
  EXPECT_NEAR(cosine_rate(1e-3, 100, 100), 0.0, 1e-12);
}

TEST(Schedule, EpsilonHoldsThenFallsThenStaysAtZero) {
  EXPECT_EQ(epsilon_at(0, 1000, 0.1, 0.5), 1.0);
  EXPECT_EQ(epsilon_at(99, 1000, 0.1, 0.5), 1.0);
  EXPECT_NEAR(epsilon_at(350, 1000, 0.1, 0.5), 0.5, 1e-12);
  EXPECT_EQ(epsilon_at(600, 1000, 0.1, 0.5), 0.0);
  EXPECT_EQ(epsilon_at(0, 1000, 0.0, 0.0), 0.0);
}

TEST(GradientClip, ScalesOnlyWhatIsTooLong) {
  std::vector<float> gradient = {3.0f, 4.0f};
  EXPECT_DOUBLE_EQ(clip_gradient(gradient, 10.0), 5.0);
  EXPECT_EQ(gradient, (std::vector<float>{3.0f, 4.0f}));
  EXPECT_DOUBLE_EQ(clip_gradient(gradient, 1.0), 5.0);
  EXPECT_FLOAT_EQ(gradient[0], 0.6f);
  EXPECT_FLOAT_EQ(gradient[1], 0.8f);
  gradient = {30.0f};
  clip_gradient(gradient, 0.0);
  EXPECT_EQ(gradient[0], 30.0f) << "0 means no limit";
}

const std::vector<Segment> kSegments = {{"weight", 0, 1, 1, true, false}, {"lower", 1, 1, 1, false, true}};

TEST(AdamWStep, MatchesThePaperByHand) {
  AdamW optimiser(kSegments, 2, 0.1);
  std::vector<float> parameters = {2.0f, 1.0f};
  const std::vector<float> gradient = {0.5f, -0.25f};
  optimiser.step(gradient, 0.01, parameters);
  // The first step of Adam is the rate times the gradient's sign; decay on the weight only.
  EXPECT_NEAR(parameters[0], 2.0 - 0.01 * (1.0 + 0.1 * 2.0), 1e-6);
  EXPECT_NEAR(parameters[1], 1.0 + 0.01, 1e-6);
  optimiser.step(std::vector<float>{0.0f, 0.0f}, 0.01, parameters);
  const double mean = 0.9 * 0.1 * 0.5 / (1.0 - 0.81);
  const double variance = 0.999 * 0.001 * 0.25 / (1.0 - 0.998001);
  EXPECT_NEAR(parameters[0], 1.988 - 0.01 * (mean / std::sqrt(variance) + 0.1 * 1.988), 1e-5);
}

TEST(Divergence, NamesTheParameterWithTheLargestGradient) {
  const std::vector<Segment> segments = Backbone({1, 2, 1, 1, 1}).segments();
  std::vector<float> gradient(64, 0.1f);
  const auto said = [&](float value, const char* name, const std::string& checkpoint) {
    std::vector<float> spoilt = gradient;
    for (const Segment& segment : segments) {
      if (segment.name == name) spoilt[segment.offset] = value;
    }
    const Error error = divergence(segments, spoilt, 17, NAN, INFINITY, checkpoint);
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    std::string message = error.what();
    EXPECT_NE(message.find("at step 17: the loss is nan"), std::string::npos) << message;
    EXPECT_NE(message.find(std::string("largest part in ") + name), std::string::npos) << message;
    return message;
  };
  EXPECT_NE(said(-5.0f, "layers.0.output.weight", "m.checkpoint").find("checkpoint is m.checkpoint"),
            std::string::npos);
  EXPECT_NE(said(NAN, "readout.bias", "").find("checkpoint is none"), std::string::npos);
}

TEST(Bounds, KeepThresholdsAwayFromZeroAndEverythingWithinTheLimit) {
  std::vector<float> parameters = {-30.0f, -0.01f};
  apply_bounds(kSegments, {0.05, 10.0}, parameters);
  EXPECT_EQ(parameters, (std::vector<float>{-10.0f, -0.05f}));
  parameters = {0.001f, 0.2f};
  apply_bounds(kSegments, {0.05, 10.0}, parameters);
  EXPECT_EQ(parameters, (std::vector<float>{0.001f, 0.2f}));
}

}  // namespace
}  // namespace hysteron::train
