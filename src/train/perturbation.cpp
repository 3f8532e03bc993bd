#include "train/perturbation.h"

#include <algorithm>
#include <cmath>

namespace hysteron::train {
namespace {

constexpr double kSigmas = 3.0;  // a Perturbation's static errors are three deviations

bool is(const Segment& segment, const char* kind) { return segment.name.ends_with(kind); }
bool is_lower(const Segment& segment) { return is(segment, ".lower"); }
bool is_width(const Segment& segment) { return is(segment, ".width"); }
bool is_gain(const Segment& segment) { return is(segment, ".gain"); }

/// Sinusoids of the frame's number come from a clock, not from devices.
bool is_digital(const Segment& segment) { return segment.name.starts_with("position."); }

bool is_weight(const Segment& segment) {
  return !is_lower(segment) && !is_width(segment) && !is_gain(segment) && !is_digital(segment);
}

double deviation_of(const Segment& segment, const Perturbation& perturbation) {
  if (is_digital(segment)) return 0.0;
  if (is_lower(segment)) return perturbation.thresholds / kSigmas;
  if (is_width(segment)) return perturbation.widths / kSigmas;
  if (is_gain(segment)) return perturbation.gains / kSigmas;
  return perturbation.weights / kSigmas;
}

}  // namespace

WeightGrid::WeightGrid(const Perturbation& perturbation) : bits_(perturbation.bits) {
  if (!perturbation.technology.empty()) technology_ = technology::load_technology(perturbation.technology);
}

float WeightGrid::nearest_width(float weight) const {
  const technology::Geometry& reference = technology_->reference;
  double width = 0.0;
  double gain_of_metre = 0.0;
  for (const double length : technology_->leg_lengths) {
    gain_of_metre = reference.length / (length * reference.width);
    width = std::abs(static_cast<double>(weight)) / gain_of_metre;
    if (width >= technology_->narrowest_leg) break;
  }
  const double grid = technology_->size_grid;
  double gain = std::round(width / grid) * grid * gain_of_metre;
  const double least = technology_->min_weight;
  if (gain < least) gain = std::abs(weight) < 0.5 * least ? 0.0 : least;
  return std::copysign(static_cast<float>(gain), weight);
}

void WeightGrid::snap(std::span<float> weights) const {
  if (bits_ > 0) {
    float largest = 0.0f;
    for (const float weight : weights) largest = std::max(largest, std::abs(weight));
    const float step = largest / static_cast<float>((1U << (bits_ - 1)) - 1);
    if (step > 0.0f) {
      for (float& weight : weights) weight = step * std::round(weight / step);
    }
  }
  if (technology_) {
    for (float& weight : weights) weight = nearest_width(weight);
  }
}

void WeightGrid::snap(const std::vector<Segment>& segments, std::span<float> parameters) const {
  for (const Segment& segment : segments) {
    if (is_weight(segment)) snap(parameters.subspan(segment.offset, segment.size()));
  }
}

void WeightGrid::snap(model::Network& network) const {
  const auto snap_affine = [&](model::Affine& affine) {
    snap({affine.weight.data(), static_cast<std::size_t>(affine.weight.size())});
    snap({affine.bias.data(), static_cast<std::size_t>(affine.bias.size())});
  };
  snap_affine(network.input);
  for (model::Layer& layer : network.layers) {
    snap_affine(layer.candidate);
    snap_affine(layer.output);
  }
  snap_affine(network.readout);
}

std::vector<std::string> errors_without_effect(const std::vector<Segment>& segments, const Perturbation& perturbation) {
  std::vector<std::string> idle;
  const auto look = [&](const char* name, double error, bool (*takes)(const Segment&)) {
    if (error > 0.0 && std::ranges::none_of(segments, takes)) idle.emplace_back(name);
  };
  look("thresholds", perturbation.thresholds, is_lower);
  look("widths", perturbation.widths, is_width);
  look("gains", perturbation.gains, is_gain);
  return idle;
}

Die::Die(const std::vector<Segment>& segments, const Perturbation& perturbation, Random random, const ChipErrors* chip)
    : segments_(segments) {
  for (const Segment& segment : segments) {
    const double deviation = deviation_of(segment, perturbation);
    for (std::size_t i = 0; i < segment.size(); ++i) {
      errors_.push_back(deviation > 0.0 ? static_cast<float>(deviation * random.normal()) : 0.0f);
    }
  }
  if (chip == nullptr) return;
  for (std::size_t i = 0; i < errors_.size(); ++i) errors_[i] = (1.0f + errors_[i]) * (1.0f + chip->relative[i]) - 1.0f;
  added_ = chip->added;
}

void Die::apply(std::span<const float> parameters, std::span<float> perturbed) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) perturbed[i] = parameters[i] * (1.0f + errors_[i]);
  for (std::size_t s = 0; s + 1 < segments_.size(); ++s) {
    if (!is_lower(segments_[s])) continue;
    for (std::size_t j = 0; j < segments_[s].size(); ++j) {
      const std::size_t lower = segments_[s].offset + j;
      const std::size_t width = segments_[s + 1].offset + j;
      const float upper = (std::abs(parameters[lower]) + std::abs(parameters[width])) * (1.0f + errors_[lower]);
      perturbed[lower] = std::copysign(std::max(upper - std::abs(perturbed[width]), 0.0f), parameters[lower]);
    }
  }
  for (std::size_t i = 0; i < added_.size(); ++i) perturbed[i] += added_[i];
}

