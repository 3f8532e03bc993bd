#include "train/sequence_trainer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "data/memory_tasks.h"
#include "model/model_file.h"

namespace hysteron::train {
namespace {

TrainConfig flip_flop_config() {
  TrainConfig config;
  config.task = "flip_flop";
  config.backbone = "reference";
  config.output = "";
  config.width = 8;
  config.layers = 1;
  config.batch = 32;
  config.steps = 40;
  config.validation_interval = 20;
  config.learning_rate = 0.01;
  apply_noise_defaults(config);
  return config;
}

SequenceResult train_flip_flop(const TrainConfig& config, int threads) {
  ThreadPool pool(threads);
  SilentReporter reporter;
  const StopFlag stop;
  const auto source = data::make_flip_flop({20, 0, 64, 1});
  return train_sequences(config, *source, pool, reporter, stop);
}

TEST(SequenceTrainer, EveryCellLearnsToRememberAFlipFlop) {
  for (const std::string& cell : cell_names()) {
    TrainConfig config = flip_flop_config();
    config.cell = cell;
    config.steps = 400;
    EXPECT_GT(train_flip_flop(config, 2).test.accuracy, 0.8) << cell;  // without memory 0.6
  }
}

TEST(SequenceTrainer, GivesTheSameNetworkAtAnyNumberOfThreads) {
  TrainConfig config = flip_flop_config();
  config.dropout = 0.1;
  config.cell = "bmru";
  EXPECT_EQ(train_flip_flop(config, 1).network.parameters, train_flip_flop(config, 2).network.parameters);
  const std::vector<float> of_seed_1 = train_flip_flop(config, 1).network.parameters;
  config.seed = 2;
  EXPECT_NE(train_flip_flop(config, 1).network.parameters, of_seed_1);
}

/// Notes on which threads training sequences are made, and how many.
class Watched : public data::SequenceSource {
 public:
  std::size_t inputs() const override { return source_->inputs(); }
  const std::vector<std::string>& labels() const override { return source_->labels(); }
  bool per_frame() const override { return source_->per_frame(); }
  std::size_t size(data::Split split) const override { return source_->size(split); }
  data::Sequence sequence(data::Split split, std::uint64_t index) const override {
    if (split == data::Split::kTrain) {
      const std::lock_guard lock(mutex_);
      threads_.insert(std::this_thread::get_id());
      ++made_;
    }
    return source_->sequence(split, index);
  }

  bool only_on_other_threads() const { return !threads_.contains(std::this_thread::get_id()); }
  std::size_t made() const { return made_; }

 private:
  std::unique_ptr<data::SequenceSource> source_ = data::make_flip_flop({20, 0, 64, 1});
  mutable std::mutex mutex_;
  mutable std::set<std::thread::id> threads_;
  mutable std::size_t made_ = 0;
};

TEST(SequenceTrainer, BatchesAreMadeInTheBackgroundOneStepAhead) {
  const TrainConfig config = flip_flop_config();
  ThreadPool pool(1);
  SilentReporter reporter;
  const StopFlag stop;
  const Watched source;
  train_sequences(config, source, pool, reporter, stop);
  EXPECT_TRUE(source.only_on_other_threads());
  EXPECT_EQ(source.made(), (config.steps + 1) * config.batch);
}

TEST(SequenceTrainer, ModelFilesComeBackWhole) {
  const auto path = std::filesystem::temp_directory_path() / "hysteron-sequence-trainer.safetensors";
  TrainConfig config = flip_flop_config();
  config.cell = "lru";
  config.output = path.string();
  const SequenceResult result = train_flip_flop(config, 1);
  ASSERT_TRUE(is_sequence_network(path));
  const SequenceNetwork network = load_sequence_network(path);
  EXPECT_EQ(network.parameters, result.network.parameters);
  EXPECT_EQ(parse_config(network.config, "model").cell, "lru");
  EXPECT_THROW(model::load_model(path), Error);  // no circuit is made of it
  const std::string bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() - 8));
  EXPECT_THROW(load_sequence_network(path), Error);
  std::filesystem::remove(path);
}

TEST(SequenceTrainer, ConfigurationsThatCannotBeAreRefused) {
  TrainConfig noisy = flip_flop_config();
  noisy.cell = "gru";
  noisy.training_noise.additive = 0.1;
  EXPECT_THROW(train_flip_flop(noisy, 1), Error) << "its model could not be read again";
  EXPECT_THROW(parse_config("[data]\ntask = \"smnist\"\n", "c.toml"), Error);
  EXPECT_THROW(parse_config("[model]\ncell = \"lru\"\n", "c.toml"), Error);
  EXPECT_THROW(parse_config("[model]\nbackbone = \"reference\"\ncell = \"lstm\"\n", "c.toml"), Error);
}

}  // namespace
}  // namespace hysteron::train
