#pragma once

#include <vector>

namespace hysteron::sim {

/// What one transistor adds to the output: its thermal noise and its flicker noise, squared.
struct DeviceNoise {
  std::vector<double> thermal;  ///< [frequencies]
  std::vector<double> flicker;  ///< [frequencies]
};

/// Noise around an operating point. Densities are one-sided, per hertz and squared: V²/Hz where the output is a
/// voltage, A²/Hz where it is a current.
struct NoiseSpectrum {
  std::vector<double> frequency;     ///< hertz, ascending
  std::vector<double> output;        ///< [frequencies]
  std::vector<double> input;         ///< [frequencies], the output referred to the input source, A²/Hz
  std::vector<DeviceNoise> devices;  ///< by DeviceId; their sum is `output`
};

}  // namespace hysteron::sim
