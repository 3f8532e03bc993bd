#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/transients.h"
#include "model/inference.h"
#include "model/network.h"

namespace hysteron::analysis {

/// Why a cell of the circuit did what the model would not have done in its place (docs/verification.md).
enum class Cause {
  kSizing,     ///< the settled candidate is on the other side of the threshold
  kThreshold,  ///< the candidate is on the right side, yet the cell switched (or did not): its own threshold is off
  kHazard,     ///< the candidate crossed the threshold on its way and came back
  kSettling,   ///< candidate or cell had not settled at the reading point
  kLeakage     ///< the threshold or both candidates are below what leaks
};
inline constexpr std::size_t kCauses = 5;
std::string_view cause_name(Cause cause);

/// One frame in which a cell went wrong by itself: given its own state before and the states of the layers below as
/// they were in the circuit, the model would have done otherwise. Currents in unit currents.
struct CellEvent {
  std::size_t layer = 0;
  std::size_t frame = 0;
  double time = 0.0;  ///< of the frame's begin, seconds
  std::size_t cell = 0;
  Cause cause = Cause::kSizing;
  bool is_on = false;      ///< what the circuit's cell was at the reading point
  double candidate = 0.0;  ///< of the model, with the circuit's states in the layers below
  double measured = 0.0;   ///< of the circuit at the reading point
  double lowest = 0.0;     ///< of the circuit since the reading point before
  double highest = 0.0;
  double threshold = 0.0;  ///< the one the cell's state could cross
};

struct CauseCount {
  std::size_t events = 0;
  std::size_t bits = 0;  ///< wrong bits of those events and of the frames through which their cells kept the error
};

/// Wrong bits of one cell.
struct CellDivergence {
  std::size_t bits = 0;
  std::size_t consequences = 0;  ///< of them, wrong because a cell below was
  std::array<CauseCount, kCauses> causes{};
};

/// Where and why one clip's circuit diverged from the software.
struct Divergence {
  std::optional<CellEvent> first;                  ///< least frame, then lowest layer, then lowest cell
  std::vector<std::size_t> frames;                 ///< those with another argmax, ascending; of one clip
  std::vector<CellEvent> events;                   ///< by frame, layer, cell
  std::vector<std::vector<CellDivergence>> cells;  ///< [layers][m]
  std::array<CauseCount, kCauses> causes{};
  std::size_t bits = 0;  ///< wrong ones
  std::size_t consequences = 0;
  std::size_t wrong_frames = 0;             ///< with another argmax
  std::size_t wrong_frames_right_bits = 0;  ///< of them, with every bit of the last layers right: the readout's error
};

/// Compares one clip. `software` is model::run_clip of `network` and `features`.
Divergence find_divergence(const model::Network& network, std::span<const float> features, const model::Trace& software,
                           const compile::CircuitTrace& circuit, const Transients& transients);

/// Adds the counts of `part` to `total` (events and first ones are not kept).
void add_counts(Divergence& total, const Divergence& part);

}  // namespace hysteron::analysis
