#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "behavioural/power_model.h"
#include "compile/power_bench.h"
#include "data/features.h"
#include "design/design.h"

namespace hysteron::studies {

/// What ngspice measured of a circuit on some clips and at rest, watt.
struct MeasuredPower {
  behavioural::PowerSplit listening;           ///< mean over clips
  behavioural::PowerSplit settled;             ///< the same of the last tenth of every frame
  behavioural::PowerSplit rest;                ///< with inputs of zero, from the cells' initial states
  behavioural::PowerSplit model_of_bits;       ///< the model on the same clips, given the bits the circuit held
  double state_mismatch = 0.0;                 ///< share of the bits that software has otherwise
  behavioural::PowerSplit rest_model_of_bits;  ///< the same two at rest
  double rest_state_mismatch = 0.0;
  std::vector<compile::PowerProfile> clips;    ///< while listening
  std::optional<compile::PowerProfile> still;  ///< at rest
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
  std::string error;  ///< why there is no measurement
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

/// A split in nanowatt; a split without wells has no such field.
nlohmann::json split_json(const behavioural::PowerSplit& split);

/// Blocks and their power over time: docs/power.md has the fields.
nlohmann::json measured_json(const MeasuredPower& measured);

/// All networks and, where they have several widths, what grows how between them.
nlohmann::json networks_json(std::span<const NetworkPower> networks);

}  // namespace hysteron::studies
