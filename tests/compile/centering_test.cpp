#include "compile/centering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "compile/centering_run.h"
#include "compile/small_network.h"
#include "model/inference.h"

namespace hysteron::compile {
namespace {

/// One input, one cell, whose candidate is 0.4 + the input.
model::Network one_cell(float beta_lo, float beta_hi) {
  model::Network network;
  const auto scalar = [](float weight, float bias) {
    model::Affine affine;
    affine.weight.resize(1, 1);
    affine.weight << weight;
    affine.bias.resize(1);
    affine.bias << bias;
    return affine;
  };
  const auto vector = [](float value) {
    model::Vector values(1);
    values << value;
    return values;
  };
  network.input = scalar(1.0F, 0.0F);
  network.layers.push_back(
      {scalar(1.0F, 0.4F), vector(beta_lo), vector(beta_hi), vector(1.0F), vector(0.0F), scalar(1.0F, 0.0F)});
  network.readout.weight.resize(2, 1);
  network.readout.weight << 1.0F, -1.0F;
  network.readout.bias.resize(2);
  network.readout.bias << -0.5F, 0.5F;
  network.labels = {"on", "off"};
  return network;
}

/// Clips that set the cell for some frames and then rest at zero input, and some that never set it.
data::Features pulses() {
  data::Features features{12, 20, 1, {}};
  for (std::size_t clip = 0; clip < features.clips; ++clip) {
    for (std::size_t t = 0; t < features.frames; ++t) {
      const bool high = clip % 3 != 0 && t >= 2 && t < 4 + clip % 4;
      features.values.push_back(high ? 0.6F + 0.02F * static_cast<float>(clip) : 0.0F);
    }
  }
  return features;
}

model::Network random_network(std::uint64_t seed, Eigen::Index width, std::size_t layers) {
  Random random = Random(seed).child("network");
  const auto matrix = [&](Eigen::Index rows, Eigen::Index columns, double low, double high) {
    model::Matrix values(rows, columns);
    for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<float>(random.uniform(low, high));
    return values;
  };
  const auto affine = [&](Eigen::Index rows, Eigen::Index columns, double low, double high) {
    model::Affine result;
    result.weight = matrix(rows, columns, low, high);
    result.bias = matrix(rows, 1, 0.2 * low, 0.5 * high).col(0);
    return result;
  };
  model::Network network;
  network.input = affine(width, 3, -0.6, 0.6);
  for (std::size_t l = 0; l < layers; ++l) {
    model::Layer layer;
    layer.candidate = affine(width, width, -0.3, 0.8);
    layer.beta_lo = matrix(width, 1, 0.05, 0.4).col(0);
    layer.beta_hi = layer.beta_lo + matrix(width, 1, 0.05, 0.5).col(0);
    layer.alpha = matrix(width, 1, 0.2, 1.0).col(0);
    layer.initial_state = model::Vector::Zero(width);
    layer.initial_state[0] = 1.0F;
    layer.output = affine(width, width, -0.5, 0.8);
    network.layers.push_back(layer);
  }
  network.readout = affine(3, width, -0.6, 0.6);
  network.labels = {"a", "b", "c"};
  return network;
}

/// Slow walks: neighbouring frames are alike, as in speech.
data::Features random_features(std::uint64_t seed, std::size_t clips, std::size_t frames) {
  Random random = Random(seed).child("features");
  data::Features features{clips, frames, 3, {}};
  for (std::size_t clip = 0; clip < clips; ++clip) {
    double values[3] = {random.normal(), random.normal(), random.normal()};
    for (std::size_t t = 0; t < frames; ++t) {
      for (double& value : values) {
        value = 0.8 * value + 0.6 * random.normal();
        features.values.push_back(static_cast<float>(value));
      }
    }
  }
  return features;
}

Centering center(const model::Network& network, const data::Features& features, int jobs = 1) {
  ThreadPool pool(jobs);
  SilentReporter reporter;
  const StopFlag stop;
  return center_thresholds(network, features, {}, pool, reporter, stop);
}

TEST(Centering, MovesALowerThresholdOffTheRestingCandidate) {
  const model::Network network = one_cell(0.4F, 0.8F);  // at zero input the candidate is beta_lo to the last bit
  const Centering result = center(network, pulses());
  const float moved = result.network.layers[0].beta_lo[0];
  EXPECT_LT(moved, 0.4F * (1.0F - static_cast<float>(kRestingDistance)));
  EXPECT_GE(moved, static_cast<float>(kMinThreshold));
  EXPECT_EQ(result.frame_change, 0.0);  // software holds at 0.4 as it does below
  EXPECT_EQ(result.decisions_changed, 0U);
  const CenteredCell& cell = result.cells.at(0);
  EXPECT_GT(cell.lower_before.wrong.nominal, 0.1);  // a coin toss while it holds
  EXPECT_GT(cell.lower_before.wrong.die, 0.1);
  EXPECT_LT(cell.lower_after.wrong.die, 1e-3);
  EXPECT_LT(result.after.nominal, 1e-3 * result.before.nominal);
  EXPECT_NEAR(cell.lower_before.distance, 0.0, 1e-6);
  EXPECT_GT(cell.lower_after.distance, 0.05);
  EXPECT_GT(cell.lower_after.sigmas, 3.0);
}

TEST(Centering, MovesAnUpperThresholdOffTheRestingCandidate) {
  const model::Network network = one_cell(0.2F, 0.401F);  // rests just below beta_hi
  const Centering result = center(network, pulses());
  EXPECT_GT(result.network.layers[0].beta_hi[0], 0.45F);
  EXPECT_LT(result.network.layers[0].beta_hi[0], 1.0F);
  EXPECT_EQ(result.frame_change, 0.0);
  EXPECT_LT(result.after.die, 0.01 * result.before.die);
}

TEST(Centering, LeavesAThresholdThatIsSafe) {
  const model::Network network = one_cell(0.2F, 0.7F);
  const Centering result = center(network, pulses());
  EXPECT_EQ(result.thresholds_moved, 0U);
  EXPECT_EQ(result.network.layers[0].beta_lo, network.layers[0].beta_lo);
  EXPECT_EQ(result.network.layers[0].beta_hi, network.layers[0].beta_hi);
}

TEST(Centering, KeepsDecisionsFramesAndOrderOnRandomNetworks) {
  ThreadPool pool(1);
  double before = 0.0;
  double after = 0.0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const model::Network network = random_network(seed, 4, 2);
    const data::Features features = random_features(seed, 60, 50);
    const Centering result = center(network, features);
    std::vector<std::size_t> clips(features.clips);
    std::iota(clips.begin(), clips.end(), std::size_t{0});
    const SoftwareChange change = software_change(network, result.network, features, clips, pool);
    EXPECT_EQ(change.decisions, 0U) << seed;
    EXPECT_LE(static_cast<double>(change.frames), kCenteringFrameLimit * 3000.0) << seed;
    EXPECT_DOUBLE_EQ(result.frame_change, static_cast<double>(change.frames) / 3000.0);
    EXPECT_LE(result.after.nominal + result.after.die, result.before.nominal + result.before.die) << seed;
    before += result.before.die;
    after += result.after.die;
    check_network(result.network, "centred");
    for (std::size_t l = 0; l < 2; ++l) {
      for (Eigen::Index j = 0; j < 4; ++j) {
        EXPECT_LT(result.network.layers[l].beta_lo[j], result.network.layers[l].beta_hi[j]);
      }
    }
  }
  EXPECT_LT(after, 0.9 * before);
}

TEST(Centering, IsTheSameAtAnyNumberOfThreads) {
  const model::Network network = random_network(3, 5, 2);
  const data::Features features = random_features(3, 50, 40);
  const Centering one = center(network, features, 1);
  const Centering four = center(network, features, 4);
  ASSERT_GT(one.thresholds_moved, 0U);
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_EQ(one.network.layers[l].beta_lo, four.network.layers[l].beta_lo);
    EXPECT_EQ(one.network.layers[l].beta_hi, four.network.layers[l].beta_hi);
  }
  EXPECT_EQ(one.after.die, four.after.die);
}

