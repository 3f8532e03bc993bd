#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/device_noise.h"
#include "analysis/exponent.h"
#include "analysis/suppression.h"
#include "behavioural/accumulation.h"
#include "design/context.h"

namespace hysteron::studies {

/// Protocols A and C of docs/noise.md.
struct NoiseRequest {
  analysis::SuppressionRequest suppression;
  analysis::DeviceNoiseRequest devices;
};

/// How often noise took a state, as a share of its samples.
struct FlipShare {
  analysis::FlipCount count;
  double share = 0.0;           ///< NaN without samples
  analysis::Interval interval;  ///< Wilson's
  double gaussian_tail = 0.0;   ///< of a cell that flips whenever one sample is beyond its threshold
};

struct NoiseStudy {
  design::OperatingPoint operating_point;
  NoiseRequest request;
  analysis::Suppression suppression;  ///< protocol A
  std::vector<FlipShare> flips;       ///< of suppression.flips
  analysis::Interval fit_offset;      ///< 95 % over suppression.resampled; NaN without any
  analysis::Interval fit_slope;
  analysis::DeviceNoise devices;  ///< protocol C, by the flip law of A; where it failed, `failures` alone

  /// Why runs were not solved, of both protocols.
  std::vector<std::string> failures() const;
};

/// Throws a bad-input Error that names the value unless every current, deviation, place, margin and count of `request`
/// is possible; needs no simulation.
void check_noise(const NoiseRequest& request);

/// Both protocols under the context's conditions; a failure of C alone is kept among its failures. Throws as
/// check_noise, the cell's floor and analysis::measure_suppression.
NoiseStudy study_noise(const design::DesignContext& context, const NoiseRequest& request, Reporter& reporter);

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

/// What the devices of a technology do to the current of a mirror.
struct MirrorNoise {
  design::OperatingPoint operating_point;
  double frame_seconds = 0.0;
  double deviation = 0.0;  ///< relative, in a frame
};

/// By their thermal and flicker noise, at the unit current.
MirrorNoise measure_mirror_noise(const design::DesignContext& context, double frame_seconds, Reporter& reporter);

struct AccumulationStudyRequest {
  behavioural::AccumulationRequest chains;  ///< but for its noise
  std::vector<double> noises = {0.01};      ///< relative deviations of every mirror's current in a frame
  std::optional<MirrorNoise> mirrors;       ///< one deviation more, the first
  std::filesystem::path folder;  ///< keeps every memory under every noise, so that the same request goes on; or empty
};

struct AccumulationStudy {
  behavioural::AccumulationRequest chains;  ///< but for its noise
  std::optional<MirrorNoise> mirrors;
  std::vector<double> noises;  ///< that of the mirrors among them
  std::vector<AccumulationLevel> levels;
};

/// Throws a bad-input Error that names the value unless `request` is possible.
void check_accumulation(const AccumulationStudyRequest& request);

/// Every kind of memory under every noise. Throws as check_accumulation, and kInterrupted with what is kept.
AccumulationStudy study_accumulation(const AccumulationStudyRequest& request, int jobs, Reporter& reporter,
                                     const StopFlag& stop);

}  // namespace hysteron::studies
