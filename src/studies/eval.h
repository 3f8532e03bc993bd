#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/reporter.h"
#include "data/dataset.h"
#include "model/network.h"
#include "train/evaluate.h"
#include "train/sequence_trainer.h"

namespace hysteron::studies {

/// A model and the clips it is scored on.
struct EvalRequest {
  std::filesystem::path model;
  std::string data;  ///< folder of class folders, or "espeak" for the built-in corpus; reference backbones: in place of
                     ///< the folder or file of the training configuration, if given
  std::optional<std::uint64_t> corpus_seed;  ///< none: 1, or of the training configuration
  data::Split split = data::Split::kTest;
  std::filesystem::path features;    ///< also write the clips' features here (.npy, [N, 101, 13]); empty: do not
  train::Perturbation perturbation;  ///< reference backbones: candidates' noise counts for cells with thresholds
  std::size_t draws = 0;             ///< dies to score with it; 0: none
  std::uint64_t die_seed = 1;
  std::filesystem::path die_file;  ///< of the chip to score; empty: the model as it is
  int jobs = 0;                    ///< threads; 0: all
};

/// Accuracies over dies.
struct DieScores {
  std::size_t draws = 0;  ///< dies
  train::Spread accuracy;
  std::optional<train::Spread> balanced;  ///< none for sequences with a target a frame
};

/// None where no die was scored.
std::optional<DieScores> die_scores(const train::PerturbedScore& score);

struct EvalResult {
  model::Network network;
  data::Split split = data::Split::kTest;
  train::Evaluation evaluation;
  std::optional<DieScores> dies;
  std::string die_file;  ///< of the chip that was scored; empty: the model as it is
};

/// Scores the model on a split of the data; the model's `hysteron.classes` ties its labels to folders, without it
/// labels are folder names. Throws a bad-input Error that names the model, the folder or the file that is wrong.
EvalResult evaluate_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop);

/// What a reference backbone does on a split of its task.
struct SequenceEvalResult {
  train::SequenceNetwork network;
  train::TrainConfig config;  ///< of its training, with the request's data
  data::Split split = data::Split::kTest;
  train::SequenceScore score;
  std::optional<DieScores> dies;
};

/// Scores a reference backbone on a split of the task it was trained on. Throws as evaluate_model does.
SequenceEvalResult evaluate_sequence_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::studies
