#include "model/inference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/model_testing.h"

namespace hysteron::model {
namespace {

/// One input, one cell whose candidate is relu(input): the bare hysteron with band [0.4, 0.7) and gain 1.5.
Network single_cell(float initial_state = 0.0f) {
  const Affine identity{Matrix::Ones(1, 1), Vector::Zero(1)};
  Network network;
  network.input = identity;
  network.layers.push_back({identity, Vector::Constant(1, 0.4f), Vector::Constant(1, 0.7f), Vector::Constant(1, 1.5f),
                            Vector::Constant(1, initial_state), identity});
  network.readout = {Matrix::Ones(2, 1), Vector::Zero(2)};
  network.labels = {"a", "b"};
  return network;
}

std::vector<float> states_of(const Network& network, const std::vector<float>& input) {
  return run_clip(network, input).states;
}

TEST(Cell, SetsAtExactlyTheUpperThreshold) {
  EXPECT_EQ(states_of(single_cell(), {0.7f}), std::vector<float>{1.5f});
  EXPECT_EQ(states_of(single_cell(), {std::nextafter(0.7f, 0.0f)}), std::vector<float>{0.0f});
}

TEST(Cell, ResetsOnlyBelowTheLowerThreshold) {
  EXPECT_EQ(states_of(single_cell(1.0f), {0.4f}), std::vector<float>{1.5f});
  EXPECT_EQ(states_of(single_cell(1.0f), {std::nextafter(0.4f, 0.0f)}), std::vector<float>{0.0f});
}

TEST(Cell, HoldsStateInsideBand) {
  EXPECT_EQ(states_of(single_cell(), {0.5f, 0.9f, 0.5f, 0.4f, 0.1f, 0.5f, 0.69f}),
            (std::vector<float>{0, 1.5f, 1.5f, 1.5f, 0, 0, 0}));
}

TEST(Cell, WithoutABandFollowsItsCandidate) {
  Network network = single_cell();
  network.layers[0].beta_hi = network.layers[0].beta_lo;
  EXPECT_EQ(states_of(network, {0.4f, 0.39f, 0.41f}), (std::vector<float>{1.5f, 0, 1.5f}));
}

TEST(Cell, RestingOnItsBiasSeesExactlyThatBias) {
  Network network = single_cell(1.0f);
  network.layers[0].candidate.bias[0] = 0.4f;
  EXPECT_EQ(states_of(network, {-3.0f, -0.1f}), (std::vector<float>{1.5f, 1.5f}));
}

TEST(RunClip, AgreesWithAScalarTranscriptionOfTheEquations) {
  const Network network = random_network(3);
  Random random(5);
  std::vector<float> features(20 * 3);
  for (float& value : features) value = static_cast<float>(random.normal());
  const Trace trace = run_clip(network, features);
  std::vector<std::vector<bool>> on(2, std::vector<bool>(5));
  for (std::size_t l = 0; l < 2; ++l) on[l][1] = true;
  for (std::size_t t = 0; t < 20; ++t) {
    const Eigen::VectorXd x = Eigen::Map<const Vector>(features.data() + t * 3, 3).cast<double>();
    Eigen::VectorXd v = network.input.weight.cast<double>() * x + network.input.bias.cast<double>();
    for (std::size_t l = 0; l < 2; ++l) {
      const Layer& layer = network.layers[l];
      Eigen::VectorXd h(5);
      for (Eigen::Index j = 0; j < 5; ++j) {
        double candidate = layer.candidate.bias[j];
        for (Eigen::Index i = 0; i < 4; ++i) candidate += layer.candidate.weight(j, i) * std::max(v[i], 0.0);
        candidate = std::max(candidate, 0.0);
        const auto cell = static_cast<std::size_t>(j);
        EXPECT_NEAR(trace.candidate(l, t, cell), candidate, 1e-5);
        on[l][cell] = candidate >= layer.beta_hi[j] || (candidate >= layer.beta_lo[j] && on[l][cell]);
        h[j] = on[l][cell] ? layer.alpha[j] : 0.0;
        EXPECT_EQ(trace.state(l, t, cell), static_cast<float>(h[j]));
      }
      const Eigen::VectorXd o = layer.output.weight.cast<double>() * h + layer.output.bias.cast<double>();
      v += o.cwiseMax(0.0);
    }
    const Eigen::VectorXd logits = network.readout.weight.cast<double>() * v + network.readout.bias.cast<double>();
    for (Eigen::Index k = 0; k < 2; ++k) {
      EXPECT_NEAR(trace.logits[t * 2 + static_cast<std::size_t>(k)], logits[k], 1e-4);
    }
  }
}

TEST(RunClip, PadsNarrowerLayersWithZeros) {
  Network network = random_network(3);
  network.layers[1] = random_network(4, 3, 4, 2).layers[0];
  const Trace trace = run_clip(network, std::vector<float>(3 * 4, 0.5f));
  EXPECT_EQ(trace.cells, 5u);
  for (std::size_t t = 0; t < 4; ++t) EXPECT_EQ(trace.candidate(1, t, 4), 0.0f);
}

TEST(RunClip, RefusesHalfAFrame) { EXPECT_THROW(run_clip(random_network(1), std::vector<float>(4)), Error); }

TEST(RunClip, RefusesFeaturesThatAreNotFinite) {
  EXPECT_THROW(run_clip(single_cell(), std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()}), Error);
}

TEST(Decisions, TiesGoToTheLowestIndex) {
  const std::vector<float> logits{1, 1, 0, 2, 3, -1, 5, 5};
  const auto decisions = frame_decisions(logits, 2);
  EXPECT_EQ(decisions, (std::vector<std::size_t>{0, 1, 0, 0}));
  EXPECT_EQ(vote_shares(decisions, 2), (std::vector<double>{0.75, 0.25}));
  EXPECT_EQ(majority({0.5, 0.5}), 0u);
  EXPECT_EQ(count_votes(decisions, 3), (std::vector<std::size_t>{3, 1, 0}));
  EXPECT_EQ(votes_ahead(decisions, 3), 2u);
  EXPECT_EQ(votes_ahead({0, 0}, 1), 2u) << "nobody else stands";
}

}  // namespace
}  // namespace hysteron::model
