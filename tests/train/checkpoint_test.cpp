// A run that was interrupted and goes on ends in the bytes of one that was not; bad checkpoints are refused.

#include "train/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/store.h"
#include "data/memory_tasks.h"
#include "train/backbone.h"
#include "train/sequence_trainer.h"
#include "train/trainer.h"

namespace hysteron::train {
namespace {

namespace fs = std::filesystem;

/// Requests a stop once `after` steps of all starts are done, as Ctrl-C does.
class Interrupter : public SilentReporter {
 public:
  Interrupter(StopFlag& stop, std::size_t after) : stop_(stop), after_(after) {}
  void progress(const std::string& task, std::size_t done, std::size_t total, const std::string&) override {
    const std::size_t before = task.starts_with("training 2") ? total : 0;
    if (before + done >= after_) stop_.request();
  }

 private:
  StopFlag& stop_;
  std::size_t after_;
};

ClipSet clips(std::size_t count, std::uint64_t seed) {
  constexpr std::size_t kFrames = 12;
  Random random(seed);
  ClipSet set;
  set.features = {count, kFrames, 3, std::vector<float>(count * kFrames * 3)};
  for (float& value : set.features.values) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(static_cast<std::uint32_t>(i % 2));
    set.groups.push_back(static_cast<std::uint32_t>(i % 2));
    for (std::size_t t = 2; t < 6; ++t) set.features.values[(i * kFrames + t) * 3 + i % 2] += 2.0f;
  }
  return set;
}

TrainingData hardware_data() {
  TrainingData data;
  data.train = clips(50, 1);
  data.validation = clips(30, 2);
  data.test = clips(30, 3);
  data.labels = {"first", "second"};
  return data;
}

/// A run of either trainer that ends with model.output.
using Training = std::function<void(const TrainConfig&, Reporter&, const StopFlag&, const fs::path& resume_from)>;

void train_hardware(const TrainConfig& config, Reporter& reporter, const StopFlag& stop, const fs::path& resume_from) {
  ThreadPool pool(2);
  train(config, hardware_data(), pool, reporter, stop, resume_from);
}

void train_software(const TrainConfig& config, Reporter& reporter, const StopFlag& stop, const fs::path& resume_from) {
  ThreadPool pool(2);
  const auto source = data::make_flip_flop({20, 0, 48, 1});
  train_sequences(config, *source, pool, reporter, stop, resume_from);
}

class Resumed : public testing::Test {
 protected:
  TrainConfig config(const std::string& name) const {
    TrainConfig config;
    config.steps = 60;
    config.batch = 24;
    config.restarts = 2;
    config.validation_interval = 10;
    config.checkpoint_interval = 7;
    config.dropout = 0.1;
    config.output = (folder_.path() / name).string();
    return config;
  }

  TrainConfig software(const std::string& name) const {
    TrainConfig result = config(name);
    result.task = "flip_flop";
    result.backbone = "reference";
    result.width = 8;
    result.layers = 1;
    result.restarts = 1;
    return result;
  }

  /// Interrupts `training` after `after` steps and checks that it said so.
  static void interrupt(const TrainConfig& config, const Training& training, std::size_t after) {
    StopFlag stop;
    Interrupter reporter(stop, after);
    try {
      training(config, reporter, stop, {});
      ADD_FAILURE() << "not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInterrupted) << error.what();
    }
  }

  static std::string whole(const TrainConfig& config, const Training& training, const fs::path& resume_from = {}) {
    SilentReporter reporter;
    const StopFlag stop;
    training(config, reporter, stop, resume_from);
    return read_file(config.output);
  }

