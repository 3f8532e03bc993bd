#include "train/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "train/dual.h"
#include "train/noise.h"

namespace hysteron::train {
namespace {

/// Runs the loss of one shard with parameter `active` carrying slope 1.
class ReferencePass {
 public:
  ReferencePass(const Backbone& backbone, std::span<const float> parameters, const Shard& shard,
                const PassOptions& options)
      : backbone_(backbone), parameters_(parameters), shard_(shard), options_(options) {}

  Dual loss(std::size_t active) {
    active_ = active;
    Dual sum;
    for (std::size_t clip = 0; clip < kShardClips; ++clip) {
      if (shard_.weights[clip] > 0.0f) sum = sum + clip_loss(clip);
    }
    return static_cast<double>(options_.scale) * sum;
  }

 private:
  Dual parameter(const Segment& segment, std::size_t index) const {
    const std::size_t place = segment.offset + index;
    return {parameters_[place], place == active_ ? 1.0 : 0.0};
  }

  Duals affine(const std::string& name, const Duals& x) const {
    const Segment& weight = backbone_.segment(name + ".weight");
    const Segment& bias = backbone_.segment(name + ".bias");
    Duals y(weight.rows);
    for (std::size_t j = 0; j < weight.rows; ++j) {
      y[j] = parameter(bias, j);
      for (std::size_t i = 0; i < weight.columns; ++i) y[j] = y[j] + parameter(weight, j * weight.columns + i) * x[i];
    }
    return y;
  }

  std::uint32_t counter(std::size_t frame, std::size_t clip) const {
    return shard_.first_column + static_cast<std::uint32_t>(frame * kShardClips + clip);
  }

  Dual margin(Dual candidate, Dual state, Dual beta_lo, Dual beta_hi) const {
    const Dual threshold = state.value >= 0.5 ? beta_lo : beta_hi;
    const double scale = 1.0 / (static_cast<double>(options_.margin) * beta_hi.value);
    return relu(Dual{1.0, 0.0} - scale * abs(candidate - threshold));
  }

  /// h of one layer at one frame; moves `states` on and adds to the margin loss.
  Duals cells(std::size_t layer, std::size_t frame, std::size_t clip, const Duals& inputs, Duals& states,
              Dual& margins) const {
    const std::string prefix = "layers." + std::to_string(layer) + ".";
    Duals h(states.size());
    const Duals sums = affine(prefix + "candidate", inputs);
    for (std::size_t j = 0; j < states.size(); ++j) {
      const Dual beta_lo = abs(parameter(backbone_.segment(prefix + "lower"), j));
      const Dual beta_hi = beta_lo + abs(parameter(backbone_.segment(prefix + "width"), j));
      const std::uint32_t key = noise_key(options_.seed, NoiseUse::kCandidate, layer, j);
      const double noise = options_.candidate_noise > 0.0f ? static_cast<double>(options_.candidate_noise) *
                                                                 beta_hi.value * noise_normal(key, counter(frame, clip))
                                                           : 0.0;
      const std::uint32_t scale_key = noise_key(options_.seed, NoiseUse::kScale, layer, j);
      const double factor = 1.0 + static_cast<double>(options_.multiplicative_noise) *
                                      static_cast<double>(noise_normal(scale_key, counter(frame, clip)));
      const Dual candidate = relu(factor * sums[j] + Dual{noise, 0.0});
      const Dual one{1.0, 0.0};
      const Dual z_lo = one - step(candidate - beta_lo);
      const Dual z_hi = step(candidate - beta_hi);
      const Dual hold = (one - z_lo) * (one - z_hi);
      margins = margins + margin(candidate, states[j], beta_lo, beta_hi);
      states[j] = hold * states[j] + (one - hold) * (z_hi + static_cast<double>(options_.epsilon) * states[j]);
      h[j] = abs(parameter(backbone_.segment(prefix + "gain"), j)) * states[j];
    }
    return h;
  }

  Duals outputs(std::size_t layer, std::size_t frame, std::size_t clip, const Duals& h) const {
    Duals o = affine("layers." + std::to_string(layer) + ".output", h);
    for (std::size_t i = 0; i < o.size(); ++i) {
      const std::uint32_t key = noise_key(options_.seed, NoiseUse::kDropout, layer, i);
      const bool kept = options_.dropout <= 0.0f || dropout_keeps(key, counter(frame, clip), options_.dropout);
      o[i] = kept ? 1.0 / (1.0 - static_cast<double>(options_.dropout)) * relu(o[i]) : Dual{};
    }
    return o;
  }

