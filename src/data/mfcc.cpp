#include "data/mfcc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>
#include <limits>
#include <numbers>
#include <utility>

#include "base/error.h"
#include "data/audio.h"

namespace hysteron::data {
namespace {

constexpr std::size_t kWindow = 512;        // samples
constexpr std::size_t kHop = 160;           // samples
constexpr std::size_t kPadding = 256;       // zeros before and after the clip
constexpr std::size_t kBins = kWindow / 2;  // of the spectrum; the one at 8 kHz is kept apart (see below)
constexpr std::size_t kBands = 128;         // mel bands
constexpr double kPowerFloor = 1e-10;       // least band power before the logarithm
constexpr double kDynamicRange = 80.0;      // decibel below the clip's maximum
constexpr double kDeviationOffset = 1e-8;   // keeps a constant coefficient finite
constexpr std::size_t kPaddedLength = Mfcc::kSamples + 2 * kPadding;
static_assert((kPaddedLength - kWindow) / kHop + 1 == Mfcc::kFrames);

// Slaney's mel scale (Auditory Toolbox, 1998): linear to 1 kHz, logarithmic above.
constexpr double kLinearHertzPerMel = 200.0 / 3.0;
constexpr double kBreakHertz = 1000.0;
constexpr double kBreakMel = kBreakHertz / kLinearHertzPerMel;
const double kLogStep = std::log(6.4) / 27.0;

double hertz_to_mel(double hertz) {
  return hertz < kBreakHertz ? hertz / kLinearHertzPerMel : kBreakMel + std::log(hertz / kBreakHertz) / kLogStep;
}

double mel_to_hertz(double mel) {
  return mel < kBreakMel ? mel * kLinearHertzPerMel : kBreakHertz * std::exp(kLogStep * (mel - kBreakMel));
}

/// A triangle over the bins [first, first + weights.size()) of the power spectrum, with unit area in hertz.
struct Band {
  std::size_t first = 0;
  std::vector<double> weights;
};

std::vector<Band> make_bands() {
  constexpr double kNyquist = kSampleRate / 2.0;
  std::array<double, kBands + 2> edges{};
  const double top = hertz_to_mel(kNyquist);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    edges[i] = mel_to_hertz(top * static_cast<double>(i) / static_cast<double>(kBands + 1));
  }
  std::vector<Band> bands(kBands);
  for (std::size_t b = 0; b < kBands; ++b) {
    const double low = edges[b];
    const double center = edges[b + 1];
    const double high = edges[b + 2];
    for (std::size_t k = 0; k <= kBins; ++k) {
      const double hertz = static_cast<double>(k) * kSampleRate / static_cast<double>(kWindow);
      const double height = std::min((hertz - low) / (center - low), (high - hertz) / (high - center));
      if (height <= 0.0) continue;
      if (bands[b].weights.empty()) bands[b].first = k;
      bands[b].weights.push_back(height * 2.0 / (high - low));
    }
  }
  return bands;
}

/// (x - mean) / (deviation + 1e-8) per coefficient over `values` [frames, width].
void normalise_clip(std::span<double> values, std::size_t width) {
  const std::size_t frames = values.size() / width;
  const auto count = static_cast<double>(frames);
  for (std::size_t c = 0; c < width; ++c) {
    // Sums of differences from the first frame: a constant coefficient has a deviation of exactly 0.
    const double reference = values[c];
    double sum = 0.0;
    for (std::size_t t = 0; t < frames; ++t) sum += values[t * width + c] - reference;
    const double mean = sum / count;
    double squares = 0.0;
    for (std::size_t t = 0; t < frames; ++t) {
      const double difference = values[t * width + c] - reference - mean;
      squares += difference * difference;
    }
    const double deviation = std::sqrt(squares / count);
    for (std::size_t t = 0; t < frames; ++t) {
      double& value = values[t * width + c];
      value = (value - reference - mean) / (deviation + kDeviationOffset);
    }
  }
}

void check_width(const FeatureStatistics& statistics, std::size_t width) {
  if (statistics.mean.size() != width || statistics.deviation.size() != width) {
    throw bad_input(fmt::format("feature statistics: {} means and {} standard deviations; expected {} of each",
                                statistics.mean.size(), statistics.deviation.size(), width));
  }
}

double normalised(double value, const FeatureStatistics& statistics, std::size_t coefficient) {
  return (value - static_cast<double>(statistics.mean[coefficient])) /
         (static_cast<double>(statistics.deviation[coefficient]) + kDeviationOffset);
}

}  // namespace

FeatureStatistics feature_statistics(const Features& features) {
  const std::size_t rows = features.clips * features.frames;
  const std::size_t width = features.width;
  if (rows == 0) throw bad_input("feature statistics: there are no frames");
  FeatureStatistics statistics{std::vector<float>(width), std::vector<float>(width)};
  for (std::size_t c = 0; c < width; ++c) {
    double sum = 0.0;
    for (std::size_t r = 0; r < rows; ++r) sum += static_cast<double>(features.values[r * width + c]);
    const double mean = sum / static_cast<double>(rows);
    double squares = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
      const double difference = static_cast<double>(features.values[r * width + c]) - mean;
      squares += difference * difference;
    }
    statistics.mean[c] = static_cast<float>(mean);
    statistics.deviation[c] = static_cast<float>(std::sqrt(squares / static_cast<double>(rows)));
  }
  return statistics;
}

