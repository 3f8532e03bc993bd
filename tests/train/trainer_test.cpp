#include "train/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "model/inference.h"
#include "model/model_file.h"
#include "train/calibrate.h"

namespace hysteron::train {
namespace {

constexpr std::size_t kFrames = 30;

/// Two labels that differ in which of two features is high for a few frames; the state must remember it.
ClipSet pulse_clips(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  ClipSet set;
  set.features = {count, kFrames, 3, std::vector<float>(count * kFrames * 3)};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t label = i % 2;
    set.labels.push_back(static_cast<std::uint32_t>(label));
    set.groups.push_back(static_cast<std::uint32_t>(label == 0 ? 0 : 1 + random.below(2)));
    const std::size_t begin = random.below(8);
    for (std::size_t t = 0; t < kFrames; ++t) {
      float* frame = set.features.values.data() + (i * kFrames + t) * 3;
      for (std::size_t k = 0; k < 3; ++k) frame[k] = static_cast<float>(0.2 * random.normal());
      if (t >= begin && t < begin + 4) frame[label] += 2.0f;
    }
  }
  return set;
}

TrainingData pulse_data() {
  TrainingData data;
  data.train = pulse_clips(200, 1);
  data.validation = pulse_clips(60, 2);
  data.test = pulse_clips(60, 3);
  data.labels = {"first", "second"};
  return data;
}

TrainConfig small_config() {
  TrainConfig config;
  config.steps = 60;
  config.batch = 40;
  config.restarts = 1;
  config.validation_interval = 10;
  config.output = "";
  return config;
}

class Trained : public testing::Test {
 protected:
  TrainResult run(const TrainConfig& config, const TrainingData& data, int jobs = 1) {
    ThreadPool pool(jobs);
    return train(config, data, pool, reporter_, stop_);
  }

