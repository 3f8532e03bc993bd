#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "compile/circuit_errors.h"
#include "model/inference.h"

namespace hysteron::compile {

// Kinds of circuit: as drawn, and a die with mismatch.
inline constexpr std::size_t kNominal = 0;
inline constexpr std::size_t kDie = 1;
inline constexpr std::size_t kCircuitKinds = 2;

using Values = model::Matrix;  // [frames, values]

/// What one layer does in one clip.
struct LayerRun {
  Values input;                                    ///< v before the layer [T, d]
  std::array<Values, kCircuitKinds> input_errors;  ///< its variance
  Values candidates;                               ///< [T, m]
  std::array<Values, kCircuitKinds> errors;        ///< their variance
  std::vector<std::uint8_t> on;                    ///< [T, m] after the frame

  std::size_t frames() const { return static_cast<std::size_t>(candidates.rows()); }
  std::size_t cells() const { return static_cast<std::size_t>(candidates.cols()); }
  float candidate(std::size_t t, std::size_t cell) const { return candidates.data()[t * cells() + cell]; }
  float variance(std::size_t kind, std::size_t t, std::size_t cell) const {
    return errors[kind].data()[t * cells() + cell];
  }
};

/// Layers from some layer on and the argmax of every frame.
struct ClipRun {
  std::vector<LayerRun> layers;
  std::vector<std::uint32_t> decisions;  ///< [T]
};

/// Runs clips of one network, whose thresholds may change between calls, with the arithmetic of model::run_clip.
class CenteringRunner {
 public:
  CenteringRunner(const model::Network& network, const ErrorModel& errors);

  ClipRun run(std::span<const float> features) const;

  /// Everything behind layer `layer`, whose cells are `on`: the layers above it and the decisions.
  ClipRun run_behind(std::size_t layer, const LayerRun& from, const std::vector<std::uint8_t>& on) const;

  const CircuitErrors& errors(std::size_t kind) const { return errors_[kind]; }

 private:
  void run_layer(std::size_t layer, LayerRun& run) const;

  const model::Network& network_;
  std::array<CircuitErrors, kCircuitKinds> errors_;
};

/// The thresholds of one cell and how it starts.
struct CellBand {
  float beta_lo = 0.0F;
  float beta_hi = 0.0F;
  bool starts_on = false;
};

/// States of one cell in one clip: on[t * stride].
void run_cell(const LayerRun& run, std::size_t cell, const CellBand& band, std::uint8_t* on, std::size_t stride);

/// Calls visit(level, frame) for every time step whose state depends on beta_lo: the cell is on exactly if
/// beta_lo <= level. `frame` is the one that set the level.
template <typename Visit>
void visit_lower_levels(const LayerRun& run, std::size_t cell, float beta_hi, bool starts_on, const Visit& visit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float level = starts_on ? kInfinity : -kInfinity;  // of all candidates since the cell was last set, the least
  std::size_t frame = 0;
  for (std::size_t t = 0; t < run.frames(); ++t) {
    const float candidate = run.candidate(t, cell);
    if (candidate >= beta_hi) {
      level = kInfinity;
      continue;
    }
    if (candidate < level) {
      level = candidate;
      frame = t;
    }
    if (level != -kInfinity) visit(level, frame);
  }
}

/// Likewise for beta_hi: on exactly if beta_hi <= level.
template <typename Visit>
void visit_upper_levels(const LayerRun& run, std::size_t cell, float beta_lo, bool starts_on, const Visit& visit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float level = starts_on ? kInfinity : -kInfinity;  // of all candidates since the cell was last reset, the greatest
  std::size_t frame = 0;
  for (std::size_t t = 0; t < run.frames(); ++t) {
    const float candidate = run.candidate(t, cell);
    if (candidate < beta_lo) {
      level = -kInfinity;
      continue;
    }
    if (candidate > level) {
      level = candidate;
      frame = t;
    }
    if (level != kInfinity) visit(level, frame);
  }
}

/// Visits the levels of one threshold: beta_hi if `upper`, else beta_lo.
template <typename Visit>
void visit_levels(const LayerRun& run, std::size_t cell, bool upper, const CellBand& band, const Visit& visit) {
  if (upper) {
    visit_upper_levels(run, cell, band.beta_lo, band.starts_on, visit);
  } else {
    visit_lower_levels(run, cell, band.beta_hi, band.starts_on, visit);
  }
}

/// Beyond this many deviations a threshold counts as safe.
inline constexpr double kFarSigmas = 6.0;

/// Probability that a threshold and a level at `distance` change sides under an error of `variance`.
inline double crossing_probability(double distance, double variance) {
  if (distance * distance > kFarSigmas * kFarSigmas * variance) return 0.0;
  return 0.5 * std::erfc(std::abs(distance) / std::sqrt(2.0 * variance));
}

}  // namespace hysteron::compile
