#include "circuit_options.h"

#include "base/error.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "model/model_file.h"

using hysteron::design::CalibrationLevel;

namespace parameters = hysteron::parameters;

void add_technology_flags(Command& command, CircuitFlags& flags) {
  hysteron::design::CircuitOptions& options = flags.options;
  command.shared(parameters::kTechnology, options.technology);
  command.shared(parameters::kPdkRoot, options.pdk_root);
  command.shared(parameters::kUnitCurrent, options.conditions.unit_current);
  command.shared(parameters::kSupply, options.conditions.supply);
  command.shared(parameters::kJobs, options.jobs);
  command.shared(parameters::kTimeLimit, options.time_limit);
}

void add_circuit_flags(Command& command, CircuitFlags& flags) {
  add_technology_flags(command, flags);
  hysteron::design::CircuitOptions& options = flags.options;
  command
      .choice<CalibrationLevel>("--calibrate", options.calibration,
                                {{"curves", CalibrationLevel::kCurves},
                                 {"cells", CalibrationLevel::kCells},
                                 {"layers", CalibrationLevel::kLayers}},
                                "How far sizing goes: curves (measured gain curves alone), cells (and every cell's "
                                "loop), layers (and every leg in its place)")
      .shown();
  command.shared(parameters::kCalibrateOn, options.calibration_features);
  command.shared(parameters::kDropBelow, options.drop_below);
  command.shared(parameters::kInputRamp, options.mitigations.input_ramp);
  command.shared(parameters::kInputPedestal, options.mitigations.input_pedestal);
  add_frame_time_flag(command, flags);
  command.shared(parameters::kCellCapacitance, options.mitigations.cell_capacitance);
}

void add_waveform_flags(Command& command, hysteron::studies::ClipFiles& files) {
  command.path("--waveforms", files.waveforms,
               "Store ngspice waveforms: a folder for one file per clip, or a .safetensors file for a single clip");
  command
      .number("--waveform-tolerance", files.tolerance,
              "Largest error of the compressed waveforms, in unit currents and volt")
      .range(1e-9, 1.0)
      .shown();
}

void add_design_flags(Command& command, DesignFlags& flags, Played input) {
  command.path("model", flags.files.model, "Model file").required();
  command.shared(parameters::kInput, flags.files.input).required(input == Played::kRequired);
  command.shared(parameters::kClips, flags.files.clips);
  command.shared(parameters::kCenter, flags.files.training);
  command.shared(parameters::kCorner, flags.corner);
  add_circuit_flags(command, flags.circuit);
}

hysteron::design::DesignRequest read_design_flags(const DesignFlags& flags) {
  hysteron::design::DesignFiles files = flags.files;
  files.frame_seconds = read_frame_time(flags.circuit);
  hysteron::design::DesignRequest request = hysteron::design::read_design_request(files);
  request.conditions.corner = flags.corner;
  return request;
}

void add_frame_time_flag(Command& command, CircuitFlags& flags) {
  command.shared(parameters::kFrameTime, flags.frame_time);
}

double read_frame_time(const CircuitFlags& flags) { return flags.frame_time; }

hysteron::model::Network read_circuit_model(const std::filesystem::path& path, const CircuitFlags& flags) {
  hysteron::model::Network network = hysteron::model::load_model(path);
  if (const double seconds = read_frame_time(flags); seconds > 0.0) network.frame_seconds = seconds;
  return network;
}

hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags) {
  hysteron::design::CircuitOptions options = flags.options;
  if (!options.calibration_features.empty()) {
    if (options.calibration != CalibrationLevel::kLayers) {
      throw hysteron::Error(hysteron::ErrorKind::kUsage, "--calibrate-on requires --calibrate layers");
    }
    hysteron::data::read_npy(options.calibration_features);  // refused before anything is trained or simulated
  }
  return options;
}

hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags,
                                                    const hysteron::model::Network& network) {
  hysteron::design::CircuitOptions options = read_circuit_flags(flags);
  hysteron::design::read_training_features(options.calibration_features, network);  // refused before any simulation
  return options;
}
