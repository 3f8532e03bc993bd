#pragma once

#include <cstddef>
#include <filesystem>

#include "base/parallel.h"
#include "base/reporter.h"
#include "model/network.h"
#include "train/config.h"
#include "train/evaluate.h"
#include "train/training_data.h"

namespace hysteron::train {

struct TrainResult {
  model::Network network;     ///< the best of the validated ones
  Evaluation validation;      ///< of that network
  Evaluation test;            ///< of that network; no clips where the data has none
  Robustness robustness;      ///< of that network on the validation clips, kRobustnessDeviation in every parameter
  PerturbedScore perturbed;   ///< of it on the test clips with config.test_noise; empty unless test_draws says so
  std::size_t steps = 0;      ///< made from each start
  std::size_t restarts = 1;   ///< number of starts
  std::size_t best_step = 0;  ///< after which the best network was found
  double seconds = 0.0;       ///< of training, data set aside
};

inline constexpr double kRobustnessDeviation = 0.01;  ///< of TrainResult::robustness
inline constexpr std::size_t kRobustnessCopies = 10;

/// With config.die everything is validated and scored as the chip of that file has it; the network is what the chip is
/// to be set to.
///
/// Trains the circuit backbone by the recipe of docs/training.md and writes the best network to config.output (empty:
/// nowhere). The same configuration and data give the same network at any number of threads.
///
/// Throws a bad-input Error where a label has no training or no validation clip, the output's folder does not exist, or
/// the loss stops being a number (with the step, the parameters with the largest gradient and the last good
/// checkpoint); kInterrupted when `stop` is set, after writing a checkpoint and the best network so far, or the latest
/// while there is no best one. `resume_from` (empty: begin anew) names a checkpoint of the same configuration; the run
/// that goes on from it ends in the same bytes as one that was never interrupted. Throws load_checkpoint's errors.
TrainResult train(const TrainConfig& config, const TrainingData& data, ThreadPool& pool, Reporter& reporter,
                  const StopFlag& stop, const std::filesystem::path& resume_from = {});

}  // namespace hysteron::train
