#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "behavioural/power_model.h"
#include "compile/power_bench.h"
#include "data/features.h"
#include "design/design.h"
#include "studies/power_scaling.h"

namespace hysteron::studies {

/// Mean power of one part of one block, watt.
struct BlockMean {
  std::string block;  ///< as compile::BlockPower
  std::string part;   ///< its name
  double listening = 0.0;
  double rest = 0.0;
};

/// Power in every frame, watt.
struct PowerOverTime {
  std::vector<double> total;                ///< [frames]
  std::vector<std::vector<double>> blocks;  ///< [blocks, frames], as MeasuredPower::blocks
};

/// What ngspice measured of a circuit on some clips and at rest, watt.
struct MeasuredPower {
  behavioural::PowerSplit listening;           ///< mean over clips
  behavioural::PowerSplit settled;             ///< the same of the last tenth of every frame
  behavioural::PowerSplit rest;                ///< with inputs of zero, from the cells' initial states
  behavioural::PowerSplit model_of_bits;       ///< the model on the same clips, given the bits the circuit held
  double state_mismatch = 0.0;                 ///< share of the bits that software has otherwise
  behavioural::PowerSplit rest_model_of_bits;  ///< the same two at rest
  double rest_state_mismatch = 0.0;
  std::vector<compile::Power> clips;               ///< while listening
  std::vector<BlockMean> blocks;                   ///< in the order of the circuit
  std::vector<PowerOverTime> listening_over_time;  ///< of every clip
  PowerOverTime rest_over_time;
  double spice_seconds = 0.0;  ///< wall time of all runs
};

/// Plays `clips`, each [frames, inputs], and `rest_frames` frames of zeros into the circuit of `design`, and splits
/// what it draws. Throws a simulator Error where a run fails.
MeasuredPower measure_power(const design::Design& design, std::span<const std::span<const float>> clips,
                            std::size_t rest_frames, Reporter& reporter);

/// One network of the user.
struct NetworkPower {
  std::string model;  ///< its file
  std::size_t dim = 0;
  std::size_t frames = 0;  ///< of a clip, on which a decision is made
  double frame_seconds = 0.0;
  std::vector<std::size_t> clips;
  std::vector<behavioural::PowerSplit> model_clips;  ///< by the model, of every clip, watt
  behavioural::PowerSplit listening;                 ///< their mean
  behavioural::PowerSplit rest;                      ///< by the model, with inputs of zero
  std::optional<MeasuredPower> measured;
  double energy_per_frame = 0.0;     ///< joule, as measured, else by the model
  double energy_per_decision = 0.0;  ///< likewise
  std::string error;                 ///< why there is no measurement
};

/// Some networks and, where they have several widths, what grows how between them.
struct NetworksPower {
  std::vector<NetworkPower> networks;
  std::optional<PowerScaling> model_scaling;
  std::optional<PowerScaling> spice_scaling;  ///< of those that were measured
};

struct NetworkPowerRequest {
  std::string name;             ///< of the model
  std::size_t rest_frames = 0;  ///< frames with inputs of zero
  bool is_simulated = true;     ///< in ngspice too; false: by the power model alone
};

/// What the model of `request` draws on its clips and at rest, by the power model and in ngspice. A failure of the
/// simulator is a warning and NetworkPower::error.
NetworkPower study_network_power(const design::DesignContext& context, design::DesignRequest of,
                                 const NetworkPowerRequest& request, Reporter& reporter);

/// Adds `share` of every part of `part` to `sum`.
void add_share(behavioural::PowerSplit& sum, const behavioural::PowerSplit& part, double share);

/// `networks` with what grows how.
NetworksPower scale_networks(std::vector<NetworkPower> networks);

}  // namespace hysteron::studies