  std::string refusal(const TrainConfig& config) const {
    try {
      load_checkpoint(checkpoint_path(config), config, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  TemporaryDirectory folder_{"checkpoint"};
};

std::size_t lines(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

void expect_same_end(const TrainConfig& config, const Training& training, const std::string& uninterrupted,
                     std::size_t after) {
  EXPECT_TRUE(fs::exists(checkpoint_path(config)));
  SilentReporter reporter;
  const StopFlag stop;
  training(config, reporter, stop, checkpoint_path(config));
  EXPECT_EQ(read_file(config.output), uninterrupted) << "after " << after;
  EXPECT_FALSE(fs::exists(checkpoint_path(config))) << "a finished run leaves no checkpoint";
}

TEST_F(Resumed, HardwareRunEndsInTheSameBytes) {
  const std::string uninterrupted = whole(config("whole"), train_hardware);
  for (const std::size_t after : {10u, 50u, 80u, 110u}) {
    interrupt(config("stopped"), train_hardware, after);
    expect_same_end(config("stopped"), train_hardware, uninterrupted, after);
  }
}

TEST_F(Resumed, SoftwareRunEndsInTheSameBytes) {
  TrainConfig elsewhere = software("whole");
  elsewhere.metrics = (folder_.path() / "log of the whole").string();
  elsewhere.threads = 1;
  const std::string uninterrupted = whole(elsewhere, train_software);
  const std::size_t logged = lines(read_file(elsewhere.metrics));
  TrainConfig own = software("m");
  own.metrics = (folder_.path() / "log").string();
  for (const std::size_t after : {10u, 30u, 50u}) {
    interrupt(own, train_software, after);
    expect_same_end(own, train_software, uninterrupted, after);
    EXPECT_EQ(lines(read_file(own.metrics)), logged) << "every step once";
  }
}

TEST_F(Resumed, KilledRunGoesOnFromTheLastCheckpoint) {
  const TrainConfig own = software("m");
  const std::string uninterrupted = whole(own, train_software);
  interrupt(own, train_software, 30);
  // What a run leaves that was killed in the middle of writing: the last good checkpoint.
  fs::path previous = checkpoint_path(own);
  previous += ".previous";
  EXPECT_EQ(whole(own, train_software, previous), uninterrupted);
}

TEST_F(Resumed, BadCheckpointsAreRefusedAndTheGoodOneNamed) {
  const TrainConfig own = config("m");
  Checkpoint checkpoint;
  checkpoint.step = 7;
  checkpoint.parameters = checkpoint.mean = checkpoint.variance = {1.0f};
  save_checkpoint(own, checkpoint);
  checkpoint.step = 14;
  save_checkpoint(own, checkpoint);
  EXPECT_EQ(load_checkpoint(checkpoint_path(own), own, 1).step, 14u);
  const std::string good = read_file(checkpoint_path(own));

  write_file(checkpoint_path(own), good.substr(0, good.size() / 2));
  std::string message = refusal(own);
  EXPECT_NE(message.find("m.checkpoint.previous (step 7"), std::string::npos) << message;

  fs::remove(checkpoint_path(own));  // a run that was killed between two renames
  message = refusal(own);
  EXPECT_NE(message.find("m.checkpoint.previous (step 7"), std::string::npos) << message;

  std::string old = good;
  const std::string version = fmt::format("\"hysteron.checkpoint\":\"{}\"", kStoreVersion);
  old.replace(old.find(version), version.size(), "\"hysteron.checkpoint\":\"0\"");
  write_file(checkpoint_path(own), old);
  message = refusal(own);
  EXPECT_NE(message.find("version '0'"), std::string::npos) << message;

  write_file(checkpoint_path(own), good);
  TrainConfig other = own;
  other.learning_rate = 0.5;
  message = refusal(other);
  EXPECT_NE(message.find("training.learning_rate is 0.003 there and 0.5 here"), std::string::npos) << message;

  EXPECT_THROW(load_checkpoint(checkpoint_path(own), own, 2), Error) << "another size";
  TrainConfig moved = own;
  moved.threads = 1;
  moved.metrics = "elsewhere";
  EXPECT_NO_THROW(load_checkpoint(checkpoint_path(own), moved, 1));
}

/// What a training that must diverge says; it leaves a checkpoint that can be read and has finite numbers.
std::string divergence_of(const TrainConfig& own, std::size_t parameters, const std::function<void()>& training) {
  std::string message;
  try {
    training();
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    message = error.what();
  }
  const Checkpoint checkpoint = load_checkpoint(checkpoint_path(own), own, parameters);
  EXPECT_NE(message.find("diverged at step " + std::to_string(checkpoint.step) + ":"), std::string::npos) << message;
  EXPECT_TRUE(std::ranges::all_of(checkpoint.parameters, [](float value) { return std::isfinite(value); }));
  EXPECT_NE(message.find("the last good checkpoint is " + checkpoint_path(own).string()), std::string::npos) << message;
  return message;
}

TEST_F(Resumed, DivergenceNamesStepCheckpointAndParameter) {
  TrainConfig own = config("m");
  own.restarts = 1;
  TrainingData data = hardware_data();
  data.train.features.values[50] = std::numeric_limits<float>::infinity();
  own.checkpoint_interval = 1;
  own.batch = 2;  // some steps pass before the bad clip comes
  ThreadPool pool(1);
  SilentReporter reporter;
  const StopFlag stop;
  const std::size_t parameters = Backbone({3, own.width, own.width, own.layers, 2}).parameters();
  const std::string message = divergence_of(own, parameters, [&] { train(own, data, pool, reporter, stop); });
  EXPECT_NE(message.find("its largest part in input.weight"), std::string::npos) << message;
  const std::string again =
      divergence_of(own, parameters, [&] { train(own, data, pool, reporter, stop, checkpoint_path(own)); });
  EXPECT_EQ(again, message) << "resumed, before it saves anything itself";
}

/// A flip-flop of which one training sequence is too large for single precision.
class Overflowing : public data::SequenceSource {
 public:
  explicit Overflowing(std::uint64_t bad) : bad_(bad), source_(data::make_flip_flop({20, 0, 48, 1})) {}
  std::size_t inputs() const override { return source_->inputs(); }
  const std::vector<std::string>& labels() const override { return source_->labels(); }
  bool per_frame() const override { return source_->per_frame(); }
  std::size_t size(data::Split split) const override { return source_->size(split); }
  data::Sequence sequence(data::Split split, std::uint64_t index) const override {
    data::Sequence sequence = source_->sequence(split, index);
    if (split == data::Split::kTrain && index == bad_) sequence.inputs[30] = 3e38f;
    return sequence;
  }

 private:
  std::uint64_t bad_;
  std::unique_ptr<data::SequenceSource> source_;
};

TEST_F(Resumed, DivergenceOfASoftwareRunNamesStepCheckpointAndParameter) {
  TrainConfig own = software("m");
  own.checkpoint_interval = 1;
  const Overflowing source(4 * own.batch);  // comes in step 4
  ThreadPool pool(2);
  SilentReporter reporter;
  const StopFlag stop;
  const SequenceModel model(sequence_shape(own, source));
  const std::string message =
      divergence_of(own, model.parameters(), [&] { train_sequences(own, source, pool, reporter, stop); });
  EXPECT_NE(message.find("at step 4:"), std::string::npos) << message;
  EXPECT_TRUE(std::ranges::any_of(model.segments(), [&](const Segment& segment) {
    return message.find("its largest part in " + segment.name + ";") != std::string::npos;
  })) << message;
  EXPECT_EQ(divergence_of(own, model.parameters(),
                          [&] { train_sequences(own, source, pool, reporter, stop, checkpoint_path(own)); }),
            message);
}

}  // namespace
}  // namespace hysteron::train
