#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hysteron/analysis/exponent.h"
#include "hysteron/behavioural/power_model.h"
#include "hysteron/compile/clip_bench.h"
#include "hysteron/flow/circuit.h"

namespace hysteron::flow {

struct PowerRequest {
  std::vector<std::size_t> dims = {4, 8, 16, 32};                   ///< widths simulated in ngspice
  std::vector<std::size_t> model_dims = {64, 128, 256, 512, 1024};  ///< widths by the power model alone
  std::size_t frames = 6;                                           ///< of the clip, drawn
  std::uint64_t seed = 1;                                           ///< of networks and clip
};

/// One width.
struct PowerPoint {
  std::size_t dim = 0;
  std::size_t draws = 0;                   ///< networks and clips that `model` and `rest` are means of
  behavioural::PowerSplit model_of_first;  ///< of the one that ngspice simulates
  behavioural::PowerSplit model;           ///< watt, while listening
  behavioural::PowerSplit rest;            ///< watt, with inputs of zero
  std::optional<compile::Power> spice;     ///< watt, while listening; of PowerRequest::dims
};

/// P = constant + linear d + quadratic d^2, least squares of relative errors, watt.
struct PowerFit {
  double constant = 0.0;
  double linear = 0.0;
  double quadratic = 0.0;
  double worst = 0.0;  ///< largest relative error of the points
};

struct PowerStudy {
  std::vector<PowerPoint> points;  ///< by width
  PowerFit total;
  PowerFit feedforward;
  analysis::Exponent cells;        ///< over all widths
  analysis::Exponent square_legs;  ///< legs of the d x d weights, over all widths
  analysis::Exponent
      feedforward_large;           ///< the whole feedforward part over the widths from 256 on; NaN below two of them
  std::vector<double> local;       ///< exponent of the feedforward part between each two neighbouring widths
  double worst_model_error = 0.0;  ///< of the model's total against ngspice, relative
  double frame_seconds = 0.0;
};

/// A network of `dim` cells a layer, 13 inputs, two layers and two outputs whose legs carry the same mean current at
/// every even `dim`: channels come in twins with equal rows, and the legs from a twin pair cancel but for those from a
/// channel's own pair, so that sums do not grow with the width. docs/power.md has the draw.
model::Network twin_network(std::size_t dim, std::uint64_t seed);

/// Throws a bad-input Error unless widths are even, ascending and at least two.
void check_power_request(const PowerRequest& request);

/// Simulates and models the twin networks of all widths.
PowerStudy study_power(const Workshop& workshop, const PowerRequest& request, Reporter& reporter);

nlohmann::json power_study_json(const PowerStudy& study);

}  // namespace hysteron::flow
