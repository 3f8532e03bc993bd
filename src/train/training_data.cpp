#include "train/training_data.h"

#include <filesystem>
#include <utility>

#include "data/corpus.h"

namespace hysteron::train {
namespace {

std::filesystem::path data_root(const std::string& folder, std::uint64_t corpus_seed, ThreadPool& pool,
                                Reporter& reporter, const StopFlag& stop) {
  if (folder != kBuiltInData) return folder;
  return data::cached_corpus(corpus_seed, pool, reporter, stop);
}

ClipSet to_clip_set(data::LabelledFeatures loaded) {
  ClipSet set;
  set.features = std::move(loaded.features);
  for (const data::Clip& clip : loaded.clips) {
    set.labels.push_back(static_cast<std::uint32_t>(clip.label));
    set.groups.push_back(static_cast<std::uint32_t>(clip.folder));
  }
  return set;
}

}  // namespace

TrainingData load_training_data(const TrainConfig& config, ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  const data::Dataset dataset(data_root(config.data_folder, config.corpus_seed, pool, reporter, stop), config.classes);
  const bool fixed = config.normalisation == "fixed";
  const data::Mfcc mfcc(fixed ? data::Normalisation::kNone : data::Normalisation::kClip);
  const auto load = [&](data::Split split) {
    return to_clip_set(data::load_features(dataset, split, mfcc, pool, reporter, stop));
  };
  TrainingData result;
  result.train = load(data::Split::kTrain);
  result.validation = load(data::Split::kValidation);
  result.test = load(data::Split::kTest);
  result.labels = dataset.labels();
  result.classes = data::classes_to_json(config.classes);
  if (fixed) {
    result.statistics = data::feature_statistics(result.train.features);
    for (ClipSet* set : {&result.train, &result.validation, &result.test}) {
      data::normalise(set->features, *result.statistics);
    }
  }
  return result;
}

ClipSet load_clips_for(const model::Network& network, const std::string& folder, std::uint64_t corpus_seed,
                       data::Split split, ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  data::ClassMap classes;
  if (network.classes.empty()) {
    for (const std::string& label : network.labels) classes.push_back({label, {label}});
  } else {
    classes = data::parse_classes(network.classes, network.labels, "hysteron.classes");
  }
  const data::Dataset dataset(data_root(folder, corpus_seed, pool, reporter, stop), classes);
  const auto values = [](const model::Vector& vector) {
    return std::vector<float>(vector.data(), vector.data() + vector.size());
  };
  const bool fixed = network.feature_mean.size() > 0;
  const data::Mfcc mfcc =
      fixed ? data::Mfcc(data::Normalisation::kFixed, {values(network.feature_mean), values(network.feature_deviation)})
            : data::Mfcc(data::Normalisation::kClip);
  return to_clip_set(data::load_features(dataset, split, mfcc, pool, reporter, stop));
}

}  // namespace hysteron::train
