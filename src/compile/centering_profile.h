#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "compile/centering_run.h"

namespace hysteron::compile {

/// Critical levels of one threshold over many frames, counted by level and by the variance of their error.
class LevelHistogram {
 public:
  static constexpr std::size_t kLevels = 1024;
  static constexpr std::size_t kVariances = 48;

  /// Levels from 0 to `range`; those above are far from every placement.
  explicit LevelHistogram(double range);

  void add(float level, float nominal_variance, float die_variance);
  void add(const LevelHistogram& other);

  double edge(std::size_t i) const { return range_ * static_cast<double>(i) / kLevels; }

  /// Frames whose level is in bins [0, i), for i from 0 to kLevels.
  std::vector<double> below() const;

  /// Counts of one kind of circuit and one variance, by level.
  struct Levels {
    double variance = 0.0;
    std::vector<std::pair<double, double>> counts;  // level, frames; ascending
  };
  std::vector<Levels> levels(std::size_t kind) const;

 private:
  double range_;
  std::array<std::vector<std::uint32_t>, kCircuitKinds> counts_;  // [kLevels][kVariances]
};

/// A place for a threshold.
struct Placement {
  double threshold = 0.0;
  double wrong = 0.0;    ///< expected wrong bits, mean of the two kinds of circuit
  double changed = 0.0;  ///< bits of the software that differ from those at the present place
};

/// Every place between `low` and `high`, from the levels in `histogram`; `variance(kind, threshold)` is that of the
/// threshold itself.
std::vector<Placement> profile(const LevelHistogram& histogram, double low, double high, double present,
                               const std::function<double(std::size_t kind, double threshold)>& variance,
                               ThreadPool& pool);

/// How places are chosen.
struct Choice {
  double present = 0.0;       ///< where the threshold is
  double present_cost = 0.0;  ///< what it costs there, in expected wrong bits
  double bits = 0.0;          ///< of the cell over all frames
  double change_price = 0.0;  ///< of a bit of the software that changes
  double worthwhile = 0.0;    ///< a gain below this is none: of places about as good, the nearest is taken
};

/// The best places to either side of the present one when ever fewer bits may change, best first, each better than the
/// present one.
std::vector<Placement> shortlist(const std::vector<Placement>& places, const Choice& choice);

}  // namespace hysteron::compile