TEST(Centering, RefusesFeaturesOfAnotherWidth) {
  try {
    center(one_cell(0.4F, 0.8F), random_features(1, 2, 4));
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("have 3 inputs"), std::string::npos) << error.what();
  }
}

TEST(Centering, StopsWhenAsked) {
  ThreadPool pool(1);
  SilentReporter reporter;
  StopFlag stop;
  stop.request();
  EXPECT_THROW(center_thresholds(one_cell(0.4F, 0.8F), pulses(), {}, pool, reporter, stop), Error);
}

TEST(CenteringRunner, DoesWhatTheReferenceDoes) {
  const model::Network network = random_network(5, 6, 3);
  const data::Features features = random_features(5, 5, 60);
  const CenteringRunner runner(network, {});
  for (std::size_t clip = 0; clip < features.clips; ++clip) {
    const model::Trace trace = model::run_clip(network, features.clip(clip));
    const ClipRun run = runner.run(features.clip(clip));
    for (std::size_t l = 0; l < 3; ++l) {
      for (std::size_t t = 0; t < trace.frames; ++t) {
        for (std::size_t j = 0; j < 6; ++j) {
          EXPECT_EQ(run.layers[l].candidate(t, j), trace.candidate(l, t, j));
          EXPECT_EQ(run.layers[l].on[t * 6 + j] != 0, trace.state(l, t, j) > 0.0F);
        }
      }
    }
    const auto decisions = model::frame_decisions(trace.logits, trace.outputs);
    EXPECT_TRUE(std::equal(decisions.begin(), decisions.end(), run.decisions.begin(), run.decisions.end()));
  }
}