void normalise(Features& features, const FeatureStatistics& statistics) {
  check_width(statistics, features.width);
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    const double value = static_cast<double>(features.values[i]);
    features.values[i] = static_cast<float>(normalised(value, statistics, i % features.width));
  }
}

struct Mfcc::Tables {
  kissfft<double> transform{kBins, false};  // of half the window's length: the input is real
  std::array<double, kWindow> window{};     // periodic Hann
  std::vector<Band> bands = make_bands();   // [128]
  std::vector<double> cosines;              // [13, 128], orthonormal DCT-II

  Tables() : cosines(kCoefficients * kBands) {
    constexpr double kPi = std::numbers::pi;
    for (std::size_t i = 0; i < kWindow; ++i) {
      window[i] = 0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(i) / static_cast<double>(kWindow));
    }
    for (std::size_t c = 0; c < kCoefficients; ++c) {
      const double scale = std::sqrt((c == 0 ? 1.0 : 2.0) / static_cast<double>(kBands));
      for (std::size_t b = 0; b < kBands; ++b) {
        const double angle = kPi * static_cast<double>(c * (2 * b + 1)) / static_cast<double>(2 * kBands);
        cosines[c * kBands + b] = scale * std::cos(angle);
      }
    }
  }

  /// |FFT|^2 of the windowed samples that begin at `samples`: power [257].
  void power_spectrum(const double* samples, std::span<double, kBins + 1> power) const {
    std::array<double, kWindow> windowed;
    std::array<std::complex<double>, kBins> spectrum;
    for (std::size_t i = 0; i < kWindow; ++i) windowed[i] = window[i] * samples[i];
    transform.transform_real(windowed.data(), spectrum.data());
    // kissfft keeps the real values at 0 and 8 kHz in one complex number.
    power[0] = spectrum[0].real() * spectrum[0].real();
    power[kBins] = spectrum[0].imag() * spectrum[0].imag();
    for (std::size_t k = 1; k < kBins; ++k) power[k] = std::norm(spectrum[k]);
  }

  /// Band levels [101, 128] in decibel, limited to kDynamicRange below the clip's maximum.
  std::vector<double> band_levels(std::span<const float> samples) const {
    std::vector<double> padded(kPaddedLength, 0.0);
    const std::size_t used = std::min(samples.size(), kSamples);
    std::copy_n(samples.begin(), used, padded.begin() + kPadding);
    std::vector<double> levels(kFrames * kBands);
    std::array<double, kBins + 1> power;
    double maximum = -std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < kFrames; ++t) {
      power_spectrum(padded.data() + t * kHop, power);
      for (std::size_t b = 0; b < kBands; ++b) {
        const Band& band = bands[b];
        double sum = 0.0;
        for (std::size_t i = 0; i < band.weights.size(); ++i) sum += band.weights[i] * power[band.first + i];
        const double level = 10.0 * std::log10(std::max(sum, kPowerFloor));
        levels[t * kBands + b] = level;
        maximum = std::max(maximum, level);
      }
    }
    for (double& level : levels) level = std::max(level, maximum - kDynamicRange);
    return levels;
  }
};

Mfcc::Mfcc(Normalisation normalisation, FeatureStatistics statistics)
    : tables_(std::make_unique<Tables>()), normalisation_(normalisation), statistics_(std::move(statistics)) {
  if (normalisation_ == Normalisation::kFixed) check_width(statistics_, kCoefficients);
}

Mfcc::~Mfcc() = default;
Mfcc::Mfcc(Mfcc&&) noexcept = default;
Mfcc& Mfcc::operator=(Mfcc&&) noexcept = default;

void Mfcc::compute(std::span<const float> samples, std::span<float> out) const {
  assert(out.size() == kFrames * kCoefficients);
  const std::vector<double> levels = tables_->band_levels(samples);
  std::vector<double> coefficients(kFrames * kCoefficients);
  for (std::size_t t = 0; t < kFrames; ++t) {
    for (std::size_t c = 0; c < kCoefficients; ++c) {
      const double* cosines = tables_->cosines.data() + c * kBands;
      double sum = 0.0;
      for (std::size_t b = 0; b < kBands; ++b) sum += cosines[b] * levels[t * kBands + b];
      coefficients[t * kCoefficients + c] = sum;
    }
  }
  if (normalisation_ == Normalisation::kClip) normalise_clip(coefficients, kCoefficients);
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    const bool fixed = normalisation_ == Normalisation::kFixed;
    out[i] = static_cast<float>(fixed ? normalised(coefficients[i], statistics_, i % kCoefficients) : coefficients[i]);
  }
}

std::vector<float> Mfcc::compute(std::span<const float> samples) const {
  std::vector<float> out(kFrames * kCoefficients);
  compute(samples, out);
  return out;
}

}  // namespace hysteron::data
