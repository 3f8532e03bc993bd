#include "circuit_options.h"

#include <map>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "model/model_file.h"
#include "session.h"

using hysteron::design::CalibrationLevel;

void add_technology_flags(CLI::App& command, CircuitFlags& flags) {
  command
      .add_option(
          "--pdk", flags.options.technology,
          "Technology: generic180, gf180mcu, or a description file that ends in .toml; with @2 behind it twice the "
          "gate area of all that has to match")
      ->capture_default_str();
  command.add_option("--pdk-root", flags.options.pdk_root, "Folder the PDK lies in (default: $PDK_ROOT)");
  command.add_option("--unit-current", flags.unit_current, "Current that stands for 1.0 of the model, in ampere")
      ->capture_default_str();
  command.add_option("--supply", flags.options.conditions.supply, "Supply voltage (default: the technology's)")
      ->check(CLI::Range(0.5, 6.0));
  command.add_option("-j,--jobs", flags.options.jobs, "Simulations at once (default: one per hardware thread)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--time-limit", flags.options.time_limit, "Seconds one run of ngspice may take")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
}

void add_circuit_flags(CLI::App& command, CircuitFlags& flags) {
  add_technology_flags(command, flags);
  add_choice<CalibrationLevel>(
      command, "--calibrate", flags.options.calibration,
      {{"curves", CalibrationLevel::kCurves},
       {"cells", CalibrationLevel::kCells},
       {"layers", CalibrationLevel::kLayers}},
      "How far sizing goes: curves (measured gain curves alone), cells (and every cell's loop), layers (and "
      "every leg in its place)")
      ->default_str("layers");
  command.add_option("--calibrate-on", flags.options.calibration_features,
                     "Training features, .npy, whose frames layers are calibrated on (default: those of --center, else "
                     "drawn ones)");
  command
      .add_option("--drop-below", flags.options.drop_below,
                  "Leave out weights and biases smaller than this, in model units")
      ->check(CLI::Range(0.0, 1e6));
  command
      .add_option("--input-ramp", flags.input_ramp,
                  "Seconds an input takes from one frame's value to the next, a frame at most")
      ->capture_default_str();
  command
      .add_option("--input-pedestal", flags.options.mitigations.input_pedestal,
                  "Unit currents on both terminals of every input, which keep their rails charged")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  add_frame_time_flag(command, flags);
  command.add_option("--cell-capacitance", flags.cell_capacitance,
                     "Farad from V0 of every cell to ground, against glitches between frames; 0 for none (default: 80f "
                     "for every nA of the unit current)");
}

void add_waveform_flags(CLI::App& command, hysteron::studies::ClipFiles& files) {
  command.add_option("--waveforms", files.waveforms,
                     "Of ngspice: folder for a file of waveforms a clip, or a file .safetensors for the only clip");
  command
      .add_option("--waveform-tolerance", files.tolerance,
                  "How far waveforms may be from what was simulated, in unit currents and volt")
      ->check(CLI::Range(1e-9, 1.0))
      ->capture_default_str();
}

void add_design_flags(CLI::App& command, DesignFlags& flags, Played input) {
  command.add_option("model", flags.files.model, "Model file")->required();
  command.add_option("--input", flags.files.input, "Features to play, [clips, frames, inputs] float32 .npy")
      ->required(input == Played::kRequired);
  command.add_option("--clips,--clip", flags.files.clips, "Indices of the clips to play (default: all)")
      ->delimiter(',')
      ->check(not_negative());
  command.add_option("--center", flags.files.training,
                     "Training features, .npy: first move thresholds away from where candidates lie "
                     "(docs/centring.md); decisions still compare with the model as given");
  command.add_option("--corner", flags.corner, "Process corner to simulate in (default: typical)");
  add_circuit_flags(command, flags.circuit);
}

hysteron::design::DesignRequest read_design_flags(const DesignFlags& flags) {
  hysteron::design::DesignFiles files = flags.files;
  files.frame_seconds = read_frame_time(flags.circuit);
  hysteron::design::DesignRequest request = hysteron::design::read_design_request(files);
  request.conditions.corner = flags.corner;
  return request;
}

void add_frame_time_flag(CLI::App& command, CircuitFlags& flags) {
  command.add_option("--frame-time", flags.frame_time,
                     "Seconds for which the circuit gets every frame (default: the model's); use a longer one with a "
                     "small unit current");
}

double read_frame_time(const CircuitFlags& flags) {
  if (flags.frame_time.empty()) return 0.0;
  const double seconds = hysteron::parse_si(flags.frame_time, "--frame-time");
  if (seconds >= 1e-5 && seconds <= 100.0) return seconds;
  throw hysteron::Error(hysteron::ErrorKind::kUsage, "--frame-time: expected seconds from 10u to 100");
}

hysteron::model::Network read_circuit_model(const std::filesystem::path& path, const CircuitFlags& flags) {
  hysteron::model::Network network = hysteron::model::load_model(path);
  if (const double seconds = read_frame_time(flags); seconds > 0.0) network.frame_seconds = seconds;
  return network;
}

hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags) {
  hysteron::design::CircuitOptions options = flags.options;
  options.conditions.unit_current = hysteron::parse_si(flags.unit_current, "--unit-current");
  if (options.conditions.unit_current < 1e-12 || options.conditions.unit_current > 1e-6) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "--unit-current: expected a current from 1p to 1u");
  }
  options.mitigations.input_ramp = hysteron::parse_si(flags.input_ramp, "--input-ramp");
  if (options.mitigations.input_ramp < 1e-7 || options.mitigations.input_ramp > 1.0) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "--input-ramp: expected seconds from 100n to 1");
  }
  if (!options.calibration_features.empty()) {
    if (options.calibration != CalibrationLevel::kLayers) {
      throw hysteron::Error(hysteron::ErrorKind::kUsage,
                            "--calibrate-on: expected --calibrate layers; cells have no use for it");
    }
    hysteron::data::read_npy(options.calibration_features);  // refused before anything is trained or simulated
  }
  if (flags.cell_capacitance.empty()) return options;
  const double capacitance = hysteron::parse_si(flags.cell_capacitance, "--cell-capacitance");
  if (capacitance != 0.0 && (capacitance < 1e-16 || capacitance > 1e-9)) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "--cell-capacitance: expected 0 or farad from 100a to 1n");
  }
  options.mitigations.cell_capacitance = capacitance;
  return options;
}

hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags,
                                                    const hysteron::model::Network& network) {
  hysteron::design::CircuitOptions options = read_circuit_flags(flags);
  hysteron::design::read_training_features(options.calibration_features, network);  // refused before any simulation
  return options;
}
