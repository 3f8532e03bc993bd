#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "data/sequences.h"

namespace hysteron::data {

/// Generated tasks that need memory alone. A model that remembers reaches 100 % on each; what one without memory
/// reaches is given as chance. Lengths or symbols that a task cannot have get a bad-input Error.
struct MemoryTaskOptions {
  std::size_t length = 0;     ///< frames; 0: the task's own
  std::size_t symbols = 0;    ///< 0: the task's own
  std::size_t sequences = 0;  ///< of validation and of test; 0: 1,024
  std::uint64_t seed = 1;
};

/// Copy-first-input: one of `symbols` (2) symbols, one-hot in the first frame; `length` - 1 (255) frames of zeros; the
/// symbol is the label of the last frame. Chance 1 / symbols.
std::unique_ptr<SequenceSource> make_copy_first(const MemoryTaskOptions& options);

/// Flip-flop: at every frame set (probability 0.1), reset (0.1) or nothing, one-hot over three inputs; label of a
/// frame: whether a set or a reset came last. `length` 100. Starts reset. Chance near 1/2.
std::unique_ptr<SequenceSource> make_flip_flop(const MemoryTaskOptions& options);

/// Denoising: 5 frames among the first `length` - 6 (of 100) carry one of `symbols` (4) symbols, the others noise
/// (N(0, 0.1^2) in every symbol's input); then a cue in an input of its own, after which the symbols are the labels of
/// the last 5 frames, in order. Chance 1 / symbols.
std::unique_ptr<SequenceSource> make_denoising(const MemoryTaskOptions& options);

/// Long-gap parity: 1 to 4 pulses in `length` (500) frames of zeros; label of the last frame: their parity. Chance 1/2.
std::unique_ptr<SequenceSource> make_parity(const MemoryTaskOptions& options);

}  // namespace hysteron::data
