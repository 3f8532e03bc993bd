#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "train/config.h"

namespace hysteron::train {

/// A network that a run has kept: the free parameters of Backbone or SequenceModel and where they were found.
struct KeptParameters {
  std::size_t restart = 0;
  std::size_t step = 0;  ///< steps made when it was validated
  std::vector<float> parameters;
};

/// All that a training run needs to go on as if it had never stopped; everything else follows from the configuration,
/// the data and these counts.
struct Checkpoint {
  std::size_t restart = 0;          ///< the start under way
  std::size_t step = 0;             ///< steps made in it
  std::uint64_t metrics_bytes = 0;  ///< of the metrics log at that moment
  std::vector<float> parameters;
  std::vector<float> mean;                   ///< of the optimiser
  std::vector<float> variance;               ///< of the optimiser
  std::optional<KeptParameters> best;        ///< of the starts that are finished
  std::optional<KeptParameters> of_restart;  ///< of the one under way
};

/// Where a run of `config` keeps its checkpoint: model.output with ".checkpoint" behind it. The one before it has
/// ".previous" behind that. Empty where model.output is.
std::filesystem::path checkpoint_path(const TrainConfig& config);

/// Writes the checkpoint of a run, a safetensors file, and keeps the one before it. Nothing where there is no path.
void save_checkpoint(const TrainConfig& config, const Checkpoint& checkpoint);

/// Reads a checkpoint for a run of `config` with `parameters` parameters. Throws a bad-input Error that names the file
/// and what is wrong: cut short, of another version, of another configuration (with the key and both values), of
/// another size; where the one before it is good, the message names it.
Checkpoint load_checkpoint(const std::filesystem::path& path, const TrainConfig& config, std::size_t parameters);

/// Removes the checkpoints of a run that has ended well.
void remove_checkpoints(const TrainConfig& config);

}  // namespace hysteron::train
