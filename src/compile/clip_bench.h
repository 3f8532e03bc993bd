#pragma once

#include <span>
#include <string>
#include <vector>

#include "compile/compiled_network.h"
#include "model/inference.h"
#include "sim/testbench.h"
#include "sim/waveforms.h"

namespace hysteron::compile {

/// Share of the first frame for which the bench holds `reset` high: cells then start as the model says.
inline constexpr double kResetShare = 0.1;

/// Where in a frame currents are read.
inline constexpr double kReadAt = 0.95;

/// Supply power, watt: supply voltage times mean current, input and bias rails within.
struct Power {
  double total = 0.0;
  double cells = 0.0;        ///< branches of M1 to M9
  double feedforward = 0.0;  ///< all else
};

/// What the circuit did with one clip: the same quantities as the software's trace, in model units but analog.
struct CircuitTrace {
  model::Trace trace;  ///< states are the currents of M4, candidates those of the candidate diodes
  Power power;
  double seconds = 0.0;  ///< wall time of the simulation
};

/// Where in the bench of make_clip_bench which probe is.
class ClipProbes {
 public:
  explicit ClipProbes(const CompiledNetwork& network);

  std::size_t candidate(std::size_t layer, std::size_t cell) const { return 2 * (first_cell_[layer] + cell); }
  std::size_t state(std::size_t layer, std::size_t cell) const { return candidate(layer, cell) + 1; }
  std::size_t logit(std::size_t output) const { return 2 * first_cell_.back() + output; }
  std::size_t supply() const { return 2 * first_cell_.back() + outputs_; }
  std::size_t cell_supply() const { return supply() + 1; }
  std::size_t v0(std::size_t layer, std::size_t cell) const { return supply() + 2 + first_cell_[layer] + cell; }

 private:
  std::vector<std::size_t> first_cell_;  // [layers + 1], cells in the layers before
  std::size_t outputs_ = 0;
};

/// The bench that plays `features` [frames, inputs] (model units) into the circuit and probes what read_clip needs. It
/// refers to `network`, which must outlive it.
sim::Testbench make_clip_bench(const CompiledNetwork& network, std::span<const float> features);

/// Reads the probes of make_clip_bench at kReadAt of every frame.
CircuitTrace read_clip(const CompiledNetwork& network, const sim::Testbench& bench, const sim::Waveforms& waveforms);

}  // namespace hysteron::compile
