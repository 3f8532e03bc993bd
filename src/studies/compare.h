#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
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

/// What a chip was found to do, and its constants.
struct Comparison {
  std::vector<double> begins;  ///< second of each record at which frame 0 begins
  analysis::MeasuredAgreement agreement;
  analysis::ErrorGrowth growth;
  analysis::MeasuredSuppression suppression;
  analysis::ThresholdFit thresholds;
  std::vector<analysis::RailConstants> rails;
  analysis::ParameterFit fit;
  double level_ratio =
      1.0;  ///< RMS of a signal over the software's, the median of all; far from 1 where a unit is wrong
  std::optional<compile::Power> power;  ///< where both supply currents were measured and the voltage is known
};

/// Compares the waveforms with `network`. Throws what data::read_measured and analysis::align throw, and a bad-input
/// Error where files and clips differ in number.
Comparison compare(const model::Network& network, const data::Features& features, const CompareRequest& request);

/// All of it as docs/silicon.md has the fields; null where nothing was measured.
nlohmann::ordered_json comparison_json(const Comparison& comparison, const model::Network& network);

/// Writes the die file of `comparison`; `name`: the model's.
void write_die(const std::filesystem::path& path, const Comparison& comparison, const model::Network& network,
               const std::string& name);

/// How a bench plays features.
struct BenchTiming {
  double unit_current = 1e-9;  ///< ampere
  double input_ramp = 1e-4;    ///< seconds an input takes from one frame's value to the next, at most a frame
};

/// Writes stimulus.npy (features), stimulus.csv (the input currents, linear between the lines) and stimulus.json (what
/// they are) into `folder`; gives what the last holds.
nlohmann::ordered_json write_stimulus(const std::filesystem::path& folder, const analysis::Stimulus& stimulus,
                                      const model::Network& network, const BenchTiming& timing);

}  // namespace hysteron::studies
