#pragma once

#include <cstddef>
#include <vector>

#include "compile/clip_bench.h"

namespace hysteron::analysis {

/// A value counts as settled once it stays this close to its value at the end of the frame: the larger of this many
/// unit currents and this share of that value.
inline constexpr double kSettledWithin = 0.01;

/// Where in a frame the candidate is looked at to see whether it still moves at the reading point.
inline constexpr double kDriftFrom = 0.75;

/// What the circuit did between reading points, arrays like those of model::Trace. The window of a frame goes from the
/// reading point of the frame before to its own, that of the first frame from the release of `reset`.
struct Transients {
  std::vector<float> candidate_low;    ///< [layers, frames, cells] least candidate in the window, unit currents
  std::vector<float> candidate_high;   ///< largest
  std::vector<float> seconds_below;    ///< time in the window with the candidate below the cell's lower threshold
  std::vector<float> seconds_above;    ///< at or above the upper one
  std::vector<float> candidate_drift;  ///< candidate at the reading point less that at kDriftFrom, unit currents
  std::vector<float> v0_flips;         ///< times V0 crossed half the supply in the window
  std::vector<float> end_states;       ///< state at the very end of the frame, unit currents
  /// Seconds from the frame's begin until the value stays settled: candidates, states [layers, frames, cells] and
  /// logits [frames, outputs].
  std::vector<float> candidate_settling;
  std::vector<float> state_settling;
  std::vector<float> logit_settling;
};

/// Reads them from the probes of make_clip_bench.
Transients read_transients(const compile::CompiledNetwork& network, const sim::Testbench& bench,
                           const sim::Waveforms& waveforms);

/// Seconds after the begin of each frame from which on probe `probe` stays within max(absolute, kSettledWithin |end|)
/// of its value at the end of the frame. [frames]
std::vector<double> settling_times(const sim::Waveforms& waveforms, std::size_t probe, std::size_t frames,
                                   double frame_seconds, double absolute);

}  // namespace hysteron::analysis