/// States of a cell whose threshold is at `moved`, by the model's own step.
std::vector<bool> states_with(const LayerRun& run, float beta_lo, float beta_hi, bool starts_on) {
  std::vector<bool> states;
  bool on = starts_on;
  for (std::size_t t = 0; t < run.frames(); ++t) {
    on = model::next_state(run.candidate(t, 0), beta_lo, beta_hi, on);
    states.push_back(on);
  }
  return states;
}

TEST(CriticalLevels, SayTheStateForEveryPlaceOfAThreshold) {
  Random random(11);
  LayerRun run;
  run.candidates.resize(200, 1);
  for (Eigen::Index t = 0; t < 200; ++t) run.candidates(t, 0) = static_cast<float>(random.uniform());
  for (const bool starts_on : {false, true}) {
    for (float place = 0.05F; place < 1.0F; place += 0.05F) {
      for (const bool upper : {false, true}) {
        const float beta_lo = upper ? 0.3F : std::min(place, 0.7F);
        const float beta_hi = upper ? std::max(place, 0.3F) : 0.7F;
        const auto on = std::ranges::count(states_with(run, beta_lo, beta_hi, starts_on), true);
        // Frames that are not visited are on (or off) wherever the threshold lies.
        std::size_t visited = 0;
        std::ptrdiff_t on_by_level = 0;
        visit_levels(run, 0, upper, {beta_lo, beta_hi, starts_on}, [&](float level, std::size_t) {
          ++visited;
          on_by_level += (upper ? beta_hi : beta_lo) <= level ? 1 : 0;
        });
        std::ptrdiff_t always = 0;
        for (std::size_t t = 0; !upper && t < run.frames(); ++t) always += run.candidate(t, 0) >= beta_hi ? 1 : 0;
        if (upper && starts_on) {
          std::size_t t = 0;
          while (t < run.frames() && run.candidate(t, 0) >= beta_lo) ++t;
          always += static_cast<std::ptrdiff_t>(t);
        }
        EXPECT_EQ(on, on_by_level + always) << upper << " " << place;
        EXPECT_LE(visited, run.frames());
      }
    }
  }
}

