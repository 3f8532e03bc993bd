#pragma once

#include <utility>

#include "report/figures.h"
#include "studies/eval.h"
#include "train/sequence_trainer.h"
#include "train/trainer.h"

namespace hysteron::report {

/// What was trained and what came of it; `Result` is the trainer's.
template <typename Result>
struct Trained {
  Trained(train::TrainConfig of, Result trained)
      : config(std::move(of)), result(std::move(trained)), test_dies(studies::die_scores(result.perturbed)) {}

  train::TrainConfig config;
  Result result;
  std::optional<studies::DieScores> test_dies;
};
using Training = Trained<train::TrainResult>;
using SequenceTraining = Trained<train::SequenceResult>;

/// `train` of a hardware backbone: docs/training.md.
const Table<Training>& training_table();

/// `train` of a software backbone.
const Table<SequenceTraining>& sequence_training_table();

}  // namespace hysteron::report