  SilentReporter reporter_;
  StopFlag stop_;
};

TEST_F(Trained, LearnsToRememberAPulse) {
  TrainConfig config = small_config();
  config.steps = 600;
  const TrainResult result = run(config, pulse_data());
  EXPECT_GT(result.test.balanced_accuracy, 0.95);
  EXPECT_EQ(result.test.clips, 60u);
  EXPECT_GE(result.best_step, 210u) << "only a complete reset is validated";
  model::check_network(result.network, "trained");
}

TEST_F(Trained, GivesTheSameBytesAtAnyNumberOfThreads) {
  const TemporaryDirectory folder("train");
  TrainConfig config = small_config();
  config.time_shift = 3;
  config.speed = 0.1;
  config.feature_noise = 0.1;
  for (const std::size_t width : {4u, 26u}) {
    config.width = width;
    std::string first;
    for (const int jobs : {1, 2, 3}) {
      config.output = (folder.path() / ("m" + std::to_string(jobs))).string();
      run(config, pulse_data(), jobs);
      const std::string bytes = read_file(config.output);
      if (first.empty()) first = bytes;
      EXPECT_EQ(bytes, first) << jobs << " threads, width " << width;
    }
  }
}

TEST_F(Trained, AnotherSeedGivesAnotherNetwork) {
  TrainConfig config = small_config();
  const auto first = run(config, pulse_data());
  config.seed = 2;
  EXPECT_NE(run(config, pulse_data()).network.input.weight, first.network.input.weight);
}

TEST_F(Trained, LayersBeginPositiveUnlessTheyAreToBeSigned) {
  const auto min_weight = [&](const char* initialisation) {
    TrainConfig config = small_config();
    config.initialisation = initialisation;
    config.steps = 1;
    config.learning_rate = 0.0;
    float least = 1.0f;
    for (const model::Layer& layer : run(config, pulse_data()).network.layers) {
      least = std::min({least, layer.candidate.weight.minCoeff(), layer.output.weight.minCoeff()});
    }
    return least;
  };
  EXPECT_GE(min_weight("positive"), 0.0f);
  EXPECT_LT(min_weight("signed"), 0.0f);
}

TEST_F(Trained, KeepsTheBestOfSeveralStarts) {
  TrainConfig config = small_config();
  const TrainingData data = pulse_data();
  const auto quality = [](const TrainResult& result) {
    return 0.5 * (result.validation.accuracy + result.validation.balanced_accuracy) -
           (1.0 - result.robustness.frame_agreement) - result.robustness.state_mismatch;
  };
  const double one = quality(run(config, data));
  config.restarts = 4;
  const TrainResult several = run(config, data);
  EXPECT_EQ(several.restarts, 4u);
  EXPECT_GE(quality(several), one);
}

TEST_F(Trained, ModelHoldsLabelsStatisticsAndHowItWasMade) {
  TrainConfig config = small_config();
  TrainingData data = pulse_data();
  data.statistics = data::FeatureStatistics{{1, 2, 3}, {4, 5, 6}};
  data.classes = R"({"first":["a"],"second":["b"]})";
  const TemporaryDirectory folder("train");
  config.output = (folder.path() / "m.safetensors").string();
  run(config, data);
  const model::Network network = model::load_model(config.output);
  EXPECT_EQ(network.labels, data.labels);
  EXPECT_EQ(network.classes, data.classes);
  EXPECT_EQ(network.feature_deviation[2], 6.0f);
  const auto record = nlohmann::json::parse(network.training);
  EXPECT_EQ(record["config"]["training.steps"], 60);
  EXPECT_FALSE(record["config"].contains("model.output"));
  EXPECT_TRUE(record["config"].contains("augmentation.time_shift"));
  EXPECT_FALSE(record["config"].contains("data.length")) << "train would refuse it in a file";
}

TEST_F(Trained, RespectsFloorAndWeightLimit) {
  TrainConfig config = small_config();
  config.floor = 0.3;
  config.weight_limit = 1.0;
  const TrainResult result = run(config, pulse_data());
  for (const model::Layer& layer : result.network.layers) {
    EXPECT_GE(layer.beta_lo.minCoeff(), 0.3f);
    EXPECT_GE((layer.beta_hi - layer.beta_lo).minCoeff(), 0.3f - 1e-6f);
    EXPECT_GE(layer.alpha.minCoeff(), 0.3f);
    EXPECT_LE(layer.candidate.weight.cwiseAbs().maxCoeff(), 1.0f);
  }
}

TEST_F(Trained, WritesAMetricsLogOfJsonLines) {
  const TemporaryDirectory folder("train");
  TrainConfig config = small_config();
  config.metrics = (folder.path() / "log.jsonl").string();
  run(config, pulse_data());
  std::istringstream lines(read_file(config.metrics));
  std::string line;
  std::size_t steps = 0;
  std::size_t validations = 0;
  while (std::getline(lines, line)) {
    const auto entry = nlohmann::json::parse(line);
    steps += entry.contains("gradient_norm") ? 1 : 0;
    if (entry.contains("gradient_norm")) {
      for (const char* key : {"step", "loss", "margin_loss", "learning_rate", "epsilon", "steps_per_second"}) {
        EXPECT_TRUE(entry.contains(key)) << key;
      }
    }
    validations += entry.contains("validation_loss") ? 1 : 0;
  }
  EXPECT_EQ(steps, 60u);
  EXPECT_GE(validations, 2u);
}

/// Requests a stop after some steps, as Ctrl-C does.
class StoppingReporter : public SilentReporter {
 public:
  StoppingReporter(StopFlag& stop, std::size_t after) : stop_(stop), after_(after) {}
  void progress(const std::string&, std::size_t done, std::size_t, const std::string&) override {
    if (done >= after_) stop_.request();
  }
  void info(const std::string& message) override { said_ += message; }
  const std::string& said() const { return said_; }

