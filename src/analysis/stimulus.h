#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/features.h"
#include "model/network.h"

namespace hysteron::analysis {

/// What a bench is asked to play.
struct StimulusRequest {
  double window = 0.2;  ///< ramps go this share of a threshold to both sides of it, at least 0.03, 0.3 of the share of
                        ///< all currents of the candidate, and, for a lower threshold, 0.6 of the share of the root of
                        ///< beta_hi^2 + width^2
  std::vector<double> seconds = {0.5, 1.0, 2.0};  ///< that a ramp through the window takes, one ramp each
  double largest = 12.0;          ///< feature, model units; beyond 6 only where no line within 6 passes a threshold
  std::size_t random_points = 0;  ///< held points for weights; 0: by the number of parameters
  std::uint64_t seed = 1;
};

/// Frames in which the candidate of one cell passes one of its thresholds, as software has it.
struct StimulusRamp {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool sets = false;
  std::size_t begin = 0;  ///< first frame
  std::size_t frames = 0;
};

struct Stimulus {
  data::Features features;  ///< one clip
  std::vector<StimulusRamp> ramps;
  std::vector<StimulusRamp> unreached;  ///< thresholds that no input was found for; no frames
};

/// A clip in which, in software, every cell of every layer is set and reset by slow ramps of its candidate, once for
/// each of request.seconds, while no cell below it switches; then random points, held for four frames each, by which
/// weights can be told. Later layers are reached over the skip path. For every threshold straight lines through random
/// inputs are tried, along the way the candidate rises fastest while those of some cells below stand still, and the one
/// taken keeps the cells below farthest from their thresholds; inputs beyond 6 are tried where none within is found.
/// Upper thresholds of cells that nothing resets later are passed once, before all others, by the slowest ramp.
Stimulus make_stimulus(const model::Network& network, const StimulusRequest& request);

}  // namespace hysteron::analysis
