#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/reporter.h"
#include "compile/compiled_network.h"
#include "data/features.h"
#include "design/context.h"
#include "design/prepared_model.h"
#include "model/network.h"

namespace hysteron::design {

/// The files that say what is under test.
struct DesignFiles {
  std::filesystem::path model;
  std::filesystem::path input;     ///< features that are played, .npy; empty: none
  std::vector<std::size_t> clips;  ///< indices into them; empty: all
  std::filesystem::path training;  ///< features to center and calibrate on, .npy; empty: none
  double frame_seconds = 0.0;      ///< for which the circuit gets every frame; 0: the model's
};

/// What to build a design of.
struct DesignRequest {
  model::Network given;
  data::Features features{};                 ///< that are played; no clips: none
  std::vector<std::size_t> clips{};          ///< indices into `features`
  std::optional<data::Features> training{};  ///< features to center and calibrate on
  SimulationConditions conditions{};         ///< of the runs, where they differ from those of sizing
  std::filesystem::path sizes{};             ///< file that stores what calibration gives; empty: nowhere
};

/// Reads and checks the files, before anything is simulated. Throws bad-input Errors that name the file.
DesignRequest read_design_request(const DesignFiles& files);

/// The thing under test: a model, the circuit made of it, and what is played to it.
struct Design {
  const DesignContext& context;
  model::Network given;
  PreparedModel prepared;  ///< what the circuit is made of
  compile::CompiledNetwork compiled;
  data::Features features;
  std::vector<std::size_t> clips;
  std::optional<data::Features> training;
  SimulationConditions conditions;

  /// What the circuit is compared with: the centered model, else the given one with the weights that were dropped.
  const model::Network& reference() const { return prepared.compared_with(given); }
};

/// Prepares the model (prepare_model), maps it to a circuit, sizes and calibrates it: layers on frames of the options'
/// calibration_features, else of the training features, else on random ones. What is below the smallest leg is measured
/// on the training features, else on those played, and warned of by name. Throws bad-input Errors where the conditions
/// or the calibration features do not suit, and those of the simulator.
Design build_design(const DesignContext& context, DesignRequest request, Reporter& reporter);

}  // namespace hysteron::design