 private:
  StopFlag& stop_;
  std::size_t after_;
  std::string said_;
};

TEST_F(Trained, InterruptionSavesTheBestOrLatestNetwork) {
  const TemporaryDirectory folder("train");
  TrainConfig config = small_config();
  config.output = (folder.path() / "m.safetensors").string();
  for (const auto& [after, kind] : {std::pair{10, "latest"}, {50, "best"}}) {
    StopFlag stop;
    StoppingReporter reporter(stop, static_cast<std::size_t>(after));
    ThreadPool pool(1);
    try {
      train(config, pulse_data(), pool, reporter, stop);
      ADD_FAILURE() << "not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
    }
    EXPECT_NE(reporter.said().find(kind), std::string::npos) << reporter.said();
    EXPECT_NO_THROW(model::load_model(config.output));
    std::filesystem::remove(config.output);
  }
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "";
}

TEST_F(Trained, StopsWithTheStepWhenTheLossIsNoNumber) {
  TrainingData data = pulse_data();
  data.train.features.values[50] = std::numeric_limits<float>::quiet_NaN();
  const TemporaryDirectory folder("train");
  TrainConfig config = small_config();
  config.output = (folder.path() / "m.safetensors").string();
  const std::string message = refusal([&] { run(config, data); });
  EXPECT_NE(message.find("diverged at step"), std::string::npos) << message;
  EXPECT_NE(message.find("nan"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(config.output));
}

TEST_F(Trained, RefusesALabelWithoutClips) {
  TrainingData data = pulse_data();
  data.labels.push_back("third");
  EXPECT_NE(refusal([&] { run(small_config(), data); }).find("'third'"), std::string::npos);
}

TEST_F(Trained, RefusesAnOutputFolderThatDoesNotExist) {
  TrainConfig config = small_config();
  config.output = "/no/such/folder/m.safetensors";
  EXPECT_NE(refusal([&] { run(config, pulse_data()); }).find("model.output"), std::string::npos);
}

TEST_F(Trained, MarginLossKeepsCandidatesOffThresholds) {
  TrainConfig config = small_config();
  config.steps = 400;
  config.margin_weight = 0.0;
  config.training_noise.additive = 0.0;
  const double without = run(config, pulse_data()).validation.near_3_percent;
  config.margin_weight = 1.0;
  const double with = run(config, pulse_data()).validation.near_3_percent;
  EXPECT_LT(with, 0.7 * without) << without;
}

TEST_F(Trained, PowerPenaltyLowersTheCurrentAndLeavesTheTask) {
  const TemporaryDirectory folder("train");
  TrainConfig config = small_config();
  config.steps = 400;
  config.metrics = (folder.path() / "log.jsonl").string();
  const auto trained = [&](double weight) {
    config.power_weight = weight;
    const double accuracy = run(config, pulse_data()).test.accuracy;
    double current = 0.0;
    std::istringstream lines(read_file(config.metrics));
    for (std::string line; std::getline(lines, line);) {
      const auto entry = nlohmann::json::parse(line);
      if (entry.contains("current")) current = entry["current"];
    }
    return std::pair(accuracy, current);
  };
  EXPECT_EQ(trained(0.0).second, 0.0) << "not summed and not shown where it has no weight";
  const auto [plain_accuracy, plain] = trained(1e-9);
  const auto [saving_accuracy, saving] = trained(3e-3);
  EXPECT_GT(plain_accuracy, 0.9);
  EXPECT_GT(saving_accuracy, 0.9);
  EXPECT_LT(saving, 0.8 * plain);
}

TEST(Evaluate, CountsCandidatesOnTheThresholdThatMatters) {
  // One cell, candidate = relu(input), band [0.5, 1): 1.0 sets exactly on beta_hi, 0.505 then lies within 1 % of
  // beta_lo.
  const model::Affine identity{model::Matrix::Ones(1, 1), model::Vector::Zero(1)};
  model::Network network;
  network.input = identity;
  network.layers.push_back({identity, model::Vector::Constant(1, 0.5f), model::Vector::Constant(1, 1.0f),
                            model::Vector::Ones(1), model::Vector::Zero(1), identity});
  network.readout = {model::Matrix::Ones(2, 1), model::Vector::Zero(2)};
  network.labels = {"a", "b"};
  ClipSet clips{{1, 4, 1, {0.5f, 1.0f, 0.505f, 0.48f}}, {0}, {0}};
  ThreadPool pool(1);
  const Evaluation evaluation = evaluate(network, clips, pool);
  EXPECT_DOUBLE_EQ(evaluation.near_1_percent, 0.5) << "0.5 while off is far from beta_hi";
  EXPECT_DOUBLE_EQ(evaluation.near_3_percent, 0.75);
  EXPECT_EQ(evaluation.accuracy, 1.0) << "ties go to the lowest label";
}

TEST(Evaluate, WithoutErrorsEverythingAgrees) {
  TrainConfig config = small_config();
  const TrainingData data = pulse_data();
  ThreadPool pool(1);
  SilentReporter reporter;
  StopFlag stop;
  const model::Network network = train(config, data, pool, reporter, stop).network;
  const Robustness exact = robustness(network, data.test, 0.0, 2, 1, pool);
  EXPECT_EQ(exact.frame_agreement, 1.0);
  EXPECT_EQ(exact.state_mismatch, 0.0);
  const Robustness rough = robustness(network, data.test, 0.3, 5, 1, pool);
  EXPECT_GT(rough.state_mismatch, 0.0);
}

TEST(Calibrate, MovesTheVoteToWhereTheClipsAreDecidedBest) {
  // The logits are the input and 0: with clips of label 0 at 3 and more, label 1 at 2 and less, the vote must change
  // at 2.5.
  const model::Affine identity{model::Matrix::Ones(1, 1), model::Vector::Zero(1)};
  model::Network network;
  network.input = identity;
  network.layers.push_back({identity, model::Vector::Constant(1, 50.0f), model::Vector::Constant(1, 90.0f),
                            model::Vector::Ones(1), model::Vector::Zero(1), identity});
  network.readout = {model::Matrix::Zero(2, 1), model::Vector::Zero(2)};
  network.readout.weight(0, 0) = 1.0f;
  network.labels = {"a", "b"};
  ClipSet clips{{4, 1, 1, {3.0f, 4.0f, 2.0f, 1.0f}}, {0, 0, 1, 1}, {0, 0, 1, 1}};
  ThreadPool pool(1);
  EXPECT_EQ(evaluate(network, clips, pool).balanced_accuracy, 0.5);
  EXPECT_NEAR(calibrate_vote(network, clips, pool), -2.5, 1e-6);
  EXPECT_EQ(evaluate(network, clips, pool).balanced_accuracy, 1.0);
}

/// The states behind near_1_percent and near_3_percent are the reference's, over more than one word of frames.
TEST(Evaluate, CountsCandidatesNearTheThresholdThatTheStateCanCross) {
  constexpr std::size_t kLong = 150;
  model::Network network;
  network.labels = {"a", "b"};
  network.input = {model::Matrix::Identity(2, 2), model::Vector::Zero(2)};
  model::Layer layer;
  layer.candidate = {model::Matrix::Identity(2, 2), model::Vector::Zero(2)};
  layer.beta_lo = model::Vector::Constant(2, 0.4f);
  layer.beta_hi = model::Vector::Constant(2, 0.6f);
  layer.alpha = model::Vector::Constant(2, 1.0f);
  layer.initial_state = model::Vector::Zero(2);
  layer.initial_state[1] = 1.0f;
  layer.output = {model::Matrix::Identity(2, 2), model::Vector::Zero(2)};
  network.layers = {layer};
  network.readout = {model::Matrix::Identity(2, 2), model::Vector::Zero(2)};
  ClipSet clips;
  clips.features = {1, kLong, 2, std::vector<float>(2 * kLong)};
  clips.labels = {0};
  clips.groups = {0};
  Random random(5);
  for (float& value : clips.features.values) value = static_cast<float>(random.uniform(0.35, 0.65));
  double near_1 = 0.0;
  double near_3 = 0.0;
  for (std::size_t j = 0; j < 2; ++j) {
    bool on = j == 1;
    for (std::size_t t = 0; t < kLong; ++t) {
      const float candidate = clips.features.values[2 * t + j];
      const float distance = std::abs(candidate - (on ? 0.4f : 0.6f));
      near_1 += distance <= 0.01f * 0.6f ? 1.0 : 0.0;
      near_3 += distance <= 0.03f * 0.6f ? 1.0 : 0.0;
      on = model::next_state(candidate, 0.4f, 0.6f, on);
    }
  }
  ASSERT_GT(near_1, 0.0);
  ThreadPool pool(1);
  const Evaluation found = evaluate(network, clips, pool);
  EXPECT_DOUBLE_EQ(found.near_1_percent, near_1 / (2.0 * kLong));
  EXPECT_DOUBLE_EQ(found.near_3_percent, near_3 / (2.0 * kLong));
}

}  // namespace
}  // namespace hysteron::train
