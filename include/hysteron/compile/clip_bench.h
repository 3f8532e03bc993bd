#pragma once

#include <span>
#include <string>

#include "hysteron/compile/compiled_network.h"
#include "hysteron/model/inference.h"
#include "hysteron/sim/testbench.h"
#include "hysteron/sim/waveforms.h"

namespace hysteron::compile {

/// Seconds an input takes from one frame's value to the next: steps without a ramp cost the simulator time steps.
inline constexpr double kInputRamp = 1e-4;

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

/// The bench that plays `features` [frames, inputs] (model units) into the circuit and probes what read_clip needs. It
/// refers to `network`, which must outlive it.
sim::Testbench make_clip_bench(const CompiledNetwork& network, std::span<const float> features);

/// Reads the probes of make_clip_bench at kReadAt of every frame.
CircuitTrace read_clip(const CompiledNetwork& network, const sim::Testbench& bench, const sim::Waveforms& waveforms);

}  // namespace hysteron::compile
