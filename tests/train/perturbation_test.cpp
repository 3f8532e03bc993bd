#include "train/perturbation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "train/backbone.h"
#include "train/evaluate.h"

namespace hysteron::train {
namespace {

Perturbation everything(double three_sigma) {
  Perturbation perturbation;
  perturbation.weights = perturbation.thresholds = perturbation.widths = perturbation.gains = three_sigma;
  return perturbation;
}

/// A loss with a known gradient: sum of c_i perturbed_i.
TEST(Die, GradientGoesBackThroughTheErrors) {
  const Backbone backbone({3, 4, 4, 2, 2});
  std::vector<float> parameters = backbone.initial_parameters(Random(3));
  for (std::size_t i = 0; i < parameters.size(); i += 3) parameters[i] = -parameters[i];
  const Die die(backbone.segments(), everything(0.3), Random(5));
  Random random(7);
  std::vector<double> slopes(parameters.size());
  for (double& slope : slopes) slope = random.normal();
  const auto loss = [&](const std::vector<float>& at) {
    std::vector<float> perturbed(at.size());
    die.apply(at, perturbed);
    double sum = 0.0;
    for (std::size_t i = 0; i < at.size(); ++i) sum += slopes[i] * perturbed[i];
    return sum;
  };
  std::vector<float> gradient(slopes.begin(), slopes.end());
  die.pull_back(parameters, gradient);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::vector<float> above = parameters;
    std::vector<float> below = parameters;
    above[i] += 1e-2f;
    below[i] -= 1e-2f;
    if (std::signbit(above[i]) != std::signbit(below[i])) continue;  // |p| has a corner at 0
    EXPECT_NEAR(gradient[i], (loss(above) - loss(below)) / (above[i] - below[i]), 2e-3) << i;
  }
}

TEST(Die, ErrorsHaveTheAskedDeviation) {
  const Backbone backbone({40, 40, 40, 1, 2});
  const std::vector<float> ones(backbone.parameters(), 1.0f);
  std::vector<float> perturbed(ones.size());
  Die(backbone.segments(), everything(0.3), Random(1)).apply(ones, perturbed);
  const Segment& weight = backbone.segment("layers.0.candidate.weight");
  double sum = 0.0;
  for (std::size_t i = weight.offset; i < weight.offset + weight.size(); ++i) {
    sum += (perturbed[i] - 1.0) * (perturbed[i] - 1.0);
  }
  EXPECT_NEAR(std::sqrt(sum / static_cast<double>(weight.size())), 0.1, 0.006);
}

TEST(WeightGrid, OfBitsHasTheirLevels) {
  Perturbation perturbation;
  for (const std::size_t bits : {2u, 3u, 8u}) {
    perturbation.bits = bits;
    std::vector<float> weights;
    for (int i = -300; i <= 300; ++i) weights.push_back(static_cast<float>(i) / 250.0f);
    const std::vector<float> before = weights;
    WeightGrid(perturbation).snap(weights);
    EXPECT_EQ(std::set<float>(weights.begin(), weights.end()).size(), (1U << bits) - 1);
    const float step = 1.2f / static_cast<float>((1U << (bits - 1)) - 1);
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_LE(std::abs(weights[i] - before[i]), 0.5f * step + 1e-6f);
    std::vector<float> again = weights;
    WeightGrid(perturbation).snap(again);
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_FLOAT_EQ(again[i], weights[i]);
  }
}

TEST(WeightGrid, OfATechnologyHasItsWidths) {
  Perturbation perturbation;
  perturbation.technology = "generic180";
  const WeightGrid grid(perturbation);
  std::vector<float> weights = {1.0f, -0.50037f, 0.123456f, 1e-7f, 0.0f, -0.003f, 0.0015f};
  grid.snap(weights);
  EXPECT_FLOAT_EQ(weights[0], 1.0f) << "the reference device";
  EXPECT_NEAR(weights[1], -0.5f, 1e-3f);
  EXPECT_NE(weights[2], 0.123456f);
  EXPECT_NEAR(weights[2], 0.123456f, 2e-3f);
  EXPECT_EQ(weights[3], 0.0f) << "far below the smallest device";
  EXPECT_EQ(weights[4], 0.0f);
  EXPECT_FLOAT_EQ(weights[5], -0.004f) << "the smallest that both polarities make";
  EXPECT_EQ(weights[6], 0.0f) << "nearer to nothing";
}

model::Network small_network() {
  const Backbone backbone({3, 4, 4, 2, 2});
  model::Network network = backbone.to_network(backbone.initial_parameters(Random(11)));
  network.labels = {"a", "b"};
  return network;
}

ClipSet noise_clips(std::size_t count) {
  Random random(2);
  ClipSet clips{{count, 20, 3, std::vector<float>(count * 60)}, {}, {}};
  for (float& value : clips.features.values) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < count; ++i) {
    clips.labels.push_back(static_cast<std::uint32_t>(i % 2));
    clips.groups.push_back(0);
  }
  return clips;
}

