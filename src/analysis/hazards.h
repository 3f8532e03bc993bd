#pragma once

#include <cstddef>
#include <vector>

#include "analysis/transients.h"
#include "model/inference.h"
#include "model/network.h"

namespace hysteron::analysis {

/// A candidate that went beyond a threshold on its way from one reading point to the next, where the software's
/// candidates of both frames, and the circuit's at both reading points, lie on the other side. In the first frame, on
/// its way from the release of `reset`, where those of this frame alone do: none came before.
struct Glitch {
  std::size_t layer = 0;
  std::size_t frame = 0;  ///< the later one
  double time = 0.0;      ///< of its begin, seconds
  std::size_t cell = 0;
  bool is_upper = false;  ///< above the upper threshold; else below the lower one
  double size = 0.0;      ///< how far beyond the threshold, unit currents
  double seconds = 0.0;   ///< how long
  bool is_armed = false;  ///< the cell was in the state that this threshold ends
  bool flipped = false;   ///< and it did end, for this frame at least
};

/// All glitches of a clip, by frame, layer, cell.
std::vector<Glitch> find_glitches(const model::Network& network, const model::Trace& software,
                                  const compile::CircuitTrace& circuit, const Transients& transients);

struct GlitchCount {
  std::size_t all = 0;
  std::size_t armed = 0;
  std::size_t flips = 0;
  double largest = 0.0;         ///< of the armed ones, unit currents
  double longest_harmless = 0;  ///< armed, did not flip, seconds
};
GlitchCount count_glitches(const std::vector<Glitch>& glitches);

/// How far beyond its threshold, in unit currents, the software's candidate lies wherever a cell switches.
std::vector<float> switch_overdrives(const model::Network& network, const model::Trace& software);

/// Seconds from a frame's begin until a kind of value stays near its value at the frame's end, over the values and
/// frames that moved.
struct SettlingSummary {
  double median = 0.0;
  double p99 = 0.0;  ///< 99th percentile
  double worst = 0.0;
  double unsettled = 0.0;  ///< share of all values and frames, still ones too, not there yet when the frame is read
};
/// `seconds`: of every value and frame, 0 of one that did not move; `read`: seconds from a frame's begin to its reading
/// point.
SettlingSummary summarise_settling(std::vector<float> seconds, double read);

}  // namespace hysteron::analysis
