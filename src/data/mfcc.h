#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/features.h"

namespace hysteron::data {

/// How the coefficients of a clip are scaled.
enum class Normalisation {
  kNone,  ///< as they come: decibels under an orthonormal DCT
  kClip,  ///< (x - mean) / (deviation + 1e-8) with the clip's own statistics per coefficient
  kFixed  ///< the same with statistics given once: what a streaming front end can do
};

/// Mean and (population) deviation per coefficient, both [n].
struct FeatureStatistics {
  std::vector<float> mean;
  std::vector<float> deviation;
};

/// Statistics over every frame of every clip of un-normalised features.
FeatureStatistics feature_statistics(const Features& features);

/// x := (x - mean) / (deviation + 1e-8) for every frame. Throws a bad-input Error unless the widths agree.
void normalise(Features& features, const FeatureStatistics& statistics);

/// Mel-frequency cepstral coefficients of one-second clips, [101, 13] (design.md section 2; librosa's definition):
/// 16,000 samples, 256 zeros on both sides, periodic Hann window of 512, hop 160, |FFT|^2, 128 Slaney mel bands from 0
/// to 8 kHz with Slaney area normalisation, 10 log10(max(., 1e-10)), floor 80 dB below the clip's maximum, orthonormal
/// DCT-II, first 13. Double precision inside. One object may be used from several threads at once.
class Mfcc {
 public:
  static constexpr std::size_t kSamples = 16000;
  static constexpr std::size_t kFrames = 101;
  static constexpr std::size_t kCoefficients = 13;
  /// What one decibel more of the signal adds to the first coefficient before normalisation: sqrt(128), the bands'
  /// share of the orthonormal DCT (exact above the power floor).
  static constexpr double kLevelOfDecibel = 11.313708498984761;
  /// Bound on the difference from an independent implementation, per-clip normalisation.
  static constexpr double kErrorBound = 1e-4;

  explicit Mfcc(Normalisation normalisation = Normalisation::kClip, FeatureStatistics statistics = {});
  ~Mfcc();
  Mfcc(Mfcc&&) noexcept;
  Mfcc& operator=(Mfcc&&) noexcept;

  /// Coefficients [101, 13] of `samples` at 16 kHz, cut or padded with zeros at the end to one second, into `out`.
  void compute(std::span<const float> samples, std::span<float> out) const;
  std::vector<float> compute(std::span<const float> samples) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
  Normalisation normalisation_;
  FeatureStatistics statistics_;
};

}  // namespace hysteron::data
