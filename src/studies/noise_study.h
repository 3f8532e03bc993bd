#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "analysis/device_noise.h"
#include "analysis/exponent.h"
#include "analysis/suppression.h"
#include "behavioural/accumulation.h"
#include "design/context.h"

namespace hysteron::studies {

/// Throws a bad-input Error that names the value unless every current, deviation, place and count of `request` is
/// possible; needs no simulation.
void check_suppression(const analysis::SuppressionRequest& request);

/// Protocol A of docs/noise.md under the context's conditions. Throws as check_suppression, the cell's floor and
/// analysis::measure_suppression.
analysis::Suppression study_suppression(const design::DesignContext& context,
                                        const analysis::SuppressionRequest& request, Reporter& reporter);

/// Throws a bad-input Error that names the value unless every place, margin and count of `request` is possible.
void check_device_noise(const analysis::DeviceNoiseRequest& request);

/// Protocol C of docs/noise.md for the cell that protocol A tuned, by its flip law. Throws as check_device_noise and
/// analysis::measure_device_noise.
analysis::DeviceNoise study_device_noise(const design::DesignContext& context, const analysis::Suppression& suppression,
                                         double law_seconds, const analysis::DeviceNoiseRequest& request,
                                         Reporter& reporter);

/// An error over frames or layers: its value at some of them and the exponent of its growth.
struct Growth {
  std::vector<std::size_t> at;
  std::vector<double> error;      ///< NaN where every bit that was on is lost
  std::vector<double> all_error;  ///< with the bits that are lost
  std::vector<double> wrong_bits;
  analysis::Exponent exponent;  ///< over the errors that are there
};

/// How noise piles up in one kind of memory.
struct AccumulationResult {
  behavioural::Accumulation run;
  Growth over_frames;  ///< of the first layer, after 1, 2, 5, 10 ... frames
  Growth over_layers;  ///< after the last frame
};

/// Every kind of memory under noise of one deviation.
struct AccumulationLevel {
  double noise = 0.0;
  std::vector<AccumulationResult> memories;
};

struct AccumulationStudyRequest {
  behavioural::AccumulationRequest chains;  ///< but for its noise
  std::vector<double> noises = {0.01};      ///< relative deviations of every mirror's current in a frame
  std::filesystem::path folder;  ///< keeps every memory under every noise, so that the same request goes on; or empty
};

/// Throws a bad-input Error that names the value unless `request` is possible.
void check_accumulation(const AccumulationStudyRequest& request);

/// Every kind of memory under every noise. Throws as check_accumulation, and kInterrupted with what is kept.
std::vector<AccumulationLevel> study_accumulation(const AccumulationStudyRequest& request, int jobs, Reporter& reporter,
                                                  const StopFlag& stop);

nlohmann::ordered_json accumulation_json(const std::vector<AccumulationLevel>& levels,
                                         const AccumulationStudyRequest& request);

}  // namespace hysteron::studies
