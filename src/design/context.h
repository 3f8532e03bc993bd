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

#include "base/reporter.h"
#include "behavioural/device_statistics.h"
#include "compile/calibration.h"
#include "compile/cell_bench.h"
#include "compile/compiled_network.h"
#include "compile/hazard_mitigations.h"
#include "compile/min_weights.h"
#include "data/features.h"
#include "design/stored_runs.h"
#include "model/network.h"
#include "spice/spice_engine.h"
#include "technology/technology.h"

namespace hysteron::design {

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
  compile::HazardMitigations mitigations;
  bool keeps_density = false;  ///< unit currents below kDensityCurrent get devices of that less width over length
  int jobs = 0;                ///< simulations at once; 0: one per hardware thread
  double time_limit = 600.0;   ///< seconds for one run of ngspice
  std::filesystem::path stored_runs;  ///< where runs of DesignContext's engines are kept (StoredRuns); empty: nowhere
};

/// The unit current that technology descriptions draw their devices for, ampere.
inline constexpr double kDensityCurrent = 1e-9;

/// What a result was found with.
struct OperatingPoint {
  std::string technology;     ///< with its gate area, "generic180@4"
  double supply = 0.0;        ///< volt
  double unit_current = 0.0;  ///< ampere
};

/// Technology, simulator and gain curves, ready to compile and simulate networks.
class DesignContext {
 public:
  /// Loads the technology, checks ngspice and gets the gain curves, measured now or stored. Throws bad-input and
  /// simulator Errors as those do.
  DesignContext(const CircuitOptions& options, Reporter& reporter, const StopFlag& stop);

  const CircuitOptions& options() const { return options_; }
  const technology::Technology& technology() const { return technology_; }
  const compile::GainCurves& curves() const { return curves_; }
  /// Keeps its runs where the options say so; what sizes and calibrates circuits is not among them.
  const sim::Engine& engine() const { return stored_ ? static_cast<const sim::Engine&>(*stored_) : engine_; }
  double supply() const;

  /// What sizes and calibrates circuits; keeps no runs.
  const sim::Engine& sizing_engine() const { return engine_; }
  const StopFlag& stop() const { return stop_; }
  OperatingPoint operating_point() const;

  /// The same technology with the mismatch of every transistor switched on.
  const sim::Engine& mismatch_engine() const {
    return mismatch_stored_ ? static_cast<const sim::Engine&>(*mismatch_stored_) : mismatch_engine_;
  }

  /// What mismatch does to devices, measured now or stored.
  behavioural::DeviceStatistics device_statistics(Reporter& reporter) const;

  /// The smallest gains of legs at the conditions of sizing.
  compile::MinWeights min_weights() const { return {technology_, curves_, options_.conditions}; }

  /// The least currents a cell can be made for, measured at the conditions of sizing.
  compile::CellFloor cell_floor() const;

  /// Deviation of the current of a leg of the reference size over its mean, measured now or stored.
  double leg_mismatch(Reporter& reporter) const;

 private:
  CircuitOptions options_;
  const StopFlag& stop_;
  technology::Technology technology_;
  spice::Ngspice ngspice_;
  spice::SpiceEngine engine_;
  technology::Technology mismatch_technology_;
  spice::SpiceEngine mismatch_engine_;
  compile::GainCurves curves_;
  std::optional<StoredRuns> stored_;
  std::optional<StoredRuns> mismatch_stored_;
};

/// Conditions of a simulation that differ from those the circuit was made for.
struct SimulationConditions {
  std::string corner;                 ///< empty: typical
  std::optional<double> supply;       ///< volt
  std::optional<double> temperature;  ///< degree Celsius
  unsigned die = 0;                   ///< seed of a die that ngspice draws; 0: the circuit as drawn
};

}  // namespace hysteron::design
