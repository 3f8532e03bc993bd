#pragma once

#include <memory>

#include "base/parallel.h"
#include "base/reporter.h"
#include "data/sequences.h"
#include "train/config.h"
#include "train/training_data.h"

namespace hysteron::train {

/// The sequences of the task that `config` names. Throws what the task's loader throws.
std::unique_ptr<data::SequenceSource> make_task(const TrainConfig& config, ThreadPool& pool, Reporter& reporter,
                                                const StopFlag& stop);

/// Keyword spotting as sequences: features in, one label a clip. Training sequences have no end: they deal clips evenly
/// over labels and, within a label, over class folders, each changed as the table [augmentation] of `config` says.
std::unique_ptr<data::SequenceSource> make_clip_source(TrainingData data, const TrainConfig& config);

}  // namespace hysteron::train
