#include "hysteron/flow/noise_study.h"

#include "flow/cell_lab.h"
#include "flow/check_range.h"
#include "hysteron/base/error.h"

namespace hysteron::flow {
namespace {

constexpr double kMostDeviation = 1.0;
constexpr std::size_t kMostTrials = 10000;
constexpr std::size_t kFewestSamples = 100;
constexpr std::size_t kMostSamples = 1000000;
constexpr double kFastestSample = 1e-5;
constexpr double kSlowestSample = 1.0;
constexpr double kFastestDeviceSample = 1e-7;
constexpr double kMostMargin = 100.0;

}  // namespace

void check_suppression(const analysis::SuppressionRequest& request) {
  if (request.deviations.empty() || request.places.empty()) {
    throw bad_input("expected at least one deviation and one place in the band");
  }
  for (const double deviation : request.deviations) check_range("--sigma", deviation, 1e-6, kMostDeviation);
  for (const double place : request.places) check_range("--places", place, 0.01, 10.0);
  if (request.cell_capacitance != 0.0) check_range("--cell-capacitance", request.cell_capacitance, 1e-16, 1e-9);
  check_range("--trials", static_cast<double>(request.trials), analysis::kFewTrials, kMostTrials);
  check_range("--samples", static_cast<double>(request.samples), kFewestSamples, kMostSamples);
  check_range("--sample-seconds", request.sample_seconds, kFastestSample, kSlowestSample);
}

void check_device_noise(const analysis::DeviceNoiseRequest& request) {
  if (request.margins.empty()) throw bad_input("--device-margins: expected at least one");
  for (const double margin : request.margins) check_range("--device-margins", margin, 0.1, kMostMargin);
  check_range("--device-trials", static_cast<double>(request.trials), 0, kMostTrials);
  check_range("--device-samples", static_cast<double>(request.samples), kFewestSamples, kMostSamples);
  check_range("--device-sample-seconds", request.sample_seconds, kFastestDeviceSample, kSlowestSample);
}

analysis::DeviceNoise study_device_noise(const Workshop& workshop, const analysis::Suppression& suppression,
                                         double law_seconds, const analysis::DeviceNoiseRequest& request,
                                         Reporter& reporter) {
  check_device_noise(request);
  analysis::CellLab lab = make_lab(workshop);
  StageProgress progress("measuring device noise", 1, reporter);
  progress.begin("");
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  analysis::DeviceNoise result =
      analysis::measure_device_noise(lab, suppression.cell, suppression.fit, law_seconds, request);
  progress.finish();
  return result;
}

analysis::Suppression study_suppression(const Workshop& workshop, const analysis::SuppressionRequest& request,
                                        Reporter& reporter) {
  check_suppression(request);
  for (const double supply : request.supplies) check_supply(supply, workshop.technology());
  for (const double temperature : request.temperatures) check_temperature(temperature, workshop.technology());
  analysis::CellLab lab = make_lab(workshop);
  StageProgress progress("measuring noise suppression", 1, reporter);
  progress.begin("");
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  analysis::Suppression result = analysis::measure_suppression(lab, request);
  progress.finish();
  return result;
}

}  // namespace hysteron::flow
