#include "analysis/transients.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hysteron::analysis {
namespace {

/// Seconds of a straight piece of a curve, `seconds` long from `begin` to `end`, that lie below `level`.
double piece_below(double begin, double end, double seconds, double level) {
  if (begin < level && end < level) return seconds;
  if (begin >= level && end >= level) return 0.0;
  const double share = (level - begin) / (end - begin);
  return begin < level ? share * seconds : (1.0 - share) * seconds;
}

struct Extremes {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  double below = 0.0;  // seconds below the lower threshold
  double above = 0.0;  // seconds at or above the upper one
};

/// Calls visit(begin, begin value, end, end value) for every straight piece of a probe within [from, to].
template <typename Visit>
void for_each_piece(const sim::Waveforms& waves, std::size_t probe, double from, double to, Visit visit) {
  double time = from;
  double value = waves.at(probe, from);
  const auto first = std::upper_bound(waves.time.begin(), waves.time.end(), from);
  for (auto i = static_cast<std::size_t>(first - waves.time.begin()); i < waves.time.size() && waves.time[i] < to;
       ++i) {
    visit(time, value, waves.time[i], waves.values[probe][i]);
    time = waves.time[i];
    value = waves.values[probe][i];
  }
  visit(time, value, to, waves.at(probe, to));
}

Extremes candidate_extremes(const sim::Waveforms& waves, std::size_t probe, double from, double to,
                            const compile::CompiledCell& cell) {
  Extremes result;
  for_each_piece(waves, probe, from, to, [&](double t0, double v0, double t1, double v1) {
    const double begin = std::abs(v0);
    const double end = std::abs(v1);
    result.low = std::min({result.low, begin, end});
    result.high = std::max({result.high, begin, end});
    result.below += piece_below(begin, end, t1 - t0, cell.fall);
    result.above += (t1 - t0) - piece_below(begin, end, t1 - t0, cell.rise);
  });
  return result;
}

std::size_t crossings(const sim::Waveforms& waves, std::size_t probe, double from, double to, double level) {
  std::size_t count = 0;
  for_each_piece(waves, probe, from, to,
                 [&](double, double begin, double, double end) { count += (begin < level) != (end < level) ? 1 : 0; });
  return count;
}

/// A cell, and where its values are in the arrays: its first frame's at `first`, the next frame's `stride` further.
struct CellPlaces {
  std::size_t layer = 0;
  std::size_t cell = 0;
  std::size_t frames = 0;
  std::size_t stride = 0;
  std::size_t first = 0;
};

/// Fills in what happened to the cell of `places`.
void read_cell(const compile::CompiledNetwork& network, const sim::Testbench& bench, const sim::Waveforms& waveforms,
               const CellPlaces& places, Transients& result) {
  const std::size_t l = places.layer;
  const std::size_t j = places.cell;
  const double unit = network.conditions.unit_current;
  const double frame = network.frame_seconds;
  const compile::ClipProbes probes(network);
  const std::size_t candidate = probes.candidate(l, j);
  const std::size_t state = probes.state(l, j);
  const auto candidate_times = settling_times(waveforms, candidate, places.frames, frame, kSettledWithin * unit);
  const auto state_times = settling_times(waveforms, state, places.frames, frame, kSettledWithin * unit);
  const auto current = [&](std::size_t probe, double when) { return std::abs(waveforms.at(probe, when)) / unit; };
  for (std::size_t t = 0; t < places.frames; ++t) {
    const std::size_t place = places.first + t * places.stride;
    const double begin = static_cast<double>(t) * frame;
    const double read = begin + compile::kReadAt * frame;
    const double from = t == 0 ? compile::kResetShare * frame : read - frame;
    const Extremes extremes = candidate_extremes(waveforms, candidate, from, read, network.cells[l][j]);
    const std::size_t flips = crossings(waveforms, probes.v0(l, j), from, read, 0.5 * bench.supply);
    result.candidate_low[place] = static_cast<float>(extremes.low / unit);
    result.candidate_high[place] = static_cast<float>(extremes.high / unit);
    result.seconds_below[place] = static_cast<float>(extremes.below);
    result.seconds_above[place] = static_cast<float>(extremes.above);
    result.candidate_drift[place] =
        static_cast<float>(current(candidate, read) - current(candidate, begin + kDriftFrom * frame));
    result.v0_flips[place] = static_cast<float>(flips);
    result.end_states[place] = static_cast<float>(current(state, begin + frame));
    result.candidate_settling[place] = static_cast<float>(candidate_times[t]);
    result.state_settling[place] = static_cast<float>(state_times[t]);
  }
}

}  // namespace

std::vector<double> settling_times(const sim::Waveforms& waveforms, std::size_t probe, std::size_t frames,
                                   double frame_seconds, double absolute) {
  std::vector<double> result(frames, 0.0);
  for (std::size_t t = 0; t < frames; ++t) {
    const double begin = static_cast<double>(t) * frame_seconds;
    const double end = static_cast<double>(t + 1) * frame_seconds;
    const double last = waveforms.at(probe, end);
    const double tolerance = std::max(absolute, kSettledWithin * std::abs(last));
    for_each_piece(waveforms, probe, begin, end, [&](double, double v0, double t1, double) {
      if (std::abs(v0 - last) > tolerance) result[t] = t1 - begin;
    });
  }
  return result;
}

Transients read_transients(const compile::CompiledNetwork& network, const sim::Testbench& bench,
                           const sim::Waveforms& waveforms) {
  const auto frames = static_cast<std::size_t>(std::lround(bench.stop_time / network.frame_seconds));
  std::size_t cells = 0;
  for (const auto& layer : network.cells) cells = std::max(cells, layer.size());
  Transients result;
  for (auto* values : {&result.candidate_low, &result.candidate_high, &result.seconds_below, &result.seconds_above,
                       &result.candidate_drift, &result.v0_flips, &result.end_states, &result.candidate_settling,
                       &result.state_settling}) {
    values->assign(network.cells.size() * frames * cells, 0.0F);
  }
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
      read_cell(network, bench, waveforms, {l, j, frames, cells, l * frames * cells + j}, result);
    }
  }
  const std::size_t outputs = network.readouts.size();
  const compile::ClipProbes probes(network);
  result.logit_settling.assign(frames * outputs, 0.0F);
  for (std::size_t k = 0; k < outputs; ++k) {
    const auto times = settling_times(waveforms, probes.logit(k), frames, network.frame_seconds,
                                      kSettledWithin * network.conditions.unit_current);
    for (std::size_t t = 0; t < frames; ++t) result.logit_settling[t * outputs + k] = static_cast<float>(times[t]);
  }
  return result;
}

}  // namespace hysteron::analysis
