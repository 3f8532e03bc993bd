#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "behavioural/power_model.h"
#include "design/context.h"
#include "studies/power_measurement.h"

namespace hysteron::studies {

struct PowerRequest {
  std::vector<std::size_t> dims = {4, 8, 16, 32};                   ///< widths simulated in ngspice
  std::vector<std::size_t> model_dims = {64, 128, 256, 512, 1024};  ///< widths by the power model alone
  std::size_t frames = 6;                                           ///< of the drawn clip, and of a rest
  std::size_t decision_frames = 101;                                ///< that a decision of a drawn network takes
  std::uint64_t seed = 1;                                           ///< of networks and clip
  std::filesystem::path folder;                                     ///< where sizes are kept; empty: nowhere
};

/// One width of the drawn networks.
struct PowerPoint {
  std::size_t dim = 0;
  std::vector<behavioural::PowerSplit> draws;  ///< by the model, of every network and clip, while listening, watt
  behavioural::PowerSplit model;               ///< their mean
  behavioural::PowerSplit rest;                ///< mean with inputs of zero, watt
  double energy_per_frame = 0.0;               ///< joule, by the model
  double energy_per_decision = 0.0;            ///< likewise
  std::optional<MeasuredPower> measured;       ///< the first network and clip in ngspice; of PowerRequest::dims
  std::string error;                           ///< why it could not be measured
};

/// How far the model's total is from ngspice's at most, relative, over the networks that both ran; NaN without any.
struct ModelErrors {
  double own_bits = 0.0;   ///< the model with its own bits
  double same_bits = 0.0;  ///< with those that the circuit held
  double settled = 0.0;    ///< these against the last tenth of every frame
  double at_rest = 0.0;    ///< these at rest
};

struct PowerStudy {
  std::vector<PowerPoint> points;  ///< by width
  double frame_seconds = 0.0;
  std::size_t decision_frames = 0;
  analysis::Exponent cells;              ///< of the model's power over the width
  analysis::Exponent square_legs;        ///< of what leaves through d x d legs
  analysis::Exponent feedforward_large;  ///< of all feedforward, from width 256; NaN below two such widths
  std::vector<LocalExponents> local;
  PowerFit fit_total;
  PowerFit fit_feedforward;
  std::optional<PowerScaling> spice_scaling;  ///< of what was measured, with two widths at least
  ModelErrors worst_errors;
  std::size_t failed = 0;  ///< widths that could not be measured
};

/// Throws a bad-input Error unless widths are even, different and at least three.
void check_power_request(const PowerRequest& request);

/// Models and simulates the synthetic networks of all widths. A width that ngspice fails on is a warning and
/// PowerPoint::error.
PowerStudy study_power(const design::DesignContext& context, const PowerRequest& request, Reporter& reporter);

/// What `power` finds: drawn networks of several widths, networks of the user, or both.
struct PowerResult {
  design::OperatingPoint operating_point;
  std::optional<PowerStudy> widths;
  std::optional<NetworksPower> networks;

  std::size_t failed() const;  ///< networks that could not be simulated
};

}  // namespace hysteron::studies
