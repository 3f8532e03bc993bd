#include "hysteron/train/task.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "hysteron/base/error.h"
#include "hysteron/base/random.h"
#include "hysteron/data/listops.h"
#include "hysteron/data/memory_tasks.h"
#include "hysteron/data/mnist.h"
#include "hysteron/data/text.h"
#include "hysteron/data/user_sequences.h"

namespace hysteron::train {
namespace {

class ClipSource : public data::SequenceSource {
 public:
  ClipSource(TrainingData data, std::size_t time_shift, std::uint64_t seed)
      : data_(std::move(data)),
        time_shift_(static_cast<double>(time_shift)),
        random_(Random(seed).child("clips")),
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
    if (split != data::Split::kTrain) return clip(clips(split), index, 0);
    Random random = random_.child("draw", index);
    const auto& label = groups_[index % groups_.size()];
    const auto& group = label[(index / groups_.size()) % label.size()];
    const auto shift = static_cast<std::ptrdiff_t>(random.uniform(-time_shift_, time_shift_ + 1.0));
    return clip(data_.train, group[random.below(group.size())], shift);
  }

 private:
  const ClipSet& clips(data::Split split) const {
    if (split == data::Split::kTrain) return data_.train;
    return split == data::Split::kValidation ? data_.validation : data_.test;
  }

  /// Frames come `shift` later; the first and the last are repeated.
  static data::Sequence clip(const ClipSet& clips, std::size_t index, std::ptrdiff_t shift) {
    const data::Features& features = clips.features;
    data::Sequence sequence{features.frames, {}, {clips.labels[index]}, std::vector<float>(features.frames, 1.0f)};
    sequence.inputs.reserve(features.frames * features.width);
    const auto last = static_cast<std::ptrdiff_t>(features.frames) - 1;
    for (std::ptrdiff_t t = 0; t <= last; ++t) {
      const auto from = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(t - shift, 0, last));
      const float* frame = features.values.data() + (index * features.frames + from) * features.width;
      sequence.inputs.insert(sequence.inputs.end(), frame, frame + features.width);
    }
    return sequence;
  }

  TrainingData data_;
  double time_shift_;
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
    options.min_length = std::min(options.min_length, config.task_length / 4);
  }
  return options;
}

}  // namespace

std::unique_ptr<data::SequenceSource> make_clip_source(TrainingData data, std::size_t time_shift, std::uint64_t seed) {
  return std::make_unique<ClipSource>(std::move(data), time_shift, seed);
}

std::unique_ptr<data::SequenceSource> make_task(const TrainConfig& config, ThreadPool& pool, Reporter& reporter,
                                                const StopFlag& stop) {
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
  return make_clip_source(load_training_data(config, pool, reporter, stop), config.time_shift, config.seed);
}

}  // namespace hysteron::train