  /// What the legs of an affine map draw from sources x.
  Dual leg_current(const std::string& name, const Duals& x) const {
    const Segment& weight = backbone_.segment(name + ".weight");
    const Segment& bias = backbone_.segment(name + ".bias");
    Dual sum;
    for (std::size_t j = 0; j < weight.rows; ++j) {
      sum = sum + abs(parameter(bias, j));
      for (std::size_t i = 0; i < weight.columns; ++i) {
        sum = sum + abs(parameter(weight, j * weight.columns + i)) * abs(x[i]);
      }
    }
    return sum;
  }

  Dual layer_current(std::size_t layer, const Duals& u, const Duals& h) const {
    const std::string prefix = "layers." + std::to_string(layer) + ".";
    Dual sum = leg_current(prefix + "candidate", u) + leg_current(prefix + "output", h);
    for (std::size_t j = 0; j < h.size(); ++j) {
      sum = sum + abs(parameter(backbone_.segment(prefix + "lower"), j)) +
            2.0 * abs(parameter(backbone_.segment(prefix + "width"), j)) + h[j];
    }
    return sum;
  }

  Dual clip_loss(std::size_t clip) const {
    const BackboneShape& shape = backbone_.shape();
    std::vector<Duals> states(shape.layers, Duals(shape.cells));
    const double share = options_.vote_share;
    Dual sum;
    Dual probabilities;
    for (std::size_t t = 0; t < shard_.frames; ++t) {
      Duals x(shape.inputs);
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i].value = shard_.inputs[(i * shard_.frames + t) * kShardClips + clip];
      }
      Duals v = affine("input", x);
      Dual margins;
      Dual current = leg_current("input", x);
      for (std::size_t layer = 0; layer < shape.layers; ++layer) {
        Duals u = v;
        for (Dual& value : u) value = relu(value);
        const Duals h = cells(layer, t, clip, u, states[layer], margins);
        current = current + layer_current(layer, u, h);
        const Duals o = outputs(layer, t, clip, h);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = v[i] + o[i];
      }
      current = current + leg_current("readout", v);
      const double scale =
          static_cast<double>(options_.margin_weight) / static_cast<double>(shape.layers * shape.cells);
      sum = sum + static_cast<double>(options_.power_weight) * current;
      const Dual log_p = log_probability(affine("readout", v), shard_.labels[clip]);
      sum = sum - (1.0 - share) * log_p + scale * margins;
      probabilities = probabilities + Dual{std::exp(log_p.value), std::exp(log_p.value) * log_p.slope};
    }
    const auto frames = static_cast<double>(shard_.frames);
    const double mean = probabilities.value / frames;
    return sum - share * frames * Dual{std::log(mean), probabilities.slope / probabilities.value};
  }

  const Backbone& backbone_;
  std::span<const float> parameters_;
  const Shard& shard_;
  const PassOptions& options_;
  std::size_t active_ = 0;
};

}  // namespace

ReferenceGradient reference_gradient(const Backbone& backbone, std::span<const float> parameters, const Shard& shard,
                                     const PassOptions& options) {
  ReferencePass pass(backbone, parameters, shard, options);
  ReferenceGradient result;
  for (std::size_t i = 0; i < backbone.parameters(); ++i) {
    const Dual loss = pass.loss(i);
    result.loss = loss.value;
    result.gradient.push_back(loss.slope);
  }
  return result;
}

double GradientCheck::worst() const {
  double result = 0.0;
  for (const GradientDifference& segment : segments) result = std::max(result, segment.relative);
  return result;
}

GradientDifference compare_segment(const Segment& segment, std::span<const float> gradient,
                                   std::span<const double> reference) {
  GradientDifference difference{segment.name, 0.0, 0.0};
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = segment.offset; i < segment.offset + segment.size(); ++i) {
    const double apart = std::abs(gradient[i] - reference[i]);
    difference.largest = std::max(difference.largest, apart);
    error += apart * apart;
    norm += reference[i] * reference[i];
  }
  if (error > 0.0) difference.relative = std::sqrt(error / std::max(norm, 1e-20));
  return difference;
}

GradientCheck check_gradient(const Backbone& backbone, std::span<const float> parameters, const Shard& shard,
                             const PassOptions& options) {
  Backbone::Workspace workspace;
  std::vector<float> gradient(backbone.parameters(), 0.0f);
  const PassSums sums = backbone.pass(parameters, shard, options, workspace, gradient);
  const ReferenceGradient reference = reference_gradient(backbone, parameters, shard, options);
  GradientCheck check;
  const double loss =
      options.scale * (sums.cross_entropy + options.margin_weight * sums.margin + options.power_weight * sums.current);
  check.loss_difference = std::abs(loss - reference.loss);
  for (const Segment& segment : backbone.segments()) {
    check.segments.push_back(compare_segment(segment, gradient, reference.gradient));
  }
  return check;
}

}  // namespace hysteron::train
