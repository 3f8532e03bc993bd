// Training for one measured chip.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "model/die_file.h"
#include "model/model_file.h"
#include "train/backbone.h"
#include "train/trainer.h"

namespace hysteron::train {
namespace {

/// Errors drawn with deviation `deviation` for everything a chip can be off by.
model::DieErrors drawn_errors(const model::Network& network, double deviation, std::uint64_t seed) {
  Random random(seed);
  model::DieErrors errors = model::DieErrors::none(network);
  const auto fill = [&](auto& values) {
    for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<float>(deviation * random.normal());
  };
  const auto fill_affine = [&](model::Affine& affine) {
    fill(affine.weight);
    fill(affine.bias);
  };
  fill_affine(errors.input);
  for (model::LayerErrors& layer : errors.layers) {
    fill_affine(layer.candidate);
    for (model::Vector* values : {&layer.offset, &layer.threshold, &layer.width, &layer.gain}) fill(*values);
    fill_affine(layer.output);
  }
  fill_affine(errors.readout);
  fill(errors.readout_offset);
  return errors;
}

void expect_alike(const model::Vector& a, const model::Vector& b) { EXPECT_LT((a - b).cwiseAbs().maxCoeff(), 1e-6F); }

void expect_alike(const model::Network& a, const model::Network& b) {
  const Backbone backbone({a.inputs(), a.width(), a.layers[0].cells(), a.layers.size(), a.outputs()});
  const std::vector<float> first = backbone.from_network(a);
  const std::vector<float> second = backbone.from_network(b);
  expect_alike(Eigen::Map<const model::Vector>(first.data(), static_cast<Eigen::Index>(first.size())),
               Eigen::Map<const model::Vector>(second.data(), static_cast<Eigen::Index>(second.size())));
}

TEST(Chip, ParametersOfANetworkAndBack) {
  const Backbone backbone({3, 4, 5, 2, 2});
  const model::Network network = backbone.to_network(backbone.initial_parameters(Random(4)));
  expect_alike(backbone.to_network(backbone.from_network(network)), network);
}

TEST(Chip, TheTrainersDieIsTheChip) {
  const Backbone backbone({3, 4, 5, 2, 2});
  const std::vector<float> parameters = backbone.initial_parameters(Random(4), false);
  const model::Network network = backbone.to_network(parameters);
  const model::DieErrors errors = drawn_errors(network, 0.05, 6);
  const ChipErrors chip = backbone.chip_errors(errors);
  std::vector<float> perturbed(parameters.size());
  Die(backbone.segments(), {}, Random(1), &chip).apply(parameters, perturbed);
  expect_alike(backbone.to_network(perturbed), model::on_die(network, errors));
}

/// Two labels that differ in which of two features is high for a few frames.
ClipSet pulses(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  ClipSet set;
  set.features = {count, 20, 2, std::vector<float>(count * 40)};
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(static_cast<std::uint32_t>(i % 2));
    set.groups.push_back(static_cast<std::uint32_t>(i % 2));
    const std::size_t begin = random.below(6);
    for (std::size_t t = 0; t < 20; ++t) {
      float* frame = set.features.values.data() + (i * 20 + t) * 2;
      for (std::size_t k = 0; k < 2; ++k) frame[k] = static_cast<float>(0.4 * random.normal());
      if (t >= begin && t < begin + 4) frame[i % 2] += 1.2F;
    }
  }
  return set;
}

class ChipInTheLoop : public testing::Test {
 protected:
  ChipInTheLoop() {
    data_.train = pulses(200, 1);
    data_.validation = pulses(200, 2);
    data_.test = pulses(400, 3);
    data_.labels = {"first", "second"};
    config_.width = 3;
    config_.layers = 1;
    config_.steps = 150;
    config_.batch = 32;
    config_.restarts = 1;
    config_.validation_interval = 25;
    config_.time_shift = 0;
    config_.speed = 0.0;
    config_.output = start_;
    before_ = train(config_, data_, pool_, reporter_, stop_);
  }

  TrainConfig tuning() const {
    TrainConfig config = config_;
    config.output = tuned_;
    config.start = start_;
    config.die = die_;
    config.steps = 120;
    config.learning_rate = 0.02;
    apply_noise_defaults(config);
    return config;
  }

  TemporaryDirectory folder_{"chip"};
  std::string start_ = (folder_.path() / "start.safetensors").string();
  std::string tuned_ = (folder_.path() / "tuned.safetensors").string();
  std::string die_ = (folder_.path() / "die.json").string();
  TrainingData data_;
  TrainConfig config_;
  ThreadPool pool_{2};
  SilentReporter reporter_;
  StopFlag stop_;
  TrainResult before_;
};

TEST_F(ChipInTheLoop, WinsBackWhatTheChipLost) {
  // The first of a few chips that lose much.
  model::DieErrors errors;
  double lost = 0.0;
  for (std::uint64_t seed = 1; seed < 40 && lost < 0.08; ++seed) {
    errors = drawn_errors(before_.network, 0.15, seed);
    lost = before_.test.accuracy - evaluate(model::on_die(before_.network, errors), data_.test, pool_).accuracy;
  }
  ASSERT_GE(lost, 0.08);
  model::write_die_file(die_, errors, before_.network, "start", nlohmann::ordered_json::object());
  const TrainConfig config = tuning();
  EXPECT_EQ(config.starts(), 1u);
  EXPECT_EQ(config.epsilon_fall, 0.0);
  const TrainResult after = train(config, data_, pool_, reporter_, stop_);
  EXPECT_GT(after.test.accuracy, before_.test.accuracy - 0.4 * lost);
  // Scored as the chip has it; the file is what the chip is to be set to, and belongs to it.
  const model::Network tuned = model::load_model(tuned_);
  const model::DieErrors again = model::read_die_file(die_, tuned);
  EXPECT_DOUBLE_EQ(evaluate(model::on_die(tuned, again), data_.test, pool_).accuracy, after.test.accuracy);
  EXPECT_FALSE(nlohmann::json::parse(tuned.training)["config"].contains("circuit.die"));
  // And may be tuned again.
  TrainConfig more = config;
  more.start = tuned_;
  more.steps = 5;
  more.output.clear();
  EXPECT_GE(train(more, data_, pool_, reporter_, stop_).validation.accuracy, after.validation.accuracy - 0.02);
}

TEST_F(ChipInTheLoop, AStartOfAnotherShapeOrADieOfAnotherModelIsRefused) {
  const auto refused = [&](const TrainConfig& config, const std::vector<std::string>& parts) {
    try {
      train(config, data_, pool_, reporter_, stop_);
      ADD_FAILURE() << parts.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  };
  TrainConfig config = tuning();
  config.die.clear();
  config.width = 4;
  refused(config, {"start.safetensors", "width 3", "4"});
  config = tuning();
  model::Network other = before_.network;
  other.readout.bias[0] += 1.0F;
  model::write_die_file(die_, drawn_errors(other, 0.1, 1), other, "other.safetensors",
                        nlohmann::ordered_json::object());
  refused(config, {"die.json", "another model", "other.safetensors"});
  config.start.clear();
  refused(config, {"circuit.die", "model.start"});
}

}  // namespace
}  // namespace hysteron::train
