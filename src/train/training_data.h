#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"
#include "data/dataset.h"
#include "data/features.h"
#include "data/mfcc.h"
#include "model/network.h"
#include "train/config.h"

namespace hysteron::train {

/// Clips as a network sees them: features, which label each carries and which group (class folder) it comes from.
struct ClipSet {
  data::Features features;
  std::vector<std::uint32_t> labels;  ///< [clips], index of a label
  std::vector<std::uint32_t> groups;  ///< [clips], index of a folder; batches are balanced over groups within a label

  std::size_t size() const { return labels.size(); }
};

struct TrainingData {
  ClipSet train;
  ClipSet validation;
  ClipSet test;  ///< may be empty
  std::vector<std::string> labels;
  std::string classes;                                ///< JSON for the model's `hysteron.classes`; may be empty
  std::optional<data::FeatureStatistics> statistics;  ///< of fixed normalisation
};

/// The data set of `config`, with features computed and normalised. The folder "espeak" stands for the built-in corpus.
/// Throws what data::Dataset and data::load_features throw.
TrainingData load_training_data(const TrainConfig& config, ThreadPool& pool, Reporter& reporter, const StopFlag& stop);

/// One split of the folder `folder` ("espeak": the built-in corpus with seed `corpus_seed`) with the labels, classes
/// and normalisation of `network`.
ClipSet load_clips_for(const model::Network& network, const std::string& folder, std::uint64_t corpus_seed,
                       data::Split split, ThreadPool& pool, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::train
