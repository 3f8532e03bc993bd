#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"
#include "model/network.h"
#include "train/confusion.h"
#include "train/perturbation.h"
#include "train/training_data.h"

namespace hysteron::train {

/// How a network does on labelled clips, by model::run_clip.
struct Evaluation {
  std::size_t clips = 0;
  double accuracy = 0.0;           ///< share of clips decided right (majority vote of the frames)
  double balanced_accuracy = 0.0;  ///< mean over labels of the share decided right
  double loss = 0.0;               ///< cross-entropy per frame, mean over labels of the mean over their clips
  double vote_loss = 0.0;          ///< -log of the label's mean probability over the frames, averaged likewise
  Confusion confusion;             ///< clips
  /// Shares of (cell, frame) pairs whose candidate lies within 1 % and 3 % of beta_hi of the threshold that the cell's
  /// state can cross there: beta_hi when off, beta_lo when on. Both are made of currents of the size of beta_hi, and so
  /// is a circuit's error.
  double near_1_percent = 0.0;
  double near_3_percent = 0.0;
};

/// Throws a bad-input Error when features and network differ in width.
Evaluation evaluate(const model::Network& network, const ClipSet& clips, ThreadPool& pool);

/// Agreement of a network with copies of itself that have static errors, as circuits have.
struct Robustness {
  double decision_agreement = 1.0;  ///< share of clips with the same decision
  double frame_agreement = 1.0;     ///< share of frames with the same argmax
  double state_mismatch = 0.0;      ///< share of state bits that differ
};

/// Runs `copies` copies in which every weight, bias, threshold, width and gain is off by an own Gaussian factor of
/// relative deviation `deviation`, over all clips. Copy i depends on (seed, i) only.
Robustness robustness(const model::Network& network, const ClipSet& clips, double deviation, std::size_t copies,
                      std::uint64_t seed, ThreadPool& pool);

/// Accuracy over dies and noise.
struct PerturbedScore {
  std::vector<double> accuracy;  ///< [draws]
  std::vector<double> balanced;  ///< [draws]; empty for sequences with a target a frame
};

/// Mean, standard deviation (of the sample, 0 for one) and least of some numbers.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;
  double worst = 0.0;
};
Spread spread(const std::vector<double>& values);

/// Scores `draws` dies of `network` on all clips, each die with its own static errors and every frame of a clip with
/// its own noise; weights are put on their grid first. Die i depends on (seed, i) only. Throws kInterrupted after the
/// stop flag was raised.
PerturbedScore score_perturbed(const model::Network& network, const ClipSet& clips, const Perturbation& perturbation,
                               std::size_t draws, std::uint64_t seed, ThreadPool& pool, const StopFlag& stop);

}  // namespace hysteron::train
