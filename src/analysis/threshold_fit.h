#pragma once

#include <cstddef>
#include <vector>

#include "analysis/measured_clip.h"
#include "analysis/yield.h"

namespace hysteron::analysis {

/// A number with its 95 % interval; NaN where nothing was measured.
struct Estimate {
  double value = 0.0;
  Interval interval;

  bool known() const { return value == value; }
};

/// A cell that was seen to switch while its candidate ran along a straight line.
struct Switching {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool sets = false;
  double candidate = 0.0;  ///< where that line was when the output went through half of alpha, model units
  double speed = 0.0;      ///< its slope towards the threshold, model units a second
};

/// What one cell of a chip is, model units.
struct CellConstants {
  std::size_t layer = 0;
  std::size_t cell = 0;
  Estimate rise;          ///< candidate that sets it
  Estimate fall;          ///< candidate below which it resets
  Estimate high;          ///< output when on
  Estimate low;           ///< output when off
  std::size_t rises = 0;  ///< times it was seen to set on a slow ramp
  std::size_t falls = 0;
};

/// What speed adds to a threshold: a cell needs charge to switch, so its candidate is further on by
/// coefficient * speed^exponent by then.
struct SpeedLaw {
  double coefficient = 0.0;
  double exponent = 0.5;
  double residual = 0.0;  ///< deviation of the readings from thresholds and law, model units
};

struct ThresholdFit {
  std::vector<CellConstants> cells;  ///< layer by layer
  SpeedLaw sets;
  SpeedLaw resets;
};

/// Every switching of `clip` that counts: the candidate's mean over each of the eight frames before it within 2 % of
/// beta_hi of a straight line towards the threshold, and on that line about a quarter of a frame later: what a cell
/// below does is no ramp.
std::vector<Switching> find_switchings(const MeasuredClip& clip, const model::Network& network);

/// Thresholds at speed 0: by least squares, one threshold a cell and one law for all cells of a direction,
///   candidate = threshold + sign * coefficient * speed^exponent,   sign: +1 rising, -1 falling
/// with the exponent 0.5 (constant charge into V0), or the one up to 1 that fits best where three speeds or more were
/// seen and it fits better by more than chance. A reading that is 15 % off the median of its cell, or off the law by
/// more than 5 deviations of the others, is left out. A cell that never
/// resets and stays on for ten frames with a candidate below 1 % of beta_hi has the lower threshold 0. Levels: means
/// over frames in which the bit was the same one frame before, intervals over holds.
ThresholdFit fit_thresholds(const std::vector<MeasuredClip>& clips, const model::Network& network);

}  // namespace hysteron::analysis
