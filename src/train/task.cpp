#include "train/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "data/listops.h"
#include "data/memory_tasks.h"
#include "data/mnist.h"
#include "data/text.h"
#include "data/user_sequences.h"
#include "train/batches.h"

namespace hysteron::train {
namespace {

class ClipSource : public data::SequenceSource {
 public:
  ClipSource(TrainingData data, const TrainConfig& config)
      : data_(std::move(data)),
        augmentation_(augmentation_of(config, data_)),
        noise_(config.feature_noise),
        random_(Random(config.seed).child("clips")),
        groups_(data_.labels.size()) {
    std::vector<std::map<std::uint32_t, std::vector<std::size_t>>> groups(data_.labels.size());
    for (std::size_t i = 0; i < data_.train.size(); ++i) {
      groups[data_.train.labels[i]][data_.train.groups[i]].push_back(i);
    }
    for (std::size_t label = 0; label < groups.size(); ++label) {
      for (auto& [group, clips] : groups[label]) groups_[label].push_back(std::move(clips));
    }
  }

  std::size_t inputs() const override { return data_.train.features.width; }
  const std::vector<std::string>& labels() const override { return data_.labels; }
  bool per_frame() const override { return false; }
  std::size_t size(data::Split split) const override { return split == data::Split::kTrain ? 0 : clips(split).size(); }

  data::Sequence sequence(data::Split split, std::uint64_t index) const override {
    if (split != data::Split::kTrain) return clip(clips(split), {index});
    Random random = random_.child("draw", index);
    const auto& label = groups_[index % groups_.size()];
    const auto& group = label[(index / groups_.size()) % label.size()];
    Draw draw;
    draw.clip = group[random.below(group.size())];
    augment(draw, augmentation_, random);
    data::Sequence sequence = clip(data_.train, draw);
    if (noise_ > 0.0) {
      for (float& value : sequence.inputs) value += static_cast<float>(noise_ * random.normal());
    }
    return sequence;
  }

 private:
  const ClipSet& clips(data::Split split) const {
    if (split == data::Split::kTrain) return data_.train;
    return split == data::Split::kValidation ? data_.validation : data_.test;
  }

  static data::Sequence clip(const ClipSet& clips, const Draw& draw) {
    const std::size_t frames = clips.features.frames;
    return {frames, changed_clip(clips.features, draw), {clips.labels[draw.clip]}, std::vector<float>(frames, 1.0f)};
  }

  TrainingData data_;
  Augmentation augmentation_;
  double noise_;
  Random random_;
  std::vector<std::vector<std::vector<std::size_t>>> groups_;  // [label][group], clips
};

/// The files of data.folder, or generated expressions where it is left at its default.
data::ListOpsOptions listops_options(const TrainConfig& config) {
  data::ListOpsOptions options;
  if (config.data_folder != TrainConfig{}.data_folder) {
    const std::filesystem::path folder = config.data_folder;
    options.train_file = folder / "basic_train.tsv";
    options.validation_file = folder / "basic_val.tsv";
    options.test_file = folder / "basic_test.tsv";
    return options;
  }
  options.seed = config.task_seed;
  if (config.task_limit != 0) options.validation = options.test = config.task_limit;
  if (config.task_length != 0) {
    options.max_length = config.task_length;
    options.min_length = std::min(options.min_length, std::max<std::size_t>(config.task_length / 4, 1));
  }
  return options;
}

/// Throws unless the place of a task's files was given: the default is the corpus of another task.
void check_place(const TrainConfig& config) {
  const auto missing = [&](const char* key, const char* what) {
    return bad_input(
        fmt::format("data.task is {} and {} is not given; expected {}", hysteron::quoted(config.task), key, what));
  };
  const bool no_folder = config.data_folder == TrainConfig{}.data_folder;
  if (config.task == "text" && config.data_file.empty()) throw missing("data.file", "a text file");
  if (config.task == "sequences" && no_folder) throw missing("data.folder", "the folder of your sequences");
  if (config.task.ends_with("mnist") && no_folder) throw missing("data.folder", "the folder of the idx files");
}

}  // namespace

std::unique_ptr<data::SequenceSource> make_clip_source(TrainingData data, const TrainConfig& config) {
  return std::make_unique<ClipSource>(std::move(data), config);
}

std::unique_ptr<data::SequenceSource> make_task(const TrainConfig& config, ThreadPool& pool, Reporter& reporter,
                                                const StopFlag& stop) {
  check_place(config);
  const data::MemoryTaskOptions memory{config.task_length, config.task_symbols, config.task_limit, config.task_seed};
  if (config.task == "smnist" || config.task == "psmnist") {
    return data::make_mnist({config.data_folder, config.task == "psmnist", config.task_seed});
  }
  if (config.task == "listops") return data::make_listops(listops_options(config));
  if (config.task == "text") return data::make_text({config.data_file, config.task_length, config.task_seed});
  if (config.task == "sequences") return data::make_user_sequences(config.data_folder);
  if (config.task == "copy_first") return data::make_copy_first(memory);
  if (config.task == "flip_flop") return data::make_flip_flop(memory);
  if (config.task == "denoising") return data::make_denoising(memory);
  if (config.task == "parity") return data::make_parity(memory);
  return make_clip_source(load_training_data(config, pool, reporter, stop), config);
}

}  // namespace hysteron::train
