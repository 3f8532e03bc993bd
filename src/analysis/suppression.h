#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/cell_loop.h"
#include "analysis/flip_fit.h"
#include "analysis/ratio.h"
#include "analysis/yield.h"

namespace hysteron::analysis {

inline constexpr std::size_t kFitResamples = 500;

/// Protocol A of docs/noise.md: noise at the candidate of a cell that holds a state.
struct SuppressionRequest {
  compile::CellTarget target = {1e-9, 0.5e-9, 1e-9};                     ///< ampere; width half of the rise
  std::vector<double> deviations = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2};  ///< of the noise, over the rise
  std::vector<double> places = {0.25, 0.5, 0.75, 1.5};  ///< of the held candidate in the band; above 1 only on
  std::size_t trials = 8;                               ///< of every point, each with noise of its own
  std::size_t samples = 500;                            ///< of one trial
  double sample_seconds = 0.5e-3;                  ///< noise is linear between samples: band-limited to half their rate
  std::vector<double> supplies = {1.2, 1.5, 1.8};  ///< volt, of the retention time
  std::vector<double> temperatures = {-40.0, 27.0, 85.0};  ///< degree Celsius
  double cell_capacitance = 80e-15;                        ///< farad at V0, as compiled cells have it
  std::uint64_t seed = 1;
};

/// Suppression of the noise between two frequencies, hertz.
struct BandRatio {
  double low = 0.0;
  double high = 0.0;
  std::size_t trials = 0;  ///< that did not flip: what the ratio rests on
  Ratio ratio;             ///< NaN where they are fewer than kFewTrials
};

/// One state held at one candidate under noise of one deviation.
struct HeldPoint {
  bool on = false;
  double place = 0.0;        ///< of the candidate in the band: 0 at the lower threshold, 1 at the upper one
  double candidate = 0.0;    ///< ampere
  double deviation = 0.0;    ///< of the noise asked for, over the rise
  double input = 0.0;        ///< deviation of the candidate as measured, ampere
  double output = 0.0;       ///< and of the output while the state holds, ampere
  Ratio suppression;         ///< (input / rise) / (output / high); NaN where `reason` is not empty
  std::size_t trials = 0;    ///< that held long enough to count: what the figures rest on
  std::string reason;        ///< why there are none
  double floor = 0.0;        ///< suppression if the output moved as it does without any noise
  double noisy_floor = 0.0;  ///< if it moved by what closer tolerances change of a trial under this noise
  double margin = 0.0;       ///< distance of the candidate from the threshold that would flip it, ampere
  std::size_t flips = 0;     ///< trials in which noise took the state
  std::size_t samples = 0;   ///< noise samples that were begun until then, that of the flip too
  std::size_t unheld = 0;    ///< trials whose state was lost before the noise began; they count for nothing
  std::size_t failed = 0;    ///< trials that were not solved
  std::vector<BandRatio> bands;
};

/// How long a bit lasts, by the fitted flip law: the candidate in the middle of the band that was tuned, the
/// thresholds as measured in `environment`, the unit current ideal.
struct NoiseRetention {
  compile::CellEnvironment environment;
  MeasuredLoop loop;
  double deviation = 0.0;     ///< of the noise, over the tuned rise
  double on_exponent = 0.0;   ///< decimal logarithm of the mean seconds until an on state is lost
  double off_exponent = 0.0;  ///< and an off state; both NaN without a fit or a loop
  Interval on_interval;       ///< 95 % of on_exponent over Suppression::resampled
  Interval off_interval;
};

/// How often a state was lost in `environment`, the candidate where NoiseRetention has it.
struct CountedRetention {
  compile::CellEnvironment environment;
  bool on = false;
  double deviation = 0.0;   ///< of the noise, over the tuned rise: the largest one asked for
  std::size_t flips = 0;    ///< of SuppressionRequest::trials trials
  std::size_t samples = 0;  ///< noise samples that were begun until then, that of the flip too
  std::size_t unheld = 0;   ///< trials whose state was lost before the noise began; they count for nothing
  std::size_t failed = 0;   ///< trials that were not solved
  double exponent = 0.0;    ///< decimal logarithm of the mean seconds that the state lasted; infinite without a flip
  Interval interval;        ///< of it, 95 %: Wilson's of the flips among samples
};

/// What protocol A found.
struct Suppression {
  TunedCell cell;
  std::vector<HeldPoint> points;
  std::vector<FlipCount> flips;  ///< of both states, one a point; margins over the deviation
  FlipFit fit;
  std::vector<FlipFit> resampled;         ///< of kFitResamples sets of points drawn with replacement; none without
                                          ///< `fit`, or where fewer than half of the sets have one
  std::vector<NoiseRetention> retention;  ///< [supplies and temperatures][deviations]
  std::vector<CountedRetention> counted;  ///< [supplies and temperatures][on, off]
  std::vector<std::string> failures;      ///< why trials were not solved
};

/// Of `samples` noise samples, those whose line had begun when the state flipped, `flip` seconds after the noise began:
/// the one under way took part in it. All where `flip` is NaN.
std::size_t samples_begun(double flip, double sample_seconds, std::size_t samples);

/// Tunes a cell to the target and measures every point in the lab's engine. A trial ends where V0 passes half the
/// supply; it counts as a flip, and its last 5 ms not as noise of a held state. One trial of every noisy point runs
/// again with closer tolerances and shorter steps. Throws kInterrupted, bad-input Errors, and a simulator Error if the
/// cell cannot be tuned or no trial was solved.
Suppression measure_suppression(const CellTestSetup& lab, const SuppressionRequest& request);

}  // namespace hysteron::analysis
