#include "compile/pruning.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "compile/centering.h"

namespace hysteron::compile {
namespace {

template <typename Array>
std::size_t drop_small(Array& values, double below) {
  std::size_t dropped = 0;
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    float& value = values.data()[i];
    if (value == 0.0F || std::abs(value) >= below) continue;
    value = 0.0F;
    ++dropped;
  }
  return dropped;
}

std::size_t drop_small(model::Affine& affine, double below) {
  return drop_small(affine.weight, below) + drop_small(affine.bias, below);
}

}  // namespace

DecisionEffect decision_effect(const model::Network& before, const model::Network& after,
                               const data::Features& features, ThreadPool& pool) {
  std::vector<std::size_t> clips(features.clips);
  std::iota(clips.begin(), clips.end(), std::size_t{0});
  const SoftwareChange change = software_change(before, after, features, clips, pool);
  DecisionEffect effect{features.clips, 0.0, 0.0};
  const auto count = static_cast<double>(features.clips);
  if (features.clips == 0 || features.frames == 0) return effect;
  effect.frame_change = static_cast<double>(change.frames) / (count * static_cast<double>(features.frames));
  effect.decision_change = static_cast<double>(change.decisions) / count;
  return effect;
}

Pruning prune(const model::Network& network, double below, const data::Features& features, ThreadPool& pool) {
  Pruning pruning;
  pruning.network = network;
  pruning.below = below;
  pruning.dropped = drop_small(pruning.network.input, below) + drop_small(pruning.network.readout, below);
  for (model::Layer& layer : pruning.network.layers) {
    pruning.dropped += drop_small(layer.candidate, below) + drop_small(layer.output, below);
  }
  pruning.effect = decision_effect(network, pruning.network, features, pool);
  return pruning;
}

}  // namespace hysteron::compile