void Die::pull_back(std::span<const float> parameters, std::span<float> gradient) const {
  for (std::size_t s = 0; s + 1 < segments_.size(); ++s) {
    if (!is_lower(segments_[s])) continue;
    // |lower'| = (|lower| + |width|)(1 + a) - |width|(1 + b); a circuit with a band below 0 has no gradient there.
    for (std::size_t j = 0; j < segments_[s].size(); ++j) {
      const std::size_t lower = segments_[s].offset + j;
      const std::size_t width = segments_[s + 1].offset + j;
      const float size = std::abs(parameters[width]);
      const float upper = (std::abs(parameters[lower]) + size) * (1.0f + errors_[lower]);
      if (upper < size * (1.0f + errors_[width])) gradient[lower] = 0.0f;
      const float signs = std::copysign(1.0f, parameters[lower]) * std::copysign(1.0f, parameters[width]);
      const float from_lower = signs * gradient[lower] * (errors_[lower] - errors_[width]);
      gradient[width] = gradient[width] * (1.0f + errors_[width]) + from_lower;
      gradient[lower] *= 1.0f + errors_[lower];
    }
  }
  for (const Segment& segment : segments_) {
    if (is_lower(segment)) continue;
    const bool of_band = is_width(segment) && &segment != segments_.data() && is_lower(*(&segment - 1));
    if (of_band) continue;
    for (std::size_t i = segment.offset; i < segment.offset + segment.size(); ++i) gradient[i] *= 1.0f + errors_[i];
  }
}

model::Network make_die(const model::Network& network, const Perturbation& perturbation, Random random) {
  model::Network die = network;
  const auto disturb = [&](auto& values, double three_sigma) {
    for (Eigen::Index i = 0; i < values.size(); ++i) {
      values.data()[i] *= static_cast<float>(1.0 + three_sigma / kSigmas * random.normal());
    }
  };
  const auto disturb_affine = [&](model::Affine& affine) {
    disturb(affine.weight, perturbation.weights);
    disturb(affine.bias, perturbation.weights);
  };
  disturb_affine(die.input);
  for (model::Layer& layer : die.layers) {
    model::Vector width = layer.beta_hi - layer.beta_lo;
    disturb_affine(layer.candidate);
    disturb(layer.beta_hi, perturbation.thresholds);
    disturb(width, perturbation.widths);
    disturb(layer.alpha, perturbation.gains);
    disturb_affine(layer.output);
    layer.beta_lo = (layer.beta_hi - width).cwiseMax(0.0f);  // as in the circuit, which sets beta_hi and the width
    layer.beta_hi = layer.beta_hi.cwiseMax(layer.beta_lo);
  }
  disturb_affine(die.readout);
  return die;
}

}  // namespace hysteron::train
