#pragma once

#include <filesystem>

#include "base/reporter.h"
#include "train/config.h"
#include "train/sequence_trainer.h"
#include "train/trainer.h"

namespace hysteron::train {

/// Loads the data of `config`, trains, and writes the best model to config.output; `resume_from` names a
/// checkpoint to go on from. Throws as train::load_training_data
/// and train::train do.
train::TrainResult train_model(const train::TrainConfig& config, Reporter& reporter, const StopFlag& stop,
                               const std::filesystem::path& resume_from = {});

/// The same for a reference backbone: makes the task of `config` and trains on it.
train::SequenceResult train_sequence_model(const train::TrainConfig& config, Reporter& reporter, const StopFlag& stop,
                                           const std::filesystem::path& resume_from = {});

}  // namespace hysteron::train
