#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "compile/centering.h"
#include "compile/min_weights.h"
#include "compile/pruning.h"
#include "design/context.h"

namespace hysteron::design {

/// Throws a bad-input Error naming `origin` unless `features` fit `network` and every index of `clips` exists; with
/// `clips` empty gives all of them.
std::vector<std::size_t> check_clips(const model::Network& network, const data::Features& features,
                                     const std::vector<std::size_t>& clips, const std::string& origin);

/// Parameters of a model that no leg is small enough for, and what making them as they can be does in software.
struct SmallParameters {
  std::vector<compile::BelowMinimum> changed;
  compile::DecisionEffect effect;

  std::size_t left_out() const;  ///< of `changed`; the others are made larger
};

/// The model a circuit is made of: as given, without its smallest weights, or centered over some features.
struct PreparedModel {
  model::Network network;
  std::optional<compile::Pruning> pruning;
  std::optional<compile::Centering> centering;
  std::vector<compile::RestingCandidate> resting;  ///< of `network`, on a threshold
  SmallParameters small{};                         ///< of `network`
  std::string effects_on{};  ///< the features that effects are measured on: "training", "input" or "random"

  /// What the circuit is compared with: the centered model, else `given`, with the weights that were dropped.
  const model::Network& compared_with(const model::Network& given) const { return centering ? network : given; }
};

/// 0 to the last clip of `features`.
std::vector<std::size_t> all_clips(const data::Features& features);

/// The features to center with, read and checked against the model; none where `path` is empty. Throws a bad-input
/// Error that names the file.
std::optional<data::Features> read_training_features(const std::filesystem::path& path, const model::Network& network);

/// Leaves out the weights that the context's options ask to drop; then centers over `training` where there is any, with
/// weights as legs can make them, and warns of every candidate that rests on a threshold and, by name, of parameters
/// below the smallest leg. What dropping and such parameters do in software is measured on `training`, else on `played`
/// (may be null), else on random features.
PreparedModel prepare_model(const DesignContext& context, const model::Network& given,
                            const std::optional<data::Features>& training, const data::Features* played,
                            Reporter& reporter);

}  // namespace hysteron::design
