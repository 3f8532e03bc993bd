#include <cmath>
#include <limits>

#include "golden.h"
#include "report/accumulation_report.h"
#include "report/noise_report.h"

namespace hysteron::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

analysis::Suppression sample_suppression() {
  analysis::Suppression result;
  result.cell.loop.loop = {1e-9, 0.5e-9, 1e-9, 1e-13};
  analysis::HeldPoint quiet;
  quiet.on = true;
  quiet.place = 0.5;
  quiet.candidate = 0.75e-9;
  quiet.deviation = 0.02;
  quiet.input = 20e-12;
  quiet.output = 0.4e-12;
  quiet.suppression = {50.0, 45.0, 56.0};
  quiet.trials = 3;
  quiet.floor = 4000.0;
  quiet.noisy_floor = 900.0;
  quiet.samples = 300;
  quiet.bands = {{1.0, 10.0, 3, {60.0, 50.0, 70.0}}, {10.0, 100.0, 2, {kNan, kNan, kNan}}};
  analysis::HeldPoint loud = quiet;
  loud.on = false;
  loud.deviation = 0.2;
  loud.output = kNan;
  loud.suppression = {kNan, kNan, kNan};
  loud.trials = 1;
  loud.reason = "1 of 3 trials held long enough";
  loud.flips = 2;
  loud.unheld = 1;
  loud.failed = 1;
  result.points = {quiet, loud};
  result.fit = {0.1, 0.3, 1.2, 0.2, 12};
  result.resampled = {result.fit, result.fit};
  result.retention = {
      {{"", 1.8, 27.0}, {{1e-9, 0.5e-9, 1e-9, 0.0}, "", true}, 0.02, 24.5, kNan, {20.0, 30.0}, {kNan, kNan}}};
  result.counted = {{{"", 1.8, 27.0}, true, 0.2, 3, 900, 0, 0, -0.5, {-0.9, 0.1}},
                    {{"", 1.8, 27.0}, false, 0.2, 0, 1500, 1, 0, kInfinity, {0.3, kInfinity}}};
  result.failures = {"timestep too small"};
  return result;
}

analysis::NoisyHold sample_hold() {
  analysis::NoisyHold hold;
  hold.on = true;
  hold.place = 0.5;
  hold.margin = 0.25e-9;
  hold.candidate = 0.75e-9;
  hold.held = true;
  hold.gain = 2e7;
  hold.output_band = 1e-12;
  hold.output_full = 3e-12;
  hold.candidate_band = 0.4e-12;
  hold.spots = {{1.0, 1e-14, 2e-14}};
  hold.devices = {{"m5", 1e-9, {3e-28, 4e-27}, 0.6, 0.1}};
  hold.time.output_expected = 1e-12;
  hold.time.output = 1.1e-12;
  hold.time.switch_expected = 0.4e-12;
  hold.time.candidate = kNan;
  hold.time.output_ratio = {1.1, 0.9, 1.3};
  hold.time.candidate_ratio = {kNan, kNan, kNan};
  hold.time.trials = 4;
  hold.time.flips = 1;
  hold.time.returned = 1;
  return hold;
}

analysis::DeviceNoise sample_devices() {
  analysis::DeviceNoise result;
  analysis::NoisyHold lost;
  lost.place = 0.25;
  result.held = {sample_hold(), lost};
  analysis::NoisyHold edge = sample_hold();
  edge.place = kNan;
  result.edges = {edge};
  result.law_is_fitted = true;
  result.retention = {
      {true, 0.5e-9, 0.4e-12, 0.4e-3, 0.7e-12, 350.0, 900.0, {2e-12, 3e-12, 3.2e-12}, {2e-3, 3e-3, 3.2e-3}}};
  result.near = {{edge, 2.0, 0.7}};
  return result;
}

studies::NoiseStudy sample_noise() {
  studies::NoiseStudy study;
  study.operating_point = {"generic180", 1.8, 1e-9};
  study.suppression = sample_suppression();
  study.flips = {{{12.5, 0, 300}, 0.0, {0.0, 0.0126}, 3.7e-36}, {{1.25, 0, 0}, kNan, {0.0, 1.0}, 0.1056}};
  study.fit_offset = {0.05, 0.2};
  study.fit_slope = {1.1, 1.3};
  study.devices = sample_devices();
  return study;
}

TEST(Golden, Noise) { check_golden("noise", noise_table(), sample_noise()); }

TEST(Golden, NoiseWithoutALawOrDeviceNoise) {
  studies::NoiseStudy study = sample_noise();
  study.suppression.fit = {kNan, kNan, kNan, kNan, 0};
  study.suppression.resampled.clear();
  study.fit_offset = study.fit_slope = {kNan, kNan};
  study.devices = {};
  study.devices.failures = {"no operating point"};
  check_golden("noise_without_law", noise_table(), study);
}

studies::Growth sample_growth(std::size_t last) {
  studies::Growth growth;
  growth.at = {1, last};
  growth.error = {0.01, kNan};
  growth.all_error = {0.01, 0.7};
  growth.wrong_bits = {0.0, 0.5};
  growth.exponent = {kNan, kNan};
  return growth;
}

TEST(Golden, Accumulation) {
  studies::AccumulationStudy study;
  study.chains.frames = 2;
  study.chains.layers = 2;
  study.mirrors = studies::MirrorNoise{{"generic180", 1.8, 1e-9}, 0.01, 0.0007};
  study.noises = {0.0007};
  studies::AccumulationResult cell;
  cell.run.frames = {1, 2};
  cell.run.errors = {0.01, kNan, 0.02, 0.03};
  cell.over_frames = cell.over_layers = sample_growth(2);
  studies::AccumulationResult leaky = cell;
  leaky.run.memory = behavioural::Memory::kLeaky;
  leaky.over_frames.wrong_bits = {0.0, 0.0};
  leaky.over_frames.exponent = {0.5, 0.02};
  study.levels = {{0.0007, {cell, leaky}}};
  check_golden("accumulation", accumulation_table(), study);
}

}  // namespace
}  // namespace hysteron::report
