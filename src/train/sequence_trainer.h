#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"
#include "data/sequences.h"
#include "train/config.h"
#include "train/confusion.h"
#include "train/evaluate.h"
#include "train/perturbation.h"
#include "train/sequence_model.h"

namespace hysteron::train {

/// A trained reference backbone with what is needed to use it again.
struct SequenceNetwork {
  SequenceShape shape;
  std::vector<float> parameters;
  std::vector<std::string> labels;
  std::string config;  ///< TOML of the training configuration
};

/// Writes the model file: safetensors, one F32 array for each segment of the parameters; metadata `hysteron.format`
/// "1", `hysteron.backbone` "software", `hysteron.cell`, `hysteron.labels`, `hysteron.shape` and `hysteron.config`.
void save_sequence_network(const std::filesystem::path& path, const SequenceNetwork& network);

/// Whether `path` is a model file of a reference backbone.
bool is_sequence_network(const std::filesystem::path& path);

/// Reads such a file. Throws a bad-input Error that names the file and the array or key that is missing or wrong.
SequenceNetwork load_sequence_network(const std::filesystem::path& path);

/// The sizes a configuration and a source ask for.
SequenceShape sequence_shape(const TrainConfig& config, const data::SequenceSource& source);

/// How a network does on a split.
struct SequenceScore {
  std::size_t sequences = 0;
  double terms = 0.0;     ///< targets: frames that count, or sequences
  double loss = 0.0;      ///< cross-entropy per target, nats
  double accuracy = 0.0;  ///< share of targets with the largest logit
  Confusion confusion;    ///< sequences; empty where every frame has a target
  double bits() const;    ///< loss in bits

  /// Mean of the labels' recalls; none where every frame has a target.
  std::optional<double> balanced_accuracy() const;
};

/// Scores the first `limit` sequences of a split (0: all of them; the training split's generators need a limit).
SequenceScore score_sequences(const SequenceModel& model, std::span<const float> parameters,
                              const data::SequenceSource& source, data::Split split, std::size_t limit,
                              ThreadPool& pool);

/// Accuracy of `draws` dies on a split, as score_perturbed() does it for clips.
PerturbedScore score_perturbed_sequences(const SequenceModel& model, std::span<const float> parameters,
                                         const data::SequenceSource& source, data::Split split,
                                         const Perturbation& perturbation, std::size_t draws, std::uint64_t seed,
                                         ThreadPool& pool, const StopFlag& stop);

/// One validation of a run.
struct ValidationPoint {
  std::size_t step = 0;
  double epsilon = 0.0;  ///< what a reset leaves in training at that step; the score is at 0
  double loss = 0.0;
  double accuracy = 0.0;
  std::optional<double> balanced_accuracy;  ///< none where every frame has a target
};

struct SequenceResult {
  SequenceNetwork network;
  SequenceScore validation;
  SequenceScore test;
  PerturbedScore perturbed;            ///< of the test with config.test_noise, [test_draws]
  std::vector<ValidationPoint> curve;  ///< of this process's steps
  std::size_t parameters = 0;
  std::size_t steps = 0;
  std::size_t best_step = 0;
  double seconds = 0.0;
};

/// Trains a reference backbone on `source`: AdamW, cosine rate, clipping, dropout, epsilon annealing for the FQ-BMRU,
/// the best network by validation loss at epsilon 0. Batches are made in the background. The same configuration and
/// data give the same network at any number of threads. Errors and `resume_from` as of train::train.
SequenceResult train_sequences(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool,
                               Reporter& reporter, const StopFlag& stop, const std::filesystem::path& resume_from = {});

}  // namespace hysteron::train