TEST(ErrorModel, LegsOfLessAreLessAccurate) {
  ErrorModel errors;
  errors.mismatch = 0.03;
  errors.systematic = 0.0;
  errors.length_ratios = {1.0, 2.0};
  errors.narrowest = 0.1;
  EXPECT_DOUBLE_EQ(errors.leg_variance(0.0), 0.0);
  EXPECT_NEAR(std::sqrt(errors.leg_variance(1.0)), 0.03, 1e-12);
  EXPECT_NEAR(std::sqrt(errors.leg_variance(4.0)), 4.0 * 0.015, 1e-12);
  EXPECT_NEAR(std::sqrt(errors.leg_variance(-0.25)), 0.25 * 0.06, 1e-12);
  // 0.05 at the reference length is too narrow; at twice the length it is 0.1 wide: an area of 0.2.
  EXPECT_NEAR(std::sqrt(errors.leg_variance(0.05)), 0.05 * 0.03 / std::sqrt(0.2), 1e-12);
  EXPECT_NEAR(std::sqrt(errors.without_mismatch().leg_variance(1.0)), 0.0, 1e-12);
}

TEST(CircuitErrors, PredictTheSpreadOfCandidatesOnDies) {
  // Every weight and bias of the maps before the candidates is off by its own leg's deviation; rails and cells are not.
  const model::Network network = random_network(7, 4, 1);
  const data::Features features = random_features(7, 1, 12);
  ErrorModel errors;
  errors.mismatch = 0.0;
  errors.systematic = 0.01;
  const CenteringRunner runner(network, errors);
  const ClipRun run = runner.run(features.clip(0));
  constexpr int kDies = 2000;
  Random random(13);
  std::vector<double> squares(12 * 4, 0.0);
  for (int die = 0; die < kDies; ++die) {
    model::Network made = network;
    const auto disturb = [&](float& value) { value *= static_cast<float>(1.0 + errors.systematic * random.normal()); };
    for (model::Affine* affine : {&made.input, &made.layers[0].candidate}) {
      for (Eigen::Index i = 0; i < affine->weight.size(); ++i) disturb(affine->weight.data()[i]);
      for (Eigen::Index i = 0; i < affine->bias.size(); ++i) disturb(affine->bias[i]);
    }
    const model::Trace trace = model::run_clip(made, features.clip(0));
    for (std::size_t t = 0; t < 12; ++t) {
      for (std::size_t j = 0; j < 4; ++j) {
        const double error = trace.candidate(0, t, j) - run.layers[0].candidate(t, j);
        squares[t * 4 + j] += error * error / kDies;
      }
    }
  }
  int compared = 0;
  for (std::size_t t = 0; t < 12; ++t) {
    for (std::size_t j = 0; j < 4; ++j) {
      if (run.layers[0].candidate(t, j) < 0.1F) continue;  // the rectifier cuts errors off
      ++compared;
      EXPECT_NEAR(std::sqrt(run.layers[0].variance(kDie, t, j)) / std::sqrt(squares[t * 4 + j]), 1.0, 0.15);
    }
  }
  EXPECT_GT(compared, 10);
}

TEST(Resting, NamesCellThresholdAndDistance) {
  ThreadPool pool(1);
  const auto found = resting_on_thresholds(one_cell(0.404F, 0.8F), nullptr, pool);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].upper);
  EXPECT_NEAR(found[0].distance(), -0.0099, 1e-4);
  EXPECT_EQ(found[0].text(), "layers.0 cell 0: the candidate at zero input, 0.4, is 0.99 % below beta_lo, 0.404");
  EXPECT_TRUE(resting_on_thresholds(one_cell(0.38F, 0.8F), nullptr, pool).empty());
  EXPECT_EQ(resting_on_thresholds(one_cell(0.4F, 0.41F), nullptr, pool).size(), 2U);
}

TEST(Resting, FindsTheMostFrequentCandidateOfFeatures) {
  ThreadPool pool(2);
  data::Features features{4, 10, 1, std::vector<float>(40, 0.3F)};
  const model::Network network = one_cell(0.2F, 0.69F);
  EXPECT_TRUE(resting_on_thresholds(network, nullptr, pool).empty());
  const auto found = resting_on_thresholds(network, &features, pool);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].upper);
  EXPECT_EQ(found[0].frames, 1.0);
  EXPECT_NE(found[0].text().find("of 100 % of the frames"), std::string::npos) << found[0].text();
}

}  // namespace
}  // namespace hysteron::compile
