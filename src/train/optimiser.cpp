#include "train/optimiser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hysteron::train {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr float kEpsilon = 1e-8f;

}  // namespace

double cosine_rate(double first, std::size_t step, std::size_t steps) {
  return 0.5 * first * (1.0 + std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(steps)));
}

double epsilon_at(std::size_t step, std::size_t steps, double hold, double fall) {
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  if (done < hold) return 1.0;
  if (done >= hold + fall) return 0.0;
  return 1.0 - (done - hold) / fall;
}

double clip_gradient(std::span<float> gradient, double limit) {
  double sum = 0.0;
  for (const float value : gradient) sum += static_cast<double>(value) * value;
  const double norm = std::sqrt(sum);
  if (limit > 0.0 && norm > limit) {
    const auto scale = static_cast<float>(limit / norm);
    for (float& value : gradient) value *= scale;
  }
  return norm;
}

void apply_bounds(const std::vector<Segment>& segments, const ParameterBounds& bounds, std::span<float> parameters) {
  const auto floor = static_cast<float>(bounds.floor);
  const auto limit = static_cast<float>(bounds.limit);
  for (const Segment& segment : segments) {
    for (float& value : parameters.subspan(segment.offset, segment.size())) {
      const float least = segment.positive ? floor : 0.0f;
      value = std::copysign(std::clamp(std::abs(value), least, limit), value);
    }
  }
}

Error divergence(const std::vector<Segment>& segments, std::span<const float> gradient, std::size_t step, double loss,
                 double norm, const std::string& checkpoint) {
  std::string worst;
  float largest = -1.0f;
  for (const Segment& segment : segments) {
    for (const float part : gradient.subspan(segment.offset, segment.size())) {
      const float size = std::isfinite(part) ? std::abs(part) : INFINITY;
      if (size <= largest) continue;
      largest = size;
      worst = segment.name;
    }
  }
  return bad_input(fmt::format(
      "training diverged at step {}: the loss is {}, the gradient's norm {}, its largest part in {}; the last good "
      "checkpoint is {}; lower training.learning_rate or check the data",
      step, loss, norm, worst, checkpoint.empty() ? "none" : checkpoint));
}

AdamW::AdamW(const std::vector<Segment>& segments, std::size_t parameters, double weight_decay)
    : decay_(parameters, 0.0f), mean_(parameters, 0.0f), variance_(parameters, 0.0f) {
  for (const Segment& segment : segments) {
    if (segment.decays) std::fill_n(decay_.begin() + segment.offset, segment.size(), static_cast<float>(weight_decay));
  }
}

void AdamW::count_step() {
  mean_weight_ *= kBeta1;
  variance_weight_ *= kBeta2;
}

void AdamW::restore(std::vector<float> mean, std::vector<float> variance, std::size_t steps) {
  mean_ = std::move(mean);
  variance_ = std::move(variance);
  mean_weight_ = variance_weight_ = 1.0;
  for (std::size_t i = 0; i < steps; ++i) count_step();
}

void AdamW::step(std::span<const float> gradient, double rate, std::span<float> parameters) {
  count_step();
  constexpr auto kKeep1 = static_cast<float>(kBeta1);
  constexpr auto kKeep2 = static_cast<float>(kBeta2);
  const auto mean_scale = static_cast<float>(1.0 / (1.0 - mean_weight_));
  const auto variance_scale = static_cast<float>(1.0 / (1.0 - variance_weight_));
  const auto step_size = static_cast<float>(rate);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float g = gradient[i];
    mean_[i] = kKeep1 * mean_[i] + (1.0f - kKeep1) * g;
    variance_[i] = kKeep2 * variance_[i] + (1.0f - kKeep2) * g * g;
    const float move = mean_[i] * mean_scale / (std::sqrt(variance_[i] * variance_scale) + kEpsilon);
    parameters[i] -= step_size * (move + decay_[i] * parameters[i]);
  }
}

}  // namespace hysteron::train
