#include "analysis/noise_source.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hysteron::analysis {
namespace {

using std::numbers::pi;

constexpr double kCornersPerDecade = 4.0;

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(pi * x) / (pi * x); }

/// Adds low-pass noise with this corner: variance flicker times the logarithm of the corners' ratio, so that the sum
/// over all corners has density flicker / f.
void add_low_pass(std::vector<double>& samples, double corner, double deviation, double sample_seconds,
                  Random& random) {
  const double kept = std::exp(-2.0 * pi * corner * sample_seconds);
  const double fresh = deviation * std::sqrt(1.0 - kept * kept);
  double value = deviation * random.normal();
  for (double& sample : samples) {
    sample += value;
    value = kept * value + fresh * random.normal();
  }
}

}  // namespace

std::vector<double> draw_noise(const NoiseDensity& density, double lowest, double sample_seconds, std::size_t samples,
                               Random random) {
  std::vector<double> result(samples);
  const double white = std::sqrt(0.5 * density.white / sample_seconds);
  for (double& sample : result) sample = white * random.normal();
  if (!(density.flicker > 0.0)) return result;
  const double ratio = std::pow(10.0, 1.0 / kCornersPerDecade);
  const double deviation = std::sqrt(density.flicker * std::log(ratio));
  for (double corner = lowest; corner < 0.5 / sample_seconds; corner *= ratio) {
    add_low_pass(result, corner, deviation, sample_seconds, random);
  }
  return result;
}

double sampled_share(double frequency, double sample_seconds, double window_seconds) {
  const double line = sinc(frequency * sample_seconds);
  const double mean = sinc(frequency * window_seconds);
  return line * line * line * line * (1.0 - mean * mean);
}

double deviation_of(const std::vector<double>& frequency, const std::vector<double>& density, double low, double high) {
  double power = 0.0;
  for (std::size_t i = 1; i < frequency.size(); ++i) {
    const double begin = std::log(std::max(frequency[i - 1], low));
    const double end = std::log(std::min(frequency[i], high));
    if (!(end > begin)) continue;
    const double left = std::log(frequency[i - 1]);
    const double width = std::log(frequency[i]) - left;
    const double first = frequency[i - 1] * density[i - 1];
    const double slope = (frequency[i] * density[i] - first) / width;
    power += (end - begin) * (first + slope * (0.5 * (begin + end) - left));
  }
  return std::sqrt(power);
}

}  // namespace hysteron::analysis
