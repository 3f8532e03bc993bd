#include "studies/noise_study.h"

#include <limits>

#include "base/check_range.h"
#include "base/error.h"
#include "base/parameters.h"
#include "design/cell_test_setup.h"

namespace hysteron::studies {
namespace {

constexpr double kMaxDeviation = 1.0;
constexpr std::size_t kMaxTrials = 10000;
constexpr std::size_t kFewestSamples = 100;
constexpr std::size_t kMaxSamples = 1000000;
constexpr double kFastestSample = 1e-5;
constexpr double kSlowestSample = 1.0;
constexpr double kFastestDeviceSample = 1e-7;
constexpr double kMaxMargin = 100.0;

void check_suppression(const analysis::SuppressionRequest& request) {
  if (request.deviations.empty() || request.places.empty()) {
    throw bad_input("expected at least one noise level and one position in the band");
  }
  for (const double deviation : request.deviations) check_range("sigma", deviation, 1e-6, kMaxDeviation);
  for (const double place : request.places) check_range("places", place, 0.01, 10.0);
  check(parameters::kCellCapacitance, request.cell_capacitance);
  check_range("trials", static_cast<double>(request.trials), analysis::kFewTrials, kMaxTrials);
  check_range("samples", static_cast<double>(request.samples), kFewestSamples, kMaxSamples);
  check_range("sample_seconds", request.sample_seconds, kFastestSample, kSlowestSample);
}

void check_device_noise(const analysis::DeviceNoiseRequest& request) {
  if (request.margins.empty()) throw bad_input("device_margins: none; expected at least one");
  for (const double margin : request.margins) check_range("device_margins", margin, 0.1, kMaxMargin);
  check_range("device_trials", static_cast<double>(request.trials), 0, kMaxTrials);
  check_range("device_samples", static_cast<double>(request.samples), kFewestSamples, kMaxSamples);
  check_range("device_sample_seconds", request.sample_seconds, kFastestDeviceSample, kSlowestSample);
}

analysis::DeviceNoise study_device_noise(const design::DesignContext& context, const analysis::Suppression& suppression,
                                         double law_seconds, const analysis::DeviceNoiseRequest& request,
                                         Reporter& reporter) {
  analysis::CellTestSetup lab = design::make_lab(context);
  design::StageProgress progress("measuring device noise", 1, reporter);
  progress.begin("");
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  analysis::DeviceNoise result =
      analysis::measure_device_noise(lab, suppression.cell, suppression.fit, law_seconds, request);
  progress.finish();
  return result;
}

analysis::Suppression study_suppression(const design::DesignContext& context,
                                        const analysis::SuppressionRequest& request, Reporter& reporter) {
  for (const double supply : request.supplies) design::check_supply(supply, context.technology());
  for (const double temperature : request.temperatures) design::check_temperature(temperature, context.technology());
  analysis::CellTestSetup lab = design::make_lab(context);
  design::StageProgress progress("measuring noise suppression", 1, reporter);
  progress.begin("");
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  analysis::Suppression result = analysis::measure_suppression(lab, request);
  progress.finish();
  return result;
}

std::vector<FlipShare> flip_shares(const std::vector<analysis::FlipCount>& counts) {
  std::vector<FlipShare> shares;
  for (const analysis::FlipCount& count : counts) {
    const double share = count.samples == 0 ? std::numeric_limits<double>::quiet_NaN()
                                            : static_cast<double>(count.flips) / static_cast<double>(count.samples);
    shares.push_back(
        {count, share, analysis::wilson_interval(count.flips, count.samples), analysis::gaussian_tail(count.margin)});
  }
  return shares;
}

}  // namespace

void check_noise(const NoiseRequest& request) {
  check_suppression(request.suppression);
  check_device_noise(request.devices);
}

std::vector<std::string> NoiseStudy::failures() const {
  std::vector<std::string> all = suppression.failures;
  all.insert(all.end(), devices.failures.begin(), devices.failures.end());
  return all;
}

NoiseStudy study_noise(const design::DesignContext& context, const NoiseRequest& request, Reporter& reporter) {
  check_noise(request);
  NoiseStudy study;
  study.operating_point = context.operating_point();
  study.request = request;
  study.suppression = study_suppression(context, request.suppression, reporter);
  study.flips = flip_shares(study.suppression.flips);
  study.fit_offset = analysis::interval_of(study.suppression.resampled, &analysis::FlipFit::offset);
  study.fit_slope = analysis::interval_of(study.suppression.resampled, &analysis::FlipFit::slope);
  try {
    study.devices =
        study_device_noise(context, study.suppression, request.suppression.sample_seconds, request.devices, reporter);
  } catch (const Error& error) {  // what protocol A found is reported all the same
    if (error.kind() != ErrorKind::kSimulator) throw;
    study.devices.failures.emplace_back(error.what());
  }
  return study;
}

}  // namespace hysteron::studies
