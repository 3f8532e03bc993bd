#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"
#include "compile/circuit_errors.h"
#include "data/features.h"
#include "model/network.h"

// Threshold centering: docs/centering.md has the equations and the protocol.

namespace hysteron::compile {

/// Centering may change this share of the software's frames on the features it is given, and no clip's decision.
inline constexpr double kCenteringFrameLimit = 0.01;

/// A margin is the distance within which this share of the frames has its critical level.
inline constexpr double kMarginShare = 0.001;

/// Least beta_lo and beta_hi - beta_lo that centering sets, unit currents: cells of less are leakage more than design.
inline constexpr double kMinThreshold = 0.02;

/// Expected shares of wrong bits: of the circuit as drawn, and of a die with mismatch.
struct WrongBits {
  double nominal = 0.0;
  double die = 0.0;
};

/// How one threshold lies in the distribution of what its cell sees.
struct ThresholdMargin {
  double threshold = 0.0;
  double distance = 0.0;  ///< of the nearest kMarginShare of critical levels, over the threshold; infinite: there are
                          ///< fewer
  double sigmas = 0.0;    ///< the same, each level's distance in deviations of its own error with mismatch
  WrongBits wrong;        ///< shares of the cell's bits
};

/// One cell before and after.
struct CenteredCell {
  std::size_t layer = 0;
  std::size_t cell = 0;
  ThresholdMargin lower_before, lower_after;
  ThresholdMargin upper_before, upper_after;
};

/// A centered network and what centering did.
struct Centering {
  model::Network network;
  std::vector<CenteredCell> cells;  ///< all, by layer
  std::size_t clips = 0;
  std::size_t frames = 0;             ///< of all clips
  double frame_change = 0.0;          ///< share of the frames whose argmax centering changed
  std::size_t decisions_changed = 0;  ///< clips; 0 by construction
  double state_change = 0.0;          ///< share of the state bits that centering changed in software
  std::size_t thresholds_moved = 0;
  double mismatch = 0.0;    ///< of a leg of the reference size, as the ErrorModel had it
  WrongBits before, after;  ///< shares of all bits
};

/// Moves the thresholds of `network` to where the expected number of wrong circuit bits over `features` is least. The
/// result does not depend on the number of threads. Throws a bad-input Error where the features are of another width
/// than the network's, and kInterrupted when `stop` is set.
Centering center_thresholds(const model::Network& network, const data::Features& features, const ErrorModel& errors,
                            ThreadPool& pool, Reporter& reporter, const StopFlag& stop);

/// Frames whose argmax differs, and clips whose decision differs, between two networks.
struct SoftwareChange {
  std::size_t frames = 0;
  std::size_t decisions = 0;
};
SoftwareChange software_change(const model::Network& given, const model::Network& other, const data::Features& features,
                               const std::vector<std::size_t>& clips, ThreadPool& pool);

/// Closer to a threshold than this share of it, a candidate that a cell rests on is named.
inline constexpr double kRestingDistance = 0.03;

/// A candidate that occurs in this share of the frames to the last bit is one that its cell rests on.
inline constexpr double kRestingShare = 0.01;

/// A candidate that a cell rests on and that lies on a threshold.
struct RestingCandidate {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool upper = false;      ///< beta_hi, else beta_lo
  double candidate = 0.0;  ///< model units
  double threshold = 0.0;
  double frames = 0.0;  ///< share of the frames of the features that have it; 0: it is the one of zero input

  double distance() const;   ///< over the threshold
  std::string text() const;  ///< "layers.0 cell 2: the candidate at zero input, 0.412, is 0.3 % above beta_lo, 0.4108"
};

/// Candidates closer than kRestingDistance to a threshold: each cell's at zero input, and with `features` (may be
/// null) also its most frequent one.
std::vector<RestingCandidate> resting_on_thresholds(const model::Network& network, const data::Features* features,
                                                    ThreadPool& pool);

}  // namespace hysteron::compile
