#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/measured_clip.h"
#include "analysis/ratio.h"
#include "analysis/threshold_fit.h"

namespace hysteron::analysis {

/// What a measurement says of a claim.
enum class Verdict { kConfirmed, kRefuted, kUndecided };

/// "confirmed", "refuted" or "not decided".
const char* name_of(Verdict verdict);

/// The figures of Agreement for a bench, each with its 95 % interval; NaN where signals are missing. Errors in unit
/// currents.
struct MeasuredAgreement {
  std::size_t clips = 0;
  std::size_t blocks = 0;       ///< of kBlockFrames frames: what the intervals rest on
  Estimate decision_agreement;  ///< Wilson's interval over clips
  Estimate
      frame_agreement;  ///< Wilson's interval, a block as one trial, as frames next to each other are not independent
  Estimate state_mismatch;  ///< likewise
  Estimate candidate_rms;   ///< this and the next: bootstrap over blocks
  Estimate candidate_relative_rms;
  Estimate state_rms;           ///< over agreeing bits
  Estimate state_relative_rms;  ///< of the error over alpha
  Estimate logit_rms;
  double candidate_max = 0.0;
  double state_max = 0.0;
  /// "The chip does what the software does": confirmed where the intervals of the frames and of the states lie beyond
  /// kClaimedFrames and kClaimedMismatch, refuted where one of them lies on the other side.
  Verdict as_software = Verdict::kUndecided;
};

inline constexpr double kClaimedFrames = 0.97;    ///< least share of frames that decide alike
inline constexpr double kClaimedMismatch = 0.01;  ///< largest share of state bits that differ

inline constexpr std::size_t kBlockFrames = 20;

MeasuredAgreement measure_agreement(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                    std::uint64_t seed);

/// Whether errors of states grow while cells hold them: the square of a state's distance from its cell's mean level,
/// over alpha, against the frames since the cell switched.
struct ErrorGrowth {
  Estimate rms;    ///< of that distance, of bits that are on
  Estimate slope;  ///< of its square a frame; intervals by bootstrap over holds
  Estimate
      growth;  ///< slope times mean age over mean square: 1 where errors add up like a random walk, 0 where none stay
  std::size_t holds = 0;
  std::size_t longest = 0;                ///< frames
  Verdict bounded = Verdict::kUndecided;  ///< "errors do not grow": confirmed below 0.5, refuted above
};

ErrorGrowth measure_growth(const std::vector<MeasuredClip>& clips, const model::Network& network, std::uint64_t seed);

/// Protocol A of docs/noise.md on a chip: over holds of a state, (deviation of the candidate / beta_hi) over (deviation
/// of the output / alpha). Intervals by bootstrap over holds.
struct CellSuppression {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool on = false;
  std::size_t holds = 0;
  Ratio ratio;  ///< NaN where fewer than kFewTrials holds
};

inline constexpr double kClaimedSuppression = 20.0;

struct MeasuredSuppression {
  std::vector<CellSuppression> cells;  ///< on, then off, layer by layer
  /// "every cell that is on suppresses by kClaimedSuppression or more": confirmed where every cell has an interval and
  /// all are above; refuted where one of eight holds or more is below with an interval that leaves out 5 % over the
  /// number of cells (Bonferroni), so that many cells seldom refute by chance.
  Verdict claim = Verdict::kUndecided;
};

MeasuredSuppression measure_chip_suppression(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                             std::uint64_t seed);

}  // namespace hysteron::analysis
