#pragma once

#include <filesystem>
#include <string>

#include "design/design.h"
#include "model/network.h"
#include "options.h"
#include "studies/clip_records.h"

/// Adds to a result what it was found with: `technology` (with its gate area, "generic180@4"), `supply_v` and
/// `unit_current_a`.
template <typename Json>
void add_conditions(const hysteron::design::DesignContext& context, Json& json) {
  json["technology"] = context.technology().name;
  json["supply_v"] = context.supply();
  json["unit_current_a"] = context.options().conditions.unit_current;
}

/// Flags shared by every command that builds or simulates circuits.
struct CircuitFlags {
  hysteron::design::CircuitOptions options;
  double frame_time = 0.0;  ///< seconds; 0: the model's
};

/// The flags that a single cell takes too: technology, unit current, supply, jobs, time limit.
void add_technology_flags(Command& command, CircuitFlags& flags);

/// Those and the ones that are about networks.
void add_circuit_flags(Command& command, CircuitFlags& flags);

/// --waveforms and --waveform-tolerance, for commands that simulate clips in ngspice.
void add_waveform_flags(Command& command, hysteron::studies::ClipFiles& files);

/// Flags of every command that builds a circuit of a model and plays features to it.
struct DesignFlags {
  CircuitFlags circuit;
  hysteron::design::DesignFiles files;
  std::string corner;
};

enum class Played { kRequired, kOptional };

/// The model, --input, --clips, --center, --corner, --frame-time and the circuit's flags.
void add_design_flags(Command& command, DesignFlags& flags, Played input = Played::kRequired);

/// Reads and checks the files that the flags name. Throws usage and bad-input Errors.
hysteron::design::DesignRequest read_design_flags(const DesignFlags& flags);

/// --frame-time.
void add_frame_time_flag(Command& command, CircuitFlags& flags);

/// --frame-time in seconds; 0: not given.
double read_frame_time(const CircuitFlags& flags);

/// The model of a file with the frame time that the flag asks for. Throws as load_model does.
hysteron::model::Network read_circuit_model(const std::filesystem::path& path, const CircuitFlags& flags);

/// What the flags ask for, with the files among them tried. Throws usage and bad-input Errors.
hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags);

/// The same for a circuit of `network`, which the features to calibrate on have to suit; a bad-input Error otherwise.
hysteron::design::CircuitOptions read_circuit_flags(const CircuitFlags& flags, const hysteron::model::Network& network);
