#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/cell_loop.h"
#include "analysis/flip_fit.h"
#include "analysis/noise_source.h"
#include "analysis/ratio.h"

namespace hysteron::analysis {

/// Protocol C of docs/noise.md: the thermal and flicker noise of the transistors of a cell that holds a state.
struct DeviceNoiseRequest {
  std::vector<double> places = {0.25, 0.5, 0.75, 1.5};  ///< of the held candidate in the band; above 1 only on
  double edge = 0.01;          ///< distance over the rise at which the noise of a threshold is read
  double low = 0.1;            ///< hertz, where every band begins
  double band = 1e3;           ///< hertz, the end of the band a state answers to; that of protocol A
  double high = 1e6;           ///< hertz, the end of the whole band
  std::size_t trials = 4;      ///< in time, of every point; 0: small-signal noise alone
  std::size_t samples = 1500;  ///< of one trial
  double sample_seconds = 20e-6;
  std::vector<double> margins = {1.0, 2.0, 4.0};  ///< distances from a threshold in time, over its noise's deviation
  double cell_capacitance = 50e-15;               ///< farad at V0
  std::uint64_t seed = 1;
};

/// A transistor's own noise at its bias, and its share of the power that reaches the output and the candidate.
struct NoisyDevice {
  std::string name;
  double current = 0.0;          ///< of the drain, ampere
  NoiseDensity density;          ///< of the drain current
  double output_share = 0.0;     ///< from the low end to the high one
  double candidate_share = 0.0;  ///< from the low end to that of the band
};

/// Densities at one frequency, A/sqrt(Hz).
struct SpotNoise {
  double frequency = 0.0;
  double output = 0.0;
  double candidate = 0.0;
};

/// What trials in time gave; NaN where there are none.
struct NoiseInTime {
  double output_expected = 0.0;  ///< deviation of the output that the small-signal noise gives in the trials' band
  double switch_expected = 0.0;  ///< and of V0, referred to the candidate by the gain at the low end, ampere
  double output = 0.0;           ///< measured, ampere
  double candidate = 0.0;        ///< V0's measured deviation, referred likewise
  Ratio output_ratio;            ///< measured over expected
  Ratio candidate_ratio;
  std::size_t flips = 0;     ///< trials in which V0 passed half the supply
  std::size_t returned = 0;  ///< those of them in which it was back at the end
  std::size_t trials = 0;
};

/// A state held at one candidate with the noise of its devices.
struct NoisyHold {
  bool on = false;
  double place = 0.0;           ///< in the band as protocol A has it; NaN of a point near a threshold
  double margin = 0.0;          ///< distance from the threshold that would flip it, ampere
  double candidate = 0.0;       ///< ampere
  bool held = false;            ///< whether the operating point is the wanted state; if not, nothing below is known
  double gain = 0.0;            ///< V0 over the candidate at the low end, ohm
  double output_band = 0.0;     ///< deviation of the output, low end to that of the band, ampere
  double output_full = 0.0;     ///< to the high end
  double candidate_band = 0.0;  ///< deviation referred to the candidate, low end to that of the band
  double candidate_flicker =
      0.0;  ///< its density at the low end times the low end, A²: what a decade more adds over 2.3
  std::vector<SpotNoise> spots;
  std::vector<NoisyDevice> devices;
  NoiseInTime time;
};

/// How long a bit lasts by the flip law with the noise of the threshold that would lose it.
struct DeviceRetention {
  bool on = false;
  double threshold = 0.0;            ///< found on slower ramps than protocol A's, ampere
  double deviation = 0.0;            ///< of the noise at the candidate near the threshold, low end to that of the band
  double deviation_over_rise = 0.0;  ///< over the upper threshold, found likewise
  double long_deviation = 0.0;       ///< with flicker noise down to one period in ten years
  double margin = 0.0;               ///< of a candidate in the middle of the band over long_deviation
  double exponent = 0.0;             ///< decimal logarithm of the mean seconds there
  std::vector<double> needed;  ///< [kRetentionSeconds] distance from the threshold that keeps a bit so long, ampere
  std::vector<double> needed_over_rise;  ///< the same over the upper threshold
};

/// An hour, a year and ten years.
inline constexpr double kRetentionSeconds[] = {3600.0, 3.156e7, 3.156e8};

/// A point near a threshold in time, against the flip law.
struct NearThreshold {
  NoisyHold hold;
  double margin_over_deviation = 0.0;
  double expected_flips = 0.0;  ///< of its trials, by the law; NaN without trials
};

/// What protocol C found.
struct DeviceNoise {
  std::vector<NoisyHold> held;
  std::vector<NoisyHold> edges;  ///< on at the lower threshold, off at the upper one
  FlipFit law;
  bool law_is_fitted = false;  ///< or the plain Gaussian tail, for want of flips
  std::vector<DeviceRetention> retention;
  std::vector<NearThreshold> near;
  std::vector<std::string> failures;
};

/// Measures a cell that was tuned. `law` gives the probability that a sample of `law_seconds` flips a state; without a
/// slope (NaN) the Gaussian tail stands in for it. Throws kInterrupted, bad-input Errors, and a simulator Error if the
/// small-signal noise of no point was found.
DeviceNoise measure_device_noise(const CellTestSetup& lab, const TunedCell& cell, const FlipFit& law,
                                 double law_seconds, const DeviceNoiseRequest& request);

}  // namespace hysteron::analysis
