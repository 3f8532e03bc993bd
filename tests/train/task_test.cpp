#include "train/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hysteron::train {
namespace {

constexpr std::size_t kFrames = 20;

/// Two labels, ten clips each; feature 0 of clip i is 100 i + the frame's number, feature 1 is 7.
ClipSet clips() {
  ClipSet set;
  set.features = {20, kFrames, 2, {}};
  for (std::size_t i = 0; i < 20; ++i) {
    set.labels.push_back(static_cast<std::uint32_t>(i % 2));
    set.groups.push_back(static_cast<std::uint32_t>(i % 2));
    for (std::size_t t = 0; t < kFrames; ++t) {
      set.features.values.push_back(static_cast<float>(100 * i + t));
      set.features.values.push_back(7.0f);
    }
  }
  return set;
}

TrainingData data() {
  TrainingData result;
  result.train = result.validation = result.test = clips();
  result.labels = {"even", "odd"};
  return result;
}

TrainConfig unchanged() {
  TrainConfig config;
  config.time_shift = 0;
  config.speed = 0.0;
  return config;
}

/// First feature of the training sequences less what the unchanged clip has, frame by frame.
std::vector<float> changes(const TrainConfig& config, TrainingData training) {
  const auto source = make_clip_source(std::move(training), config);
  std::vector<float> result;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const data::Sequence sequence = source->sequence(data::Split::kTrain, i);
    const float clip = 100.0f * std::floor(sequence.inputs[kFrames] / 100.0f);
    for (std::size_t t = 0; t < kFrames; ++t) {
      result.push_back(sequence.inputs[2 * t] - clip - static_cast<float>(t));
    }
  }
  return result;
}

TEST(ClipSource, DealsTrainingClipsEvenlyAndLeavesTestClipsAsTheyAre) {
  TrainConfig config;
  config.feature_noise = 0.5;
  const ClipSet given = clips();
  const auto source = make_clip_source(data(), config);
  EXPECT_EQ(source->size(data::Split::kTrain), 0u);
  EXPECT_EQ(source->size(data::Split::kTest), 20u);
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(source->sequence(data::Split::kTrain, i).targets.front(), i % 2);
    EXPECT_TRUE(std::ranges::equal(source->sequence(data::Split::kTest, i).inputs, given.features.clip(i)));
  }
}

TEST(ClipSource, EveryKeyOfTheTableAugmentationHasItsEffect) {
  const auto largest = [](const std::vector<float>& values) {
    return std::ranges::max(values, {}, [](float value) { return std::abs(value); });
  };
  EXPECT_EQ(largest(changes(unchanged(), data())), 0.0f);

  TrainConfig config = unchanged();
  config.time_shift = 3;
  const std::vector<float> shifts = changes(config, data());
  EXPECT_NEAR(std::ranges::max(shifts), 3.0f, 1e-3);
  EXPECT_NEAR(std::ranges::min(shifts), -3.0f, 1e-3);

  config = unchanged();
  config.speed = 0.2;
  const std::vector<float> hurried = changes(config, data());
  EXPECT_GT(std::abs(largest(hurried)), 1.0f) << "at the ends";
  EXPECT_LE(std::abs(largest(hurried)), 0.2f * kFrames / 2.0f);

  config = unchanged();
  config.feature_noise = 0.5;
  double sum = 0.0;
  const std::vector<float> noisy = changes(config, data());
  for (const float value : noisy) sum += static_cast<double>(value) * value;
  EXPECT_NEAR(std::sqrt(sum / static_cast<double>(noisy.size())), 0.5, 0.05);

  config = unchanged();
  config.gain = 6.0;
  TrainingData measured = data();
  EXPECT_EQ(largest(changes(config, measured)), 0.0f) << "normalised by themselves";
  measured.statistics = data::FeatureStatistics{{0.0f, 0.0f}, {100.0f, 1.0f}};
  const std::vector<float> louder = changes(config, measured);
  const double most = 6.0 * data::Mfcc::kLevelOfDecibel / 100.0;
  EXPECT_GT(std::abs(largest(louder)), 0.8 * most);
  EXPECT_LE(std::abs(largest(louder)), most + 1e-3);
  for (std::size_t i = 1; i < kFrames; ++i) EXPECT_NEAR(louder[i], louder[0], 1e-3) << "the same in every frame";
}

TEST(MakeTask, AsksForTheFilesThatATaskCannotDoWithout) {
  ThreadPool pool(1);
  SilentReporter reporter;
  const StopFlag stop;
  for (const auto& [task, key] : {std::pair{"text", "data.file"},
                                  {"sequences", "data.folder"},
                                  {"smnist", "data.folder"},
                                  {"psmnist", "data.folder"}}) {
    TrainConfig config;
    config.task = task;
    config.backbone = "reference";
    try {
      make_task(config, pool, reporter, stop);
      ADD_FAILURE() << task;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

TEST(MakeTask, ShortExpressionsAreGeneratedToo) {
  ThreadPool pool(1);
  SilentReporter reporter;
  const StopFlag stop;
  TrainConfig config;
  config.task = "listops";
  config.backbone = "reference";
  config.task_length = 3;
  EXPECT_LE(make_task(config, pool, reporter, stop)->sequence(data::Split::kTest, 0).frames, 3u);
}

}  // namespace
}  // namespace hysteron::train
