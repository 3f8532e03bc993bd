#pragma once

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace hysteron::analysis {

/// One-sided density of a noise current, S(f) = white + flicker / f.
struct NoiseDensity {
  double white = 0.0;    ///< A²/Hz
  double flicker = 0.0;  ///< A², the density at 1 Hz times 1 Hz
};

/// Samples of a stationary Gaussian current of that density, to be joined by straight lines (as ngspice's trnoise
/// does): white noise of deviation sqrt(white / (2 sample_seconds)), and flicker noise from `lowest` hertz to half the
/// sample rate as a sum of first-order low-pass noises, four corners a decade, within 2 % of 1/f two octaves inside.
std::vector<double> draw_noise(const NoiseDensity& density, double lowest, double sample_seconds, std::size_t samples,
                               Random random);

/// Share of the power at `frequency` that remains when noise is sampled, joined by straight lines, and looked at as
/// deviations from the mean over a window: sinc⁴(f sample_seconds) (1 - sinc²(f window_seconds)).
double sampled_share(double frequency, double sample_seconds, double window_seconds);

/// The deviation of noise of this density between `low` and `high` hertz, the trapezoidal rule over ln f; `frequency`
/// ascends and covers both.
double deviation_of(const std::vector<double>& frequency, const std::vector<double>& density, double low, double high);

}  // namespace hysteron::analysis
