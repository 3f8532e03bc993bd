#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/measured_agreement.h"
#include "analysis/parameter_fit.h"
#include "analysis/stimulus.h"
#include "compile/clip_bench.h"
#include "data/features.h"
#include "model/network.h"

namespace hysteron::studies {

/// Measured waveforms of a chip, a file a clip.
struct CompareRequest {
  std::vector<std::filesystem::path> measured;
  std::vector<std::size_t> clips;  ///< of the features, one for each file
  analysis::BenchScale scale;
  std::optional<double> supply;  ///< volt; none: no power
  std::uint64_t seed = 1;        ///< of the bootstrap
};

/// What one cell of the chip is, beside what the model has.
struct ComparedCell {
  analysis::CellConstants constants;
  float beta_hi = 0.0F;  ///< of the model, like the next two
  float beta_lo = 0.0F;
  float alpha = 0.0F;
};

/// What a chip was found to do, and its constants.
struct Comparison {
  std::vector<double> begins;  ///< second of each record at which frame 0 begins
  analysis::MeasuredAgreement agreement;
  analysis::ErrorGrowth growth;
  analysis::MeasuredSuppression suppression;
  std::size_t suppression_cells = 0;  ///< that could be on
  std::size_t suppression_known = 0;  ///< of them, on often enough for an interval
  std::vector<ComparedCell> cells;    ///< layer by layer
  analysis::SpeedLaw sets;            ///< what speed adds to thresholds
  analysis::SpeedLaw resets;
  std::vector<analysis::RailConstants> rails;
  analysis::ParameterFit fit;
  double level_ratio =
      1.0;  ///< RMS of a signal over the software's, the median of all; far from 1 where a unit is wrong
  std::optional<compile::Power> power;  ///< where both supply currents were measured and the voltage is known
};

/// Compares the waveforms with `network`. Throws what data::read_measured and analysis::align throw, and a bad-input
/// Error where files and clips differ in number.
Comparison compare(const model::Network& network, const data::Features& features, const CompareRequest& request);

/// How a bench plays features.
struct BenchTiming {
  double unit_current = 1e-9;  ///< ampere
  double input_ramp = 1e-4;    ///< seconds an input takes from one frame's value to the next, at most a frame
};

/// A stimulus as it was written for a bench; times in seconds.
struct WrittenStimulus {
  std::filesystem::path folder;
  std::size_t frames = 0;
  std::size_t inputs = 0;
  double frame_seconds = 0.0;
  double seconds = 0.0;       ///< of all frames
  double unit_current = 0.0;  ///< ampere
  double input_ramp = 0.0;
  double reset = 0.0;  ///< of frame 0, while reset is held high
  std::vector<analysis::StimulusRamp> ramps;
  std::vector<analysis::StimulusRamp> unreached;  ///< thresholds that no input was found for
};

/// Writes stimulus.npy (features) and stimulus.csv (the input currents, linear between the lines) into `folder`; gives
/// what they are.
WrittenStimulus write_stimulus(const std::filesystem::path& folder, const analysis::Stimulus& stimulus,
                               const model::Network& network, const BenchTiming& timing);

}  // namespace hysteron::studies
