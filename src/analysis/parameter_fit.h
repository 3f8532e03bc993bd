#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/measured_clip.h"
#include "analysis/threshold_fit.h"
#include "data/features.h"
#include "model/die_file.h"

namespace hysteron::analysis {

/// A measured current over what software has there while its cells are in the chip's states:
/// measured = gain * software + offset.
struct RailConstants {
  bool is_logit = false;
  std::size_t layer = 0;
  std::size_t index = 0;  ///< of the cell or the logit
  Estimate gain;
  Estimate offset;  ///< model units
  std::size_t frames = 0;
};

/// Every candidate's rail and every logit, by least squares over frames in which features stood still and the
/// software's candidate is above 0.02; intervals by bootstrap over blocks of frames, drawn from `seed`. NaN where fewer
/// than ten frames have it.
std::vector<RailConstants> fit_rails(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                     const data::Features& features, const std::vector<std::size_t>& places,
                                     std::uint64_t seed);

/// Constants of a chip, and how well the network with them does what was measured.
struct ParameterFit {
  model::DieErrors errors;
  std::size_t frames = 0;  ///< that were fitted
  double before = 0.0;     ///< RMS of candidates and logits against the software in the chip's states, model units; NaN
                           ///< where none was measured
  double after = 0.0;      ///< and against the network with the constants
  std::vector<std::string> missing;  ///< constants that were not measured and are left at 0
};

/// Relative errors of every weight and bias: Gauss-Newton with conjugate gradients on the network with its cells in the
/// measured states (where it has no steps), candidates and logits weighted by 1 % of their RMS, errors by a prior of
/// 5 %. Then the offsets that are left, and thresholds, widths and gains from `thresholds`. Errors that cannot be told
/// apart (a value larger, all that reads it smaller) come out in a combination that does the same.
ParameterFit fit_parameters(const std::vector<MeasuredClip>& clips, const ThresholdFit& thresholds,
                            const model::Network& network, const data::Features& features,
                            const std::vector<std::size_t>& places);

}  // namespace hysteron::analysis