TEST(PerturbedScore, WithoutPerturbationIsThePlainScore) {
  ThreadPool pool(2);
  const ClipSet clips = noise_clips(40);
  const double plain = evaluate(small_network(), clips, pool).accuracy;
  const PerturbedScore score = score_perturbed(small_network(), clips, {}, 3, 1, pool, {});
  EXPECT_EQ(score.accuracy, std::vector<double>(3, plain));
}

TEST(PerturbedScore, DependsOnTheSeedAndNotOnThreads) {
  ThreadPool one(1);
  ThreadPool two(2);
  const ClipSet clips = noise_clips(60);
  Perturbation perturbation = everything(0.6);
  perturbation.additive = 0.2;
  perturbation.multiplicative = 0.2;
  const auto first = score_perturbed(small_network(), clips, perturbation, 6, 1, one, {}).accuracy;
  EXPECT_EQ(score_perturbed(small_network(), clips, perturbation, 6, 1, two, {}).accuracy, first);
  EXPECT_NE(score_perturbed(small_network(), clips, perturbation, 6, 2, two, {}).accuracy, first);
  EXPECT_GT(spread(first).deviation, 0.0) << "dies differ";
}

TEST(PerturbedScore, NoiseAloneMovesDecisions) {
  // One cell whose candidate stays in the middle of its band: only noise can set it.
  const model::Affine identity{model::Matrix::Ones(1, 1), model::Vector::Zero(1)};
  model::Network network;
  network.input = identity;
  network.layers.push_back({identity, model::Vector::Constant(1, 0.4f), model::Vector::Constant(1, 0.6f),
                            model::Vector::Ones(1), model::Vector::Zero(1), identity});
  network.readout = {model::Matrix::Zero(2, 1), model::Vector::Zero(2)};
  network.readout.weight(1, 0) = 1.0f;
  network.readout.bias[0] = 1.0f;
  network.labels = {"off", "on"};
  ClipSet clips{{50, 20, 1, std::vector<float>(1000, 0.5f)}, std::vector<std::uint32_t>(50, 0), {}};
  clips.groups.assign(50, 0);
  ThreadPool pool(2);
  Perturbation perturbation;
  EXPECT_EQ(spread(score_perturbed(network, clips, perturbation, 2, 1, pool, {}).accuracy).worst, 1.0);
  perturbation.additive = 0.15;
  const Spread noisy = spread(score_perturbed(network, clips, perturbation, 5, 1, pool, {}).accuracy);
  EXPECT_LT(noisy.mean, 0.9);
  EXPECT_GT(noisy.deviation, 0.0);
  perturbation.additive = 0.0;
  perturbation.multiplicative = 0.18;
  EXPECT_LT(spread(score_perturbed(network, clips, perturbation, 5, 1, pool, {}).accuracy).mean, 0.9);
}

TEST(Spread, OfKnownNumbers) {
  const Spread figures = spread({0.5, 0.7, 0.9});
  EXPECT_NEAR(figures.mean, 0.7, 1e-12);
  EXPECT_NEAR(figures.deviation, 0.2, 1e-12);
  EXPECT_EQ(figures.worst, 0.5);
}

}  // namespace
}  // namespace hysteron::train
