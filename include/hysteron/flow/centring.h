#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hysteron/compile/centring.h"
#include "hysteron/compile/least_weights.h"
#include "hysteron/compile/pruning.h"
#include "hysteron/flow/netlist.h"
#include "hysteron/flow/verification.h"

namespace hysteron::flow {

/// Parameters of a model that no leg is small enough for, and what making them as they can be does in software.
struct SmallParameters {
  std::vector<compile::TooSmall> changed;
  compile::DecisionEffect effect;
};

/// The model a circuit is made of: as given, without its smallest weights, or centred over some features.
struct Target {
  model::Network network;
  std::optional<compile::Pruning> pruning;
  std::optional<compile::Centring> centring;
  std::vector<compile::RestingCandidate> resting;  ///< of `network`, on a threshold
  SmallParameters small{};                         ///< of `network`
  std::string effects_on{};  ///< the features that effects are measured on: "training", "input" or "drawn"

  /// What the circuit is compared with: the centred model, else `given`, with the weights that were dropped.
  const model::Network& compared_with(const model::Network& given) const { return centring ? network : given; }
};

/// The features to centre with, read and checked against the model; none where `path` is empty. Throws a bad-input
/// Error that names the file.
std::optional<data::Features> read_training_features(const std::filesystem::path& path, const model::Network& network);

/// Leaves out the weights that the workshop's options ask to drop; then centres over `features` where there are some,
/// with weights as legs can make them, and warns of every candidate that rests on a threshold. What dropping and
/// weights too small for any leg do in software is said of `features`, else of `input`, the features that are to be
/// played, else of drawn ones.
Target make_target(const Workshop& workshop, const model::Network& given, const std::optional<data::Features>& features,
                   Reporter& reporter, const StopFlag& stop, const data::Features* input = nullptr);

/// What was done to the model before it was compiled: `resting_candidates`, and `centring`, `dropping` and `too_small`
/// where there are any.
nlohmann::json target_json(const Target& target);

/// Makes the decisions of a verification of a centred network those against the model as given, and fills in the share
/// of the frames that centring changed on the verified clips.
void compare_with_given(const model::Network& given, const Target& target, const data::Features& features,
                        Verification& verification, int jobs);

/// write_circuit; where the target was centred also centred.safetensors and the summary's `centring`.
std::vector<std::string> write_circuit(const compile::CompiledNetwork& network, const Target& target,
                                       const technology::Technology& technology, const compile::GainCurves& curves,
                                       const std::filesystem::path& folder, NetlistOptions options = {});

}  // namespace hysteron::flow
