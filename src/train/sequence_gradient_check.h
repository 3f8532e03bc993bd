#pragma once

#include <span>

#include "train/gradient_check.h"
#include "train/sequence_model.h"

namespace hysteron::train {

/// scale * loss of SequenceModel::pass and its gradient from an independent formulation: every equation written frame
/// by frame in double precision on numbers that carry their derivative (forward mode), one run for each parameter.
/// Noise on candidates is a number that no gradient passes; the scale of additive noise of bmru and cmru, a mean over
/// the whole pass, is taken in a run before. Slow: for small models and short sequences.
ReferenceGradient reference_gradient(const SequenceModel& model, std::span<const float> parameters,
                                     const SequenceShard& shard, const SequencePass& options);

/// Runs SequenceModel::pass and reference_gradient on the same input and compares them, segment by segment.
GradientCheck check_gradient(const SequenceModel& model, std::span<const float> parameters, const SequenceShard& shard,
                             const SequencePass& options);

}  // namespace hysteron::train
