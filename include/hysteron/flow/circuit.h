#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hysteron/base/reporter.h"
#include "hysteron/behavioural/device_statistics.h"
#include "hysteron/compile/calibration.h"
#include "hysteron/compile/cell_bench.h"
#include "hysteron/compile/compiled_network.h"
#include "hysteron/compile/hazard_mends.h"
#include "hysteron/compile/least_weights.h"
#include "hysteron/data/features.h"
#include "hysteron/flow/kept_runs.h"
#include "hysteron/model/network.h"
#include "hysteron/spice/spice_engine.h"
#include "hysteron/technology/technology.h"

namespace hysteron::flow {

/// How far sizing goes beyond the gain curves.
enum class CalibrationLevel {
  kCurves,  ///< not at all
  kCells,   ///< cells until rise, fall and high are right
  kLayers   ///< and then every leg in its place in the whole circuit
};

/// Which technology to build in and how to simulate it.
struct CircuitOptions {
  std::string technology = "generic180";
  std::filesystem::path pdk_root;  ///< empty: $PDK_ROOT
  compile::Conditions conditions;  ///< of sizing and calibration
  CalibrationLevel calibration = CalibrationLevel::kLayers;
  std::filesystem::path calibration_features;  ///< .npy that layers are calibrated on; empty: what compile() is given
  double drop_below = 0.0;                     ///< weights and biases smaller than this, in model units, are left out
  compile::HazardMends mends;
  bool keeps_density = false;       ///< unit currents below kDensityCurrent get devices of that less width over length
  int jobs = 0;                     ///< simulations at once; 0: one per hardware thread
  double time_limit = 600.0;        ///< seconds for one run of ngspice
  std::filesystem::path kept_runs;  ///< where runs of Workshop's engines are kept (KeptRuns); empty: nowhere
};

/// The unit current that technology descriptions draw their devices for, ampere.
inline constexpr double kDensityCurrent = 1e-9;

/// Technology, simulator and gain curves, ready to compile and simulate networks.
class Workshop {
 public:
  /// Loads the technology, checks ngspice and gets the gain curves, measured now or stored. Throws bad-input and
  /// simulator Errors as those do.
  Workshop(const CircuitOptions& options, Reporter& reporter, const StopFlag& stop);

  const CircuitOptions& options() const { return options_; }
  const technology::Technology& technology() const { return technology_; }
  const compile::GainCurves& curves() const { return curves_; }
  /// Keeps its runs where the options say so; what sizes and calibrates circuits is not among them.
  const sim::Engine& engine() const { return kept_ ? static_cast<const sim::Engine&>(*kept_) : engine_; }
  double supply() const;

  /// Maps, sizes and calibrates `network`; layers on frames of the options' calibration_features, else of `features`
  /// [frames, inputs], else on drawn ones. Warns by name of parameters that are too small for any leg. What calibration
  /// gives is kept in the file `sizes`, if one is named, and taken from there if it is of the same network, technology
  /// and options: nothing is then simulated.
  compile::CompiledNetwork compile(const model::Network& network, Reporter& reporter,
                                   std::span<const float> features = {}, const std::filesystem::path& sizes = {}) const;

  /// The same technology with the mismatch of every transistor switched on.
  const sim::Engine& varied_engine() const {
    return varied_kept_ ? static_cast<const sim::Engine&>(*varied_kept_) : varied_engine_;
  }

  /// What mismatch does to devices, measured now or stored.
  behavioural::DeviceStatistics device_statistics(Reporter& reporter) const;

  /// The smallest gains of legs at the conditions of sizing.
  compile::LeastWeights least_weights() const { return {technology_, curves_, options_.conditions}; }

  /// The least currents a cell can be made for, measured at the conditions of sizing.
  compile::CellFloor cell_floor() const;

  /// Deviation of the current of a leg of the reference size over its mean, measured now or stored.
  double leg_mismatch(Reporter& reporter) const;

 private:
  void calibrate(compile::CompiledNetwork& network, std::span<const float> frames, Reporter& reporter) const;

  CircuitOptions options_;
  technology::Technology technology_;
  spice::Ngspice ngspice_;
  spice::SpiceEngine engine_;
  technology::Technology varied_technology_;
  spice::SpiceEngine varied_engine_;
  compile::GainCurves curves_;
  std::optional<KeptRuns> kept_;
  std::optional<KeptRuns> varied_kept_;
};

/// What a compiled network is made of.
struct CircuitSummary {
  std::size_t transistors = 0;
  std::size_t legs = 0;  ///< learned weights and biases and skip legs
  std::size_t cells = 0;
  double area = 0.0;  ///< square metre, estimated
  std::map<std::string, std::size_t> by_role;
  std::size_t capacitors = 0;
  double capacitance = 0.0;  ///< farad, of all of them
  std::size_t dropped_parameters = 0;
};

CircuitSummary summarise(const compile::CompiledNetwork& network, const technology::Technology& technology);

/// Conditions of a simulation that differ from those the circuit was made for.
struct SimulationConditions {
  std::string corner;                 ///< empty: typical
  std::optional<double> supply;       ///< volt
  std::optional<double> temperature;  ///< degree Celsius
  unsigned die = 0;                   ///< seed of a die that ngspice draws; 0: the circuit as drawn
};

/// Throws a bad-input Error naming `origin` unless `features` fit `network` and every index of `clips` exists; with
/// `clips` empty gives all of them.
std::vector<std::size_t> check_clips(const model::Network& network, const data::Features& features,
                                     const std::vector<std::size_t>& clips, const std::string& origin);

}  // namespace hysteron::flow
