#pragma once

#include <cstddef>
#include <vector>

namespace hysteron::sim {

/// What an engine recorded: one column a probe, in the testbench's order. An operating point has one time, 0.
struct Waveforms {
  std::vector<double> time;                 ///< [points], second, ascending
  std::vector<std::vector<double>> values;  ///< [probes][points], volt or ampere
  double seconds = 0.0;                     ///< wall time the engine took

  /// Value of probe `probe` at `time`, linear between points, clamped to the ends.
  double at(std::size_t probe, double when) const;

  /// Mean of probe `probe` over [begin, end], by the trapezoidal rule.
  double mean(std::size_t probe, double begin, double end) const;
};

/// First time from `from` on at which probe `probe` passes `level` in the given direction, by linear interpolation; NaN
/// if it never does.
double crossing_time(const Waveforms& waves, std::size_t probe, double level, bool upwards, double from);

}  // namespace hysteron::sim
