#include "data/noise.h"

#include <array>
#include <cmath>

namespace hysteron::data {
namespace {

/// White noise in, pink noise out: within 0.05 dB of -10 dB a decade above 9 Hz at 44.1 kHz (Paul Kellet's filter,
/// musicdsp.org number 76); at 16 kHz the range begins at 3 Hz.
class PinkFilter {
 public:
  double next(double white) {
    double sum = kDirect * white + delayed_;
    for (std::size_t i = 0; i < kPoles.size(); ++i) {
      state_[i] = kPoles[i] * state_[i] + kGains[i] * white;
      sum += state_[i];
    }
    delayed_ = kDelayedGain * white;
    return sum;
  }

 private:
  static constexpr std::array<double, 6> kPoles = {0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616};
  static constexpr std::array<double, 6> kGains = {0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980};
  static constexpr double kDirect = 0.5362;
  static constexpr double kDelayedGain = 0.115926;

  std::array<double, 6> state_{};
  double delayed_ = 0.0;
};

void scale_to(std::vector<double>& values, double level) {
  double energy = 0.0;
  for (const double value : values) energy += value * value;
  const double factor = energy > 0.0 ? level / std::sqrt(energy / static_cast<double>(values.size())) : 0.0;
  for (double& value : values) value *= factor;
}

}  // namespace

std::vector<float> make_noise(std::size_t length, double level, Random random) {
  const double pink_share = random.uniform();  // of the power
  std::vector<double> white(length);
  std::vector<double> pink(length);
  PinkFilter filter;
  for (std::size_t i = 0; i < length; ++i) {
    white[i] = random.normal();
    pink[i] = filter.next(random.normal());
  }
  scale_to(white, level * std::sqrt(1.0 - pink_share));
  scale_to(pink, level * std::sqrt(pink_share));
  std::vector<float> noise(length);
  for (std::size_t i = 0; i < length; ++i) noise[i] = static_cast<float>(white[i] + pink[i]);
  return noise;
}

}  // namespace hysteron::data
