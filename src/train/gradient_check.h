#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/backbone.h"

namespace hysteron::train {

/// The loss of Backbone::pass and its gradient from an independent formulation: the equations written frame by frame in
/// double precision on numbers that carry their own derivative (forward mode), one run for each parameter. Steps carry
/// the surrogate derivative. Slow: for small backbones and short clips.
struct ReferenceGradient {
  double loss = 0.0;
  std::vector<double> gradient;  ///< [parameters]
};
ReferenceGradient reference_gradient(const Backbone& backbone, std::span<const float> parameters, const Shard& shard,
                                     const PassOptions& options);

/// How far two gradients are apart, segment by segment.
struct GradientDifference {
  std::string segment;
  double largest = 0.0;   ///< largest absolute difference
  double relative = 0.0;  ///< norm of the difference over norm of the reference, 0 where both are 0
};

GradientDifference compare_segment(const Segment& segment, std::span<const float> gradient,
                                   std::span<const double> reference);

struct GradientCheck {
  double loss_difference = 0.0;
  std::vector<GradientDifference> segments;

  double worst() const;  ///< largest `relative`
};

/// Runs Backbone::pass and reference_gradient on the same input and compares them.
GradientCheck check_gradient(const Backbone& backbone, std::span<const float> parameters, const Shard& shard,
                             const PassOptions& options);

}  // namespace hysteron::train
