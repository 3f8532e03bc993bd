#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "base/reporter.h"

namespace hysteron::data {

/// Audio files to turn into one file of features.
struct FeaturesRequest {
  std::vector<std::filesystem::path> audio;  ///< WAV or FLAC, one clip each, in the order of the result
  std::filesystem::path output;              ///< .npy, float32 [clips, 101, 13]
  bool raw = false;                          ///< leave the coefficients as they come, not normalised over each clip
  int jobs = 0;                              ///< threads; 0: all
};

/// Shape of what was written.
struct FeaturesSummary {
  std::size_t clips = 0;
  std::size_t frames = 0;
  std::size_t features = 0;
};

/// Computes the MFCC of every file and writes them; nothing is written where a file is bad. Throws a bad-input Error
/// that names the file, or kInterrupted when `stop` is set.
FeaturesSummary extract_features(const FeaturesRequest& request, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::data
