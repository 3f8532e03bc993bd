#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "data/sequences.h"
#include "train/sequence_model.h"

namespace hysteron::train {

/// What cells with two states do on a split's sequences.
struct CellActivity {
  double transition_rate = 0.0;  ///< share of (cell, frame) pairs, the first frame aside, where the state changes
  double dead = 0.0;             ///< share of cells whose state changes in no sequence
  double stuck = 0.0;  ///< share of the others that change at most once in every sequence and always to the same state
};

/// Follows the cells of a model without noise over the first `limit` sequences of a split (0: all). FQ-BMRU states
/// above 1/2 and BMRU states above 0 count as on.
CellActivity cell_activity(const SequenceModel& model, std::span<const float> parameters,
                           const data::SequenceSource& source, data::Split split, std::size_t limit, ThreadPool& pool);

/// How long a bit survives when every candidate carries Gaussian noise of deviation `noise` times the cell's threshold:
/// the same sequences run with and without noise, each cell of each sequence is watched until its two states differ,
/// and the mean is (frames watched) / (cells that came to differ), the estimate for a constant hazard with the ends of
/// the sequences as censoring. Empty where none differs.
std::optional<double> bit_retention(const SequenceModel& model, std::span<const float> parameters,
                                    const data::SequenceSource& source, data::Split split, std::size_t limit,
                                    double noise, std::uint64_t seed, ThreadPool& pool);

}  // namespace hysteron::train
