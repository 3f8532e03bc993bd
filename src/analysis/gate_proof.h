#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/spike_plan.h"
#include "compile/cell_bench.h"
#include "compile/gate_circuit.h"
#include "sim/testbench.h"
#include "sim/waveforms.h"

// Plays spikes into a circuit of gates and compares its levels with software: docs/gates.md has the protocol.

namespace hysteron::analysis {

/// When spikes come, in seconds.
struct SpikeTiming {
  double period = 0.0;   ///< from the last spike of a word to the reading of the outputs and the next word
  double width = 0.0;    ///< of a spike, its ramps within
  double spacing = 0.0;  ///< between the spikes of a word; the period: outputs are read after every spike
};

/// A level is read as 0 or 1 within this share of the unit current; anything between is wrong.
inline constexpr double kLevelTolerance = 0.25;

/// Outputs at one moment.
struct LevelReading {
  double time = 0.0;
  std::vector<bool> expected;
  std::size_t word = 0;
};

struct GateBench {
  sim::Testbench bench;
  std::vector<LevelReading> readings;
  std::vector<double> spikes;  ///< when they begin
  double begin = 0.0;          ///< of the first word
};

/// Plays `plan` into `gates` (which must outlive the bench) in `environment`. The unit current and the lines' levels
/// are ideal.
GateBench make_gate_bench(const compile::CompiledGates& gates, const SpikePlan& plan, const SpikeTiming& timing,
                          const compile::CellEnvironment& environment);

/// What a run of a bench showed.
struct GateRun {
  std::size_t readings = 0;  ///< one for every output and moment
  std::size_t wrong = 0;
  std::string first_wrong;    ///< "q is 0.04 of 1 unit current at 0.35 s"; empty: none
  double highest_low = 0.0;   ///< ampere: of outputs that are to be 0
  double lowest_high = 0.0;   ///< ampere: of outputs that are to be 1; infinite where none is
  double mean_power = 0.0;    ///< watt over the whole plan
  double most_static = 0.0;   ///< watt: settled, before a word, the worst state of the circuit
  double mean_static = 0.0;   ///< watt: mean over those moments
  double spike_energy = 0.0;  ///< joule: drawn from the supply, by the number of spikes
  double switch_energy =
      0.0;  ///< joule: what is drawn beyond the settled power of the same word, by the number of spikes
};
GateRun judge_gates(const compile::CompiledGates& gates, const GateBench& bench, const sim::Waveforms& waves);

}  // namespace hysteron::analysis
