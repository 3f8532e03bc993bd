#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/gate_proof.h"
#include "design/context.h"
#include "model/gate_network.h"

namespace hysteron::studies {

struct GatesRequest {
  double period = 20e-3;  ///< seconds between a spike and the reading of the levels; a spike takes half of it
};

/// Spikes of half of `period`, those of a word `spacing` apart, seconds.
analysis::SpikeTiming spike_timing(double period, double spacing);

/// Throws a bad-input Error that names the value unless `request` is possible.
void check_gates(const GatesRequest& request);

/// A circuit read from `file`, called by the file's name. Throws as read_file and model::parse_gates.
model::GateNetwork read_gates(const std::filesystem::path& file);

/// The plan of one circuit played with one spacing of the spikes of a word.
struct SpacingProof {
  double spacing = 0.0;  ///< seconds
  analysis::GateRun run;
};

/// One circuit of gates, built, and what ngspice says of it.
struct GateProof {
  compile::CompiledGates gates;
  std::size_t words = 0;
  std::size_t spikes = 0;
  std::vector<SpacingProof> spacings;  ///< the period, where levels are read after every spike, first

  bool right() const;
};

/// Proves every circuit of `networks`: every combination of inputs, every order of the spikes that lead to it, and
/// spacings from the period down to none (of circuits with a latch, in which order is all: down to a spike's width).
std::vector<GateProof> prove_gates(const design::DesignContext& context,
                                   const std::vector<model::GateNetwork>& networks, const GatesRequest& request,
                                   Reporter& reporter);

/// Writes the netlist of `proof` as NAME.spice, its bench as NAME_bench.spice (the plan at its period), and the model
/// files that the bench needs into `folder`.
void write_gates(const design::DesignContext& context, const GateProof& proof, const GatesRequest& request,
                 const std::filesystem::path& folder, const std::string& name);

}  // namespace hysteron::studies
