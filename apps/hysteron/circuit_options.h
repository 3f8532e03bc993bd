#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "hysteron/flow/circuit.h"
#include "hysteron/flow/clip_records.h"
#include "hysteron/model/network.h"

/// Adds to a result what it was found with: `technology` (with its gate area, "generic180@4"), `supply_v` and
/// `unit_current_a`.
template <typename Json>
void add_conditions(const hysteron::flow::Workshop& workshop, Json& json) {
  json["technology"] = workshop.technology().name;
  json["supply_v"] = workshop.supply();
  json["unit_current_a"] = workshop.options().conditions.unit_current;
}

/// Flags shared by every command that builds or simulates circuits.
struct CircuitFlags {
  hysteron::flow::CircuitOptions options;
  std::string unit_current = "1n";
  std::string input_ramp = "100u";
  std::string cell_capacitance;
  std::string frame_time;
};

/// The flags that a single cell takes too: technology, unit current, supply, jobs, time limit.
void add_technology_flags(CLI::App& command, CircuitFlags& flags);

/// Those and the ones that are about networks.
void add_circuit_flags(CLI::App& command, CircuitFlags& flags);

/// --frame-time, for commands that take their model from read_circuit_model.
void add_frame_time_flag(CLI::App& command, CircuitFlags& flags);

/// --waveforms and --waveform-tolerance, for commands that simulate clips in ngspice.
void add_waveform_flags(CLI::App& command, hysteron::flow::ClipFiles& files);

/// The model of a file with the frame time that the flag asks for. Throws as load_model does, and a usage Error.
hysteron::model::Network read_circuit_model(const std::filesystem::path& path, const CircuitFlags& flags);

/// Turns the texts of the flags into values. Throws a usage Error that names the flag.
hysteron::flow::CircuitOptions read_circuit_flags(const CircuitFlags& flags);

/// The same for a circuit of `network`, which the features to calibrate on have to suit; a bad-input Error otherwise.
hysteron::flow::CircuitOptions read_circuit_flags(const CircuitFlags& flags, const hysteron::model::Network& network);
