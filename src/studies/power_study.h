#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
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
  std::optional<MeasuredPower> measured;       ///< the first network and clip in ngspice; of PowerRequest::dims
  std::string error;                           ///< why it could not be measured
};

struct PowerStudy {
  std::vector<PowerPoint> points;  ///< by width
  double frame_seconds = 0.0;
  std::size_t decision_frames = 0;

  /// How far the model's total is from ngspice's at most, relative, over the networks that both ran: the model with its
  /// own bits, with those that the circuit held, these against the last tenth of every frame, and these at rest.
  enum class Against { kOwnBits, kSameBits, kSettled, kAtRest };
  double worst_model_error(Against against) const;
  std::size_t failed() const;
};

/// Throws a bad-input Error unless widths are even, different and at least three.
void check_power_request(const PowerRequest& request);

/// Models and simulates the synthetic networks of all widths. A width that ngspice fails on is a warning and
/// PowerPoint::error.
PowerStudy study_power(const design::DesignContext& context, const PowerRequest& request, Reporter& reporter);

/// All of it and what grows how: docs/power.md has the fields.
nlohmann::json power_study_json(const PowerStudy& study);

}  // namespace hysteron::studies
