#include "design/synthetic_network.h"

#include <fmt/format.h>

#include "base/random.h"

namespace hysteron::design {
namespace {

constexpr std::size_t kInputs = 13;
constexpr std::size_t kOutputs = 2;
constexpr std::size_t kLayers = 2;
constexpr double kMinWeight = 0.1;  // of the d x d maps; a channel's own pair has one leg of each of these two
constexpr double kMaxWeight = 0.7;
constexpr double kOuterWeight = 0.25;  // of input map and readout

/// What a channel makes of itself: +1 follows, -1 inverts. In turn, so that legs that push and legs that pull carry the
/// same at every width: a row of sum S pushes S more than it pulls, which is a share of 1 / dim.
float sense_of(Eigen::Index channel) { return (channel / 2) % 2 == 0 ? 1.0F : -1.0F; }

/// Weights [dim, dim] of equal rows for twins: columns of a synthetic pair cancel, but a row's own pair adds up to the
/// difference of the largest and the least weight. The mean magnitude is the same for both.
model::Matrix synthetic_weights(Eigen::Index dim, Random& random) {
  model::Matrix weight(dim, dim);
  for (Eigen::Index i = 0; i < dim; i += 2) {
    for (Eigen::Index j = 0; j < dim; j += 2) {
      const double size = random.uniform(kMinWeight, kMaxWeight);
      const double sign = random.uniform() < 0.5 ? -1.0 : 1.0;
      const bool is_own = i == j;
      weight(i, j) = is_own ? sense_of(i) * static_cast<float>(kMaxWeight) : static_cast<float>(sign * size);
      weight(i, j + 1) = is_own ? -sense_of(i) * static_cast<float>(kMinWeight) : static_cast<float>(-sign * size);
    }
    weight.row(i + 1) = weight.row(i);
  }
  return weight;
}

/// `rest` for channels that follow; for those that invert what they have at rest, which the value brings down to that.
model::Vector biases(Eigen::Index dim, double rest) {
  model::Vector bias(dim);
  for (Eigen::Index i = 0; i < dim; ++i) {
    bias[i] = static_cast<float>(sense_of(i) > 0.0F ? rest : rest + kMaxWeight - kMinWeight);
  }
  return bias;
}

}  // namespace

model::Network synthetic_network(std::size_t dim, std::uint64_t seed) {
  const auto d = static_cast<Eigen::Index>(dim);
  Random random = Random(seed).child("twins", dim);
  const auto drawn = [&] { return static_cast<float>(random.uniform(-kOuterWeight, kOuterWeight)); };
  model::Network network;
  network.input.weight.resize(d, kInputs);
  network.input.bias = model::Vector::Constant(d, 0.3F);
  for (Eigen::Index i = 0; i < d; i += 2) {
    for (Eigen::Index j = 0; j < static_cast<Eigen::Index>(kInputs); ++j) network.input.weight(i, j) = drawn();
    network.input.weight.row(i + 1) = network.input.weight.row(i);
  }
  for (std::size_t l = 0; l < kLayers; ++l) {
    model::Layer layer;
    layer.candidate = {synthetic_weights(d, random), biases(d, 0.1)};
    layer.beta_lo = model::Vector::Constant(d, 0.2F);
    layer.beta_hi = model::Vector::Constant(d, 0.5F);
    layer.alpha = model::Vector::Constant(d, 1.0F);
    layer.initial_state = model::Vector::Zero(d);
    layer.output = {synthetic_weights(d, random), biases(d, 0.05)};
    network.layers.push_back(std::move(layer));
  }
  network.readout.weight.resize(kOutputs, d);
  for (Eigen::Index i = 0; i < network.readout.weight.size(); ++i) network.readout.weight.data()[i] = drawn();
  network.readout.bias = model::Vector::Constant(kOutputs, 0.1F);
  for (std::size_t k = 0; k < kOutputs; ++k) network.labels.push_back(fmt::format("label{}", k));
  return network;
}

std::vector<float> random_clip(std::size_t frames, std::uint64_t seed) {
  Random random = Random(seed).child("clip");
  std::vector<float> features(frames * kInputs);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

}  // namespace hysteron::design
