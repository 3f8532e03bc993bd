#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "train/gradient_check.h"

namespace hysteron::train {
namespace {

constexpr double kBound = 2e-4;  // single against double precision

Shard random_shard(const BackboneShape& shape, std::size_t frames, std::size_t clips, std::uint64_t seed) {
  Random random(seed);
  Shard shard;
  shard.frames = frames;
  shard.inputs.assign(shape.inputs * frames * kShardClips, 0.0f);
  for (float& value : shard.inputs) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < clips; ++i) {
    shard.weights[i] = 1.0f;
    shard.labels[i] = static_cast<std::uint32_t>(random.below(shape.outputs));
  }
  shard.first_column = 1234;
  return shard;
}

struct Case {
  const char* name;
  BackboneShape shape;
  PassOptions options;
};

class Gradient : public testing::TestWithParam<Case> {};

TEST_P(Gradient, AgreesWithForwardModeOnEveryParameter) {
  const Backbone backbone(GetParam().shape);
  PassOptions options = GetParam().options;
  options.scale = 1.0f / 36.0f;
  options.seed = 99;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const std::vector<float> parameters = backbone.initial_parameters(Random(seed));
    const Shard shard = random_shard(GetParam().shape, 12, 3, seed);
    const GradientCheck check = check_gradient(backbone, parameters, shard, options);
    EXPECT_LT(check.loss_difference, 1e-4);
    for (const GradientDifference& segment : check.segments) EXPECT_LT(segment.relative, kBound) << segment.segment;
  }
}

PassOptions options_with(float epsilon, float dropout, float noise, float margin_weight, float vote_share = 0.0f) {
  PassOptions options;
  options.epsilon = epsilon;
  options.dropout = dropout;
  options.candidate_noise = noise;
  options.margin_weight = margin_weight;
  options.margin = 0.3f;
  options.vote_share = vote_share;
  return options;
}

PassOptions options_of_circuits(float multiplicative, float power) {
  PassOptions options = options_with(0.1f, 0.1f, 0.02f, 0.3f, 0.5f);
  options.multiplicative_noise = multiplicative;
  options.power_weight = power;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Options, Gradient,
    testing::Values(Case{"Plain", {3, 4, 4, 2, 2}, options_with(0, 0, 0, 0)},
                    Case{"CounterStates", {3, 4, 4, 2, 2}, options_with(1, 0, 0, 0)},
                    Case{"HalfAnnealed", {3, 4, 4, 2, 2}, options_with(0.5f, 0, 0, 0)},
                    Case{"Dropout", {3, 4, 4, 2, 2}, options_with(0, 0.2f, 0, 0)},
                    Case{"CandidateNoise", {3, 4, 4, 2, 2}, options_with(0, 0, 0.05f, 0)},
                    Case{"Margin", {3, 4, 4, 2, 2}, options_with(0, 0, 0, 0.7f)},
                    Case{"Vote", {3, 4, 4, 2, 3}, options_with(0, 0, 0, 0, 1.0f)},
                    Case{"EverythingAtOnce", {3, 4, 4, 2, 2}, options_with(0.3f, 0.2f, 0.02f, 0.5f, 0.4f)},
                    Case{"OddSizesThreeLabels", {5, 3, 7, 3, 3}, options_with(0.2f, 0.1f, 0.01f, 0.2f)},
                    Case{"MultiplicativeNoise", {3, 4, 4, 2, 2}, options_of_circuits(0.2f, 0)},
                    Case{"Power", {3, 4, 5, 2, 2}, options_of_circuits(0, 0.3f)},
                    Case{"NoiseAndPower", {3, 4, 5, 2, 3}, options_of_circuits(0.1f, 0.1f)},
                    Case{"OneOfEverything", {1, 1, 1, 1, 1}, options_with(0, 0, 0, 0.2f)}),
    [](const testing::TestParamInfo<Case>& parameter) { return parameter.param.name; });

TEST(Gradient, OfLargeLayersAgreesToo) {
  const BackboneShape shape{4, 27, 27, 1, 2};  // large enough for OpenBLAS
  const Backbone backbone(shape);
  const Shard shard = random_shard(shape, 5, 2, 7);
  PassOptions options = options_with(0.1f, 0.2f, 0.01f, 0.1f);
  options.scale = 0.1f;
  EXPECT_LT(check_gradient(backbone, backbone.initial_parameters(Random(5)), shard, options).worst(), kBound);
}

TEST(Gradient, IgnoresLanesWithoutAClip) {
  const BackboneShape shape{3, 4, 4, 2, 2};
  const Backbone backbone(shape);
  const std::vector<float> parameters = backbone.initial_parameters(Random(1));
  Shard shard = random_shard(shape, 12, 3, 1);
  const PassOptions options = options_with(0, 0.2f, 0.02f, 0.5f);
  Backbone::Workspace workspace;
  std::vector<float> first(backbone.parameters());
  backbone.pass(parameters, shard, options, workspace, first);
  for (std::size_t i = 0; i < shard.inputs.size(); ++i) {
    if (i % kShardClips >= 3) shard.inputs[i] = 100.0f;
  }
  std::vector<float> second(backbone.parameters());
  backbone.pass(parameters, shard, options, workspace, second);
  EXPECT_EQ(first, second);
}

TEST(Gradient, CheckNoticesAWrongGradient) {
  const BackboneShape shape{3, 4, 4, 1, 2};
  const Backbone backbone(shape);
  const std::vector<float> parameters = backbone.initial_parameters(Random(1));
  const Shard shard = random_shard(shape, 12, 3, 1);
  const ReferenceGradient reference = reference_gradient(backbone, parameters, shard, options_with(0, 0, 0, 0));
  std::vector<float> gradient(reference.gradient.begin(), reference.gradient.end());
  for (const Segment& segment : backbone.segments()) {
    EXPECT_LT(compare_segment(segment, gradient, reference.gradient).relative, kBound) << segment.name;
    float largest = 0.0f;
    for (std::size_t i = 0; i < segment.size(); ++i) {
      largest = std::max(largest, std::abs(gradient[segment.offset + i]));
    }
    if (largest == 0.0f) continue;
    std::vector<float> wrong = gradient;
    for (std::size_t i = 0; i < segment.size(); ++i) wrong[segment.offset + i] *= 1.001f;
    EXPECT_GT(compare_segment(segment, wrong, reference.gradient).relative, kBound) << segment.name << ", scaled";
    wrong = gradient;
    wrong[segment.offset] += 0.01f * largest;
    EXPECT_GT(compare_segment(segment, wrong, reference.gradient).relative, kBound) << segment.name << ", one entry";
  }
  // A pass that leaves the surrogate of an annealed reset out is no match either.
  const ReferenceGradient annealed = reference_gradient(backbone, parameters, shard, options_with(1, 0, 0, 0));
  EXPECT_GT(compare_segment(backbone.segment("layers.0.candidate.weight"), gradient, annealed.gradient).relative, 0.01);
}

}  // namespace
}  // namespace hysteron::train
